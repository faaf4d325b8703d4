"""Virtual time: seconds since the fleet began, and the moments that people and machines write down."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
"""The moment at which virtual time is 0."""


def moment(at: float, start: datetime = START) -> datetime:
    """The moment that is `at` seconds after `start`."""
    return start + timedelta(seconds=at)


def iso(when: datetime) -> str:
    """A moment as the wire has it: UTC, milliseconds, `Z`."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}Z"


def ident(*parts: object) -> str:
    """A UUID that follows from the parts, so that a fleet's ids are the same each time."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=16).digest()
    return str(uuid.UUID(bytes=digest, version=4))
