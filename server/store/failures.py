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

Contradiction = IntegrityError
"""A constraint refused a row: two writers met where the action did not foresee it."""

Refused = (IntegrityError, DataError)
"""The database does not take these values, whenever they come."""

Database = DBAPIError
"""Any failure of the database."""
