"""Reading the feed: one page for one device, its documents joined from stored text, never parsed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import and_, bindparam, select

from schemas import contract
from schemas.shape import shaped
from server.extensions import db
from server.store import rows
from server.store.engine import read_text_alone
from server.store.models import Company, DeviceScope, ScopeFeed, ScopeFloor, SyncClock
from server.store.types import IdType
from sync.feed import Cursor, missed_removals

ID_PART = len('{"id":"00000000-0000-7000-8000-000000000000",')
"""So much of a body's text says its id and goes on."""

SEQ, DOCUMENT, LIVE, REASON, COLLECTION, VERSION, BODY, DELETED = range(8)
"""The columns of a row of the feed with its document."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of the feed as ready JSON text, the cursor after it, and whether there is more."""

    changes: list[str]
    cursor: Cursor
    more: bool


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """A device's hold on a scope."""

    scope: str
    granted: int
    revoked: int | None
    floor: int = 0
    """Removals up to this number may be gone from the feed."""


@dataclass(frozen=True, kw_only=True)
class Feed:
    """The feed as a device finds it: which history, how far it goes and is backed up, and the scopes of the device.

    `text`: the scopes in the text by which it can be told that they are still the same.
    """

    epoch: str
    newest: int
    backed_up_through: int
    held: list[Subscription]
    text: str | None = None


@dataclass(frozen=True, kw_only=True)
class _Stream:
    """A part of one scope in the order of its keys: SQL, and the values of its marks."""

    sql: str
    values: tuple[Any, ...]


_company, _clock, _scope = Company.__table__.c, SyncClock.__table__.c, DeviceScope.__table__.c
_floor = ScopeFloor.__table__.c
_FEED = (
    select(_company.epoch, _clock.n, _clock.backed_up_through, _scope.scope, _scope.granted, _scope.revoked, _floor.seq)
    .select_from(
        Company.__table__.join(SyncClock.__table__, _clock.company_id == _company.id)
        .outerjoin(
            DeviceScope.__table__,
            and_(_scope.company_id == _company.id, _scope.device_id == bindparam("device_id", type_=IdType)),
        )
        .outerjoin(ScopeFloor.__table__, and_(_floor.company_id == _scope.company_id, _floor.scope == _scope.scope))
    )
    .where(_company.id == bindparam("company_id", type_=IdType))
    .order_by(_scope.granted, _scope.scope)
)


def feed_of(company_id: str, device_id: str) -> Feed:
    """How a company's feed stands for a device; subscriptions by grant."""
    found = db.session.connection().execute(_FEED, {"company_id": company_id, "device_id": device_id}).all()
    held = [
        Subscription(scope=row[3], granted=row[4], revoked=row[5], floor=row[6] or 0)
        for row in found
        if row[3] is not None
    ]
    return Feed(epoch=found[0][0], newest=found[0][1], backed_up_through=found[0][2], held=held)


def scopes_text(postgresql: bool, company: str, device: str) -> str:
    """SQL of a device's hold on its scopes as one text, the same for the same hold; `company` and `device` in SQL."""
    if postgresql:
        each, every = "json_build_array(s.scope, s.granted, s.revoked, f.seq)", "json_agg({} ORDER BY s.scope)::text"
    else:
        each, every = "json_array(s.scope, s.granted, s.revoked, f.seq)", "json_group_array({})"
    return (
        f"(SELECT {every.format(each)} FROM device_scope s LEFT JOIN scope_floor f"
        f" ON f.company_id = s.company_id AND f.scope = s.scope"
        f" WHERE s.company_id = {company} AND s.device_id = {device})"
    )


def feed_in_text(epoch: str, newest: int, backed_up_through: int, scopes: str | None) -> Feed:
    """The feed as a device finds it, of what `scopes_text` has found."""
    held = [
        Subscription(scope=scope, granted=granted, revoked=revoked, floor=floor or 0)
        for scope, granted, revoked, floor in orjson.loads(scopes or "[]")
    ]
    held.sort(key=lambda one: (one.granted, one.scope))
    return Feed(epoch=epoch, newest=newest, backed_up_through=backed_up_through, held=held, text=scopes)


def subscriptions(company_id: str, device_id: str) -> list[Subscription]:
    """The scopes that a device holds or held, by grant."""
    return feed_of(company_id, device_id).held


def is_too_old(held: Iterable[Subscription], cursor: Cursor) -> bool:
    """Whether removals that this reader has not heard of may be gone from the feed."""
    return any(missed_removals(cursor, one.granted, one.revoked, one.floor) for one in held)


def read_page(company_id: str, feed: Feed, cursor: Cursor, limit: int, schema_version: int) -> Page:
    """Up to `limit` changes after `cursor`, in the form of a schema version; cost follows the page, not the store."""
    streams = [stream for one in feed.held for stream in _streams(company_id, one, cursor, feed.newest)]
    return _page(company_id, feed, cursor, limit, schema_version, _rows(company_id, streams, limit + 1))


def read_page_alone(
    company_id: str, device_id: str, feed: Feed, cursor: Cursor, limit: int, schema_version: int
) -> Page | None:
    """The same in one statement and no transaction, of a feed as it stood a moment ago.

    None when anything has been written since then (what a document refers to may have moved on without it, law 6), when
    the device's scopes, how far they reach back, or the history are not the same any more, and when something is to
    be dropped, for which more must be asked.
    """
    streams = [stream for one in feed.held for stream in _streams(company_id, one, cursor, feed.newest)]
    if not streams:
        return None
    sql, values = _page_sql(company_id, streams, limit + 1)
    postgresql = rows.is_postgresql(db.session())
    company, device = rows.key_of(db.session(), company_id), rows.key_of(db.session(), device_id)
    unchanged = (
        "SELECT -1, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM company"
        " JOIN sync_clock ON sync_clock.company_id = company.id"
        f" WHERE id = ? AND epoch = ? AND n = ? AND {scopes_text(postgresql, '?', '?')} = ?"
    )
    given = (company, feed.epoch, feed.newest, company, device, feed.text)
    found = read_text_alone(f"{unchanged} UNION ALL {sql}", (*given, *values))
    known = [row for row in found if row[SEQ] != -1]
    if len(known) == len(found):
        return None
    found = sorted(known, key=itemgetter(SEQ, DOCUMENT))
    if any(row[BODY] is not None and (not row[LIVE] or row[DELETED]) for row in found):
        return None
    return _page(company_id, feed, cursor, limit, schema_version, found)


def _page(company_id: str, feed: Feed, cursor: Cursor, limit: int, schema_version: int, found: list[Any]) -> Page:
    more = len(found) > limit
    if more:
        found = found[:limit]
        after = cursor.at(found[-1][SEQ], rows.id_of(found[-1][DOCUMENT]))
    else:
        after = cursor.at(feed.newest, "")
    # A document that is referred to and has not been made yet has no body; it follows when it is.
    there = [row for row in found if row[BODY] is not None]
    gone = {row[DOCUMENT] for row in there if not row[LIVE] or row[DELETED]}
    drops = _drops(company_id, feed, [row for row in there if row[DOCUMENT] in gone]) if gone else {}
    if schema_version < contract.SCHEMA_VERSION:
        changes = [
            drops.get(row[DOCUMENT]) or put(row[COLLECTION], row[VERSION], text)
            for row in there
            if (text := shaped(row[COLLECTION], row[BODY], schema_version)) is not None
        ]
    else:
        changes = [drops.get(row[DOCUMENT]) or put(row[COLLECTION], row[VERSION], row[BODY]) for row in there]
    return Page(changes=changes, cursor=after, more=more)


def _streams(company_id: str, held: Subscription, cursor: Cursor, newest: int) -> list[_Stream]:
    """The parts of one scope that are after the cursor: what came with the grant, then what followed."""
    if held.revoked is not None:
        return _at(company_id, held, held.revoked, cursor)
    came = _at(company_id, held, held.granted, cursor)
    if cursor.seq > held.granted and cursor.document_id:
        later = "(seq, document_id) > (?, ?)"
        values: tuple[Any, ...] = (cursor.seq, rows.key_of(db.session(), cursor.document_id))
    else:
        later, values = "seq > ?", (max(cursor.seq, held.granted),)
        if values[0] >= newest:
            return came
    sql = (
        "SELECT seq AS feed_key, document_id, live, reason FROM scope_feed WHERE company_id = ? AND scope = ?"
        f" AND {later} AND seq <= ? ORDER BY seq, document_id LIMIT ?"
    )
    return [*came, _Stream(sql=sql, values=(rows.key_of(db.session(), company_id), held.scope, *values, newest))]


def _at(company_id: str, held: Subscription, key: int, cursor: Cursor) -> list[_Stream]:
    """All documents of a scope as of one key, its grant or its end, unless the cursor is past it."""
    if cursor.seq > key or (cursor.seq == key and not cursor.document_id):
        return []
    if held.revoked is None:
        # The plus keeps the databases from an index by number, and from sorting the whole scope for its first page.
        shown, which = "live", "live AND +seq <= ?"
    else:
        # What left the scope before it ended for the device may not have been told yet.
        shown, which = "false AS live", "(live OR seq > ?)"
    given: list[Any] = [key, rows.key_of(db.session(), company_id), held.scope, held.granted]
    if after := cursor.document_id if cursor.seq == key else "":
        which += " AND document_id > ?"
        given.append(rows.key_of(db.session(), after))
    sql = (
        f"SELECT CAST(? AS bigint) AS feed_key, document_id, {shown}, reason FROM scope_feed"
        f" WHERE company_id = ? AND scope = ? AND {which} ORDER BY document_id LIMIT ?"
    )
    return [_Stream(sql=sql, values=tuple(given))]


def _rows(company_id: str, streams: Sequence[_Stream], limit: int) -> list[Any]:
    """The first `limit` rows of all streams together, each with its document, in the order of key and id."""
    if not streams:
        return []
    found = rows.read(db.session(), *_page_sql(company_id, streams, limit))
    found.sort(key=itemgetter(SEQ, DOCUMENT))
    return found


def _page_sql(company_id: str, streams: Sequence[_Stream], limit: int) -> tuple[str, tuple[Any, ...]]:
    """What reads these rows, and its values."""
    values = [value for stream in streams for value in (*stream.values, limit)]
    keys = streams[0].sql
    if len(streams) > 1:
        parts = " UNION ".join(f"SELECT * FROM ({stream.sql}) AS part{n}" for n, stream in enumerate(streams))
        keys = f"SELECT * FROM ({parts}) AS every ORDER BY feed_key, document_id LIMIT ?"
        values.append(limit)
    columns = "collection, version, body, deleted"
    document = f"SELECT {columns} FROM document WHERE company_id = ? AND id = feed.document_id LIMIT 1"
    if rows.is_postgresql(db.session()):
        # Without the limit the planner may read the whole table rather than look up a thousand documents.
        joined = f"LEFT JOIN LATERAL ({document}) AS document ON true"
    else:
        joined = "LEFT JOIN document ON document.company_id = ? AND document.id = feed.document_id"
    sql = f"SELECT feed_key, document_id, live, reason, {columns} FROM ({keys}) AS feed {joined}"
    return sql, (*values, rows.key_of(db.session(), company_id))


def _drops(company_id: str, feed: Feed, gone: Sequence[Any]) -> dict[Any, str]:
    """For documents that left a scope or were deleted what the device hears, unless another scope still has them."""
    scopes = [one.scope for one in feed.held]
    kept = {one.scope for one in feed.held if one.revoked is None}
    ids = {rows.id_of(row[DOCUMENT]) for row in gone}
    statement = select(ScopeFeed.document_id, ScopeFeed.scope, ScopeFeed.live, ScopeFeed.reason).where(
        ScopeFeed.company_id == company_id,
        ScopeFeed.scope.in_(scopes),
        rows.among(db.session(), ScopeFeed.document_id, ids),
    )
    live: set[str] = set()
    reasons: dict[str, str] = {}
    for doc, scope, is_live, reason in db.session.execute(statement):
        if is_live and scope in kept:
            live.add(doc)
        elif reason is not None:
            reasons[doc] = reason
    return {
        row[DOCUMENT]: _drop(doc, row, reasons.get(doc))
        for row in gone
        if (doc := rows.id_of(row[DOCUMENT])) not in live or row[DELETED]
    }


def put(collection: str, version: int, body: str) -> str:
    """A change that puts a document; a body's text begins with its id, which the change names already (S-12)."""
    return (
        f'{{"collection":"{collection}","id":{body[6:44]},"op":"put","version":{version},'
        f'"document":{{{body[ID_PART:] or "}"}}}'
    )


def _drop(doc: str, row: Any, reason: str | None) -> str:
    why = "deleted" if row[DELETED] else reason or "revoked"
    return f'{{"collection":"{row[COLLECTION]}","id":"{doc}","op":"drop","version":{row[VERSION]},"reason":"{why}"}}'
