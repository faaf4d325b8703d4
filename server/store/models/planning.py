from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from server.extensions import Model
from server.store.types import At, CompanyId, Id, IdType, JsonList, JsonObject, OptionalAt, OptionalRef, Ref


class RoutePlan(Model):
    """A draft or published plan of one branch for some days."""

    __table_args__ = (Index(None, "company_id", "state", "date"),)

    company_id: Mapped[CompanyId]
    id: Mapped[Id]
    branch_id: Mapped[OptionalRef]
    date: Mapped[date]
    horizon_days: Mapped[int]
    state: Mapped[str] = mapped_column(String(20), default="draft")
    seed: Mapped[int]
    objective: Mapped[JsonObject]
    created_at: Mapped[At]
    created_by: Mapped[OptionalRef]
    published_at: Mapped[OptionalAt]


class RouteStop(Model):
    """One visit of a plan: who, when, how far from the stop before, and why so. Metres and seconds."""

    __table_args__ = (
        ForeignKeyConstraint(["company_id", "plan_id"], ["route_plan.company_id", "route_plan.id"]),
        Index(None, "company_id", "plan_id"),
    )

    company_id: Mapped[CompanyId]
    plan_id: Mapped[str] = mapped_column(IdType, primary_key=True)
    visit_id: Mapped[str] = mapped_column(IdType, primary_key=True)
    technician_id: Mapped[Ref]
    date: Mapped[date]
    position: Mapped[int]
    arrive_at: Mapped[At]
    start_at: Mapped[At]
    end_at: Mapped[At]
    travel_s: Mapped[int]
    travel_m: Mapped[int]
    why: Mapped[JsonObject]


class RouteUnassigned(Model):
    """A visit that a plan could not place, with all reasons."""

    __table_args__ = (ForeignKeyConstraint(["company_id", "plan_id"], ["route_plan.company_id", "route_plan.id"]),)

    company_id: Mapped[CompanyId]
    plan_id: Mapped[str] = mapped_column(IdType, primary_key=True)
    visit_id: Mapped[str] = mapped_column(IdType, primary_key=True)
    reasons: Mapped[JsonList]
