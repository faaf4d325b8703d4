from __future__ import annotations

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from server.extensions import Model
from server.store.types import At, CompanyId


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
