"""What is kept of tablets besides themselves: tokens that were, what is odd, and what came after their end."""

from __future__ import annotations

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from server.extensions import Model
from server.store.types import At, CompanyId, Id, JsonObject, OptionalAt, OptionalJson, OptionalRef, Ref


class FormerToken(Model):
    """The hash of a token that another one followed: who comes with it has a copy."""

    __table_args__ = (
        ForeignKeyConstraint(["company_id", "device_id"], ["device.company_id", "device.id"]),
        Index(None, "token_hash"),
    )

    company_id: Mapped[CompanyId]
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    device_id: Mapped[Ref]
    ended_at: Mapped[At]


class EnrolmentMiss(Model):
    """A wrong enrolment code; counted over all processes. Belongs to no company."""

    __table_args__ = (Index(None, "address", "at"),)

    id: Mapped[Id]
    address: Mapped[str] = mapped_column(String(80))
    at: Mapped[At]
    settled: Mapped[bool] = mapped_column(default=False)


class DeviceNotice(Model):
    """Something odd about a tablet that a person should know: at most one open of a kind for each tablet.

    `device_id` is null for what concerns no single one; `count` is how often it was seen since it was opened.
    """

    __table_args__ = (
        ForeignKeyConstraint(["company_id", "device_id"], ["device.company_id", "device.id"]),
        Index(None, "company_id", "device_id"),
        Index("ix_device_notice_open", "company_id", "closed_at"),
    )

    company_id: Mapped[CompanyId]
    id: Mapped[Id]
    device_id: Mapped[OptionalRef]
    kind: Mapped[str] = mapped_column(String(30))
    params: Mapped[JsonObject]
    count: Mapped[int] = mapped_column(default=1)
    first_at: Mapped[At]
    last_at: Mapped[At]
    closed_at: Mapped[OptionalAt]
    closed_by: Mapped[OptionalRef]


class Salvage(Model):
    """A push that came after a tablet's access had ended: its bytes, unread until somebody at the office decides."""

    __table_args__ = (
        ForeignKeyConstraint(["company_id", "device_id"], ["device.company_id", "device.id"]),
        Index(None, "company_id", "device_id"),
        Index(None, "company_id", "state"),
    )

    company_id: Mapped[CompanyId]
    id: Mapped[Id]
    device_id: Mapped[Ref]
    technician_id: Mapped[Ref]
    user_id: Mapped[OptionalRef]
    why: Mapped[str] = mapped_column(String(20))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    count: Mapped[int | None]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[At]
    state: Mapped[str] = mapped_column(String(20), default="waiting")
    decided_by: Mapped[OptionalRef]
    decided_at: Mapped[OptionalAt]
    reason: Mapped[str | None] = mapped_column(String(500))
    outcome: Mapped[OptionalJson]
