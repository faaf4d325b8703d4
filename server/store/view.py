"""Reading the feed of some collections alone, for clients that replicate each collection by itself.

A row has the effective number that the whole feed gives it, `max(row.seq, granted)`; within one grant rows come in the
order of their own numbers, so that each page is a stretch of one index for each scope and collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy import and_, or_, select

from schemas.entities import COLLECTIONS
from server.extensions import db
from server.store.models import Document, ScopeFeed
from server.store.pull import Subscription
from server.store.rows import chunks


@dataclass(frozen=True, kw_only=True, order=True)
class Place:
    """How far a view was read: all rows up to (`effective`, `seq`, `document_id`); without an id all of `seq` too."""

    effective: int = 0
    seq: int = 0
    document_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A document of a view: `body` is its ready JSON text, None when it is to be dropped."""

    id: str
    collection: str
    version: int
    body: str | None


@dataclass(frozen=True, kw_only=True)
class View:
    """A stretch of a view, where it ends, and whether there is more. A page that is not the last is full."""

    rows: list[Row]
    place: Place
    more: bool


def read_view(
    company_id: str, held: Sequence[Subscription], collections: Iterable[str], after: Place, limit: int, newest: int
) -> View:
    """The next `limit` rows of these collections after a place, of numbers up to `newest`."""
    keys = sorted(
        {
            key
            for subscription in held
            for collection in collections
            for key in _keys(company_id, subscription, collection, after, limit + 1, newest)
        }
    )
    page, more = keys[:limit], len(keys) > limit
    return View(
        rows=whole_rows(company_id, held, [key.document_id for key in page]),
        place=page[-1] if more else Place(effective=newest, seq=newest),
        more=more,
    )


def rows(company_id: str, held: Sequence[Subscription], ids: Sequence[str]) -> list[Row]:
    """These documents in their order, as a device with these scopes may see them, lean; unknown ids are left out."""
    scopes = [one.scope for one in held if one.revoked is None]
    live: set[str] = set()
    found: dict[str, Any] = {}
    for part in chunks(dict.fromkeys(ids)):
        in_scope = select(ScopeFeed.document_id).where(
            ScopeFeed.company_id == company_id,
            ScopeFeed.scope.in_(scopes),
            ScopeFeed.document_id.in_(part),
            ScopeFeed.live,
        )
        live |= set(db.session.scalars(in_scope))
        bodies = select(Document.id, Document.collection, Document.version, Document.body, Document.deleted).where(
            Document.company_id == company_id, Document.id.in_(part)
        )
        found |= {row.id: row for row in db.session.execute(bodies)}
    return [
        Row(
            id=each,
            collection=found[each].collection,
            version=found[each].version,
            body=found[each].body if each in live and not found[each].deleted else None,
        )
        for each in ids
        if each in found
    ]


def whole_rows(company_id: str, held: Sequence[Subscription], ids: Sequence[str]) -> list[Row]:
    """The same with all their fields: clients of single collections do not know what is usual (S-17)."""
    return [_whole(row) for row in rows(company_id, held, ids)]


def _whole(row: Row) -> Row:
    if row.body is None:
        return row
    text = orjson.dumps(COLLECTIONS[row.collection].whole(orjson.loads(row.body))).decode()
    return replace(row, body=text)


def all_live(company_id: str, held: Sequence[Subscription], collections: Iterable[str]) -> list[str]:
    """Ids of all documents of these collections that are in the scopes now."""
    statement = select(ScopeFeed.document_id).where(
        ScopeFeed.company_id == company_id,
        ScopeFeed.scope.in_([one.scope for one in held if one.revoked is None]),
        ScopeFeed.collection.in_(list(collections)),
        ScopeFeed.live,
    )
    return sorted(set(db.session.scalars(statement)))


def _keys(company_id: str, held: Subscription, collection: str, after: Place, limit: int, newest: int) -> list[Place]:
    """Where the rows of one scope and collection stand: what a grant brought or its end takes, then the rest."""
    table = ScopeFeed
    row = and_(table.company_id == company_id, table.scope == held.scope, table.collection == collection)
    if held.revoked is not None:
        # What left the scope before it was revoked may not have been told yet.
        gone = and_(row, or_(table.live, table.seq > held.granted))
        return _block(gone, held.revoked, after, limit)
    found = _block(and_(row, table.live, table.seq <= held.granted), held.granted, after, limit)
    if len(found) < limit:
        beyond = _beyond(after) if after.effective > held.granted else table.seq > held.granted
        rest = _ordered(and_(row, beyond, table.seq <= newest), limit - len(found))
        found += [Place(effective=seq, seq=seq, document_id=doc) for seq, doc in rest]
    return found


def _block(where: Any, effective: int, after: Place, limit: int) -> list[Place]:
    """The rows that all have one effective number."""
    if after.effective > effective or (after.effective == effective and not after.document_id):
        return []
    inside = and_(where, _after(after)) if after.effective == effective else where
    return [Place(effective=effective, seq=seq, document_id=doc) for seq, doc in _ordered(inside, limit)]


def _beyond(place: Place) -> Any:
    """Rows by their own numbers after a place that may be inside another scope's block."""
    return _after(place) if place.seq == place.effective else ScopeFeed.seq >= place.effective


def _after(place: Place) -> Any:
    table = ScopeFeed
    if not place.document_id:
        return table.seq > place.seq
    # Written so that both databases walk the index from here.
    same = and_(table.seq == place.seq, table.document_id > place.document_id)
    return and_(table.seq >= place.seq, or_(table.seq > place.seq, same))


def _ordered(where: Any, limit: int) -> list[Any]:
    statement = select(ScopeFeed.seq, ScopeFeed.document_id).where(where)
    return list(db.session.execute(statement.order_by(ScopeFeed.seq, ScopeFeed.document_id).limit(limit)))
