"""What the doors must know about a database's failures, without speaking SQL."""

from __future__ import annotations

from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    TimeoutError,
)

Unavailable = (OperationalError, InterfaceError, InternalError, TimeoutError)
"""The database is away, locked for too long, full, read-only or out of connections: nothing was saved, try later."""

NO_SUCH_TABLE = frozenset({"42P01", "42703"})
"""PostgreSQL's codes of a table or column that is not there."""


def is_not_migrated(error: DBAPIError) -> bool:
    """Whether a failure is that of a database whose tables were never made, or are of an older version."""
    told = str(error.orig)
    return getattr(error.orig, "sqlstate", None) in NO_SUCH_TABLE or "no such table" in told or "no such column" in told


Contradiction = IntegrityError
"""A constraint refused a row: two writers met where the action did not foresee it."""

Refused = (IntegrityError, DataError)
"""The database does not take these values, whenever they come."""

Database = DBAPIError
"""Any failure of the database."""

LIMIT_EXCEEDED = "54"
"""PostgreSQL's class of what is larger than it can be there."""


def is_of_values(error: Exception) -> bool:
    """Whether a write failed for what was to be written, and would fail again; else the database itself did."""
    if isinstance(error, DBAPIError):
        sqlstate = getattr(error.orig, "sqlstate", None) or ""
        return isinstance(error, Refused) or sqlstate.startswith(LIMIT_EXCEEDED)
    return not isinstance(error, TimeoutError)
