"""Documents as merging needs them: the object, its record, what a device had seen, and who wrote what."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Select, and_, bindparam, select

from schemas.entities import COLLECTIONS
from server.extensions import db
from server.store import feed, rows
from server.store.changes import Change
from server.store.models import SYNCED, DeviceScope, Document, DocumentVersion, Mutation, ScopeFeed, ScopePast, Synced
from server.store.stored import Stored, lock_documents
from server.store.stored import stored as read_stored
from sync.change import Body, FieldVersion, Record, laid_over


@dataclass(frozen=True, kw_only=True)
class Writing:
    """Who wrote a version of a document, and when the server got it."""

    by_id: str | None
    by: str | None
    at: datetime


def load(company_id: str, collection: str, document_id: str) -> Synced | None:
    """The object of a document, read anew so that it is what the lock protects."""
    db.session.flush()
    return db.session.get(SYNCED[collection], (company_id, document_id), populate_existing=True)


def lock(company_id: str, document_id: str) -> Stored | None:
    """Lock one document until the commit; None when it is not there."""
    return lock_documents(db.session(), company_id, [document_id]).get(document_id)


def lock_all(company_id: str, ids: Iterable[str]) -> dict[str, Stored]:
    """Lock documents until the commit, in id order; those that are not there are left out."""
    return lock_documents(db.session(), company_id, ids)


def touch_part(company_id: str, collection: str, after: str, limit: int) -> list[str]:
    """Have the next `limit` documents of a collection compared with their objects at the commit; their ids in order."""
    model = SYNCED[collection]
    statement = select(model).where(model.company_id == company_id).order_by(model.id).limit(limit)
    found = list(db.session.scalars(statement.where(model.id > after) if after else statement))
    feed.touch(db.session(), found)
    return [item.id for item in found]


def stored(company_id: str, document_id: str) -> tuple[str, Stored] | None:
    """Collection and state of a document, without a lock."""
    row = db.session.get(Document, (company_id, document_id))
    if row is None:
        return None
    return row.collection, read_stored(row)


def record(document_id: str, body: Body, kept: Stored | None, collection: str) -> Record:
    """A document as merging sees it: its body now, the field versions as committed."""
    known: dict[tuple[int, str | None], FieldVersion] = {}
    versions: dict[str, FieldVersion] = {}
    for name, (version, device) in kept.field_versions.items() if kept else ():
        one = known.get((version, device))
        versions[name] = one or known.setdefault((version, device), FieldVersion(version=version, device_id=device))
    return Record(
        collection=collection,
        id=document_id,
        version=kept.version if kept else 0,
        body=body,
        field_versions=versions,
    )


def current_body(item: Synced) -> Body:
    """An object in its wire form."""
    return COLLECTIONS[item.collection].wire(item)


def set_values(item: Synced, body: Body, names: Any) -> None:
    """Put wire values on the object; the feed follows at the commit."""
    for name, value in COLLECTIONS[item.collection].python_values(body, names).items():
        setattr(item, name, value)


def lay(company_id: str, collection: str, document_id: str, body: Body) -> None:
    """Put down a new document, whole or lean; its table, version and feed follow at the commit."""
    whole = COLLECTIONS[collection].whole(body)
    change = Change(collection=collection, id=document_id, old=None, body=whole, table=True)
    feed.lay(db.session(), company_id, change)


def seen_by_device(
    company_id: str,
    collection: str,
    document_id: str,
    base_version: int | None,
    device_id: str,
    before_n: int | None = None,
) -> Body:
    """The body that a device had before it: the base version, with the device's own later edits laid over.

    Its edits as it made them, those before number `before_n` or all, not what became of them: what others had written
    in between it has not seen.
    """
    base = db.session.get(DocumentVersion, (company_id, document_id, base_version)) if base_version else None
    seen: Body = COLLECTIONS[collection].whole(orjson.loads(base.body)) if base else {}
    statement = (
        select(Mutation.payload, Mutation.result)
        .where(
            Mutation.company_id == company_id,
            Mutation.device_id == device_id,
            Mutation.document_id == document_id,
            Mutation.status != "rejected",
        )
        .order_by(Mutation.n)
    )
    if before_n is not None:
        statement = statement.where(Mutation.n < before_n)
    for payload, result in db.session.execute(statement):
        if result["version"] > (base_version or 0):
            seen = laid_over(seen, payload)
    return seen


def writing(company_id: str, document_id: str, version: int) -> Writing | None:
    """Who wrote one version."""
    row = db.session.get(DocumentVersion, (company_id, document_id, version))
    return Writing(by_id=row.author_id, by=row.author_name, at=row.at) if row else None


def made_at(company_id: str, document_id: str, version: int, name: str) -> datetime | None:
    """When a field got the value that it has since a version: the corrected time of a tablet's edit, else the commit's.

    One version may hold several edits of a tablet; the one that named the field last counts.
    """
    row = db.session.get(DocumentVersion, (company_id, document_id, version))
    if row is None:
        return None
    if row.device_id is not None:
        statement = (
            select(Mutation.payload, Mutation.result, Mutation.made_at_corrected)
            .where(
                Mutation.company_id == company_id,
                Mutation.device_id == row.device_id,
                Mutation.document_id == document_id,
                Mutation.status != "rejected",
            )
            .order_by(Mutation.n.desc())
        )
        for payload, result, corrected in db.session.execute(statement):
            if result["version"] == version and name in payload["set"] and corrected is not None:
                return corrected
    return row.at


def history(company_id: str, document_id: str, limit: int, before: int | None = None) -> list[DocumentVersion]:
    """Versions of a document, newest first; with `before` those older than that one."""
    statement = (
        select(DocumentVersion)
        .where(DocumentVersion.company_id == company_id, DocumentVersion.document_id == document_id)
        .order_by(DocumentVersion.version.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(DocumentVersion.version < before)
    return list(db.session.scalars(statement))


@functools.cache
def _reaching(postgresql: bool) -> Select[Any]:
    feed_, held = ScopeFeed.__table__, DeviceScope.__table__
    of_device = and_(held.c.company_id == feed_.c.company_id, held.c.scope == feed_.c.scope)
    return (
        select(feed_.c.document_id, feed_.c.live, held.c.revoked)
        .select_from(feed_.join(held, of_device))
        .where(
            feed_.c.company_id == bindparam("company_id"),
            rows.listed(feed_.c.document_id, "ids", postgresql),
            held.c.device_id == bindparam("device_id"),
        )
    )


def reach_all(company_id: str, device_id: str, ids: Iterable[str]) -> dict[str, str]:
    """How a device stands to documents: `live` in one of its scopes, or `late` (it was once); others are left out."""
    every = set(ids)
    if not every:
        return {}
    session = db.session()
    given = {"company_id": company_id, "device_id": device_id, "ids": rows.many(session, every)}
    found: dict[str, str] = {}
    for doc, live, revoked in session.connection().execute(_reaching(rows.is_postgresql(session)), given):
        found[doc] = "live" if (live and revoked is None) or found.get(doc) == "live" else "late"
    return found


def once_reached(company_id: str, device_id: str, ids: Iterable[str]) -> dict[str, str]:
    """Which of these documents were once in a scope of the device, by themselves or along with others: `late`.

    Of those the feed has forgotten it (S-156).
    """
    statement = (
        select(ScopePast.document_id)
        .join(DeviceScope, (DeviceScope.company_id == ScopePast.company_id) & (DeviceScope.scope == ScopePast.scope))
        .where(ScopePast.company_id == company_id, rows.among(db.session(), ScopePast.document_id, ids))
        .where(DeviceScope.device_id == device_id)
    )
    return dict.fromkeys(db.session.scalars(statement), "late")


def canonical_id(text: str) -> str:
    """An id as it is stored; raises ValueError for what is not a UUID."""
    return str(uuid.UUID(text))


def content_id(space: uuid.UUID, content: str) -> str:
    """The id of what is known by its content: version 8 (RFC 9562 §5.8), the kind that nobody else may give."""
    named = str(uuid.uuid5(space, content))
    return f"{named[:14]}8{named[15:]}"


def is_content_id(text: str) -> bool:
    """Whether an id is of the kind that only the server gives."""
    return text[14] == "8"


def is_id(text: str) -> bool:
    """Whether a text is an id in the form in which it is stored."""
    try:
        return canonical_id(text) == text
    except ValueError:
        return False
