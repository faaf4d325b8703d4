from __future__ import annotations

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.extensions import Model
from server.store.types import At, Code, Id, JsonObject, OptionalAt


class JobRun(Model):
    """One run of a job for one slot of its timetable; the unique slot keeps others out. No company's data."""

    __table_args__ = (UniqueConstraint("job", "slot"), Index(None, "started_at"))

    id: Mapped[Id]
    job: Mapped[Code]
    slot: Mapped[Code]
    state: Mapped[str] = mapped_column(String(20))
    started_at: Mapped[At]
    finished_at: Mapped[OptionalAt]
    report: Mapped[JsonObject]


class JobLease(Model):
    """Who leads the scheduler on SQLite, until when; `fence` rises with each new leader. No company's data."""

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    holder: Mapped[Code]
    fence: Mapped[int]
    until: Mapped[At]
