"""What a database connection must be before anything may rest on it.

SQLite: WAL, `synchronous=FULL` (NORMAL loses acknowledged commits in a power cut), foreign keys, and transactions
that SQLAlchemy begins itself: `BEGIN IMMEDIATE` for writers, so that two of them queue instead of failing half-way.
PostgreSQL: `fsync`, `full_page_writes` and `synchronous_commit` on, or the server does not start.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import QueuePool

from server.extensions import db
from server.store.turns import Turns

writing: ContextVar[bool] = ContextVar("writing", default=False)
"""True while a write transaction is open in this context; set by `transactional` alone."""


BUSY_S = 20.0
"""So long a writer waits for others before it fails."""

TURN = "turn"
"""Where a connection keeps the turn that it has."""

ASKED_AFTER_S = 1.0
"""A connection that was used a moment ago is taken to be there still; that it is not ends one request with a 503."""


MOST_SECOND = 20
"""With more connections in use than this nobody takes another one beside its own; the pool has ten more."""

_second = threading.Lock()


class UnsafeDatabase(RuntimeError):
    """The database would acknowledge what it may lose."""


def prepare(app: Flask) -> None:
    """Bind the connection rules to the application's engine and assert them once."""
    with app.app_context():
        engine = db.engine
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _sqlite_connection)
            if engine.url.database:
                _take_turns(engine, Turns(Path(f"{engine.url.database}.turn"), BUSY_S))
            event.listen(engine, "begin", _sqlite_begin)
        else:
            event.listen(engine, "connect", _postgresql_connection)
            event.listen(engine, "checkout", _still_there)
            event.listen(engine, "checkin", _last_used)
        try:
            assert_durable(engine)
        except UnsafeDatabase:
            engine.dispose()
            raise


def assert_durable(engine: Engine) -> None:
    """Raise UnsafeDatabase when an acknowledged commit could be lost with this database's settings."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("synchronous",)}
            wrong = {name: value for name, value in found.items() if value != 2}
            _flush_log(connection)
        else:
            names = ("fsync", "full_page_writes", "synchronous_commit")
            found = {name: connection.execute(text(f"SHOW {name}")).scalar() for name in names}
            wrong = {name: value for name, value in found.items() if value == "off"}
    if wrong:
        raise UnsafeDatabase(f"Acknowledged work could be lost with {wrong}. Switch these on and start again.")


def read_alone(statement: Any, given: dict[str, Any]) -> Any:
    """The first row of one statement that belongs to no transaction: two round trips and a session less."""
    if writing.get():
        return db.session.connection().execute(statement, given).first()
    with _alone() as connection:
        return connection.execute(statement, given).first()


def read_text_alone(sql: str, values: tuple[Any, ...]) -> list[Any]:
    """What a statement in SQL finds, with `?` for each of the values, in no transaction either."""
    with _alone() as connection:
        if connection.dialect.name == "postgresql":
            sql = sql.replace("?", "%s")
        return list(connection.exec_driver_sql(sql, values).all())


def write_apart(statement: Any, given: dict[str, Any]) -> Any:
    """What one statement gives back that is committed at once, beside the open transaction and whatever becomes of it.

    None when that cannot be: SQLite has one writer, and nobody who has a connection waits for a second one.
    """
    engine = db.engine
    if engine.dialect.name == "sqlite":
        return None
    with _second:
        if isinstance(engine.pool, QueuePool) and engine.pool.checkedout() > MOST_SECOND:
            return None
        # Held only until the connection is taken: the statement may wait for another company's writer.
        connection = _alone()
    with connection:
        return connection.execute(statement, given).scalar()


def _alone() -> Connection:
    engine = db.engine
    alone = {"alone": True} if engine.dialect.name == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
    return engine.connect().execution_options(**alone)


def _postgresql_connection(connection: Any, record: Any) -> None:
    from psycopg.types.string import TextLoader

    # Ids are text everywhere in the code; making an object of each only to write it out again costs a page's time.
    connection.adapters.register_loader("uuid", TextLoader)


def _last_used(connection: Any, record: Any) -> None:
    record.info["used"] = time.monotonic()


def _still_there(connection: Any, record: Any, proxy: Any) -> None:
    """Ask a connection that was idle whether it is still there; the pool makes another one if it is not."""
    if time.monotonic() - record.info.get("used", 0.0) < ASKED_AFTER_S:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        connection.rollback()
    except connection.Error as error:
        raise DisconnectionError from error


def _flush_log(connection: Connection) -> None:
    """Put on the disk what a server that was killed had written and not flushed: from now on it is read, and believed.

    A power cut would take it from under those who have read it. The log bears none of SQLite's locks.
    """
    for _, _, file in connection.exec_driver_sql("PRAGMA database_list"):
        written = Path(f"{file}-wal")
        if file and written.exists():
            with written.open("rb") as log:
                os.fsync(log.fileno())


def _sqlite_connection(connection: sqlite3.Connection, record: Any) -> None:
    connection.isolation_level = None
    # SQLite's own knows Latin letters only; searches must find Отель by отель.
    connection.create_function("lower", 1, _lower, deterministic=True)
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA busy_timeout={int(BUSY_S * 1000)}")
    cursor.execute("PRAGMA cache_size=-2048")
    cursor.close()


def _take_turns(engine: Engine, turns: Turns) -> None:
    """Have writers wait for their turn before they begin, and give it back when their connection is free again."""

    def begin(connection: Connection) -> None:
        if writing.get() and connection.info.get(TURN) is None and not connection.get_execution_options().get("alone"):
            connection.info[TURN] = turns.take()

    def over(connection: Any, record: Any, *error: object) -> None:
        taken = record.info.pop(TURN, None)
        if taken is not None:
            turns.give(taken)

    event.listen(engine, "begin", begin)
    event.listen(engine, "checkin", over)
    event.listen(engine, "invalidate", over)


def _lower(text: Any) -> Any:
    return text.lower() if isinstance(text, str) else text


def _sqlite_begin(connection: Connection) -> None:
    if connection.get_execution_options().get("alone"):
        return
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing.get() else "BEGIN")
