"""Which maintenance plans can have changed since they were last decided, told without reading them whole.

What a plan is decided of is summed up in a line: its version and those of its machine's plans, the versions of all
documents of its site (the site, machines, visits), its customer's contracts, its site's calendar, kinds of work, and
readings that no visit brought. Versions only rise, so that any change makes another line.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zlib import crc32

from sqlalchemy import func, select

from server.extensions import db
from server.store import rows
from server.store.models import (
    Asset,
    Contract,
    Document,
    MaintenancePlan,
    MeterReading,
    PlanLook,
    ServiceKind,
    Site,
    SiteCalendar,
    Visit,
)
from server.store.types import json_text


@dataclass(frozen=True, slots=True)
class Look:
    """A plan: what it would be decided of now, what it was decided of, when time changes it (None: never decided)."""

    plan_id: str
    now: str
    seen: str | None
    look_at: datetime | None


def looks(company_id: str, rules: int) -> list[Look]:
    """Every plan of a company, in the order in which plans are locked. `rules` counts the forms of the core itself."""
    plans = db.session.execute(
        select(
            MaintenancePlan.id,
            MaintenancePlan.version,
            MaintenancePlan.asset_id,
            Asset.site_id,
            Site.customer_id,
            PlanLook.seen,
            PlanLook.look_at,
        )
        .join(Asset, (Asset.company_id == MaintenancePlan.company_id) & (Asset.id == MaintenancePlan.asset_id))
        .join(Site, (Site.company_id == Asset.company_id) & (Site.id == Asset.site_id))
        .outerjoin(
            PlanLook,
            (PlanLook.company_id == MaintenancePlan.company_id) & (PlanLook.plan_id == MaintenancePlan.id),
        )
        .where(MaintenancePlan.company_id == company_id)
        .order_by(MaintenancePlan.id)
    ).all()
    siblings: Counter[str] = Counter()
    for plan in plans:
        siblings[plan.asset_id] += plan.version + (1 << 32)
    sites = _sites(company_id)
    contracts = _marks(company_id, Contract, Contract.customer_id)
    calendars = _marks(company_id, SiteCalendar, SiteCalendar.site_id)
    readings = _readings(company_id)
    everywhere = f"{rules}.{_kinds(company_id)}"
    return [
        Look(
            plan.id,
            f"{everywhere}/{plan.version}.{siblings[plan.asset_id]:x}/{sites[plan.site_id]:x}"
            f"/{contracts[plan.customer_id]}.{calendars[plan.site_id]}.{readings[plan.asset_id]}",
            plan.seen,
            plan.look_at,
        )
        for plan in plans
    ]


def _sites(company_id: str) -> Mapping[str, int]:
    """How many documents each site has, and the sum of their versions, in one number."""
    found: Counter[str] = Counter()
    for column, model in ((Site.id, Site), (Asset.site_id, Asset), (Visit.site_id, Visit)):
        statement = (
            select(column, func.count(), func.sum(Document.version))
            .join(Document, (Document.company_id == model.company_id) & (Document.id == model.id))
            .where(model.company_id == company_id)
            .group_by(column)
        )
        for site_id, count, versions in db.session.execute(statement):
            found[site_id] += (count << 40) + int(versions)
    return found


def _marks(company_id: str, model: Any, of: Any) -> Mapping[str, int]:
    """A checksum of all rows of a small table, by whose they are."""
    found: defaultdict[str, int] = defaultdict(int)
    names = [column.name for column in model.__table__.columns if column.name != "company_id"]
    statement = select(model).where(model.company_id == company_id).order_by(*model.__table__.primary_key)
    for row in db.session.scalars(statement):
        text = json_text([str(getattr(row, name)) for name in names])
        found[getattr(row, of.key)] = crc32(text.encode(), found[getattr(row, of.key)])
    return found


def _kinds(company_id: str) -> int:
    statement = select(ServiceKind.code, ServiceKind.active, ServiceKind.minutes)
    rows_ = db.session.execute(statement.where(ServiceKind.company_id == company_id).order_by(ServiceKind.code))
    return crc32(json_text([list(row) for row in rows_]).encode())


def _readings(company_id: str) -> Mapping[str, int]:
    """Readings that came by another way than with a visit, and those that a person has judged."""
    found: defaultdict[str, int] = defaultdict(int)
    statement = select(MeterReading.asset_id, MeterReading.id, MeterReading.judged).where(
        MeterReading.company_id == company_id, MeterReading.visit_id.is_(None) | MeterReading.judged.is_not(None)
    )
    for asset_id, reading_id, judged in db.session.execute(statement.order_by(MeterReading.id)):
        found[asset_id] = crc32(f"{reading_id}{judged}".encode(), found[asset_id])
    return found


def keep(company_id: str, looked: Sequence[tuple[Look, datetime]], known: Iterable[str]) -> None:
    """Remember of what plans were decided and when to look again; `known` are those that have a row already."""
    there = set(known)
    values = [
        {"company_id": company_id, "plan_id": look.plan_id, "seen": look.now, "look_at": at} for look, at in looked
    ]
    old = [each for each in values if each["plan_id"] in there]
    new = [each for each in values if each["plan_id"] not in there]
    table: Any = PlanLook.__table__
    rows.update(db.session(), table, old, names=["seen", "look_at"])
    rows.insert(db.session(), table, new, names=["company_id", "plan_id", "seen", "look_at"], twice="keep")
