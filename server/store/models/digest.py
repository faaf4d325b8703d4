from __future__ import annotations

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from server.extensions import Model
from server.store.types import CompanyId, IdType


class DocumentDigest(Model):
    """The checksum of a document as clients of the schema version `form` get it, worked out when first asked for.

    It holds as long as no feed row of the document is newer than `seq`, the company's number of that moment.
    """

    company_id: Mapped[CompanyId]
    form: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[str] = mapped_column(IdType, primary_key=True)
    version: Mapped[int]
    bucket: Mapped[int]
    value: Mapped[int] = mapped_column(BigInteger)
    seq: Mapped[int] = mapped_column(BigInteger)
