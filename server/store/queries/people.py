from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select

from server.extensions import db
from server.store.models import Company, Device, FormerToken, LoginFailure, LoginSession, Technician, User


def user_by_email(email: str) -> User | None:
    """The account with this address, whatever its company."""
    return db.session.scalar(select(User).where(User.email == email))


def user_of_technician(company_id: str, technician_id: str) -> User | None:
    """The account of a technician, if they have one."""
    return db.session.scalar(select(User).where(User.company_id == company_id, User.technician_id == technician_id))


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


Holder = tuple[Device, Technician, User | None]
"""A tablet, its technician and that person's account."""


def device_by_token(token_hash: str) -> Holder | None:
    """A tablet by its token, or by the one that is to follow it; revoked ones too."""
    return _holder((Device.token_hash == token_hash) | (Device.next_token_hash == token_hash))


def device_with_holder(company_id: str, device_id: str) -> Holder | None:
    """A tablet by its id, with whom it belongs to."""
    return _holder((Device.company_id == company_id) & (Device.id == device_id))


def _holder(which: ColumnElement[bool]) -> Holder | None:
    statement = (
        select(Device, Technician, User)
        .join(Technician, (Technician.company_id == Device.company_id) & (Technician.id == Device.technician_id))
        .outerjoin(User, (User.company_id == Device.company_id) & (User.id == Device.user_id))
        .where(which)
    )
    row = db.session.execute(statement).first()
    return None if row is None else (row[0], row[1], row[2])


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
