from __future__ import annotations

from sqlalchemy import ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.extensions import Model
from server.store.models.synced import Synced
from server.store.types import (
    At,
    Code,
    CompanyId,
    Id,
    JsonList,
    Name,
    OptionalAt,
    OptionalCode,
    OptionalRef,
    Ref,
)


class Company(Model):
    """A tenant: one service organisation with all its data. `epoch` names the history that cursors belong to.

    A restore at `restored_at` brought the data back to what they were at `restored_to`. A tablet holds the visits of
    `package_days` before and after today, as far as they fit into `package_bytes` of documents.
    """

    id: Mapped[Id]
    name: Mapped[Name]
    epoch: Mapped[Code]
    demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[At]
    visit_number: Mapped[int] = mapped_column(default=20000)
    restored_at: Mapped[OptionalAt]
    restored_to: Mapped[OptionalAt]
    package_days: Mapped[int] = mapped_column(default=14)
    package_bytes: Mapped[int] = mapped_column(default=20_000_000)


class Branch(Synced, Model):
    collection = "branch"

    name: Mapped[Name]
    city: Mapped[str | None] = mapped_column(String(120))
    locale: Mapped[str] = mapped_column(String(5))
    tz: Mapped[str] = mapped_column(String(64))
    currency: Mapped[str] = mapped_column(String(3))
    lat: Mapped[float]
    lon: Mapped[float]


class Technician(Synced, Model):
    collection = "technician"
    __table_args__ = (
        ForeignKeyConstraint(["company_id", "branch_id"], ["branch.company_id", "branch.id"]),
        Index(None, "company_id", "branch_id"),
    )

    branch_id: Mapped[Ref]
    name: Mapped[Name]
    phone: Mapped[str | None] = mapped_column(String(60))
    skills: Mapped[JsonList]
    shifts: Mapped[JsonList]
    home_lat: Mapped[float]
    home_lon: Mapped[float]
    start_from: Mapped[str] = mapped_column(String(10), default="home")
    van: Mapped[str | None] = mapped_column(String(60))
    max_overtime_minutes: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)


class User(Model):
    """Somebody who signs in. The address is unique over the installation, so that signing in needs no company."""

    __tablename__ = "user_account"
    __table_args__ = (
        UniqueConstraint("email"),
        ForeignKeyConstraint(["company_id", "technician_id"], ["technician.company_id", "technician.id"]),
    )

    company_id: Mapped[CompanyId]
    id: Mapped[Id]
    email: Mapped[str] = mapped_column(String(200))
    name: Mapped[Name]
    role: Mapped[str] = mapped_column(String(20))
    locale: Mapped[str] = mapped_column(String(5), default="en")
    password_hash: Mapped[str] = mapped_column(String(200))
    branch_id: Mapped[OptionalRef]
    technician_id: Mapped[OptionalRef]
    active: Mapped[bool] = mapped_column(default=True)


class LoginSession(Model):
    """A sign-in; the token itself is only with who holds it."""

    __table_args__ = (
        UniqueConstraint("token_hash"),
        ForeignKeyConstraint(["company_id", "user_id"], ["user_account.company_id", "user_account.id"]),
    )

    company_id: Mapped[CompanyId]
    id: Mapped[Id]
    user_id: Mapped[Ref]
    token_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[At]
    expires_at: Mapped[At]
    ended_at: Mapped[OptionalAt]


class LoginFailure(Model):
    """A wrong password; counted over all processes for the delay that follows several. Belongs to no company."""

    __table_args__ = (Index(None, "email", "at"), Index(None, "address", "at"))

    id: Mapped[Id]
    email: Mapped[str] = mapped_column(String(200))
    address: Mapped[OptionalCode]
    at: Mapped[At]
