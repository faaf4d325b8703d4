from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from schemas.entities import COLLECTIONS
from server.extensions import db
from server.store.models import DeviceCopy, DeviceStamp, DocumentVersion, Mutation, ViewPlace, WholeEdit
from server.store.rows import chunks
from server.store.view import Place
from sync.change import Body

RECENT = 500
"""Mutations of a device that are looked at for what it may not have heard the answer to yet."""

REMEMBERED = 100
"""Versions of a document among which a base without a number is looked for."""


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A device's copy of a document, as `DeviceCopy` keeps it."""

    document_id: str
    collection: str
    client_id: str | None = None
    version: int | None = None
    sent_version: int | None = None
    sent_stamp: int | None = None
    again: bool = False

    @property
    def called(self) -> str:
        """What the device calls the document."""
        return self.client_id or self.document_id


def last_edits(company_id: str, device_id: str, ids: Iterable[str]) -> dict[str, WholeEdit]:
    """The last whole edit of each document by a device."""
    found: dict[str, WholeEdit] = {}
    for part in chunks(set(ids)):
        statement = select(WholeEdit).where(
            WholeEdit.company_id == company_id, WholeEdit.device_id == device_id, WholeEdit.document_id.in_(part)
        )
        found |= {row.document_id: row for row in db.session.scalars(statement)}
    return found


def pushed_since(company_id: str, device_id: str, moment: datetime) -> set[str]:
    """Documents that a device has pushed since a moment, among its last `RECENT` mutations."""
    statement = (
        select(Mutation.document_id, Mutation.received_at)
        .where(Mutation.company_id == company_id, Mutation.device_id == device_id)
        .order_by(Mutation.n.desc())
        .limit(RECENT)
    )
    return {doc for doc, received_at in db.session.execute(statement) if doc and received_at > moment}


def past_bodies(company_id: str, collection: str, document_id: str) -> Iterator[tuple[int, Body]]:
    """The last `REMEMBERED` versions of a document, newest first."""
    statement = (
        select(DocumentVersion.version, DocumentVersion.body)
        .where(DocumentVersion.company_id == company_id, DocumentVersion.document_id == document_id)
        .order_by(DocumentVersion.version.desc())
        .limit(REMEMBERED)
    )
    for version, body in db.session.execute(statement).all():
        yield version, COLLECTIONS[collection].whole(orjson.loads(body))


def view_place(company_id: str, device_id: str, collection: str) -> Place:
    """How far a device said that it had read a collection; the beginning when it never did."""
    row = db.session.get(ViewPlace, (company_id, device_id, collection))
    return Place(effective=row.effective, seq=row.seq, document_id=row.document_id) if row else Place()


def stamps(company_id: str, device_id: str) -> dict[int, DeviceStamp]:
    """What a device's whole numbers stand for; those before the last that it came back with are forgotten."""
    statement = select(DeviceStamp).where(DeviceStamp.company_id == company_id, DeviceStamp.device_id == device_id)
    return {row.stamp: row for row in db.session.scalars(statement)}


def copies(company_id: str, device_id: str, ids: Iterable[str]) -> dict[str, Copy]:
    """What a device has of these documents."""
    found: dict[str, Copy] = {}
    for part in chunks(set(ids)):
        found |= _copies(_of_device(company_id, device_id), DeviceCopy.document_id.in_(part))
    return found


def owed(company_id: str, device_id: str, tables: Iterable[str], limit: int | None) -> dict[str, Copy]:
    """Copies of which a device must hear whatever the feed says."""
    wanted = DeviceCopy.collection.in_(list(tables))
    return _copies(_of_device(company_id, device_id), DeviceCopy.again, wanted, limit=limit)


def owe_all(company_id: str, device_id: str) -> None:
    """A device has another history: it must hear of everything that it has or may have got."""
    version = func.coalesce(DeviceCopy.version, DeviceCopy.sent_version)
    anew = {"version": version, "sent_version": None, "sent_stamp": None, "again": True}
    db.session.execute(update(DeviceCopy).where(_of_device(company_id, device_id)).values(anew))


def confirm(company_id: str, device_id: str, stamp: int) -> None:
    """A device came back with a stamp: what that answer and earlier ones held it has, later ones never arrived."""
    mine = _of_device(company_id, device_id)
    arrived = DeviceCopy.sent_stamp <= stamp
    db.session.execute(delete(DeviceCopy).where(mine, arrived, DeviceCopy.sent_version.is_(None)))
    has = {"version": DeviceCopy.sent_version, "sent_version": None, "sent_stamp": None, "again": False}
    db.session.execute(update(DeviceCopy).where(mine, arrived).values(has))
    lost = {"sent_version": None, "sent_stamp": None}
    db.session.execute(update(DeviceCopy).where(mine, DeviceCopy.sent_stamp > stamp).values(lost))


def forget_copies(company_id: str, device_id: str) -> None:
    """A device has nothing any more."""
    db.session.execute(delete(DeviceCopy).where(_of_device(company_id, device_id)))


def keep_copies(company_id: str, device_id: str, kept: Iterable[Copy]) -> None:
    """Write copies down, whether they are known or new."""
    rows = [{"company_id": company_id, "device_id": device_id} | asdict(copy) for copy in kept]
    dialect = postgresql if db.engine.dialect.name == "postgresql" else sqlite
    keys = ["company_id", "device_id", "document_id"]
    table: Any = DeviceCopy.__table__
    statement = dialect.insert(table)
    changed = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    if rows:
        db.session.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), rows)


def version_body(company_id: str, collection: str, document_id: str, version: int) -> Body:
    """The body of one version of a document; nothing when it is not there."""
    row = db.session.get(DocumentVersion, (company_id, document_id, version))
    return COLLECTIONS[collection].whole(orjson.loads(row.body)) if row else {}


def _of_device(company_id: str, device_id: str) -> Any:
    return and_(DeviceCopy.company_id == company_id, DeviceCopy.device_id == device_id)


def _copies(*where: Any, limit: int | None = None) -> dict[str, Copy]:
    names = [field.name for field in fields(Copy)]
    statement = select(*(getattr(DeviceCopy, name) for name in names)).where(*where)
    statement = statement.order_by(DeviceCopy.document_id).limit(limit)
    return {row.document_id: Copy(**row._mapping) for row in db.session.execute(statement)}
