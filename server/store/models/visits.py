from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.extensions import Model
from server.store.models.coverage import Coverage
from server.store.models.synced import Synced
from server.store.types import (
    Code,
    JsonList,
    LongText,
    OptionalAt,
    OptionalCode,
    OptionalJson,
    OptionalRef,
    Ref,
)


class Visit(Synced, Model):
    collection = "visit"
    __table_args__ = (
        ForeignKeyConstraint(["company_id", "site_id"], ["site.company_id", "site.id"]),
        ForeignKeyConstraint(["company_id", "assignee_id"], ["technician.company_id", "technician.id"]),
        Index(None, "company_id", "planned_start"),
        Index(None, "company_id", "assignee_id", "planned_start"),
        Index(None, "company_id", "plan_state", "due_to"),
        Index(None, "company_id", "site_id"),
        Index(None, "company_id", "plan_id"),
    )

    number: Mapped[str] = mapped_column(String(20))
    origin: Mapped[str] = mapped_column(String(20))
    occurrence_id: Mapped[OptionalRef]
    plan_id: Mapped[OptionalRef]

    kind: Mapped[Code]
    title: Mapped[str] = mapped_column(String(200), default="")
    instructions: Mapped[LongText]
    symptom: Mapped[LongText]
    priority: Mapped[int] = mapped_column(default=1)
    site_id: Mapped[Ref]
    customer_id: Mapped[Ref]
    asset_ids: Mapped[JsonList]
    skills: Mapped[JsonList]
    service_minutes: Mapped[int] = mapped_column(default=60)
    due_from: Mapped[date | None]
    due_to: Mapped[date | None]
    hard_due: Mapped[bool] = mapped_column(default=False)
    window_start: Mapped[OptionalAt]
    window_end: Mapped[OptionalAt]
    promised_by: Mapped[OptionalAt]
    plan_state: Mapped[str] = mapped_column(String(20), default="due")
    assignee_id: Mapped[OptionalRef]
    planned_start: Mapped[OptionalAt]
    planned_end: Mapped[OptionalAt]
    route_position: Mapped[int | None]
    locked: Mapped[bool] = mapped_column(default=False)
    checklist_id: Mapped[OptionalRef]
    cancel_reason: Mapped[LongText]

    events: Mapped[JsonList]
    answers: Mapped[JsonList]
    readings: Mapped[JsonList]
    notes: Mapped[JsonList]
    findings: Mapped[JsonList]
    attachments: Mapped[JsonList]
    signature: Mapped[OptionalJson]
    work_summary: Mapped[LongText]

    exec_state: Mapped[str] = mapped_column(String(20), default="not_started")
    performed_by_id: Mapped[OptionalRef]
    started_at: Mapped[OptionalAt]
    finished_at: Mapped[OptionalAt]
    coverage_id: Mapped[OptionalRef]
    coverage_basis: Mapped[OptionalJson]
    flags: Mapped[JsonList]
    archived: Mapped[bool] = mapped_column(default=False)
    travel_s: Mapped[int | None]
    travel_m: Mapped[int | None]
    why: Mapped[OptionalJson]
    request_channel: Mapped[OptionalCode]

    coverage: Mapped[Coverage | None] = relationship(
        primaryjoin="and_(foreign(Visit.company_id) == Coverage.company_id, foreign(Visit.coverage_id) == Coverage.id)",
        viewonly=True,
    )
