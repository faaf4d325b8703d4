"""A lock that lives as long as a connection: PostgreSQL gives it back by itself when its holder dies."""

from __future__ import annotations

import zlib

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from server.extensions import db


class AdvisoryLock:
    """A session lock of PostgreSQL on a connection of its own. Not for use from several threads."""

    def __init__(self, name: str) -> None:
        self._key = zlib.crc32(name.encode())
        self._connection: Connection | None = None

    def hold(self) -> bool:
        """Take the lock, or make sure that it is still held; False when another has it or the database is away.

        A lost connection loses the lock, so each call asks the server.
        """
        try:
            if self._connection is not None:
                self._connection.execute(text("SELECT 1"))
                return True
            connection = db.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            taken = connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": self._key}).scalar()
        except DBAPIError:
            self.release()
            return False
        if not taken:
            connection.close()
            return False
        self._connection = connection
        return True

    def release(self) -> None:
        """Give the lock back by closing its connection for good, not by returning it to the pool."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()


def has_advisory_locks() -> bool:
    """Whether the application's database offers such locks."""
    return db.engine.dialect.name == "postgresql"
