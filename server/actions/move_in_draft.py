"""A dispatcher's hand moves: they go to the day's draft, and reach the tablets when the draft is published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from routing.travel import TravelModel
from server.actions.day_draft import BY_HAND, draft_of_day, stop_for
from server.actions.planning_problem import working_day
from server.actions.shown_day import is_published_at, shown_day
from server.extensions import db
from server.problems import FieldError, Problem, not_found
from server.store.models import Branch, RoutePlan, RouteStop, RouteUnassigned, Technician
from server.store.queries import drafts, planning, visits
from server.store.transaction import transactional

LEFT_BY_HAND: dict[str, Any] = {"code": "left-by-hand", "params": {}}


@dataclass(frozen=True, kw_only=True)
class Move:
    """One visit to a technician and time; None for both takes it off the routes."""

    visit_id: str
    technician_id: str | None
    start_at: datetime | None
    end_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Moved:
    """The draft that holds the moves (None: nothing differs from what is published any more), and how to undo."""

    plan_id: str | None
    undo: list[Move]


@transactional
def move_in_draft(
    company_id: str, branch_id: str, day: date, moves: Sequence[Move], *, user_id: str | None, now: datetime
) -> Moved:
    """Apply moves to the day's newest draft, made from what is published if there is none.

    Raises Problem: `not-found` for visits, technicians or branches that are not there, `visit-begun` for work that has
    begun, `visit-locked`, `invalid-fields` for a time on another day.
    """
    branch = planning.branch(company_id, branch_id, lock=True)
    if branch is None:
        raise not_found()
    shown = shown_day(company_id, branch, day, now=now)
    plan = draft_of_day(company_id, shown, user_id=user_id, now=now)
    plan = planning.plan(company_id, plan.id, lock=True) or plan
    staff = {one.id: one for one in shown.people}
    stops = {stop.visit_id: stop for stop in planning.stops(company_id, plan.id)}
    left = {row.visit_id: row for row in planning.unassigned(company_id, plan.id)}
    undo: list[Move] = []
    touched: set[tuple[str, date]] = set()
    for move in moves:
        undo.append(_apply(company_id, branch, plan, move, stops, left, touched, staff))
    db.session.flush()
    for technician_id, on in touched:
        _recompute(
            company_id,
            branch,
            technician_id,
            [s for s in stops.values() if (s.technician_id, s.date) == (technician_id, on)],
        )
    db.session.flush()
    if _is_published(company_id, stops, left):
        if not plan.objective:
            # Made by hand and by hand undone; what the planner made still has its reasons.
            plan.state = "discarded"
        return Moved(plan_id=None, undo=undo[::-1])
    return Moved(plan_id=plan.id, undo=undo[::-1])


def _apply(
    company_id: str,
    branch: Branch,
    plan: RoutePlan,
    move: Move,
    stops: dict[str, RouteStop],
    left: dict[str, RouteUnassigned],
    touched: set[tuple[str, date]],
    staff: Mapping[str, Technician],
) -> Move:
    """Change the draft by one move; the move that takes it back."""
    visit = visits.visit(company_id, move.visit_id)
    if visit is None or visit.plan_state in ("cancelled", "merged"):
        raise not_found()
    if visit.exec_state != "not_started":
        raise Problem(409, "visit-begun", number=visit.number)
    if visit.locked:
        raise Problem(409, "visit-locked", number=visit.number)
    before = stops.pop(move.visit_id, None)
    undo = Move(visit_id=move.visit_id, technician_id=None, start_at=None, end_at=None)
    if before is not None:
        undo = Move(
            visit_id=move.visit_id,
            technician_id=before.technician_id,
            start_at=before.start_at,
            end_at=before.end_at,
        )
        touched.add((before.technician_id, before.date))
        db.session.delete(before)
        db.session.flush()
    reason = left.pop(move.visit_id, None)
    if reason is not None:
        db.session.delete(reason)
        db.session.flush()
    if move.technician_id is None or move.start_at is None:
        if visit.plan_state in ("published", "planned"):
            left[move.visit_id] = row = RouteUnassigned(
                company_id=company_id, plan_id=plan.id, visit_id=move.visit_id, reasons=[LEFT_BY_HAND]
            )
            db.session.add(row)
        return undo
    technician = staff.get(move.technician_id) or visits.technician(company_id, move.technician_id)
    if technician is None:
        raise not_found()
    on = working_day(technician, move.start_at, branch.tz)
    if not plan.date <= on < plan.date + timedelta(days=plan.horizon_days):
        raise Problem(422, "invalid-fields", errors=(FieldError(field="start_at", code="out-of-range"),))
    end = move.end_at or move.start_at + timedelta(minutes=visit.service_minutes)
    drafts.forget_stop(company_id, branch.id, move.visit_id, but=plan.id)
    stop = stop_for(plan, visit, move.technician_id, on, move.start_at, end)
    stop.why = (visit.why if is_published_at(visit, move.technician_id, move.start_at) else None) or BY_HAND
    stops[move.visit_id] = stop
    db.session.add(stop)
    touched.add((move.technician_id, on))
    return undo


def _recompute(company_id: str, branch: Branch, technician_id: str, route: list[RouteStop]) -> None:
    """Positions and driving of one route; times stay as they were set, so that what does not fit is seen."""
    technician = visits.technician(company_id, technician_id)
    if technician is None or not route:
        return
    route.sort(key=lambda stop: (stop.start_at, stop.visit_id))
    sites = {visit.id: site for visit, site, _ in planning.rows_of(company_id, [stop.visit_id for stop in route])}
    places = [_base(technician, branch), *((sites[stop.visit_id].lat, sites[stop.visit_id].lon) for stop in route)]
    seconds, metres = TravelModel().matrix(places)
    ready: datetime | None = None
    for number, stop in enumerate(route, start=1):
        stop.position = number
        stop.travel_s = int(seconds[number - 1, number])
        stop.travel_m = int(metres[number - 1, number])
        stop.arrive_at = max(stop.start_at, ready + timedelta(seconds=stop.travel_s)) if ready else stop.start_at
        ready = stop.end_at


def _base(technician: Technician, branch: Branch) -> tuple[float, float]:
    if technician.start_from == "depot":
        return branch.lat, branch.lon
    return technician.home_lat, technician.home_lon


def _is_published(company_id: str, stops: dict[str, RouteStop], left: dict[str, RouteUnassigned]) -> bool:
    """Whether the draft says the same as what is published."""
    found = planning.visits(company_id, [*stops, *left])
    if not all(is_published_at(found[stop.visit_id], stop.technician_id, stop.start_at) for stop in stops.values()):
        return False
    return all(found[visit_id].plan_state not in ("published", "planned") for visit_id in left)
