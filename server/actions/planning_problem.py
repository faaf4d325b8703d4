"""From the company's rows to the planner's question: local shifts and windows become instants, facts become pins."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from routing.plan import Plan, Route, Stop
from routing.problem import Break, Grant, Pin, Placement, Point, Problem, TechnicianDay, Visit, Window, build_problem
from server.domain.fleet import QUIET_AFTER
from server.domain.local_time import instant_of, local_date
from server.problems import Problem as Refusal
from server.problems import not_found
from server.store import models
from server.store.queries import drafts, planning
from server.store.queries.filters import day_bounds
from sync.states import OVER, UNDER_WAY

NOT_BEGUN = ("not_started", "accepted")
"""A technician who has accepted a visit has not touched it yet: it can still be given to somebody else."""

STEP_S = 300
"""A day that has begun is planned from the next full step on."""

OVER_MIDNIGHT = timedelta(hours=16)
"""How long after midnight the last shift of a day may go on, overtime with it."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """The planner's problem, and where its visits stand now: as published, over it as drafted."""

    problem: Problem
    branch: models.Branch
    standing: dict[tuple[str, date], list[tuple[int, str]]]
    """By technician and date: start and id of each visit."""

    def as_it_stands(self) -> Plan:
        """The plan to start from: who has what in which order. Its times are worked out anew where they are needed."""
        asked = self.problem.visit_by_id
        routes = []
        for day in self.problem.days:
            own = [visit_id for _, visit_id in sorted(self.standing.get(day.key, ())) if visit_id in asked]
            if own:
                routes.append(_untimed(day.technician, day.date, own))
        return Plan(routes=tuple(routes), unassigned=())


@dataclass(frozen=True, kw_only=True)
class Whereabouts:
    """From when and where a technician who is in the middle of a day can go on; Unix seconds, (lat, lon)."""

    free_at: int
    point: Point


def pose(company_id: str, branch_id: str, first: date, days: int, *, now: datetime) -> Question:
    """The problem of planning `days` days of a branch; raises Problem for an unknown branch or no shift at all."""
    branch = planning.branch(company_id, branch_id)
    if branch is None:
        raise not_found()
    start, _ = day_bounds(first, branch.tz)
    last = first + timedelta(days=days - 1)
    _, end = day_bounds(last, branch.tz)
    people = planning.technicians(company_id, branch_id)
    devices = planning.devices_of(company_id, [one.id for one in people])
    dates = [first + timedelta(days=offset) for offset in range(days)]
    rows = planning.visits_to_plan(company_id, branch_id, start, end + OVER_MIDNIGHT, last)
    names = {one.id: one for one in people}
    today = local_date(now, branch.tz)
    _, drafted = drafts.open_drafts(company_id, branch.id, min(first, today))
    visits: list[Visit] = []
    standing: dict[tuple[str, date], list[tuple[int, str]]] = {}
    whereabouts: dict[str, Whereabouts] = {}
    for visit, site in rows:
        if not _is_asked(visit, names, first, last, today, branch.tz):
            continue
        there = whereabouts_after(visit, site, devices.get(visit.assignee_id or ""), now)
        if there is not None:
            who = str(visit.performed_by_id or visit.assignee_id)
            if who not in whereabouts or there.free_at > whereabouts[who].free_at:
                whereabouts[who] = there
            continue
        stop = drafted.get(visit.id)
        if stop is not None and not first <= stop.date <= last:
            # A draft of another day has a place for it.
            continue
        asked = asked_visit(visit, site, branch, first, now, people=names, device=devices.get(visit.assignee_id or ""))
        if stop is not None:
            where = Placement(technician=stop.technician_id, start=_seconds(stop.start_at))
            on = stop.date
        elif visit.planned_start is not None and visit.assignee_id in names:
            where = Placement(technician=visit.assignee_id, start=_seconds(visit.planned_start))
            on = working_day(names[visit.assignee_id], visit.planned_start, branch.tz)
        else:
            visits.append(asked)
            continue
        by_hand = stop is not None and stop.why.get("code") == "by-hand"
        if asked.pinned is None and (by_hand or asked.current is None):
            # Drafted or set by a person: to move it again has its price too.
            asked = replace(asked, current=where)
        standing.setdefault((where.technician, on), []).append((where.start, visit.id))
        visits.append(asked)
    shifts = [
        day
        for one in people
        for each in dates
        if (day := technician_day(one, branch, each, now, whereabouts.get(one.id))) is not None
    ]
    if not shifts:
        raise Refusal(422, "no-planning-data", field="date")
    # Who is bound to somebody without a shift in these days stays there: no plan could do it, so none may undo it.
    at_work = {one.technician for one in shifts}
    visits = [one for one in visits if one.pinned is None or one.pinned.technician in at_work]
    return Question(problem=build_problem(visits, shifts), branch=branch, standing=standing)


def _untimed(technician: str, day: date, visit_ids: Sequence[str]) -> Route:
    stops = tuple(Stop(visit_id=one, arrive=0, start=0, end=0, travel_s=0, travel_m=0) for one in visit_ids)
    return Route(
        technician=technician, date=day, depart=0, stops=stops, finish=0, pause_start=None, travel_s=0, travel_m=0,
        overtime_s=0,
    )  # fmt: skip


def _is_asked(
    visit: models.Visit, people: Mapping[str, models.Technician], first: date, last: date, today: date, tz: str
) -> bool:
    """Whether a plan of these days answers for a visit: it is nobody's, or stands in one of their shifts, or stood on a
    day that is over without anybody having been told."""
    if visit.locked and visit.assignee_id and visit.assignee_id not in people:
        return False
    if visit.planned_start is None:
        return True
    on = working_day(people.get(visit.assignee_id or ""), visit.planned_start, tz)
    return first <= on <= last or (visit.plan_state != "published" and on < today)


def working_day(one: models.Technician | None, moment: datetime, tz: str) -> date:
    """The day whose shift a moment belongs to: the day before, in the small hours of a shift over midnight."""
    day = local_date(moment, tz)
    eve = day - timedelta(days=1)
    shift = shift_on(one, eve) if one is not None else None
    if one is None or shift is None or shift["end"] > shift["start"]:
        return day
    _, over = local_span(eve, shift["start"], shift["end"], tz)
    return eve if _seconds(moment) < over + 60 * one.max_overtime_minutes else day


def shift_on(one: models.Technician, day: date) -> dict[str, Any] | None:
    """A technician's shift that begins on a day."""
    return next((each for each in one.shifts if each["weekday"] == day.weekday()), None)


def whereabouts_after(
    visit: models.Visit, site: models.Site, device: models.Device | None, now: datetime
) -> Whereabouts | None:
    """Where work that is over, going on, or may be going on leaves its technician; None for work that can be planned.

    Such a visit is a fact: it is no part of the question, and its technician starts from its site.
    """
    length = timedelta(minutes=visit.service_minutes)
    if visit.exec_state in OVER:
        free_at = visit.finished_at or now
    elif visit.exec_state in UNDER_WAY:
        free_at = max(now, (visit.started_at or max(now, visit.planned_start or now)) + length)
    elif may_have_started(visit, device, now):
        free_at = max(now, (visit.planned_start or now) + length)
    else:
        return None
    return Whereabouts(free_at=_seconds(free_at), point=(site.lat, site.lon))


def technician_day(
    one: models.Technician, branch: models.Branch, day: date, now: datetime, whereabouts: Whereabouts | None = None
) -> TechnicianDay | None:
    """What is left of a technician's shift of a day from `now` on; None without a shift, or when it is over."""
    shift = shift_on(one, day)
    if shift is None:
        return None
    start, end = local_span(day, shift["start"], shift["end"], branch.tz)
    begin = max(start, _seconds(now))
    here = whereabouts if whereabouts is not None and start <= whereabouts.free_at and _seconds(now) >= start else None
    if here is not None:
        begin = max(begin, here.free_at)
    if begin > start:
        # In steps, so that the same day is planned the same a moment later.
        begin = -(-begin // STEP_S) * STEP_S
    if begin >= end:
        return None
    pause = None
    if shift.get("break_start") and shift["break_minutes"]:
        at = break_start(day, shift, branch.tz)
        earliest, latest = at - 1800, at + 1800
        if latest >= begin and latest < end:
            pause = Break(earliest=max(earliest, begin), latest=latest, length_s=shift["break_minutes"] * 60)
    home: Point = (one.home_lat, one.home_lon)
    base: Point = (branch.lat, branch.lon) if one.start_from == "depot" else home
    return TechnicianDay(
        technician=one.id,
        date=day,
        start=here.point if here is not None else base,
        end=base,
        shift_start=begin,
        shift_end=end,
        pause=pause,
        skills={
            skill["code"]: Grant(
                level=skill["level"],
                expires=date.fromisoformat(skill["expires_on"]) if skill.get("expires_on") else None,
            )
            for skill in one.skills
        },
        branch=branch.id,
        max_overtime_s=one.max_overtime_minutes * 60,
        name=one.name,
    )


def asked_visit(
    visit: models.Visit,
    site: models.Site,
    branch: models.Branch,
    first: date,
    now: datetime,
    *,
    people: Collection[str] = (),
    device: models.Device | None = None,
) -> Visit:
    """A visit as the planner sees it; what is published to one of `people` carries its place, and a pin if locked."""
    windows: tuple[Window, ...] = ()
    if visit.window_start is not None or visit.window_end is not None:
        opening = visit.window_start or now
        closing = visit.window_end or opening + timedelta(days=14)
        windows = (Window(start=_seconds(opening), end=max(_seconds(closing), _seconds(opening))),)
    due_from = _seconds(day_bounds(visit.due_from, site.tz)[0]) if visit.due_from else None
    due_to = _seconds(day_bounds(visit.due_to, site.tz)[1]) - 1 if visit.due_to else None
    overdue = max((first - visit.due_to).days, 0) if visit.due_to else 0
    pinned = current = None
    if visit.assignee_id in people and visit.planned_start is not None:
        begins = _seconds(visit.planned_start)
        if visit.plan_state == "published":
            current = Placement(technician=str(visit.assignee_id), start=begins)
        if visit.locked:
            # Once its hour has passed it can only be later; nobody else gets it all the same.
            pinned = Pin(technician=str(visit.assignee_id), start=begins if begins >= _seconds(now) else None)
        elif may_have_started(visit, device, now):
            pinned = Pin(technician=str(visit.assignee_id))
    return Visit(
        id=visit.id,
        point=(site.lat, site.lon),
        service_s=visit.service_minutes * 60,
        windows=windows,
        skills=dict.fromkeys(visit.skills, 1),
        priority=visit.priority,
        due_from=due_from,
        due_to=max(due_to, due_from or due_to) if due_to is not None else None,
        hard_due=visit.hard_due,
        overdue_days=overdue,
        branch=branch.id,
        pinned=pinned,
        current=current,
        label=site.name,
    )


def may_have_started(visit: models.Visit, device: models.Device | None, now: datetime) -> bool:
    """Whether a tablet that is silent may have begun a visit whose hour has come without our knowing."""
    if visit.plan_state != "published" or visit.exec_state not in NOT_BEGUN or visit.planned_start is None:
        return False
    if device is None or visit.planned_start > now:
        return False
    return device.last_seen_at is None or (
        now - device.last_seen_at > QUIET_AFTER and device.last_seen_at < visit.planned_start
    )


def local_instant(day: date, clock: str, tz: str) -> int:
    """Unix seconds of a wall time on a local day."""
    return _seconds(instant_of(day, time.fromisoformat(clock), tz))


def local_span(day: date, start: str, end: str, tz: str) -> tuple[int, int]:
    """Unix seconds of a shift; one that ends before it starts ends on the next day."""
    first = local_instant(day, start, tz)
    last = local_instant(day, end, tz)
    return first, last if last > first else local_instant(day + timedelta(days=1), end, tz)


def break_start(day: date, shift: Mapping[str, Any], tz: str) -> int:
    """Unix seconds of a shift's break; in a shift over midnight a break before its start is after midnight."""
    on = day if shift["break_start"] >= shift["start"] else day + timedelta(days=1)
    return local_instant(on, shift["break_start"], tz)


def _seconds(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp())
