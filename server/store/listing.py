"""Lists by keyset: a page after a cursor, filtered and sorted, in a time that does not follow the page's number."""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Select, Uuid, and_, func, literal, or_, select
from sqlalchemy.types import TypeEngine

from schemas.entities import COLLECTIONS
from server.extensions import db
from server.store.models import Document
from server.store.types import Moment


class BadListCursor(ValueError):
    """The cursor of a list is not one that this server wrote for this sort order."""


@dataclass(frozen=True, kw_only=True)
class Sort:
    """A column to sort by; `when_null` stands where the column has no value."""

    column: Any
    when_null: Any = None

    def expression(self) -> Any:
        """What rows are sorted by: never null, so that it can be compared."""
        if self.when_null is None:
            return self.column
        return func.coalesce(self.column, literal(self.when_null, self.column.type))


@dataclass(frozen=True, kw_only=True)
class Page:
    """Rows of a page and the cursor for the next, None at the end."""

    rows: list[Any]
    next_cursor: str | None


def page(
    model: Any,
    company_id: str,
    conditions: Sequence[ColumnElement[bool]],
    sorts: Mapping[str, Sort],
    sort: str,
    cursor: str | None,
    limit: int,
) -> Page:
    """One page of `model`'s rows; `sort` is a key of `sorts`, with `-` in front for descending."""
    descending = sort.startswith("-")
    by = sorts[sort.removeprefix("-")].expression()
    statement: Select[Any] = select(model, by).where(model.company_id == company_id, *conditions)
    if cursor:
        value, last = _decode(cursor, sort, by)
        beyond = by < value if descending else by > value
        tie = model.id < last if descending else model.id > last
        statement = statement.where(or_(beyond, and_(by == value, tie)))
    order = (by.desc(), model.id.desc()) if descending else (by, model.id)
    found = list(db.session.execute(statement.order_by(*order).limit(limit + 1)))
    shown = found[:limit]
    following = _encode(sort, shown[-1][1], shown[-1][0].id) if len(found) > limit else None
    return Page(rows=[row[0] for row in shown], next_cursor=following)


def bodies(company_id: str, ids: Sequence[str]) -> dict[str, tuple[int, dict[str, Any]]]:
    """Version and wire form of documents by id."""
    statement = select(Document.id, Document.collection, Document.version, Document.body).where(
        Document.company_id == company_id, Document.id.in_(list(ids)), Document.deleted.is_(False)
    )
    return {
        doc: (version, COLLECTIONS[collection].whole(orjson.loads(body)))
        for doc, collection, version, body in db.session.execute(statement)
    }


def _encode(sort: str, value: Any, last: str) -> str:
    raw = orjson.dumps([sort, value.isoformat() if isinstance(value, date | datetime) else value, last], default=str)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(cursor: str, sort: str, by: Any) -> tuple[Any, str]:
    try:
        raw = orjson.loads(base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
        named, value, last = raw
        if named != sort:
            raise ValueError(cursor)
        value = _value(value, by.type)
        return literal(value, by.type), str(uuid.UUID(last))
    except (ValueError, TypeError, AttributeError, OverflowError, binascii.Error, UnicodeError) as error:
        raise BadListCursor(cursor) from error


def _value(value: Any, kind: TypeEngine[Any]) -> Any:
    """A cursor's value as its column has it; a cursor comes from outside, so what no database takes is refused."""
    if isinstance(kind, Moment):
        return datetime.fromisoformat(value).astimezone(UTC)
    if isinstance(kind, Uuid):
        return str(uuid.UUID(value))
    if kind.python_type is date:
        return date.fromisoformat(value)
    if type(value) is not kind.python_type or (isinstance(value, str) and "\x00" in value):
        raise ValueError(value)
    return value
