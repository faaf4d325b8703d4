"""Password hashes: argon2id with OWASP's set (t=2, m=19 MiB, p=1), at most four at once in a process."""

from __future__ import annotations

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from schemas.office import SHORTEST_PASSWORD

SHORTEST = SHORTEST_PASSWORD
hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_gate = threading.BoundedSemaphore(4)
_nobody = ""


def hash_password(password: str) -> str:
    """The text to store for a password."""
    with _gate:
        return hasher.hash(password)


def verify(stored: str | None, password: str) -> bool:
    """Whether the password is the stored one; takes as long for an account that does not exist."""
    global _nobody
    if stored is None:
        _nobody = _nobody or hash_password("nobody has this one")
    with _gate:
        try:
            hasher.verify(stored or _nobody, password)
        except (VerificationError, InvalidHashError):
            return False
    return stored is not None
