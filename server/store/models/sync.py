"""The sync tables. Bodies and field versions are ready JSON text: they are joined into answers, not parsed.

The tables that every write touches refer to no company: only the store writes them, for a company that it has at hand,
and a foreign key would be looked up for each of their rows.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from server.extensions import Model
from server.store.types import (
    At,
    Code,
    CompanyId,
    CompanyKey,
    Id,
    IdType,
    Json,
    JsonList,
    JsonObject,
    OptionalAt,
    OptionalJson,
    OptionalRef,
    Ref,
)


class SyncClock(Model):
    """One counter for each company; a transaction takes its number as the last statement before commit.

    What was committed up to `backed_up_through` is in a backup that was verified at `backed_up_at`.
    """

    company_id: Mapped[CompanyId]
    n: Mapped[int] = mapped_column(BigInteger, default=0)
    backed_up_through: Mapped[int] = mapped_column(BigInteger, default=0)
    backed_up_at: Mapped[OptionalAt]


class Document(Model):
    """A synced entity in its lean wire form. `field_versions`: field -> [version, device id or null], "" for others."""

    __table_args__ = (Index(None, "company_id", "collection"),)

    company_id: Mapped[CompanyKey]
    id: Mapped[Id]
    collection: Mapped[str] = mapped_column(String(40))
    version: Mapped[int]
    body: Mapped[str] = mapped_column(Text)
    field_versions: Mapped[str] = mapped_column(Text)
    refs: Mapped[str] = mapped_column(Text)
    deleted: Mapped[bool] = mapped_column(default=False)
    changed_at: Mapped[At]


class DocumentVersion(Model):
    """Every version that a document has had, by whom and when: what merging, undo and the journal need."""

    company_id: Mapped[CompanyKey]
    document_id: Mapped[str] = mapped_column(IdType, primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    changed: Mapped[str] = mapped_column(Text)
    author_id: Mapped[OptionalRef]
    author_name: Mapped[str | None] = mapped_column(String(200))
    device_id: Mapped[OptionalRef]
    mutation_id: Mapped[OptionalRef]
    at: Mapped[At]


class ScopeFeed(Model):
    """One row for each document that is or was in a scope; `seq` is when that last mattered.

    `collection` is null while a document is referred to and has not been made yet.
    """

    __table_args__ = (
        Index("ix_scope_feed_order", "company_id", "scope", "seq", "document_id"),
        Index("ix_scope_feed_collection", "company_id", "scope", "collection", "seq", "document_id"),
        Index(None, "company_id", "document_id"),
    )

    company_id: Mapped[CompanyKey]
    scope: Mapped[str] = mapped_column(String(60), primary_key=True)
    document_id: Mapped[str] = mapped_column(IdType, primary_key=True)
    collection: Mapped[str | None] = mapped_column(String(40))
    seq: Mapped[int] = mapped_column(BigInteger)
    live: Mapped[bool]
    reason: Mapped[str | None] = mapped_column(String(40))


class ScopeReason(Model):
    """Why a document is in a scope: by itself (`via` empty), or because of the document `via`."""

    company_id: Mapped[CompanyKey]
    scope: Mapped[str] = mapped_column(String(60), primary_key=True)
    document_id: Mapped[str] = mapped_column(IdType, primary_key=True)
    via: Mapped[str] = mapped_column(String(36), primary_key=True)


class Device(Model):
    """One person on one tablet. `cursor_seq` is how far it has confirmed reading, in the history `epoch`.

    `silent_since` is the last contact before its last silence.
    `follows` is the registration that the same person had on the same tablet before.
    `last_n` is the highest mutation number that came, `missing` the ranges below it that did not; `told` is what it
    said of itself last. `token_hash` is in force; `next_token_hash` takes its place when it is first used.
    """

    __table_args__ = (
        UniqueConstraint("token_hash"),
        UniqueConstraint("next_token_hash"),
        ForeignKeyConstraint(["company_id", "technician_id"], ["technician.company_id", "technician.id"]),
    )

    company_id: Mapped[CompanyId]
    id: Mapped[Id]
    technician_id: Mapped[Ref]
    user_id: Mapped[OptionalRef]
    follows: Mapped[OptionalRef]
    name: Mapped[str] = mapped_column(String(120))
    app_version: Mapped[str | None] = mapped_column(String(40))
    schema_version: Mapped[int] = mapped_column(default=1)
    token_hash: Mapped[str] = mapped_column(String(64))
    enrolled_at: Mapped[At]
    last_seen_at: Mapped[OptionalAt]
    silent_since: Mapped[OptionalAt]
    cursor_seq: Mapped[int] = mapped_column(BigInteger, default=0)
    last_n: Mapped[int] = mapped_column(default=0)
    missing: Mapped[JsonList]
    told: Mapped[OptionalJson]
    told_at: Mapped[OptionalAt]
    epoch: Mapped[str | None] = mapped_column(String(60))
    next_token_hash: Mapped[str | None] = mapped_column(String(64))
    token_issued_at: Mapped[OptionalAt]
    address: Mapped[str | None] = mapped_column(String(64))
    address_before: Mapped[str | None] = mapped_column(String(64))
    address_changed_at: Mapped[OptionalAt]
    clock_offset_s: Mapped[float | None]
    clock_uncertainty_s: Mapped[float | None]
    clock_measured_at: Mapped[OptionalAt]
    revoked_at: Mapped[OptionalAt]
    revoked_by: Mapped[OptionalRef]
    ended_because: Mapped[str | None] = mapped_column(String(20))
    wipe_told_at: Mapped[OptionalAt]


class EnrolmentCode(Model):
    """A code that makes one tablet a technician's, once, for ten minutes.

    A typed code is found by its first half, `lookup`, so that misses of the second half can be counted; the code of
    the QR picture is long enough to be found by its hash.
    """

    __table_args__ = (
        UniqueConstraint("lookup"),
        UniqueConstraint("qr_hash"),
        ForeignKeyConstraint(["company_id", "technician_id"], ["technician.company_id", "technician.id"]),
    )

    company_id: Mapped[CompanyId]
    id: Mapped[Id]
    technician_id: Mapped[Ref]
    lookup: Mapped[str | None] = mapped_column(String(12))
    code_hash: Mapped[str] = mapped_column(String(200))
    qr_hash: Mapped[str | None] = mapped_column(String(64))
    misses: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[At]
    used_at: Mapped[OptionalAt]
    created_by: Mapped[OptionalRef]


class DeviceScope(Model):
    """A device's subscription to a scope; both numbers are the feed's."""

    company_id: Mapped[CompanyId]
    device_id: Mapped[str] = mapped_column(IdType, primary_key=True)
    scope: Mapped[str] = mapped_column(String(60), primary_key=True)
    granted: Mapped[int] = mapped_column(BigInteger)
    revoked: Mapped[int | None] = mapped_column(BigInteger)


class ScopeWindow(Model):
    """The stretch of time that a scope reaches: what is about another one is not in it. No row: it reaches all."""

    company_id: Mapped[CompanyId]
    scope: Mapped[str] = mapped_column(String(60), primary_key=True)
    since: Mapped[At]
    until: Mapped[At]


class Mutation(Model):
    """The inbox and journal: every mutation as it came, with its stored result. The id has its effect once.

    `aside` is what of it is not known yet here, from a newer client (`schemas.newer.Aside`).
    """

    __table_args__ = (
        ForeignKeyConstraint(["company_id", "device_id"], ["device.company_id", "device.id"]),
        Index(None, "company_id", "device_id", "n"),
        Index(None, "company_id", "status"),
        Index(
            "ix_mutation_aside",
            "company_id",
            postgresql_where=text("aside IS NOT NULL"),
            sqlite_where=text("aside IS NOT NULL"),
        ),
    )

    company_id: Mapped[CompanyKey]
    id: Mapped[Id]
    device_id: Mapped[Ref]
    n: Mapped[int]
    user_id: Mapped[OptionalRef]
    collection: Mapped[str] = mapped_column(String(40))
    document_id: Mapped[OptionalRef]
    payload: Mapped[JsonObject]
    status: Mapped[str] = mapped_column(String(20))
    result: Mapped[JsonObject]
    aside: Mapped[OptionalJson]
    made_at: Mapped[OptionalAt]
    made_at_corrected: Mapped[OptionalAt]
    uncertainty_s: Mapped[float | None]
    received_at: Mapped[At]


class Conflict(Model):
    """A clash as it was recorded: what each side had, who and when, what was chosen, and what a person made of it.

    `apart_since` is the tablet's last contact before it wrote its side, if that is known.
    """

    __table_args__ = (
        Index(None, "company_id", "state", "created_at"),
        Index(None, "company_id", "document_id"),
        Index(None, "company_id", "mutation_id"),
    )

    company_id: Mapped[CompanyId]
    id: Mapped[Id]
    mutation_id: Mapped[OptionalRef]
    device_id: Mapped[OptionalRef]
    collection: Mapped[str] = mapped_column(String(40))
    document_id: Mapped[Ref]
    visit_id: Mapped[OptionalRef]
    field: Mapped[Code]
    kind: Mapped[str] = mapped_column(String(20))
    clash_class: Mapped[str] = mapped_column(String(20))
    policy: Mapped[str] = mapped_column(String(20))
    base: Mapped[object | None] = mapped_column(Json)
    mine: Mapped[object | None] = mapped_column(Json)
    theirs: Mapped[object | None] = mapped_column(Json)
    chosen: Mapped[str] = mapped_column(String(10))
    value: Mapped[object | None] = mapped_column(Json)
    reason: Mapped[OptionalJson]
    mine_by_id: Mapped[OptionalRef]
    mine_by: Mapped[str | None] = mapped_column(String(200))
    mine_at: Mapped[OptionalAt]
    mine_at_corrected: Mapped[OptionalAt]
    uncertainty_s: Mapped[float | None]
    theirs_by_id: Mapped[OptionalRef]
    theirs_by: Mapped[str | None] = mapped_column(String(200))
    theirs_at: Mapped[OptionalAt]
    apart_since: Mapped[OptionalAt]
    created_at: Mapped[At]
    state: Mapped[str] = mapped_column(String(20))
    resolution: Mapped[OptionalJson]
    resolved_by: Mapped[OptionalRef]
    resolved_at: Mapped[OptionalAt]
