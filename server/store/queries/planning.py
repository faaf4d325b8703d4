from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import and_, delete, or_, select
from sqlalchemy.orm import selectinload

from server.extensions import db
from server.store.models import (
    Branch,
    Customer,
    Device,
    DocumentVersion,
    RoutePlan,
    RouteStop,
    RouteUnassigned,
    Site,
    Technician,
    Visit,
)


def branch(company_id: str, branch_id: str, *, lock: bool = False) -> Branch | None:
    """A branch; with `lock` nobody else makes a draft for it until the commit."""
    return db.session.get(Branch, (company_id, branch_id), with_for_update={"key_share": True} if lock else None)


def technicians(company_id: str, branch_id: str) -> list[Technician]:
    """The active technicians of a branch, by name."""
    statement = select(Technician).where(
        Technician.company_id == company_id, Technician.branch_id == branch_id, Technician.active
    )
    return list(db.session.scalars(statement.order_by(Technician.name, Technician.id)))


def visits_to_plan(
    company_id: str, branch_id: str, start: datetime, end: datetime, last_day: date
) -> list[tuple[Visit, Site]]:
    """What a plan of these days must answer for: what may begin by the last day, and what is planned within."""
    open_now = and_(
        Visit.plan_state.in_(["due", "planned", "withdrawn"]),
        or_(Visit.planned_start.is_(None), Visit.planned_start < end),
        or_(Visit.due_from.is_(None), Visit.due_from <= last_day),
        Visit.exec_state == "not_started",
    )
    planned = and_(
        Visit.plan_state == "published",
        Visit.planned_start >= start,
        Visit.planned_start < end,
    )
    statement = (
        select(Visit, Site)
        .join(Site, (Site.company_id == Visit.company_id) & (Site.id == Visit.site_id))
        .where(
            Visit.company_id == company_id,
            Site.branch_id == branch_id,
            Visit.archived.is_(False),
            or_(open_now, planned),
        )
        .order_by(Visit.id)
    )
    return [(visit, site) for visit, site in db.session.execute(statement)]


def board_visits(company_id: str, branch_id: str, start: datetime, end: datetime) -> list[tuple[Visit, Site, Customer]]:
    """The visits that are planned in a span of time at a branch."""
    statement = (
        select(Visit, Site, Customer)
        .join(Site, (Site.company_id == Visit.company_id) & (Site.id == Visit.site_id))
        .join(Customer, (Customer.company_id == Visit.company_id) & (Customer.id == Visit.customer_id))
        .where(
            Visit.company_id == company_id,
            Site.branch_id == branch_id,
            Visit.assignee_id.is_not(None),
            Visit.plan_state.in_(["planned", "published"]),
            Visit.planned_start >= start,
            Visit.planned_start < end,
        )
        .order_by(Visit.planned_start, Visit.id)
    )
    return _with_coverage(statement)


def _with_coverage(statement: Any) -> list[tuple[Visit, Site, Customer]]:
    """Visits with their places; what was decided of their coverage is read along, once for all."""
    found = db.session.execute(statement.options(selectinload(Visit.coverage)))
    return [(visit, site, customer) for visit, site, customer in found]


def rows_of(company_id: str, ids: Iterable[str]) -> list[tuple[Visit, Site, Customer]]:
    """Visits by id with their sites and customers."""
    wanted = list(ids)
    statement = (
        select(Visit, Site, Customer)
        .join(Site, (Site.company_id == Visit.company_id) & (Site.id == Visit.site_id))
        .join(Customer, (Customer.company_id == Visit.company_id) & (Customer.id == Visit.customer_id))
        .where(Visit.company_id == company_id, Visit.id.in_(wanted))
    )
    return _with_coverage(statement) if wanted else []


def unscheduled(company_id: str, branch_id: str, last_day: date, limit: int) -> list[tuple[Visit, Site, Customer]]:
    """Visits that are due by a day and are nobody's, the most urgent first."""
    statement = (
        select(Visit, Site, Customer)
        .join(Site, (Site.company_id == Visit.company_id) & (Site.id == Visit.site_id))
        .join(Customer, (Customer.company_id == Visit.company_id) & (Customer.id == Visit.customer_id))
        .where(
            Visit.company_id == company_id,
            Site.branch_id == branch_id,
            Visit.plan_state.in_(["due", "withdrawn"]),
            Visit.exec_state == "not_started",
            or_(Visit.due_from.is_(None), Visit.due_from <= last_day),
        )
        .order_by(Visit.priority.desc(), Visit.due_to, Visit.id)
        .limit(limit)
    )
    return _with_coverage(statement)


def plan(company_id: str, plan_id: str, *, lock: bool = False) -> RoutePlan | None:
    """A route plan; locked until the commit, and read anew for it, if asked for."""
    statement = select(RoutePlan).where(RoutePlan.company_id == company_id, RoutePlan.id == plan_id)
    locked = statement.with_for_update().execution_options(populate_existing=True)
    return db.session.scalar(locked if lock else statement)


def stops(company_id: str, plan_id: str) -> list[RouteStop]:
    """The stops of a plan, route by route, in order."""
    statement = (
        select(RouteStop)
        .where(RouteStop.company_id == company_id, RouteStop.plan_id == plan_id)
        .order_by(RouteStop.technician_id, RouteStop.date, RouteStop.position)
    )
    return list(db.session.scalars(statement))


def unassigned(company_id: str, plan_id: str) -> list[RouteUnassigned]:
    """What a plan left out."""
    statement = (
        select(RouteUnassigned)
        .where(RouteUnassigned.company_id == company_id, RouteUnassigned.plan_id == plan_id)
        .order_by(RouteUnassigned.visit_id)
    )
    return list(db.session.scalars(statement))


def devices_of(company_id: str, technician_ids: Iterable[str]) -> dict[str, Device]:
    """The tablet of each technician that was heard of last."""
    statement = (
        select(Device)
        .where(
            Device.company_id == company_id,
            Device.technician_id.in_(list(technician_ids)),
            Device.revoked_at.is_(None),
        )
        .order_by(Device.last_seen_at)
    )
    return {device.technician_id: device for device in db.session.scalars(statement)}


def changed_since(company_id: str, ids: Iterable[str], moment: datetime) -> dict[str, set[str]]:
    """For each document that was changed after a moment the fields that changed; its making is no change."""
    statement = select(DocumentVersion.document_id, DocumentVersion.changed).where(
        DocumentVersion.company_id == company_id,
        DocumentVersion.document_id.in_(list(ids)),
        DocumentVersion.at > moment,
        DocumentVersion.version > 1,
    )
    found: dict[str, set[str]] = {}
    for document_id, changed in db.session.execute(statement):
        found.setdefault(document_id, set()).update(orjson.loads(changed))
    return found


def visits(company_id: str, ids: Iterable[str], *, fresh: bool = False) -> dict[str, Visit]:
    """Visits by id; `fresh` reads them anew, as after a lock."""
    wanted = list(ids)
    statement = select(Visit).where(Visit.company_id == company_id, Visit.id.in_(wanted))
    if not wanted:
        return {}
    found = db.session.scalars(statement.execution_options(populate_existing=True) if fresh else statement)
    return {visit.id: visit for visit in found}


def empty(company_id: str, plan_id: str) -> None:
    """Delete a plan's stops and reasons."""
    for model in (RouteStop, RouteUnassigned):
        db.session.execute(delete(model).where(model.company_id == company_id, model.plan_id == plan_id))
