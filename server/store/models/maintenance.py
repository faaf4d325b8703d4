from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.extensions import Model
from server.store.types import At, Code, CompanyId, Id, JsonList, JsonObject, Name, OptionalCode, OptionalRef, Ref


class MaintenancePlan(Model):
    """When one asset is to be looked at: triggers, windows, horizon. `version` counts its edits."""

    __table_args__ = (
        UniqueConstraint("company_id", "external_ref"),
        ForeignKeyConstraint(["company_id", "asset_id"], ["asset.company_id", "asset.id"]),
        Index(None, "company_id", "asset_id"),
    )

    company_id: Mapped[CompanyId]
    id: Mapped[Id]
    asset_id: Mapped[Ref]
    name: Mapped[Name]
    kind: Mapped[Code]
    triggers: Mapped[JsonList]
    early_days: Mapped[int] = mapped_column(default=0)
    late_days: Mapped[int] = mapped_column(default=0)
    hard_due: Mapped[bool] = mapped_column(default=False)
    horizon_days: Mapped[int] = mapped_column(default=60)
    service_minutes: Mapped[int | None]
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    active: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)
    external_ref: Mapped[OptionalCode]


class Occurrence(Model):
    """The ledger: one row for each date that a plan expects, saying what became of it and why."""

    __table_args__ = (
        UniqueConstraint("company_id", "plan_id", "trigger_id", "cycle_key"),
        ForeignKeyConstraint(["company_id", "plan_id"], ["maintenance_plan.company_id", "maintenance_plan.id"]),
        Index(None, "company_id", "due_on"),
        Index(None, "company_id", "visit_id"),
    )

    company_id: Mapped[CompanyId]
    id: Mapped[Id]
    plan_id: Mapped[Ref]
    trigger_id: Mapped[Code]
    cycle_key: Mapped[Code]
    due_on: Mapped[date]
    window_from: Mapped[date]
    window_to: Mapped[date]
    state: Mapped[str] = mapped_column(String(20))
    reason: Mapped[JsonObject]
    visit_id: Mapped[OptionalRef]
    decided_at: Mapped[At]
