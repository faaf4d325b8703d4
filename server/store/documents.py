"""Documents as merging needs them: the object, its record, what a device had seen, and who wrote what."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import select

from schemas.entities import COLLECTIONS
from server.extensions import db
from server.store import feed
from server.store.models import SYNCED, DeviceScope, Document, DocumentVersion, Mutation, ScopeFeed, Synced
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


def lock(company_id: str, document_id: str) -> feed.Stored | None:
    """Lock one document until the commit; None when it is not there."""
    return feed.lock_documents(db.session(), company_id, [document_id]).get(document_id)


def lock_all(company_id: str, ids: Iterable[str]) -> dict[str, feed.Stored]:
    """Lock documents until the commit, in id order; those that are not there are left out."""
    return feed.lock_documents(db.session(), company_id, ids)


def load_all(company_id: str, collection: str, ids: Iterable[str]) -> list[Synced]:
    """Read objects anew, all at once; `held` finds them for as long as the list is kept."""
    model = SYNCED[collection]
    found: list[Synced] = []
    for part in feed.chunks(ids):
        statement = select(model).where(model.company_id == company_id, model.id.in_(part))
        found += db.session.scalars(statement.execution_options(populate_existing=True))
    return found


def held(company_id: str, collection: str, document_id: str) -> Synced | None:
    """The object of a document as this session holds it, read only if it does not."""
    return db.session.get(SYNCED[collection], (company_id, document_id))


def stored(company_id: str, document_id: str) -> tuple[str, feed.Stored] | None:
    """Collection and state of a document, without a lock."""
    row = db.session.get(Document, (company_id, document_id))
    if row is None:
        return None
    return row.collection, feed.Stored(
        version=row.version,
        body=orjson.loads(row.body),
        field_versions=orjson.loads(row.field_versions),
        refs=frozenset(orjson.loads(row.refs)),
        deleted=row.deleted,
    )


def record(item: Synced, kept: feed.Stored) -> Record:
    """The document as merging sees it: the object's values now, the field versions as committed."""
    return Record(
        collection=item.collection,
        id=item.id,
        version=kept.version,
        body=current_body(item),
        field_versions={
            name: FieldVersion(version=version, device_id=device)
            for name, (version, device) in kept.field_versions.items()
        },
        deleted=kept.deleted,
    )


def current_body(item: Synced) -> Body:
    """An object in its wire form."""
    body: Body = COLLECTIONS[item.collection].dump(item)
    return body


def set_values(item: Synced, body: Body, names: Any) -> None:
    """Put wire values on the object; the feed follows at the commit."""
    for name, value in COLLECTIONS[item.collection].python_values(body, names).items():
        setattr(item, name, value)


def seen_by_device(
    company_id: str, document_id: str, base_version: int | None, device_id: str, before_n: int | None = None
) -> Body:
    """The body that a device had before it: the base version, with the device's own later edits laid over.

    Its edits as it made them, those before number `before_n` or all, not what became of them: what others had written
    in between it has not seen.
    """
    base = db.session.get(DocumentVersion, (company_id, document_id, base_version)) if base_version else None
    seen: Body = orjson.loads(base.body) if base else {}
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


def history(company_id: str, document_id: str, limit: int = 200) -> list[DocumentVersion]:
    """All versions of a document, newest first."""
    statement = (
        select(DocumentVersion)
        .where(DocumentVersion.company_id == company_id, DocumentVersion.document_id == document_id)
        .order_by(DocumentVersion.version.desc())
        .limit(limit)
    )
    return list(db.session.scalars(statement))


def reach(company_id: str, device_id: str, document_id: str) -> str:
    """How a device stands to a document: `live` in one of its scopes, `late` (it was once), or `never`."""
    statement = (
        select(ScopeFeed.live, DeviceScope.revoked)
        .join(DeviceScope, (DeviceScope.company_id == ScopeFeed.company_id) & (DeviceScope.scope == ScopeFeed.scope))
        .where(
            ScopeFeed.company_id == company_id,
            ScopeFeed.document_id == document_id,
            DeviceScope.device_id == device_id,
        )
    )
    rows = list(db.session.execute(statement))
    if any(live and revoked is None for live, revoked in rows):
        return "live"
    return "late" if rows else "never"


def canonical_id(text: str) -> str:
    """An id as it is stored; raises ValueError for what is not a UUID."""
    return str(uuid.UUID(text))


def is_id(text: str) -> bool:
    """Whether a text is an id in the form in which it is stored."""
    try:
        return canonical_id(text) == text
    except ValueError:
        return False
