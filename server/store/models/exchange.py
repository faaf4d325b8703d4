"""What an exchange by files needs: the keys of both sides, and how far each tablet's files have come."""

from __future__ import annotations

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.extensions import Model
from server.store.types import At, CompanyId, JsonList, OptionalAt, Ref


class OfficeKey(Model):
    """The company's own keys: private scalars. Who reads the database reads its documents too."""

    __table_args__ = (Index(None, "key_id"),)

    company_id: Mapped[CompanyId]
    key_id: Mapped[str] = mapped_column(String(32))
    agree: Mapped[bytes] = mapped_column(LargeBinary)
    sign: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[At]


class DeviceKey(Model):
    """Public keys that a tablet has shown; the newest is the one that files are sealed for."""

    __table_args__ = (
        ForeignKeyConstraint(["company_id", "device_id"], ["device.company_id", "device.id"]),
        Index(None, "company_id", "device_id"),
    )

    company_id: Mapped[CompanyId]
    key_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    device_id: Mapped[Ref]
    agree: Mapped[bytes] = mapped_column(LargeBinary)
    sign: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[At]


class DeviceExchange(Model):
    """Where a tablet stood by its newest file (number `taken_n`), and how many files were made for it.

    `first_unanswered` is the lowest number of an edit that it has no answer to, `sent` the ids of the edits in
    that file, `awaiting` the files whose arrival it wants to hear of.
    """

    __table_args__ = (ForeignKeyConstraint(["company_id", "device_id"], ["device.company_id", "device.id"]),)

    company_id: Mapped[CompanyId]
    device_id: Mapped[Ref] = mapped_column(primary_key=True)
    taken_n: Mapped[int] = mapped_column(default=0)
    taken_at: Mapped[OptionalAt]
    cursor: Mapped[str | None] = mapped_column(Text)
    first_unanswered: Mapped[int] = mapped_column(default=1)
    sent: Mapped[JsonList]
    awaiting: Mapped[JsonList]
    made_n: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[OptionalAt]
