"""A draft plan for some days: the question is read in one transaction, answered in a process of its own with none
open, judged by the checker, and kept with its reasons in another."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from routing.check import check
from routing.plan import Plan, Reason, StopAfter
from routing.problem import Problem as Question
from server.actions.planning_problem import pose
from server.extensions import db
from server.problems import Problem
from server.store.models import RoutePlan, RouteStop, RouteUnassigned
from server.store.queries import drafts, office, planning
from server.store.queries.filters import day_bounds
from server.store.transaction import snapshot, transactional
from server.store.types import new_id
from server.text import wall_time

START = "spawn"
"""How the planner's process is started: anew, for what asks has threads."""

_gate = threading.BoundedSemaphore(2)
"""At most two optimisations at once in a process; a third is told to come again."""


class PlanRefused(RuntimeError):
    """The independent checker found a plan to break a law: a bug, never shown to anybody."""


def plan_routes(
    company_id: str,
    *,
    first: date,
    days: int,
    branch_id: str | None,
    seconds: float,
    seed: int,
    user_id: str | None,
    now: datetime,
    iterations: int | None = None,
) -> list[str]:
    """Make a draft for each asked branch; returns the ids of the plans. Raises Problem `busy` or `no-planning-data`."""
    if not _gate.acquire(blocking=False):
        raise Problem(503, "busy", seconds=5, headers={"Retry-After": "5"})
    try:
        branches = [branch_id] if branch_id else [branch.id for branch in office.branches(company_id)]
        plans = []
        for one in branches:
            try:
                with snapshot():
                    question = pose(company_id, one, first, days, now=now)
                    tz = question.branch.tz
            except Problem:
                if branch_id:
                    raise
                continue
            stop = StopAfter(seconds=seconds, iterations=iterations)
            plan = _answer(question.problem, stop, seed, question.as_it_stands())
            violations = check(question.problem, plan)
            if violations:
                raise PlanRefused(str(violations[:5]))
            plans.append(_keep(company_id, one, first, days, seed, plan, tz, user_id, now))
        if not plans:
            raise Problem(422, "no-planning-data", field="date")
        return plans
    finally:
        _gate.release()


def _answer(problem: Question, stop: StopAfter, seed: int, standing: Plan) -> Plan:
    """Solve in a fresh process, so that a web worker's threads are not held up and its memory does not grow."""
    context = multiprocessing.get_context(START)
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
        from routing.solve import solve

        return pool.submit(solve, problem, stop, seed, standing if standing.routes else None).result()


@transactional
def _keep(
    company_id: str,
    branch_id: str,
    first: date,
    days: int,
    seed: int,
    plan: Plan,
    tz: str,
    user_id: str | None,
    now: datetime,
) -> str:
    planning.branch(company_id, branch_id, lock=True)
    begins = max(now, day_bounds(first, tz)[0])
    placed = {stop.visit_id for route in plan.routes for stop in route.stops}
    for older in drafts.drafts(company_id, branch_id):
        _make_room(older, first, first + timedelta(days=days - 1), placed)
    row = RoutePlan(
        company_id=company_id,
        id=new_id(),
        branch_id=branch_id,
        date=first,
        horizon_days=days,
        state="draft",
        seed=seed,
        objective=asdict(plan.objective)
        | {"total": plan.objective.total, "unassigned": len(plan.unassigned), "engines": list(plan.engines)},
        created_at=now,
        created_by=user_id,
    )
    db.session.add(row)
    db.session.flush()
    for route in plan.routes:
        for position, stop in enumerate(route.stops, start=1):
            db.session.add(
                RouteStop(
                    company_id=company_id,
                    plan_id=row.id,
                    visit_id=stop.visit_id,
                    technician_id=route.technician,
                    date=route.date,
                    position=position,
                    arrive_at=_moment(stop.arrive),
                    start_at=_moment(stop.start),
                    end_at=_moment(stop.end),
                    travel_s=stop.travel_s,
                    travel_m=stop.travel_m,
                    why=reason_json(stop.why, tz, first) or {},
                )
            )
    for left in plan.unassigned:
        db.session.add(
            RouteUnassigned(
                company_id=company_id,
                plan_id=row.id,
                visit_id=left.visit_id,
                reasons=reasons_json([_of_a_past_promise(one, begins) for one in left.reasons], tz, first),
            )
        )
    return row.id


def _make_room(older: RoutePlan, first: date, last: date, placed: set[str]) -> None:
    """Take out of an older draft the days and visits that a new one answers for; its other days stay a draft."""
    stops = planning.stops(older.company_id, older.id)
    kept = [stop for stop in stops if not first <= stop.date <= last and stop.visit_id not in placed]
    if not kept and first < older.date + timedelta(days=older.horizon_days) and older.date <= last:
        older.state = "discarded"
        return
    for stop in stops:
        if stop not in kept:
            db.session.delete(stop)
    for left in planning.unassigned(older.company_id, older.id):
        if left.visit_id in placed:
            db.session.delete(left)


def _of_a_past_promise(reason: Reason, begins: datetime) -> Reason:
    """Said as it is: hours that were over before anything could be planned are met by no shift, but that is not why."""
    ends = reason.params.get("to_at")
    if reason.code != "no-shift" or not isinstance(ends, int) or ends >= begins.timestamp():
        return reason
    return replace(reason, code="promise-past")


def reason_json(reason: Reason | None, tz: str, first: date | None = None) -> dict[str, Any] | None:
    """A planner's reason as it is stored; instants (`..._at`) become wall times of the branch."""
    if reason is None:
        return None
    params = {
        name: _wall_time(value, tz, first)
        if (name == "at" or name.endswith("_at")) and isinstance(value, int)
        else value
        for name, value in reason.params.items()
    }
    told: dict[str, Any] = {"code": reason.code, "params": params}
    remedy = reason_json(reason.remedy, tz, first)
    return told | ({"remedy": remedy} if remedy else {})


def _wall_time(seconds: int, tz: str, first: date | None) -> str | dict[str, str]:
    """The hour at the branch, on another day than the plan's first with its date, in each language."""
    return wall_time(_moment(seconds), ZoneInfo(tz), first)


def reasons_json(reasons: Iterable[Reason], tz: str, first: date | None = None) -> list[dict[str, Any]]:
    """Reasons as they are stored."""
    return [told for reason in reasons if (told := reason_json(reason, tz, first)) is not None]


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
