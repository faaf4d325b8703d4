"""Runs the migrations: one history for both databases.

On SQLite a table is changed by copying it (batch mode), with foreign keys off: dropping the old table would
otherwise delete the rows that refer to it. They are checked afterwards.
"""

from __future__ import annotations

from alembic import context
from flask import current_app
from sqlalchemy import Connection

from server.extensions import db
from server.store import models  # noqa: F401  (all tables)
from server.store.engine import writing
from server.store.types import Json


def run() -> None:
    """Apply what is asked for in one transaction and check the references on SQLite."""
    engine = current_app.extensions["migrate"].db.engine
    token = writing.set(True)
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                _run_sqlite(connection)
            else:
                _configure(connection)
                with context.begin_transaction():
                    context.run_migrations()
    finally:
        writing.reset(token)


def _run_sqlite(connection: Connection) -> None:
    raw = connection.connection.dbapi_connection
    assert raw is not None
    raw.execute("PRAGMA foreign_keys=OFF")
    try:
        _configure(connection)
        with context.begin_transaction():
            context.run_migrations()
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            if broken:
                raise RuntimeError(f"Rows would refer to what is gone: {broken[:5]}")
    finally:
        # The check has begun a transaction, and inside of one the switch does nothing.
        connection.rollback()
        raw.execute("PRAGMA foreign_keys=ON")


def _configure(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        render_as_batch=True,
        compare_type=True,
        user_module_prefix="types.",
        render_item=_render,
    )


def _render(kind: str, item: object, autogen_context: object) -> str | bool:
    return "types.Json" if kind == "type" and item is Json else False


run()
