"""Plans in the database, visits done on a given day, and what the ledger then holds."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

from schemas.entities.base import iso
from server.actions.generate_visits import Report, generate_visits
from server.actions.visit_work import settle
from server.extensions import db
from server.store.models import Asset, MaintenancePlan, Occurrence, Visit
from server.store.queries import maintenance
from server.store.transaction import transactional
from server.store.types import new_id
from tests.builders import SmallCompany

MONTHLY = {"kind": "calendar_fixed", "id": "t1", "rule": "FREQ=MONTHLY"}
WEEKLY = {"kind": "calendar_fixed", "id": "t1", "rule": "FREQ=WEEKLY"}
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
"""A Monday."""


def day(text: str, hour: int = 12) -> datetime:
    return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC).replace(hour=hour)


@transactional
def a_plan(company: SmallCompany, **values: Any) -> str:
    plain = {
        "asset_id": company.assets[0],
        "name": "Pump service",
        "kind": "preventive_maintenance",
        "triggers": [MONTHLY],
        "early_days": 3,
        "late_days": 3,
        "hard_due": False,
        "horizon_days": 30,
        "starts_on": date(2026, 5, 4),
        "active": True,
        "version": 1,
    }
    plan = MaintenancePlan(company_id=company.id, id=new_id(), **(plain | values))
    db.session.add(plan)
    return plan.id


@transactional
def edit_plan(company: SmallCompany, plan_id: str, **values: Any) -> None:
    plan = db.session.get(MaintenancePlan, (company.id, plan_id))
    assert plan is not None
    plan.version += 1
    for name, value in values.items():
        setattr(plan, name, value)


@transactional
def edit_asset(company: SmallCompany, **values: Any) -> None:
    asset = db.session.get(Asset, (company.id, company.assets[0]))
    for name, value in values.items():
        setattr(asset, name, value)


@transactional
def edit_visit(company: SmallCompany, visit_id: str, **values: Any) -> None:
    visit = db.session.get(Visit, (company.id, visit_id))
    for name, value in values.items():
        setattr(visit, name, value)


@transactional
def do(company: SmallCompany, visit_id: str, at: datetime, last: str = "done") -> None:
    """The technician works on a visit and ends it at `at`."""
    visit = db.session.get(Visit, (company.id, visit_id))
    assert visit is not None
    began = at - timedelta(minutes=20)
    steps = [("arrived", began), (last, at)] if last == "no_access" else [("started", began), (last, at)]
    visit.events = [
        {"id": str(uuid.uuid4()), "type": step, "at": iso(moment), "at_corrected": iso(moment), "by": company.anna}
        for step, moment in steps
    ]
    settle(visit)


def generate(company: SmallCompany, now: datetime = NOON, plan_id: str | None = None) -> Report:
    return generate_visits(company.id, now, plan_id)


def rows(company: SmallCompany, plan_id: str) -> list[Occurrence]:
    db.session.rollback()
    return maintenance.ledger(company.id, plan_id)


def ledger(company: SmallCompany, plan_id: str) -> list[tuple[str, str, str]]:
    """(due date, state, reason code) of each stored row, by due date."""
    return [(row.due_on.isoformat(), row.state, row.reason["code"]) for row in rows(company, plan_id)]


def visits_of(company: SmallCompany, plan_id: str) -> list[Visit]:
    """The visits of a plan, by due date, as the database holds them now."""
    db.session.rollback()
    found = [db.session.get(Visit, (company.id, row.visit_id)) for row in rows(company, plan_id) if row.visit_id]
    return [visit for visit in found if visit is not None]
