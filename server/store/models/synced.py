from __future__ import annotations

from typing import ClassVar

from sqlalchemy.orm import Mapped

from server.store.types import CompanyId, Id


class Synced:
    """A model whose rows are documents of the feed. Attributes bear the names of its schema's fields."""

    collection: ClassVar[str]

    company_id: Mapped[CompanyId]
    id: Mapped[Id]
