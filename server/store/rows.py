"""Many rows in one statement, and ids in one parameter: what the write path says to the database, on either one.

Rows are dicts with values as the wire has them: ids with dashes, moments as ISO 8601 text or as datetimes, JSON as it
is. PostgreSQL gets them as one JSON parameter, however many there are; SQLite runs one prepared statement for each.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

import orjson
from sqlalchemy import ColumnElement, DateTime, Integer, Table, Text, Uuid, bindparam, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import JSON, TypeEngine

from server.store.types import IdType, Moment, json_text

Row = dict[str, Any]
Each = TypeVar("Each")
CHUNK = 1000
Twice = Literal["refuse", "keep", "replace"]
"""What becomes of a row whose key is there already."""


def insert(
    session: Session,
    table: Table,
    rows: Sequence[Row],
    *,
    names: Sequence[str],
    twice: Twice = "refuse",
    otherwise: Row | None = None,
) -> None:
    """Insert rows with these columns. A name that a row does not have is as in `otherwise`, else null."""
    if rows:
        absent = otherwise or {}
        usual = tuple((name, _literal(absent[name])) for name in names if absent.get(name) is not None)
        statement = _insert(table, tuple(names), twice, usual, is_postgresql(session))
        _run(session, statement, table, rows, names, absent)


def update(session: Session, table: Table, rows: Sequence[Row], *, names: Sequence[str]) -> None:
    """Set these columns of rows that are there, found by the table's key; null leaves alone what may not be null."""
    if rows:
        keys = [column.name for column in table.primary_key]
        _run(session, _update(table, tuple(names), is_postgresql(session)), table, rows, [*names, *keys])


def delete(session: Session, table: Table, rows: Sequence[Row]) -> None:
    """Delete rows by the table's key."""
    if rows:
        keys = [column.name for column in table.primary_key]
        _run(session, _delete(table, is_postgresql(session)), table, rows, keys)


def among(session: Session, column: Any, values: Iterable[Any]) -> ColumnElement[bool]:
    """Whether an id, or a number, is one of many, which travel as one parameter."""
    postgresql = is_postgresql(session)
    return _is_one_of(column, bindparam(None, many(session, values), type_=_kind(column, postgresql)), postgresql)


def listed(column: Any, name: str, postgresql: bool) -> ColumnElement[bool]:
    """Whether an id, or a number, is one of the parameter `name`, which `many` makes: for statements made once."""
    return _is_one_of(column, bindparam(name, type_=_kind(column, postgresql)), postgresql)


def _is_one_of(column: Any, given: Any, postgresql: bool) -> ColumnElement[bool]:
    if postgresql:
        return column == func.any(cast(given, ARRAY(IdType)) if isinstance(column.type, Uuid) else given)
    return column.in_(select(func.json_each(given).table_valued("value", joins_implicitly=True).c.value))


def _kind(column: Any, postgresql: bool) -> TypeEngine[Any]:
    return ARRAY(Text if isinstance(column.type, Uuid) else Integer) if postgresql else Text()


def many(session: Session, values: Iterable[Any]) -> Any:
    """Ids or numbers as one parameter."""
    every = list(values)
    if is_postgresql(session):
        return every
    return orjson.dumps([one.replace("-", "") if isinstance(one, str) else one for one in every]).decode()


def read(session: Session, sql: str, values: Sequence[Any]) -> list[Any]:
    """What a statement finds, with `?` for each of the values, as the driver gives it: ids as they are kept."""
    if is_postgresql(session):
        sql = sql.replace("?", "%s")
    return list(session.connection().exec_driver_sql(sql, tuple(values)).all())


def chunks(ids: Iterable[Each], size: int = CHUNK) -> Iterator[list[Each]]:
    """Ids or other things in portions, by default as many as a statement can carry."""
    every = list(ids)
    for start in range(0, len(every), size):
        yield every[start : start + size]


def is_postgresql(session: Session) -> bool:
    """Which of the two databases it is."""
    return session.get_bind().dialect.name == "postgresql"


def key_of(session: Session, document_id: str) -> str:
    """An id as the database keeps it."""
    return document_id if is_postgresql(session) else document_id.replace("-", "")


def id_of(key: Any) -> str:
    """An id out of what the database keeps."""
    text = str(key)
    return text if len(text) == 36 else f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _run(
    session: Session,
    statement: str,
    table: Table,
    rows: Sequence[Row],
    names: Sequence[str],
    absent: Row | None = None,
) -> None:
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(statement, (json_text(rows),))
        return
    otherwise = absent or {}
    writers = [(name, _sqlite_value(table.c[name].type), otherwise.get(name)) for name in names]
    values = [
        tuple(
            value if (value := row.get(name, default)) is None or write is None else write(value)
            for name, write, default in writers
        )
        for row in rows
    ]
    connection.exec_driver_sql(statement, values)


@functools.cache
def _insert(
    table: Table, names: tuple[str, ...], twice: Twice, usual: tuple[tuple[str, str], ...], postgresql: bool
) -> str:
    columns = ", ".join(_quoted(names))
    keys = [column.name for column in table.primary_key]
    if postgresql:
        otherwise = dict(usual)
        given = ", ".join(
            f"coalesce({_quoted([name])[0]}, {otherwise[name]})" if name in otherwise else _quoted([name])[0]
            for name in names
        )
        source = f"SELECT {given} FROM json_populate_recordset(NULL::{_quoted([table.name])[0]}, %s)"
    else:
        source = f"VALUES ({', '.join('?' * len(names))})"
    if twice == "refuse":
        ending = ""
    elif twice == "keep":
        ending = f" ON CONFLICT ({', '.join(_quoted(keys))}) DO NOTHING"
    else:
        changed = ", ".join(f"{name} = excluded.{name}" for name in _quoted(n for n in names if n not in keys))
        ending = f" ON CONFLICT ({', '.join(_quoted(keys))}) DO UPDATE SET {changed}"
    return f"INSERT INTO {_quoted([table.name])[0]} ({columns}) {source}{ending}"


@functools.cache
def _update(table: Table, names: tuple[str, ...], postgresql: bool) -> str:
    target = _quoted([table.name])[0]
    keys = _quoted(column.name for column in table.primary_key)

    def value(name: str, given: str) -> str:
        return given if table.c[name].nullable else f"coalesce({given}, {target}.{_quoted([name])[0]})"

    if postgresql:
        changed = ", ".join(f"{_quoted([name])[0]} = {value(name, f'r.{_quoted([name])[0]}')}" for name in names)
        found = " AND ".join(f"{target}.{key} = r.{key}" for key in keys)
        return f"UPDATE {target} SET {changed} FROM json_populate_recordset(NULL::{target}, %s) r WHERE {found}"
    changed = ", ".join(f"{_quoted([name])[0]} = {value(name, '?')}" for name in names)
    return f"UPDATE {target} SET {changed} WHERE " + " AND ".join(f"{key} = ?" for key in keys)


@functools.cache
def _delete(table: Table, postgresql: bool) -> str:
    target = _quoted([table.name])[0]
    keys = _quoted(column.name for column in table.primary_key)
    if postgresql:
        found = " AND ".join(f"{target}.{key} = r.{key}" for key in keys)
        return f"DELETE FROM {target} USING json_populate_recordset(NULL::{target}, %s) r WHERE {found}"
    return f"DELETE FROM {target} WHERE " + " AND ".join(f"{key} = ?" for key in keys)


def _literal(value: Any) -> str:
    text = value if isinstance(value, str) else json_text(value)
    return f"'{text}'" if isinstance(value, str | list) else text


def _quoted(names: Iterable[str]) -> list[str]:
    return [f'"{name}"' for name in names]


@functools.cache
def _sqlite_value(kind: TypeEngine[Any]) -> Callable[[Any], Any] | None:
    """How SQLite keeps a value of a column, as SQLAlchemy's own types write it there."""
    if isinstance(kind, Uuid):
        return lambda value: value.replace("-", "")
    if isinstance(kind, Moment | DateTime):
        return _sqlite_moment
    return json_text if isinstance(kind, JSON) else None


def _sqlite_moment(value: str | datetime) -> str:
    if isinstance(value, str):
        if len(value) == 24 and value[23] == "Z":
            return f"{value[:10]} {value[11:23]}000"
        value = datetime.fromisoformat(value)
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
