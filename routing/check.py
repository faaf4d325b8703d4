"""The judge: recomputes a plan from the problem alone and names every law that it breaks.

Shares no code with engines, model, timing, insertion or repair. Of the rest it uses only the dataclasses and the
scale of prices (`worth`), which is part of the question. Laws and words: docs/routing-model.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from routing import worth
from routing.plan import Objective, Plan, Route, Stop
from routing.problem import Point, Problem, TechnicianDay, Visit


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """One broken law: its code, where, and the numbers that show it."""

    code: str
    visit_id: str | None = None
    technician: str | None = None
    date: str | None = None
    numbers: Mapping[str, int | str] = field(default_factory=dict)


def check(problem: Problem, plan: Plan) -> list[Violation]:
    """All violations of `plan`, empty for a legal one. Never raises for a bad plan, whatever is in it."""
    found = list(_completeness(problem, plan))
    seen_days: set[object] = set()
    for route in plan.routes:
        day = problem.day_by_key.get(route.key)
        if day is None:
            found.append(_broken("unknown-day", route))
            continue
        if route.key in seen_days:
            found.append(_broken("day-twice", route))
        seen_days.add(route.key)
        if any(stop.visit_id not in problem.visit_by_id for stop in route.stops):
            continue
        found.extend(_road(problem, day, route))
        found.extend(_shift(day, route))
        found.extend(_pause(day, route))
        for stop in route.stops:
            found.extend(_pair(problem.visit_by_id[stop.visit_id], day, route, stop))
    if not found:
        found.extend(_figures(problem, plan))
    return found


def measure(problem: Problem, plan: Plan) -> Objective:
    """The objective of a plan whose ids are known, from the problem alone."""
    first, last = worth.horizon(problem)
    travel_s = travel_m = overtime = wishes = change = delay = moved = shifted = 0
    for route in plan.routes:
        day = problem.day_by_key[route.key]
        points = _points(problem, day, route)
        legs = [_leg(problem, a, b) for a, b in pairwise(points)]
        travel_s += sum(leg[0] for leg in legs)
        travel_m += sum(leg[1] for leg in legs)
        overtime += max(0, route.finish - day.shift_end)
        for stop in route.stops:
            visit = problem.visit_by_id[stop.visit_id]
            wishes += worth.wish_price(visit, day)
            delay += worth.delay_price(visit, day, first)
            change += worth.hand_over_price(visit, day)
            moved += worth.hand_over_price(visit, day) > 0
            if worth.is_shifted(visit, stop.start):
                shifted += 1
                change += worth.SHIFT_PRICE_S
    return Objective(
        travel_s=travel_s,
        travel_m=travel_m,
        overtime_s=overtime,
        unassigned=len(plan.unassigned),
        overtime_price=worth.OVERTIME_FACTOR * overtime,
        wishes_price=wishes,
        change_price=change,
        delay_price=delay,
        unserved_price=sum(worth.unserved_price(problem.visit_by_id[u.visit_id], last) for u in plan.unassigned),
        moved=moved,
        shifted=shifted,
    )


def _broken(code: str, route: Route | None = None, visit_id: str | None = None, **numbers: int | str) -> Violation:
    return Violation(
        code=code,
        visit_id=visit_id,
        technician=route.technician if route else None,
        date=route.date.isoformat() if route else None,
        numbers=numbers,
    )


def _completeness(problem: Problem, plan: Plan) -> Iterator[Violation]:
    """Law 1: planned + unassigned = asked, each once; each unassigned with a reason."""
    times = Counter(stop.visit_id for route in plan.routes for stop in route.stops)
    times.update(left.visit_id for left in plan.unassigned)
    for visit_id in problem.visit_by_id:
        if times[visit_id] == 0:
            yield _broken("visit-dropped", visit_id=visit_id)
        elif times[visit_id] > 1:
            yield _broken("visit-twice", visit_id=visit_id, times=times[visit_id])
    for visit_id in times:
        if visit_id not in problem.visit_by_id:
            yield _broken("unknown-visit", visit_id=visit_id)
    for left in plan.unassigned:
        if not left.reasons:
            yield _broken("no-reason", visit_id=left.visit_id)
        visit = problem.visit_by_id.get(left.visit_id)
        if visit is not None and visit.pinned is not None and all(r.code != "pin-impossible" for r in left.reasons):
            yield _broken("pin-dropped", visit_id=left.visit_id)


def _leg(problem: Problem, origin: Point, target: Point) -> tuple[int, int]:
    i, j = problem.place_index[origin], problem.place_index[target]
    return int(problem.seconds[i, j]), int(problem.metres[i, j])


def _points(problem: Problem, day: TechnicianDay, route: Route) -> list[Point]:
    points = [day.start]
    for stop in route.stops:
        point = problem.visit_by_id[stop.visit_id].point
        points.append(day.start if point is None else point)
    return [*points, day.end]


def _overlap(a: int, b: int, c: int, d: int) -> int:
    return max(0, min(b, d) - max(a, c))


def _paused(day: TechnicianDay, route: Route, a: int, b: int) -> int:
    """Seconds of the break that fall between a and b."""
    if day.pause is None or route.pause_start is None:
        return 0
    return _overlap(a, b, route.pause_start, route.pause_start + day.pause.length_s)


def _road(problem: Problem, day: TechnicianDay, route: Route) -> Iterator[Violation]:
    """Nobody is in two places: each leg has the time that the road takes, the break's share of it set aside."""
    if not route.stops:
        yield _broken("empty-route", route)
        return
    for stop in route.stops:
        point = problem.visit_by_id[stop.visit_id].point
        if point is None or point not in problem.place_index:
            yield _broken("no-place", route, stop.visit_id)
            return
    free, here = route.depart, day.start
    total_s = total_m = 0
    for stop in route.stops:
        visit = problem.visit_by_id[stop.visit_id]
        target = visit.point
        if target is None:
            return
        way_s, way_m = _leg(problem, here, target)
        total_s, total_m = total_s + way_s, total_m + way_m
        paused = _paused(day, route, free, stop.arrive)
        if stop.arrive - free - paused < way_s:
            short = {"short_s": way_s - (stop.arrive - free - paused)}
            if stop.arrive < free:
                yield _broken("overlap", route, stop.visit_id, **short, overlap_s=free - stop.arrive)
            else:
                yield _broken("too-fast", route, stop.visit_id, **short)
        if stop.start < stop.arrive:
            yield _broken("starts-before-arrival", route, stop.visit_id, short_s=stop.arrive - stop.start)
        if stop.end - stop.start != visit.service_s:
            yield _broken("wrong-service-time", route, stop.visit_id, service_s=visit.service_s)
        if (stop.travel_s, stop.travel_m) != (way_s, way_m):
            yield _broken("wrong-travel", route, stop.visit_id, travel_s=way_s, travel_m=way_m)
        free, here = stop.end, target
    way_s, way_m = _leg(problem, here, day.end)
    paused = _paused(day, route, free, route.finish)
    if route.finish - free - paused < way_s:
        yield _broken("too-fast", route, None, short_s=way_s - (route.finish - free - paused))
    if (route.travel_s, route.travel_m) != (total_s + way_s, total_m + way_m):
        yield _broken("wrong-travel", route, None, travel_s=total_s + way_s, travel_m=total_m + way_m)


def _shift(day: TechnicianDay, route: Route) -> Iterator[Violation]:
    if route.depart < day.shift_start:
        yield _broken("before-shift", route, None, early_s=day.shift_start - route.depart)
    over = max(0, route.finish - day.shift_end)
    if over > day.max_overtime_s:
        yield _broken("overtime", route, None, over_s=over - day.max_overtime_s)
    if route.overtime_s != over:
        yield _broken("wrong-overtime", route, None, overtime_s=over)


def _pause(day: TechnicianDay, route: Route) -> Iterator[Violation]:
    """The break is there, begins when it may, and interrupts no work."""
    if day.pause is None:
        if route.pause_start is not None:
            yield _broken("break-not-due", route)
        return
    if route.pause_start is None:
        yield _broken("break-missing", route)
        return
    begin, end = route.pause_start, route.pause_start + day.pause.length_s
    if begin < day.pause.earliest or begin > day.pause.latest:
        yield _broken("break-at-wrong-time", route, None, pause_start=begin)
    if begin < day.shift_start:
        yield _broken("break-at-wrong-time", route, None, pause_start=begin)
    for stop in route.stops:
        if _overlap(begin, end, stop.start, stop.end) or (begin < stop.start < end):
            yield _broken("break-in-work", route, stop.visit_id, pause_start=begin)


def _pair(visit: Visit, day: TechnicianDay, route: Route, stop: Stop) -> Iterator[Violation]:
    """Everything between one visit and the person and second it was given to."""
    pin = visit.pinned
    if pin is not None:
        if pin.technician != day.technician:
            yield _broken("pin-moved", route, visit.id, technician=pin.technician)
        if pin.start is not None and stop.start != pin.start:
            yield _broken("pin-moved", route, visit.id, start=pin.start)
        if pin.begun:
            return
    if visit.branch is not None and visit.branch != day.branch:
        yield _broken("territory", route, visit.id, branch=visit.branch)
    for code, needed in visit.skills.items():
        grant = day.skills.get(code)
        if grant is None or grant.level < needed:
            yield _broken("skill-missing", route, visit.id, skill=code, level=needed)
        elif grant.expires is not None and day.date > grant.expires:
            yield _broken("certificate-expired", route, visit.id, skill=code, expires=grant.expires.isoformat())
    if visit.windows and not any(w.start <= stop.start <= w.end for w in visit.windows):
        yield _broken("outside-window", route, visit.id, start=stop.start)
    if visit.due_from is not None and stop.start < visit.due_from:
        yield _broken("before-due", route, visit.id, due_from=visit.due_from)
    is_bound = visit.hard_due and visit.due_to is not None and visit.overdue_days == 0
    if is_bound and visit.due_to is not None and stop.start > visit.due_to:
        yield _broken("after-hard-due", route, visit.id, due_to=visit.due_to)


def _figures(problem: Problem, plan: Plan) -> Iterator[Violation]:
    """The figures shown are the figures of this plan."""
    true = measure(problem, plan)
    for name in Objective.__dataclass_fields__:
        if getattr(plan.objective, name) != getattr(true, name):
            yield _broken("wrong-figures", figure=name, value=getattr(true, name))
