"""A replica proves that it holds what the server says it should, and repairs just what is not so.

1. Ask for the checksums of all collections. 2. Of each that differs, ask for those of its buckets; of each bucket that
differs, for its documents. 3. Ask for the documents that differ, are missing, or should not be here. Nothing of this
touches the cursor or the outbox.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from sync.change import Json
from sync.digest import bucket_of, different, sums, value_of

MOST_DOCUMENTS = 50
"""A request for documents names at most so many (S-149)."""

Held = Mapping[str, Mapping[str, Json]]
"""id -> {collection, version, document}"""

Ask = Callable[[str], Any]
"""GET of a path; the answer's JSON."""


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """What a comparison found: documents that must be asked for. Nothing may be said while `behind`."""

    ids: tuple[str, ...] = ()
    behind: bool = False


@dataclass
class Checked:
    """What came of a check."""

    whole: bool = False
    behind: bool = False
    repaired: list[str] = field(default_factory=list)
    """Documents that were missing or not as they should be."""
    strangers: list[str] = field(default_factory=list)
    """Documents that should not have been there."""


def compare(held: Held, cursor: str | None, ask: Ask) -> Wrong:
    """Find the documents of a replica that are not as the server's checksums say (S-147, S-148)."""
    values: dict[str, dict[str, tuple[int, int]]] = {}
    for document_id, one in held.items():
        value = value_of(one["collection"], document_id, one["version"], one["document"])
        values.setdefault(one["collection"], {})[document_id] = (one["version"], value)
    told = ask(_path(cursor))
    if told["behind"]:
        return Wrong(behind=True)
    mine = {name: _pair(of_one) for name, of_one in values.items()}
    found: list[str] = []
    for name in different(mine, told["collections"]):
        here = values.get(name, {})
        told = ask(_path(cursor, collection=name))
        if told["behind"]:
            return Wrong(behind=True)
        parts: dict[str, dict[str, tuple[int, int]]] = {}
        for document_id, both in here.items():
            parts.setdefault(bucket_of(document_id), {})[document_id] = both
        buckets = different({at: _pair(part) for at, part in parts.items()}, told["buckets"])
        if not buckets:
            continue
        told = ask(_path(cursor, collection=name, buckets=",".join(buckets)))
        if told["behind"]:
            return Wrong(behind=True)
        inside = {each: list(both) for at in buckets for each, both in parts.get(at, {}).items()}
        found += different(inside, told["documents"])
    return Wrong(ids=tuple(dict.fromkeys(found)))


def _pair(of_one: Mapping[str, tuple[int, int]]) -> list[int]:
    whole = sums(("", value) for _, value in of_one.values()).get("")
    return [whole.count, whole.sum] if whole else []


def _path(cursor: str | None, **more: str) -> str:
    told = ({"cursor": cursor} if cursor else {}) | more
    return "/sync/v1/digest" + (f"?{urlencode(told)}" if told else "")
