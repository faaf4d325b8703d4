"""What the server remembers of devices whose clients keep no protocol of ours: RxDB and WatermelonDB."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKeyConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from server.extensions import Model
from server.store.types import At, CompanyId, IdType, Ref


class WholeEdit(Model):
    """The last edit of a document that a device sent whole: its id, and the hashes of what it led from and to.

    The next edit leads on from there; one with the same hashes is the same edit again.
    """

    __table_args__ = (ForeignKeyConstraint(["company_id", "device_id"], ["device.company_id", "device.id"]),)

    company_id: Mapped[CompanyId]
    device_id: Mapped[str] = mapped_column(IdType, primary_key=True)
    document_id: Mapped[str] = mapped_column(IdType, primary_key=True)
    edit_id: Mapped[Ref]
    base_hash: Mapped[str] = mapped_column(String(64))
    new_hash: Mapped[str] = mapped_column(String(64))


class ViewPlace(Model):
    """How far a device said that it had read a collection: where a stream that names no place begins."""

    __table_args__ = (ForeignKeyConstraint(["company_id", "device_id"], ["device.company_id", "device.id"]),)

    company_id: Mapped[CompanyId]
    device_id: Mapped[str] = mapped_column(IdType, primary_key=True)
    collection: Mapped[str] = mapped_column(String(40), primary_key=True)
    effective: Mapped[int] = mapped_column(BigInteger)
    seq: Mapped[int] = mapped_column(BigInteger)
    document_id: Mapped[str] = mapped_column(String(36))


class DeviceStamp(Model):
    """What one of the whole numbers stands for that a device reads on with: a place in the feed's history `epoch`."""

    __table_args__ = (ForeignKeyConstraint(["company_id", "device_id"], ["device.company_id", "device.id"]),)

    company_id: Mapped[CompanyId]
    device_id: Mapped[str] = mapped_column(IdType, primary_key=True)
    stamp: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    epoch: Mapped[str] = mapped_column(String(60))
    effective: Mapped[int] = mapped_column(BigInteger)
    seq: Mapped[int] = mapped_column(BigInteger)
    document_id: Mapped[str] = mapped_column(String(36))
    made_at: Mapped[At]


class DeviceCopy(Model):
    """A device's copy of a document, as the server knows it.

    `version` is what the device has (null: nothing); `sent_version` is what the answer with `sent_stamp` held (null:
    that it is gone), until the device comes back with that stamp or a later one. `again`: the next answer must bring
    the document, whatever the feed says. `client_id` is what the device calls it, if not by its id.
    """

    __table_args__ = (ForeignKeyConstraint(["company_id", "device_id"], ["device.company_id", "device.id"]),)

    company_id: Mapped[CompanyId]
    device_id: Mapped[str] = mapped_column(IdType, primary_key=True)
    document_id: Mapped[str] = mapped_column(IdType, primary_key=True)
    collection: Mapped[str] = mapped_column(String(40))
    client_id: Mapped[str | None] = mapped_column(String(100))
    version: Mapped[int | None]
    sent_version: Mapped[int | None]
    sent_stamp: Mapped[int | None] = mapped_column(BigInteger)
    again: Mapped[bool] = mapped_column(default=False)
