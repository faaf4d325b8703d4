from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.extensions import Model
from server.store.types import (
    At,
    Code,
    CompanyId,
    Id,
    JsonList,
    JsonObject,
    Name,
    OptionalCode,
    OptionalJson,
    OptionalRef,
    Ref,
)


class MaintenancePlan(Model):
    """When one asset is to be looked at: triggers, windows, policies, tasks, horizon. `version` counts its edits."""

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
    open_previous: Mapped[str] = mapped_column(String(20), default="hold")
    catch_up: Mapped[str] = mapped_column(String(20), default="coalesce")
    shift: Mapped[str] = mapped_column(String(20), default="none")
    season: Mapped[JsonList]
    tasks: Mapped[JsonList]
    nesting: Mapped[JsonObject]
    absorb_days: Mapped[int | None]
    credit_kinds: Mapped[JsonList]
    credit_percent: Mapped[int] = mapped_column(default=80)
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
    target_on: Mapped[date | None]
    basis: Mapped[OptionalJson]
    tasks: Mapped[JsonList]


class SiteCalendar(Model):
    """The days on which a site works; a site without a row works on each. `days` is the core's own document."""

    __table_args__ = (ForeignKeyConstraint(["company_id", "site_id"], ["site.company_id", "site.id"]),)

    company_id: Mapped[CompanyId]
    site_id: Mapped[Id]
    days: Mapped[JsonObject]


class PlanLook(Model):
    """Of what a plan was last decided (`seen`, see `queries/looks.py`), and from when on time alone changes it."""

    __table_args__ = (
        ForeignKeyConstraint(["company_id", "plan_id"], ["maintenance_plan.company_id", "maintenance_plan.id"]),
    )

    company_id: Mapped[CompanyId]
    plan_id: Mapped[Id]
    seen: Mapped[str] = mapped_column(String(200))
    look_at: Mapped[At]
