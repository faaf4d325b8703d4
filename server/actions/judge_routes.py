"""Which rules a day breaks as it stands, in words and numbers: judged by the planner's own judge, whoever set it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from routing.by_hand import Slot, plan_as_set, route_as_set
from routing.check import Violation, check
from routing.plan import Plan, Route
from routing.problem import Pin, Problem, build_problem
from routing.problem import Visit as Asked
from server.actions.planning_problem import (
    NOT_BEGUN,
    asked_visit,
    break_start,
    shift_on,
    technician_day,
    whereabouts_after,
)
from server.store.models import Branch, Device, Site, Technician, Visit
from server.store.queries.filters import day_bounds
from server.text import say, wall_time


@dataclass(frozen=True, kw_only=True)
class Broken:
    """One broken rule: of which visit in whose row, with its numbers; `token` names just this fault at this time."""

    code: str
    visit_id: str
    technician_id: str
    start: datetime
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def token(self) -> str:
        skill = self.params.get("skill", "")
        return f"{self.code}:{self.visit_id}:{self.technician_id}:{int(self.start.timestamp())}:{skill}"

    def told(self, locale: str) -> dict[str, Any]:
        """As it is shown: with a short word for the bar and a sentence."""
        return {
            "token": self.token,
            "code": self.code,
            "visit_id": self.visit_id,
            "technician_id": self.technician_id,
            "params": self.params,
            "short": say("broken", f"{self.code}.short", self.params, locale),
            "text": say("broken", self.code, self.params, locale),
        }


Pause = tuple[datetime, datetime] | None


@dataclass(frozen=True, kw_only=True)
class Driving:
    """How long and how far, the way home included; `legs`: to each visit from the one before."""

    seconds: int = 0
    metres: int = 0
    legs: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A visit in a technician's row, from when to when."""

    visit: Visit
    site: Site
    technician_id: str
    start: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What is broken, and for each technician the break (None: none is due) and the driving."""

    broken: list[Broken]
    pauses: dict[str, Pause]
    driving: dict[str, Driving]

    def driven(self) -> Driving:
        """All of it."""
        return Driving(
            seconds=sum(one.seconds for one in self.driving.values()),
            metres=sum(one.metres for one in self.driving.values()),
        )


def judge_routes(
    branch: Branch,
    day: date,
    people: Iterable[Technician],
    standing: Iterable[Standing],
    devices: Mapping[str, Device],
    now: datetime,
) -> Judged:
    """Judge the routes of a day as they stand. What has begun on site is a fact: no rule is asked of it."""
    by_technician: dict[str, list[Standing]] = {}
    for one in standing:
        by_technician.setdefault(one.technician_id, []).append(one)
    broken: list[Broken] = []
    pauses: dict[str, Pause] = {}
    driving: dict[str, Driving] = {}
    for technician in people:
        own = sorted(by_technician.get(technician.id, ()), key=lambda one: (one.start, one.visit.id))
        found, pauses[technician.id], driving[technician.id] = _judge(
            branch, day, technician, own, devices.get(technician.id), now
        )
        broken.extend(found)
    return Judged(broken=broken, pauses=pauses, driving=driving)


def _judge(
    branch: Branch, day: date, technician: Technician, own: Sequence[Standing], device: Device | None, now: datetime
) -> tuple[list[Broken], Pause, Driving]:
    morning, _ = day_bounds(day, branch.tz)
    shift = technician_day(technician, branch, day, morning)
    slots, asked, free_at = [], [], int(now.timestamp())
    for one in own:
        begun = whereabouts_after(one.visit, one.site, device, now)
        start = int(one.start.timestamp())
        end = max(start, int(one.end.timestamp()))
        question = asked_visit(one.visit, one.site, branch, day, min(now, morning))
        if begun is not None:
            # What ended early leaves room; that work runs late breaks no rule of what was set after it.
            free_at = max(free_at, begun.free_at)
            start = min(start, int(one.visit.started_at.timestamp())) if one.visit.started_at else start
            end = max(start, min(end, begun.free_at))
            question = replace(question, pinned=Pin(technician=technician.id, begun=True))
        slots.append(Slot(visit_id=one.visit.id, start=start, end=end))
        asked.append(replace(question, service_s=end - start))
    if shift is None:
        return _off_shift(technician, own), None, Driving()
    if shift.pause is not None and shift.pause.latest < max(shift.shift_start, free_at):
        # Its hour is over: whether it was taken is no longer ours to plan.
        shift = replace(shift, pause=None)
    nominal = _nominal(technician, branch, day)
    if not own:
        return [], nominal, Driving()
    problem = build_problem(asked, [shift])
    wished = int(nominal[0].timestamp()) if nominal else None
    route = route_as_set(problem, shift, slots, wished)
    violations = check(problem, plan_as_set(problem, [route]))
    pause = nominal
    if route.pause_start is not None and shift.pause is not None:
        pause = (_moment(route.pause_start), _moment(route.pause_start + shift.pause.length_s))
    zone = ZoneInfo(branch.tz)
    broken = [told for one in violations if (told := _in_words(one, technician, own, problem, route, zone))]
    legs = {stop.visit_id: (stop.travel_s, stop.travel_m) for stop in route.stops}
    return broken, pause, Driving(seconds=route.travel_s, metres=route.travel_m, legs=legs)


def _nominal(technician: Technician, branch: Branch, day: date) -> Pause:
    shift = shift_on(technician, day)
    if shift is None or not shift.get("break_start") or not shift["break_minutes"]:
        return None
    begin = break_start(day, shift, branch.tz)
    return _moment(begin), _moment(begin + 60 * shift["break_minutes"])


def _off_shift(technician: Technician, own: Sequence[Standing]) -> list[Broken]:
    """The judge knows no such day: each visit that has not begun stands where nobody works."""
    route = Route(
        technician=technician.id, date=date.min, depart=0, stops=(), finish=0, pause_start=None, travel_s=0,
        travel_m=0, overtime_s=0,
    )  # fmt: skip
    codes = {one.code for one in check(build_problem((), ()), Plan(routes=(route,), unassigned=()))}
    return [
        Broken(
            code=code, visit_id=one.visit.id, technician_id=technician.id, start=one.start,
            params={"name": technician.name},
        )
        for code in sorted(codes)
        for one in own
        if one.visit.exec_state in NOT_BEGUN
    ]  # fmt: skip


def _in_words(
    violation: Violation,
    technician: Technician,
    own: Sequence[Standing],
    problem: Problem,
    route: Route,
    zone: ZoneInfo,
) -> Broken | None:
    """The judge's word about a visit that can still be moved; None when it is about what has happened."""
    standing = {one.visit.id: one for one in own}
    code, numbers, ids = violation.code, violation.numbers, list(route.visit_ids)
    visit_id = violation.visit_id or ids[0 if code == "before-shift" else -1]
    if standing[visit_id].visit.exec_state not in NOT_BEGUN:
        return None
    before = standing[ids[ids.index(visit_id) - 1]] if ids.index(visit_id) else None
    question = problem.visit_by_id[visit_id]
    start = int(standing[visit_id].start.timestamp())
    params: dict[str, Any] = {"name": technician.name, "label": before.site.name if before else ""}
    if code == "outside-window":
        code, params = _outside(question, start, params, zone)
    for name in ("short_s", "overlap_s", "early_s", "over_s"):
        if name in numbers:
            params[name.replace("_s", "_min")] = params["n"] = -(-int(numbers[name]) // 60)
    for name in ("skill", "level", "expires"):
        if name in numbers:
            params[name] = numbers[name]
    for name in ("due_from", "due_to"):
        if name in numbers:
            params[name] = _moment(int(numbers[name])).astimezone(zone).date().isoformat()
    return Broken(
        code=code, visit_id=visit_id, technician_id=technician.id, start=standing[visit_id].start, params=params
    )


def _outside(question: Asked, start: int, params: dict[str, Any], zone: ZoneInfo) -> tuple[str, dict[str, Any]]:
    """Before the promised hours or after them, and by how much."""
    opens, closes = question.windows[0].start, question.windows[-1].end
    code, off, edge = (
        ("before-window", opens - start, opens) if start < opens else ("after-window", start - closes, closes)
    )
    minutes = -(-off // 60)
    day = _moment(start).astimezone(zone).date()
    return code, params | {"n": minutes, "off": {"minutes": minutes}, "at": wall_time(_moment(edge), zone, day)}


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
