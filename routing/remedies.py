"""The smallest single change that makes a left-out visit fit: found here, and made by `apply_remedy`.

Each search relaxes one law and leaves the others; what it returns has been scheduled exactly.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from routing import rules, worth
from routing.frame import FAR, Frame
from routing.insert import Orders, evaluate, slots_of
from routing.plan import Reason
from routing.problem import Grant, IntArray, Problem, TechnicianDay, Visit, Window
from routing.timing import schedule

TRIED = 12
"""Positions looked at exactly, the nearest ones by the vectorised estimate."""


def minutes_up(seconds: int) -> int:
    """Whole minutes, rounded up: a promise of minutes must be enough."""
    return -(-seconds // 60)


def person(frame: Frame, d: int) -> dict[str, int | float | str | None]:
    """Who and when, for the parameters of a reason."""
    day = frame.problem.days[d]
    return {"technician": day.technician, "name": day.name or day.technician, "date": day.date.isoformat()}


def with_starts(frame: Frame, v: int, spans: tuple[tuple[int, int], ...]) -> Frame:
    """The frame in which visit v may start in `spans` instead."""
    width = max(frame.opens.shape[1], len(spans))
    extra = width - frame.opens.shape[1]
    opens = np.pad(frame.opens, ((0, 0), (0, extra)), constant_values=FAR)
    closes = np.pad(frame.closes, ((0, 0), (0, extra)), constant_values=-FAR)
    opens[v], closes[v] = FAR, -FAR
    for w, (low, high) in enumerate(spans):
        opens[v, w], closes[v, w] = low, high
    return replace(frame, starts=(*frame.starts[:v], spans, *frame.starts[v + 1 :]), opens=opens, closes=closes)


def fits_with(frame: Frame, orders: Orders, v: int, changed: Visit) -> int | None:
    """The day on which visit v fits cheapest once it is `changed`; None if on none."""
    days = [d for d, day in enumerate(frame.problem.days) if rules.may_take(changed, day)]
    if not days:
        return None
    relaxed = with_starts(frame, v, tuple((w.start, w.end) for w in rules.allowed_starts(changed)))
    slots = slots_of(frame, [(d, orders[d]) for d in days])
    extra, short = evaluate(relaxed, [v], slots)
    cost = np.where(short[0] <= 0, extra[0], FAR)
    best = int(cost.argmin())
    return int(slots.day[best]) if cost[best] < FAR else None


def shortest_extension(frame: Frame, orders: Orders, v: int, days: Sequence[int]) -> tuple[int, int] | None:
    """The day that needs the fewest seconds of longer shift for visit v, and these seconds."""
    slots = slots_of(frame, [(d, orders[d]) for d in days], limits=[FAR // 2] * len(days))
    extra, short = evaluate(frame, [v], slots)
    legal = np.flatnonzero(short[0] <= 0)
    # The return is at least what it was plus the detour; the nearest few of these estimates are scheduled exactly.
    latest = np.array([sum(frame.shift[d][1:]) for d in range(frame.n_days)])
    finish = {d: _finish(frame, d, orders[d]) for d in {int(slots.day[i]) for i in legal}}
    estimate = sorted((finish[int(slots.day[i])] + int(extra[0, i]) - int(latest[slots.day[i]]), int(i)) for i in legal)
    best: tuple[int, int] | None = None
    for _, i in estimate[: 4 * TRIED]:
        d, position = int(slots.day[i]), int(slots.position[i])
        timed = schedule(frame, d, [*orders[d][:position], v, *orders[d][position:]], limit=FAR // 2)
        if timed is None:
            continue
        needed = timed.finish - int(latest[d])
        if needed > 0 and (best is None or needed < best[1]):
            best = (d, needed)
    return best


def _finish(frame: Frame, d: int, order: Sequence[int]) -> int:
    timed = schedule(frame, d, order)
    return timed.finish if timed is not None else frame.shift[d][0]


def cheapest_to_leave_out(frame: Frame, orders: Orders, v: int, days: Sequence[int]) -> tuple[int, int] | None:
    """(day, visit): the visit of least worth that, taken out of its route, makes room for v. Never a pinned one."""
    variants = [(d, i) for d in days for i, u in enumerate(orders[d]) if not frame.pinned[u]]
    if not variants:
        return None
    shorter = [(d, orders[d][:i] + orders[d][i + 1 :]) for d, i in variants]
    slots = slots_of(frame, shorter)
    _, short = evaluate(frame, [v], slots)
    of_variant = np.repeat(np.arange(len(variants)), [len(order) + 1 for _, order in shorter])
    fitting = sorted({int(k) for k in of_variant[short[0] <= 0]})
    options = [(int(frame.unserved[orders[d][i]]), d, orders[d][i]) for d, i in (variants[k] for k in fitting)]
    # Without a visit in between a route may lose its only legal schedule (break, waiting): ask exactly.
    for _, d, u in sorted(options):
        if schedule(frame, d, [w for w in orders[d] if w != u]) is not None:
            return d, u
    return None


def nearest_start(frame: Frame, orders: Orders, v: int, days: Sequence[int]) -> Reason | None:
    """The start nearest to what is promised at which v would fit, by windows alone or by due dates alone."""
    visit = frame.problem.visits[v]
    due = rules.due_window(visit)
    options: list[tuple[int, str, int, int]] = []
    if visit.windows and due is not None:
        spans = tuple((w.start, w.end) for w in visit.windows)
        found = _nearest(frame, orders, v, days, ((due.start, due.end),), spans)
        if found is not None:
            options.append((found[0], "move-window", found[1], found[2]))
    if visit.due_from is not None or visit.due_to is not None:
        asked: tuple[tuple[int, int], ...] = ((due.start, due.end),) if due is not None else ()
        free = tuple((w.start, w.end) for w in visit.windows) or ((0, FAR // 2),)
        found = _nearest(frame, orders, v, days, free, asked)
        if found is not None:
            options.append((found[0], "move-due", found[1], found[2]))
    if not options:
        return None
    gap, code, at, d = min(options)
    return Reason(code=code, params={**person(frame, d), "at": at, "by_min": minutes_up(gap)})


def _nearest(
    frame: Frame,
    orders: Orders,
    v: int,
    days: Sequence[int],
    allowed: tuple[tuple[int, int], ...],
    wanted: tuple[tuple[int, int], ...],
) -> tuple[int, int, int] | None:
    """(gap to `wanted`, start, day) of the legal start inside `allowed` nearest to `wanted`."""
    relaxed = with_starts(frame, v, allowed)
    slots = slots_of(frame, [(d, orders[d]) for d in days])
    extra, short = evaluate(relaxed, [v], slots)
    cost = np.where(short[0] <= 0, extra[0], FAR)
    best: tuple[int, int, int] | None = None
    for i in np.argsort(cost, kind="stable"):
        if cost[i] >= FAR:
            break
        d, position = int(slots.day[i]), int(slots.position[i])
        order = [*orders[d][:position], v, *orders[d][position:]]
        timed = schedule(relaxed, d, order)
        if timed is None:
            continue
        at = _towards(frame, d, order, v, timed.start[position], allowed, wanted)
        gap = _gap(at, wanted)
        if best is None or gap < best[0]:
            best = (gap, at, d)
    return best


def _gap(at: int, spans: tuple[tuple[int, int], ...]) -> int:
    return min((max(low - at, at - high, 0) for low, high in spans), default=0)


def _towards(
    frame: Frame,
    d: int,
    order: Sequence[int],
    v: int,
    earliest: int,
    allowed: tuple[tuple[int, int], ...],
    wanted: tuple[tuple[int, int], ...],
) -> int:
    """The latest legal start up to the next wanted window (bisection), or `earliest` if the wanted time is over."""
    target = min((low for low, _ in wanted if low > earliest), default=None)
    if target is None or _gap(earliest, wanted) == 0:
        return earliest
    low, high = earliest, target
    while high - low > 60:
        middle = (low + high) // 2
        inside = any(a <= middle <= b for a, b in allowed)
        if inside and schedule(with_starts(frame, v, ((middle, middle),)), d, order) is not None:
            low = middle
        else:
            high = middle
    return low


def higher_priority(frame: Frame, v: int, extra: int) -> Reason | None:
    """The lowest priority at which v would be worth a way of `extra` seconds."""
    visit = frame.problem.visits[v]
    _, last = worth.horizon(frame.problem)
    for priority in range(visit.priority + 1, 4):
        if worth.unserved_price(replace(visit, priority=priority), last) > extra:
            return Reason(code="raise-priority", params={"priority": priority})
    return None


def apply_remedy(problem: Problem, visit_id: str, remedy: Reason) -> Problem:
    """The problem after `remedy` for the visit has been granted. `leave-out` removes the other visit.

    Raises ValueError for a remedy that only a person can carry out (`locate-site`).
    """
    visit, params = problem.visit_by_id[visit_id], remedy.params
    if remedy.code == "plan-it":
        return problem
    if remedy.code == "leave-out":
        return _rebuilt(problem, visits=tuple(v for v in problem.visits if v.id != params["visit"]))
    if remedy.code in ("extend-shift", "grant-skill", "renew-certificate"):
        return _rebuilt(problem, days=tuple(_granted(day, remedy) for day in problem.days))
    changed = _changed(visit, remedy)
    return _rebuilt(problem, visits=tuple(changed if v.id == visit_id else v for v in problem.visits))


def _changed(visit: Visit, remedy: Reason) -> Visit:
    params = remedy.params
    if remedy.code == "unpin":
        return replace(visit, pinned=None)
    if remedy.code == "lend-visit":
        return replace(visit, branch=str(params["branch"]))
    if remedy.code == "raise-priority":
        return replace(visit, priority=int(params["priority"] or 0))
    at = int(params.get("at") or 0)
    if remedy.code == "move-window":
        return replace(visit, windows=(*visit.windows, Window(start=at, end=at)))
    if remedy.code == "move-due":
        low = None if visit.due_from is None else min(visit.due_from, at)
        high = None if visit.due_to is None else max(visit.due_to, at)
        return replace(visit, due_from=low, due_to=high)
    raise ValueError(f"Nothing in the problem can be changed for the remedy {remedy.code}.")


def _granted(day: TechnicianDay, remedy: Reason) -> TechnicianDay:
    params = remedy.params
    if day.technician != params["technician"]:
        return day
    if remedy.code == "extend-shift":
        same_date = day.date.isoformat() == params["date"]
        return replace(day, max_overtime_s=day.max_overtime_s + int(params["seconds"] or 0)) if same_date else day
    code = str(params["skill"])
    if remedy.code == "grant-skill":
        return replace(day, skills={**day.skills, code: Grant(level=int(params["level"] or 1))})
    until = dt.date.fromisoformat(str(params["until"]))
    return replace(day, skills={**day.skills, code: replace(day.skills[code], expires=until)})


def _rebuilt(
    problem: Problem, *, visits: tuple[Visit, ...] | None = None, days: tuple[TechnicianDay, ...] | None = None
) -> Problem:
    seconds: IntArray = problem.seconds
    return Problem(
        visits=problem.visits if visits is None else visits,
        days=problem.days if days is None else days,
        places=problem.places,
        seconds=seconds,
        metres=problem.metres,
    )
