"""Files of tablets: how each comes, what is kept of it, and which visits name it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from server.extensions import Model
from server.store.types import At, CompanyId, Id, IdType, LongText, OptionalAt, OptionalCode, OptionalRef, Ref


class Upload(Model):
    """A file on its way, or what became of it. How much of it is here is known by the store of files alone.

    `sha256` and `media_type` are what the sender promised, `found_sha256` and `found_type` what came; `fault` says why
    it waits for a person; `ahead_of` is the hash of the photo that this small picture goes ahead of. `told` is the
    Upload-Metadata header as it came.
    """

    __table_args__ = (
        Index(None, "company_id", "sha256"),
        Index(None, "company_id", "device_id", "created_at"),
        Index(None, "company_id", "state", "created_at"),
    )

    company_id: Mapped[CompanyId]
    id: Mapped[Id]
    device_id: Mapped[Ref]
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    media_type: Mapped[str | None] = mapped_column(String(80))
    name: Mapped[str | None] = mapped_column(String(200))
    ahead_of: Mapped[str | None] = mapped_column(String(64))
    told: Mapped[LongText]
    state: Mapped[str] = mapped_column(String(20))
    """`waiting` for bytes, `verified`, `quarantined` until a person decides, `discarded` by one, `ended` unfinished."""
    created_at: Mapped[At]
    expires_at: Mapped[OptionalAt]
    fault: Mapped[OptionalCode]
    found_sha256: Mapped[str | None] = mapped_column(String(64))
    found_type: Mapped[OptionalCode]
    decided_at: Mapped[OptionalAt]
    decided_by: Mapped[OptionalRef]
    decision: Mapped[LongText]


class StoredFile(Model):
    """A verified file of a company, once for each content. `pictures`: what is shown of it has been drawn."""

    company_id: Mapped[CompanyId]
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    media_type: Mapped[str] = mapped_column(String(80))
    width: Mapped[int] = mapped_column(default=0)
    height: Mapped[int] = mapped_column(default=0)
    pictures: Mapped[bool] = mapped_column(default=False)
    at: Mapped[At]


class FileReference(Model):
    """A document names a file by its hash; the file may not be here yet. Written with the document, in the feed."""

    __table_args__ = (Index(None, "company_id", "document_id"),)

    company_id: Mapped[CompanyId]
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    document_id: Mapped[str] = mapped_column(IdType, primary_key=True)
