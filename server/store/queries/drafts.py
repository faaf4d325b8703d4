"""Drafts of a branch's days, and what they say of which day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from sqlalchemy import delete, select, update

from server.extensions import db
from server.store.models import RoutePlan, RouteStop, RouteUnassigned, Site, Visit

LONGEST_HORIZON = 14
"""Days that one plan may span."""


def drafts(company_id: str, branch_id: str) -> list[RoutePlan]:
    """All draft plans of a branch, newest first."""
    statement = (
        select(RoutePlan)
        .where(RoutePlan.company_id == company_id, RoutePlan.branch_id == branch_id, RoutePlan.state == "draft")
        .order_by(RoutePlan.created_at.desc(), RoutePlan.id.desc())
    )
    return list(db.session.scalars(statement))


def plans_on(company_id: str, branch_id: str, day: date) -> list[RoutePlan]:
    """Draft and published plans of a branch that include a day, newest first."""
    statement = (
        select(RoutePlan)
        .where(
            RoutePlan.company_id == company_id,
            RoutePlan.branch_id == branch_id,
            RoutePlan.state.in_(["draft", "published"]),
            RoutePlan.date <= day,
            RoutePlan.date > day - timedelta(days=LONGEST_HORIZON),
        )
        .order_by(RoutePlan.created_at.desc(), RoutePlan.id.desc())
    )
    return [one for one in db.session.scalars(statement) if (day - one.date).days < one.horizon_days]


def stops_of(company_id: str, plan_ids: Iterable[str]) -> list[RouteStop]:
    """The stops of some plans."""
    ids = list(plan_ids)
    statement = select(RouteStop).where(RouteStop.company_id == company_id, RouteStop.plan_id.in_(ids))
    return list(db.session.scalars(statement)) if ids else []


def unassigned_of(company_id: str, plan_ids: Iterable[str]) -> list[RouteUnassigned]:
    """What some plans left out."""
    ids = list(plan_ids)
    statement = select(RouteUnassigned).where(
        RouteUnassigned.company_id == company_id, RouteUnassigned.plan_id.in_(ids)
    )
    return list(db.session.scalars(statement)) if ids else []


def planned_only(company_id: str, branch_id: str, since: datetime) -> list[Visit]:
    """Visits that have a technician and a time from a moment on and that nobody has been told of."""
    statement = (
        select(Visit)
        .join(Site, (Site.company_id == Visit.company_id) & (Site.id == Visit.site_id))
        .where(
            Visit.company_id == company_id,
            Site.branch_id == branch_id,
            Visit.plan_state == "planned",
            Visit.assignee_id.is_not(None),
            Visit.planned_start >= since,
        )
    )
    return list(db.session.scalars(statement))


def move_stops(company_id: str, plan_id: str, to: str, visit_ids: Iterable[str]) -> None:
    """Make stops of one plan those of another."""
    statement = update(RouteStop).where(
        RouteStop.company_id == company_id, RouteStop.plan_id == plan_id, RouteStop.visit_id.in_(list(visit_ids))
    )
    db.session.execute(statement.values(plan_id=to).execution_options(synchronize_session="fetch"))


def forget_stop(company_id: str, branch_id: str, visit_id: str, *, but: str) -> None:
    """Take a visit out of all drafts of a branch but one."""
    others = [one.id for one in drafts(company_id, branch_id) if one.id != but]
    statement = delete(RouteStop).where(
        RouteStop.company_id == company_id, RouteStop.plan_id.in_(others), RouteStop.visit_id == visit_id
    )
    db.session.execute(statement.execution_options(synchronize_session="fetch"))


def open_drafts(company_id: str, branch_id: str, since: date) -> tuple[list[RoutePlan], dict[str, RouteStop]]:
    """Drafts of a branch whose last day is not before `since`, newest first, and the places they give.

    A day belongs to the newest draft that includes it; what an older one says of that day is over.
    """
    plans = [one for one in drafts(company_id, branch_id) if one.date + timedelta(days=one.horizon_days) > since]
    stops: dict[str, RouteStop] = {}
    for stop in stops_of(company_id, [one.id for one in plans]):
        owner = newest_on(plans, stop.date)
        if owner is not None and owner.id == stop.plan_id:
            stops[stop.visit_id] = stop
    return plans, stops


def newest_on(plans: Iterable[RoutePlan], day: date) -> RoutePlan | None:
    """The first of plans, newest first, that includes a day."""
    return next((one for one in plans if 0 <= (day - one.date).days < one.horizon_days), None)
