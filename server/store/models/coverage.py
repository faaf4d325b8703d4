from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from server.extensions import Model
from server.store.models.synced import Synced
from server.store.types import JsonList, JsonObject


class Coverage(Synced, Model):
    """A decision that visits share, under an id made from its content. Amounts and the day are text, as on the wire."""

    collection = "coverage"

    outcome: Mapped[str] = mapped_column(String(20))
    reason: Mapped[JsonObject]
    amount: Mapped[str | None] = mapped_column(String(40))
    currency: Mapped[str] = mapped_column(String(3))
    decided_for: Mapped[str] = mapped_column(String(10))
    lines: Mapped[JsonList]
    considered: Mapped[JsonList]
