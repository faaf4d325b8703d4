"""Copies of the whole database: made while it works, believed after they were read back, put in its place whole."""

from __future__ import annotations

from server.extensions import db
from server.store.backup.copies import CannotCopy, Copies, Stand

__all__ = ["CannotCopy", "Copies", "Stand", "copies"]


def copies() -> Copies:
    """What makes and puts back copies of the application's database."""
    from server.store.backup.postgresql import PostgresqlCopies
    from server.store.backup.sqlite import SqliteCopies

    return PostgresqlCopies(db.engine) if db.engine.dialect.name == "postgresql" else SqliteCopies(db.engine)
