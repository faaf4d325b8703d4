"""A draft becomes what people drive: its visits change like by any other writer, so that the tablets hear of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from server.actions.decide_coverage import Agreements, decide_coverage, moved_day
from server.actions.planning_problem import NOT_BEGUN, may_have_started
from server.extensions import db
from server.problems import Problem, not_found
from server.store import feed
from server.store.models import Device, RoutePlan, RouteStop, Visit
from server.store.queries import planning
from server.store.transaction import transactional

SAME = timedelta(minutes=1)
"""Less than this is not another time."""

MADE_FROM = frozenset(
    {
        "plan_state", "assignee_id", "planned_start", "site_id", "skills", "service_minutes", "window_start",
        "window_end", "promised_by", "due_from", "due_to", "hard_due",
    }
)  # fmt: skip
"""Fields of a visit that a draft was made from."""


@dataclass
class Changes:
    """What a plan changes for one technician; moved visits name where from and where to."""

    technician_id: str
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    moved: list[dict[str, Any]] = field(default_factory=list)


def changes_of(company_id: str, plan_id: str) -> list[Changes]:
    """The difference between a draft and what is published, technician by technician."""
    plan = planning.plan(company_id, plan_id)
    if plan is None:
        raise not_found()
    stops = planning.stops(company_id, plan_id)
    left = planning.unassigned(company_id, plan_id)
    visits = planning.visits(company_id, [*(stop.visit_id for stop in stops), *(row.visit_id for row in left)])
    found: dict[str, Changes] = {}

    def of(technician_id: str) -> Changes:
        return found.setdefault(technician_id, Changes(technician_id=technician_id))

    for stop in stops:
        visit = visits.get(stop.visit_id)
        if visit is None or visit.exec_state not in NOT_BEGUN:
            continue
        if visit.plan_state != "published" or visit.assignee_id is None:
            of(stop.technician_id).added.append(stop.visit_id)
        elif visit.assignee_id != stop.technician_id:
            of(stop.technician_id).added.append(stop.visit_id)
            of(visit.assignee_id).removed.append(stop.visit_id)
        elif visit.planned_start is None or abs(visit.planned_start - stop.start_at) >= SAME:
            of(stop.technician_id).moved.append(
                {"visit_id": stop.visit_id, "from": visit.planned_start, "to": stop.start_at}
            )
    for row in left:
        visit = visits.get(row.visit_id)
        if visit is not None and visit.plan_state == "published" and visit.assignee_id and _may_leave(visit):
            of(visit.assignee_id).removed.append(row.visit_id)
    return [found[key] for key in sorted(found)]


@transactional
def publish_plan(company_id: str, plan_id: str, *, now: datetime) -> RoutePlan:
    """Publish a draft whole, or not at all.

    Raises Problem `plan-not-draft`, or `plan-stale` when what happened since it was made contradicts it: a visit was
    cancelled, begun, locked, given to somebody or changed so that the draft was made from what is no longer true.
    """
    plan = planning.plan(company_id, plan_id, lock=True)
    if plan is None:
        raise not_found()
    if plan.state != "draft":
        raise Problem(409, "plan-not-draft")
    stops = planning.stops(company_id, plan_id)
    left = planning.unassigned(company_id, plan_id)
    ids = [*(stop.visit_id for stop in stops), *(row.visit_id for row in left)]
    feed.lock_documents(db.session(), company_id, ids)
    visits = planning.visits(company_id, ids)
    devices = planning.devices_of(company_id, {visit.assignee_id for visit in visits.values() if visit.assignee_id})
    changed = planning.changed_since(company_id, ids, plan.created_at)
    places: dict[str, RouteStop | None] = {row.visit_id: None for row in left}
    places |= {stop.visit_id: stop for stop in stops}
    stale = [
        visit_id
        for visit_id, stop in places.items()
        if _is_stale(visits.get(visit_id), stop, changed.get(visit_id, set()), devices, now)
    ]
    if stale:
        raise Problem(409, "plan-stale", n=len(stale), visits=stale)
    agreed = Agreements(company_id)
    agreed.know(visits.values())
    for stop in stops:
        _give(visits[stop.visit_id], stop, now, agreed)
    for row in left:
        visit = visits.get(row.visit_id)
        if visit is not None and visit.plan_state == "published" and _may_leave(visit):
            visit.plan_state = "due"
            visit.assignee_id = None
            visit.planned_start = visit.planned_end = visit.route_position = None
            visit.travel_s = visit.travel_m = visit.why = None
    plan.state = "published"
    plan.published_at = now
    return plan


def _is_stale(
    visit: Visit | None, stop: RouteStop | None, changed: set[str], devices: Mapping[str, Device], now: datetime
) -> bool:
    """Whether what happened since makes the draft wrong about a visit; `stop` is None for one that it leaves out."""
    if visit is None or visit.plan_state in ("cancelled", "merged"):
        return stop is not None
    stays = stop is not None and _is_at(visit, stop)
    if stays:
        return False
    if stop is None and visit.plan_state != "published":
        return False
    if visit.exec_state not in NOT_BEGUN:
        return stop is not None and visit.assignee_id != stop.technician_id
    if visit.locked or may_have_started(visit, devices.get(visit.assignee_id or ""), now):
        return stop is not None
    return bool(changed & MADE_FROM)


def _is_at(visit: Visit, stop: RouteStop) -> bool:
    """Whether a visit is published as the stop has it."""
    if visit.plan_state != "published" or visit.assignee_id != stop.technician_id or visit.planned_start is None:
        return False
    return abs(visit.planned_start - stop.start_at) < SAME


def _may_leave(visit: Visit) -> bool:
    """Whether a plan that has no room for a published visit may take it from its technician."""
    return visit.exec_state in NOT_BEGUN and not visit.locked


def _give(visit: Visit, stop: RouteStop, now: datetime, agreed: Agreements) -> None:
    visit.route_position = stop.position
    visit.travel_s, visit.travel_m, visit.why = stop.travel_s, stop.travel_m, stop.why
    if visit.exec_state not in NOT_BEGUN or _is_at(visit, stop):
        return
    before = visit.planned_start
    visit.assignee_id = stop.technician_id
    visit.planned_start = stop.start_at
    visit.planned_end = stop.end_at
    visit.plan_state = "published"
    if moved_day(visit, before):
        decide_coverage(visit, now=now, agreed=agreed)


@transactional
def discard_plan(company_id: str, plan_id: str) -> None:
    """Drop a draft; what is published stays as it is."""
    plan = planning.plan(company_id, plan_id, lock=True)
    if plan is None:
        raise not_found()
    if plan.state != "draft":
        raise Problem(409, "plan-not-draft")
    plan.state = "discarded"
