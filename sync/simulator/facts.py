"""What a server holds, as the checkers look at it: read from the tables, whichever server it is.

The in-memory server keeps these very values as its rows; the real one is read into them. Bodies are never changed
once they are here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sync.change import Body, FieldRule, FieldVersion, Json
from sync.numbers import Numbers
from sync.scope import Reason


class Entity(Protocol):
    """One collection: whose word each field is, what it refers to, which scopes it is in by itself."""

    @property
    def rules(self) -> Mapping[str, FieldRule]:
        """Field name -> its rule."""

    def references(self, body: Body) -> frozenset[str]:
        """Ids of the documents that this one brings along."""

    def scopes(self, body: Body) -> frozenset[str]:
        """The scopes that it is in by itself."""

    def why_left(self, body: Body) -> str:
        """Why it is in them no longer."""


Entities = Mapping[str, Entity]


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A document as it stands."""

    collection: str
    id: str
    version: int
    body: Body
    field_versions: Mapping[str, FieldVersion]
    refs: frozenset[str] = frozenset()
    deleted: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """One version that a document had: what it changed, and the device that wrote it (None: not a device)."""

    version: int
    body: Body
    changed: frozenset[str]
    device_id: str | None
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedRow:
    """When a document last mattered to a scope, and whether it is in it."""

    scope: str
    document_id: str
    seq: int
    live: bool
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscription:
    """A device's hold on a scope; both numbers are the feed's."""

    scope: str
    granted: int
    revoked: int | None = None
    since: int = 0
    """The first grant: what left the scope before it was never on the device."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """A tablet as the server knows it."""

    id: str
    technician_id: str
    token: str
    numbers: Numbers = field(default_factory=Numbers)
    revoked: bool = False
    schema_version: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Journal:
    """A mutation as it came, and what became of it."""

    id: str
    device_id: str
    n: int
    collection: str
    document_id: str | None
    payload: Mapping[str, Json]
    status: str
    result: Mapping[str, Json]
    received_at: datetime
    author_id: str | None = None
    made_at: datetime | None = None
    """When it was made, by the server's clock."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Conflict:
    """A clash as it was written down."""

    id: str
    mutation_id: str | None
    device_id: str | None
    collection: str
    document_id: str
    field: str
    kind: str
    code: str
    base: Json
    mine: Json
    theirs: Json
    chosen: str
    value: Json
    state: str


@dataclass(frozen=True, kw_only=True)
class Truth:
    """The committed documents at one moment."""

    epoch: str
    newest: int
    documents: Mapping[str, Document]
    subscriptions: Mapping[str, tuple[Subscription, ...]]
    """Device id -> what it holds or held."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All that a server holds about sync."""

    truth: Truth
    versions: Mapping[str, tuple[Version, ...]]
    """Document id -> its versions, oldest first."""
    feed: tuple[FeedRow, ...]
    reasons: Mapping[str, frozenset[Reason]]
    journal: Mapping[str, Journal]
    conflicts: tuple[Conflict, ...]
    devices: Mapping[str, Device]
    salvage: Mapping[str, str] = field(default_factory=dict)
    """Mutation id -> the device from which it was salvaged, not judged yet."""


def members(truth: Truth, entities: Entities, scopes: frozenset[str]) -> dict[str, Document]:
    """What belongs in some scopes, worked out anew from the documents alone: own rules, and all that they refer to."""
    reached: dict[str, Document] = {}
    pending = [
        document
        for document in truth.documents.values()
        if not document.deleted and entities[document.collection].scopes(document.body) & scopes
    ]
    while pending:
        document = pending.pop()
        if document.id in reached:
            continue
        reached[document.id] = document
        for reference in entities[document.collection].references(document.body):
            target = truth.documents.get(reference)
            if target is not None and not target.deleted:
                pending.append(target)
    return reached


def scopes_of(truth: Truth, device_id: str) -> frozenset[str]:
    """The scopes that a device holds now."""
    return frozenset(one.scope for one in truth.subscriptions.get(device_id, ()) if one.revoked is None)
