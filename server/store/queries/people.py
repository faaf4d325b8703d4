from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, bindparam, delete, func, literal_column, or_, select

from server.extensions import db
from server.store.engine import read_alone
from server.store.models import Company, Device, FormerToken, LoginFailure, LoginSession, SyncClock, Technician, User
from server.store.pull import scopes_text


def user_by_email(email: str) -> User | None:
    """The account with this address, whatever its company."""
    return db.session.scalar(select(User).where(User.email == email))


def user_of_technician(company_id: str, technician_id: str) -> User | None:
    """The account of a technician, if they have one."""
    return db.session.scalar(select(User).where(User.company_id == company_id, User.technician_id == technician_id))


def addresses_of(company_id: str, technician_ids: Sequence[str]) -> dict[str, str]:
    """The addresses of technicians' accounts that are in force, by technician."""
    statement = (
        select(User.technician_id, User.email)
        .where(User.company_id == company_id, User.technician_id.in_(technician_ids), User.active)
        .order_by(User.email.desc())
    )
    return {str(row.technician_id): row.email for row in db.session.execute(statement)}


def user_of_session(token_hash: str, now: datetime) -> User | None:
    """Who holds a session token that is still in force."""
    statement = (
        select(User)
        .join(LoginSession, (LoginSession.company_id == User.company_id) & (LoginSession.user_id == User.id))
        .where(
            LoginSession.token_hash == token_hash,
            LoginSession.ended_at.is_(None),
            LoginSession.expires_at > now,
            User.active,
        )
    )
    return db.session.scalar(statement)


def session_by_token(token_hash: str) -> LoginSession | None:
    return db.session.scalar(select(LoginSession).where(LoginSession.token_hash == token_hash))


@dataclass(frozen=True)
class Holder:
    """A tablet as it is at the door: whose it is, its tokens, what ends its access; where the company's feed stands.

    In the order of the columns that are asked for.
    """

    company_id: str
    device_id: str
    technician_id: str
    name: str
    technician_active: bool
    user_id: str | None
    locale: str | None
    token_hash: str
    next_token_hash: str | None
    enrolled_at: datetime
    revoked_at: datetime | None
    ended_because: str | None
    last_seen_at: datetime | None
    address: str | None
    epoch: str | None
    schema_version: int
    feed_epoch: str
    feed_n: int
    backed_up_through: int
    feed_scopes: str | None
    """The tablet's hold on its scopes, as `pull.scopes_text` has it."""


@functools.cache
def _holder(which: Callable[[Any], Any], postgresql: bool) -> Select[Any]:
    device, technician, user = Device.__table__, Technician.__table__, User.__table__
    company, clock = Company.__table__, SyncClock.__table__
    of_device = and_(technician.c.company_id == device.c.company_id, technician.c.id == device.c.technician_id)
    of_person = and_(user.c.company_id == device.c.company_id, user.c.id == device.c.user_id)
    scopes: Any = literal_column(scopes_text(postgresql, "device.company_id", "device.id"), Text())
    return (
        select(
            device.c.company_id,
            device.c.id.label("device_id"),
            technician.c.id.label("technician_id"),
            technician.c.name,
            technician.c.active.label("technician_active"),
            user.c.id.label("user_id"),
            user.c.locale,
            device.c.token_hash,
            device.c.next_token_hash,
            device.c.enrolled_at,
            device.c.revoked_at,
            device.c.ended_because,
            device.c.last_seen_at,
            device.c.address,
            device.c.epoch,
            device.c.schema_version,
            company.c.epoch.label("feed_epoch"),
            clock.c.n.label("feed_n"),
            clock.c.backed_up_through,
            scopes.label("feed_scopes"),
        )
        .select_from(
            device.join(technician, of_device)
            .join(company, company.c.id == device.c.company_id)
            .join(clock, clock.c.company_id == device.c.company_id)
            .outerjoin(user, of_person)
        )
        .where(which(device.c))
    )


def _by_token(device: Any) -> ColumnElement[bool]:
    return or_(device.token_hash == bindparam("token"), device.next_token_hash == bindparam("token"))


def _by_id(device: Any) -> ColumnElement[bool]:
    return and_(device.company_id == bindparam("company"), device.id == bindparam("device"))


def _read_holder(which: Callable[[Any], Any], given: dict[str, Any]) -> Holder | None:
    row = read_alone(_holder(which, db.engine.dialect.name == "postgresql"), given)
    return None if row is None else Holder(*row)


def device_by_token(token_hash: str) -> Holder | None:
    """A tablet by its token, or by the one that is to follow it; revoked ones too."""
    return _read_holder(_by_token, {"token": token_hash})


def device_with_holder(company_id: str, device_id: str) -> Holder | None:
    """A tablet by its id, with whom it belongs to."""
    return _read_holder(_by_id, {"company": company_id, "device": device_id})


def former_token(token_hash: str) -> FormerToken | None:
    """A token that another one followed."""
    return db.session.scalar(select(FormerToken).where(FormerToken.token_hash == token_hash).limit(1))


def lock_sign_in(email: str) -> None:
    """Let one try of an account be counted after another until the commit; on SQLite writers queue anyway."""
    if db.engine.dialect.name == "postgresql":
        db.session.execute(select(func.pg_advisory_xact_lock(func.hashtext(email))))


def misses_of_account(email: str, since: datetime) -> list[datetime]:
    """When passwords for an account were wrong, newest first."""
    statement = select(LoginFailure.at).where(LoginFailure.email == email, LoginFailure.at > since)
    return list(db.session.scalars(statement.order_by(LoginFailure.at.desc())))


def misses_of_address(address: str, since: datetime) -> list[datetime]:
    """When passwords from an address were wrong, newest first."""
    statement = select(LoginFailure.at).where(LoginFailure.address == address, LoginFailure.at > since)
    return list(db.session.scalars(statement.order_by(LoginFailure.at.desc()).limit(1000)))


def forget_misses(before: datetime) -> None:
    """Delete what has long stopped to count."""
    db.session.execute(delete(LoginFailure).where(LoginFailure.at < before))


def forget_miss(miss_id: str) -> None:
    """Delete the try that turned out to be right."""
    db.session.execute(delete(LoginFailure).where(LoginFailure.id == miss_id))


def companies() -> list[Company]:
    """All companies, oldest first."""
    return list(db.session.scalars(select(Company).order_by(Company.id)))
