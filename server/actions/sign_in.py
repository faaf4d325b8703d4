"""Signing in and out of the office pages."""

from __future__ import annotations

import hashlib
import math
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from server.actions.passwords import verify
from server.extensions import db
from server.problems import Problem
from server.store.models import LoginFailure, LoginSession, User
from server.store.queries import people
from server.store.transaction import transactional
from server.store.types import new_id

ABSOLUTE = timedelta(hours=12)
LATELY = timedelta(minutes=15)
MISSES_OF_ACCOUNT = 5
MISSES_OF_ADDRESS = 30
FIRST_DELAY, LONGEST_DELAY = timedelta(seconds=30), timedelta(minutes=8)
"""Nobody is locked out for good: an account's misses of a quarter of an hour ago count no more."""
KEPT = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    token: str
    user: User
    expires_at: datetime


def token_hash(token: str) -> str:
    """What is stored of a token: it has 256 random bits, so that a plain SHA-256 keeps it."""
    return hashlib.sha256(token.encode()).hexdigest()


def sign_in(email: str, password: str, *, address: str | None, now: datetime) -> SignedIn:
    """Check the password and open a session.

    Raises Problem `wrong-credentials`, or `too-many-tries` with the seconds to wait: from the fifth miss of an
    account in a quarter of an hour each next try waits twice as long, and an address has thirty misses.
    """
    email = email.strip().lower()
    attempt = _begin_attempt(email, address, now)
    user = people.user_by_email(email)
    stored = user.password_hash if user is not None and user.active else None
    if not verify(stored, password) or user is None:
        raise Problem(401, "wrong-credentials", field="password")
    return _open_session(email, attempt, now)


@transactional
def _begin_attempt(email: str, address: str | None, now: datetime) -> str:
    """Count a try as a miss before the password is looked at, so that many at once are not more than one by one."""
    email, address = email[:200], (address or "")[:80]
    people.lock_sign_in(email)
    people.forget_misses(now - KEPT)
    seconds = max(
        _wait_for_account(people.misses_of_account(email, now - LATELY), now),
        _wait_for_address(people.misses_of_address(address, now - LATELY), now),
    )
    if seconds > 0:
        raise Problem(429, "too-many-tries", seconds=seconds, headers={"Retry-After": str(seconds)})
    attempt = LoginFailure(id=new_id(), email=email, address=address, at=now)
    db.session.add(attempt)
    return attempt.id


def _wait_for_account(misses: list[datetime], now: datetime) -> int:
    """Seconds until the next try; `misses` newest first."""
    if len(misses) < MISSES_OF_ACCOUNT:
        return 0
    delay = min(FIRST_DELAY * 2 ** (len(misses) - MISSES_OF_ACCOUNT), LONGEST_DELAY)
    return math.ceil((misses[0] + delay - now).total_seconds())


def _wait_for_address(misses: list[datetime], now: datetime) -> int:
    if len(misses) < MISSES_OF_ADDRESS:
        return 0
    return math.ceil((misses[MISSES_OF_ADDRESS - 1] + LATELY - now).total_seconds())


@transactional
def _open_session(email: str, attempt: str, now: datetime) -> SignedIn:
    user = people.user_by_email(email)
    assert user is not None
    people.forget_miss(attempt)
    token = secrets.token_urlsafe(32)
    expires_at = now + ABSOLUTE
    db.session.add(
        LoginSession(
            company_id=user.company_id,
            user_id=user.id,
            token_hash=token_hash(token),
            created_at=now,
            expires_at=expires_at,
        )
    )
    return SignedIn(token=token, user=user, expires_at=expires_at)


@transactional
def sign_out(token: str, now: datetime) -> None:
    """End the session of a token; a token that is unknown has ended already."""
    session = people.session_by_token(token_hash(token))
    if session is not None:
        session.ended_at = now


@transactional
def set_locale(email: str, locale: str) -> User:
    """Remember the language that somebody reads."""
    user = people.user_by_email(email)
    assert user is not None
    user.locale = locale
    return user
