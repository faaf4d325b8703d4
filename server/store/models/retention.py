from __future__ import annotations

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from server.extensions import Model
from server.store.types import At, CompanyId, CompanyKey, IdType


class FeedMark(Model):
    """Where a company's feed stood at a moment: feed rows have numbers and no times of their own."""

    company_id: Mapped[CompanyId]
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    at: Mapped[At]


class ScopeFloor(Model):
    """Up to which number removals of a scope may be gone from the feed: who has read less must begin anew."""

    company_id: Mapped[CompanyId]
    scope: Mapped[str] = mapped_column(String(60), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)


class ScopePast(Model):
    """That a document was once in a scope, of which the feed has no row any more: edits of it are still judged."""

    company_id: Mapped[CompanyKey]
    scope: Mapped[str] = mapped_column(String(60), primary_key=True)
    document_id: Mapped[str] = mapped_column(IdType, primary_key=True)
