"""Reading the feed: one page for one device, its documents joined from stored text, never parsed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, or_, select

from server.extensions import db
from server.store.feed import chunks
from server.store.models import DeviceScope, Document, ScopeFeed
from sync.feed import Cursor, merge_ordered


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


def subscriptions(company_id: str, device_id: str) -> list[Subscription]:
    """The scopes that a device holds or held, by grant."""
    statement = (
        select(DeviceScope.scope, DeviceScope.granted, DeviceScope.revoked)
        .where(DeviceScope.company_id == company_id, DeviceScope.device_id == device_id)
        .order_by(DeviceScope.granted, DeviceScope.scope)
    )
    return [Subscription(scope=s, granted=g, revoked=r) for s, g, r in db.session.execute(statement)]


def read_page(company_id: str, held: list[Subscription], cursor: Cursor, limit: int, newest: int) -> Page:
    """Up to `limit` changes after `cursor`, of numbers up to `newest`; cost follows the page, not the store."""
    streams = [_keys(company_id, subscription, cursor, limit + 1, newest) for subscription in held]
    keys, more = merge_ordered(streams, limit)
    docs = [doc for _, doc in keys]
    live = _live(company_id, docs, [one.scope for one in held if one.revoked is None])
    reasons = _reasons(company_id, [doc for doc in docs if doc not in live], [one.scope for one in held])
    bodies = _bodies(company_id, docs)
    changes = [
        _put(doc, body) if doc in live and not body.deleted else _drop(doc, body, reasons.get(doc))
        for doc in docs
        if (body := bodies.get(doc)) is not None
    ]
    if keys:
        seq, doc = keys[-1]
        after = Cursor(seq=seq, document_id=doc, epoch=cursor.epoch)
    else:
        after = cursor
    if not more:
        after = Cursor(seq=newest, document_id="", epoch=cursor.epoch)
    return Page(changes=changes, cursor=after, more=more)


def _keys(company_id: str, held: Subscription, cursor: Cursor, limit: int, newest: int) -> list[tuple[int, str]]:
    """The (key, document) pairs of one scope after the cursor: first what came with the grant, then what followed."""
    table = ScopeFeed
    scope = and_(table.company_id == company_id, table.scope == held.scope)
    if held.revoked is not None:
        if cursor.seq > held.revoked or (cursor.seq == held.revoked and not cursor.document_id):
            return []
        after = cursor.document_id if cursor.seq == held.revoked else ""
        statement = (
            select(table.document_id)
            .where(scope, table.live, table.document_id > _floor(after))
            .order_by(table.document_id)
            .limit(limit)
        )
        return [(held.revoked, doc) for doc in db.session.scalars(statement)]
    keys: list[tuple[int, str]] = []
    if cursor.seq < held.granted or (cursor.seq == held.granted and cursor.document_id):
        after = cursor.document_id if cursor.seq == held.granted else ""
        statement = (
            select(table.document_id)
            .where(scope, table.live, table.seq <= held.granted, table.document_id > _floor(after))
            .order_by(table.document_id)
            .limit(limit)
        )
        keys = [(held.granted, doc) for doc in db.session.scalars(statement)]
    if len(keys) < limit:
        following = table.seq > held.granted
        if cursor.seq > held.granted:
            later = table.seq > cursor.seq
            same = and_(table.seq == cursor.seq, table.document_id > _floor(cursor.document_id))
            following = or_(later, same) if cursor.document_id else later
        following_statement = (
            select(table.seq, table.document_id)
            .where(scope, following, table.seq <= newest)
            .order_by(table.seq, table.document_id)
            .limit(limit - len(keys))
        )
        keys += [(seq, doc) for seq, doc in db.session.execute(following_statement)]
    return keys


def _floor(document_id: str) -> str:
    return document_id or "00000000-0000-0000-0000-000000000000"


def _live(company_id: str, docs: Iterable[str], scopes: list[str]) -> set[str]:
    found: set[str] = set()
    for part in chunks(docs):
        statement = select(ScopeFeed.document_id).where(
            ScopeFeed.company_id == company_id,
            ScopeFeed.scope.in_(scopes),
            ScopeFeed.document_id.in_(part),
            ScopeFeed.live,
        )
        found.update(db.session.scalars(statement))
    return found


def _reasons(company_id: str, docs: Iterable[str], scopes: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in chunks(docs):
        statement = select(ScopeFeed.document_id, ScopeFeed.reason).where(
            ScopeFeed.company_id == company_id,
            ScopeFeed.scope.in_(scopes),
            ScopeFeed.document_id.in_(part),
            ScopeFeed.reason.is_not(None),
        )
        found |= {doc: str(reason) for doc, reason in db.session.execute(statement)}
    return found


def _bodies(company_id: str, docs: Iterable[str]) -> dict[str, Any]:
    """Documents by id; one that is referred to and has not been made yet is left out, it follows when it is."""
    found: dict[str, Any] = {}
    for part in chunks(docs):
        statement = select(Document.id, Document.collection, Document.version, Document.body, Document.deleted).where(
            Document.company_id == company_id, Document.id.in_(part)
        )
        found |= {row.id: row for row in db.session.execute(statement)}
    return found


def _put(doc: str, row: Any) -> str:
    head = f'{{"collection":"{row.collection}","id":"{doc}","op":"put","version":{row.version},"reason":null,'
    return f'{head}"document":{row.body}}}'


def _drop(doc: str, row: Any, reason: str | None) -> str:
    why = "deleted" if row.deleted else reason or "revoked"
    head = f'{{"collection":"{row.collection}","id":"{doc}","op":"drop","version":{row.version},'
    return head + f'"reason":"{why}","document":null}}'
