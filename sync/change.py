"""The values that sync speaks of: mutations, records, clashes. Bodies are JSON objects as `dict[str, Json]`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Json = Any
Body = dict[str, Json]

PLAIN = frozenset({str, int, bool, float, list, dict, type(None)})
"""What JSON is read as; values of two of these are never the same."""

Op = Literal["create", "update", "delete"]
Owner = Literal["office", "field", "shared", "server"]
PolicyName = Literal[
    "office", "technician", "latest", "max", "min", "union", "append", "state", "text", "ask", "server"
]
ClashClass = Literal["soft", "hard", "late", "refused"]
ClashKind = Literal["value", "proposal", "late", "refused", "state"]
Chosen = Literal["mine", "theirs", "merged"]
Status = Literal["applied", "merged", "overridden", "held", "rejected", "duplicate"]


@dataclass(frozen=True, kw_only=True)
class FieldRule:
    """What one field of a document means for merging.

    `owner` says whose word it is: a device's write to an office field becomes a proposal, to a server
    field is refused; `policy` says what happens when both sides changed it.
    """

    name: str
    owner: Owner
    policy: PolicyName


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """One edit made on a device, as a patch against the version that the device had seen."""

    id: str
    n: int
    device_id: str
    collection: str
    document_id: str
    op: Op
    base_version: int | None
    made_at: datetime
    set: Mapping[str, Json] = field(default_factory=dict)
    add: Mapping[str, Sequence[Json]] = field(default_factory=dict)
    remove: Mapping[str, Sequence[Json]] = field(default_factory=dict)
    group: str | None = None
    resolves: str | None = None
    """The conflict that a person settles by this edit."""


@dataclass(frozen=True, kw_only=True)
class FieldVersion:
    """The document version in which a field last changed, and the device that changed it (None: the office)."""

    version: int
    device_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Record:
    """A document as the server holds it."""

    collection: str
    id: str
    version: int
    body: Body
    field_versions: Mapping[str, FieldVersion]
    deleted: bool = False


@dataclass(frozen=True, kw_only=True)
class Clash:
    """Two people changed one thing, or one was not allowed to: what each wanted, and what was chosen."""

    field: str
    kind: ClashKind
    clash_class: ClashClass
    policy: PolicyName
    base: Json
    mine: Json
    theirs: Json
    chosen: Chosen
    value: Json
    needs_person: bool


@dataclass(frozen=True, kw_only=True)
class Merged:
    """The outcome of merging one mutation: the new body (the same object's copy), what changed, what clashed."""

    status: Status
    body: Body
    changed: frozenset[str]
    clashes: tuple[Clash, ...] = ()


def canonical(value: Json) -> str:
    """The one text of a JSON value: keys sorted, no spaces. Two values are equal when their texts are."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def same(a: Json, b: Json) -> bool:
    """Equality of JSON values, so that 1 and true, or a missing and a null list entry, are never confused.

    It is equality of `canonical` texts, without writing them.
    """
    if a is b:
        return True
    kind = type(a)
    if kind is not type(b):
        return False if {kind, type(b)} <= PLAIN else canonical(a) == canonical(b)
    if kind in (str, int, bool):
        return bool(a == b)
    if kind is list:
        return len(a) == len(b) and all(map(same, a, b))
    if kind is dict:
        return a.keys() == b.keys() and all(same(value, b[key]) for key, value in a.items())
    return canonical(a) == canonical(b)


def laid_over(body: Body, patch: Mapping[str, Json]) -> Body:
    """The body with the `set`, `add` and `remove` of a patch on top: what the person who wrote it sees."""
    seen = dict(body)
    seen.update(patch["set"])
    for name, values in patch["add"].items():
        there = seen.get(name) or []
        ids = {entry["id"] for entry in there if isinstance(entry, dict)}
        fresh = [value for value in values if not (isinstance(value, dict) and value.get("id") in ids)]
        seen[name] = there + [value for value in fresh if not any(same(value, old) for old in there)]
    for name, values in patch["remove"].items():
        seen[name] = [old for old in seen.get(name) or [] if not any(same(value, old) for value in values)]
    return seen
