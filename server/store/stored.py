"""Documents as the document table holds them: read, and locked for who changes them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Select, Table, and_, bindparam, select
from sqlalchemy.orm import Session

from schemas.entities import COLLECTIONS
from server.store import locks, rows
from server.store.models import Document
from sync.change import Body

FIRST = ""
"""The name under which `field_versions` keeps what holds for every field that it does not name."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What the document table holds of one document. `field_versions`: field -> [version, device or null]."""

    collection: str
    version: int
    body: Body
    field_versions: dict[str, list[Any]]
    refs: frozenset[str]
    deleted: bool


@functools.cache
def _locking(postgresql: bool) -> Select[Any]:
    own = table_of(Document).c
    columns = (own.id, own.collection, own.version, own.body, own.field_versions, own.refs, own.deleted)
    mine = and_(own.company_id == bindparam("company_id"), rows.listed(own.id, "ids", postgresql))
    return select(*columns).where(mine).order_by(own.id).with_for_update()


def lock_documents(session: Session, company_id: str, ids: Iterable[str]) -> dict[str, Stored]:
    """Documents by id, locked in id order until the commit; ids that are not there are left out."""
    every = set(ids)
    if not every:
        return {}
    given = {"company_id": company_id, "ids": rows.many(session, sorted(every))}
    found = session.connection().execute(_locking(rows.is_postgresql(session)), given)
    locks.note(session, company_id, every)
    return {row.id: stored(row) for row in found}


def stored(row: Any) -> Stored:
    """A row of the document table, read."""
    schema = COLLECTIONS[row.collection]
    versions = orjson.loads(row.field_versions)
    if FIRST in versions:
        versions = dict.fromkeys(schema.fields, versions.pop(FIRST)) | versions
    return Stored(
        collection=row.collection,
        version=row.version,
        body=schema.whole(orjson.loads(row.body)),
        field_versions=versions,
        refs=frozenset(orjson.loads(row.refs)),
        deleted=row.deleted,
    )


def compact(versions: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
    """Field versions with what most fields have said once; which fields there are, the schema knows."""
    if FIRST in versions:
        return dict(versions)
    values = list(versions.values())
    first = min(values, default=None, key=lambda one: (one[0], one[1] or ""))
    if first is None:
        return {}
    return {FIRST: first} | {name: one for name, one in versions.items() if one != first}


def table_of(model: Any) -> Table:
    table: Table = model.__table__
    return table
