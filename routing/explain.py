"""Why a visit is where it is, and why another is nowhere: recomputed from problem and plan, never from an engine's log.

"Fits" has one meaning here: the visit can be inserted into one route of the plan, the others' people and order
unchanged, so that `check` finds nothing. A remedy is the smallest single change found that makes it fit; `apply_remedy`
makes that change, so that a person can try it and a test can prove it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from routing import remedies, rules
from routing.frame import FAR, Frame, build_frame
from routing.insert import Orders, evaluate, exact_extra, masked_costs, orders_of, price_of, ranked_insertions, slots_of
from routing.plan import Plan, Reason, Unassigned, Value
from routing.problem import Problem, Visit, is_located
from routing.remedies import minutes_up, person

__all__ = ["explained", "reasons", "why"]


def explained(problem: Problem, plan: Plan, frame: Frame | None = None) -> Plan:
    """The plan with reasons for each unassigned visit and a `why` for each stop; nothing else changes."""
    frame = frame or build_frame(problem)
    because, instead = why(problem, plan, frame), reasons(problem, plan, frame)
    routes = tuple(
        replace(route, stops=tuple(replace(stop, why=because[stop.visit_id]) for stop in route.stops))
        for route in plan.routes
    )
    left = tuple(Unassigned(visit_id=u.visit_id, reasons=instead[u.visit_id]) for u in plan.unassigned)
    return replace(plan, routes=routes, unassigned=left)


def reasons(problem: Problem, plan: Plan, frame: Frame | None = None) -> dict[str, tuple[Reason, ...]]:
    """For each visit in no route the reasons, those with a remedy first, and of these the nearest to fitting."""
    frame = frame or build_frame(problem)
    orders = orders_of(frame, plan)
    inside = plan.assigned_ids
    return {visit.id: _reasons_of(frame, orders, v) for v, visit in enumerate(problem.visits) if visit.id not in inside}


def _reasons_of(frame: Frame, orders: Orders, v: int) -> tuple[Reason, ...]:
    visit = frame.problem.visits[v]
    if not is_located(visit.point):
        return _with_pin(frame, orders, v, [Reason(code="missing-geo", remedy=Reason(code="locate-site"))])
    if not frame.n_days:
        return _with_pin(frame, orders, v, [Reason(code="no-technicians")])
    found: list[Reason] = []
    for law in (_fits, _short_of_time, _capacity, _hours, _territory, _certificates, _skills):
        reason = law(frame, orders, v)
        if reason is not None:
            found.append(reason)
        if law is _fits and found:
            break
    if not found:
        found.append(_no_room(frame, orders, v))
    # A sort by "has a remedy" alone keeps the order of the laws above, which is the order of nearness.
    found.sort(key=lambda reason: reason.remedy is None)
    return _with_pin(frame, orders, v, found)


def _with_pin(frame: Frame, orders: Orders, v: int, found: list[Reason]) -> tuple[Reason, ...]:
    """A pin that cannot be kept is reported first, as what it is: an error about that pin."""
    visit = frame.problem.visits[v]
    if visit.pinned is None:
        return tuple(found)
    free = replace(visit, pinned=None)
    elsewhere = remedies.fits_with(frame, orders, v, free) if is_located(visit.point) else None
    name = next((d.name or d.technician for d in frame.problem.days if d.technician == visit.pinned.technician), None)
    pin = Reason(
        code="pin-impossible",
        params={
            "technician": visit.pinned.technician,
            "name": name or visit.pinned.technician,
            **({} if visit.pinned.start is None else {"at": visit.pinned.start}),
            "cause": found[0].code,
        },
        remedy=None if elsewhere is None else Reason(code="unpin", params={**person(frame, elsewhere)}),
    )
    return (pin, *found)


def _fits(frame: Frame, orders: Orders, v: int) -> Reason | None:
    """It fits, but the way costs more than the visit is worth (or a person left it out)."""
    ranked = ranked_insertions(frame, orders, v, count=1)
    if not ranked:
        return None
    extra, d, _ = ranked[0]
    value = int(frame.unserved[v])
    params: dict[str, Value] = {**person(frame, d), "extra_min": minutes_up(extra), "worth_min": value // 60}
    if extra < value:
        return Reason(code="fits", params=params, remedy=Reason(code="plan-it", params=person(frame, d)))
    remedy = remedies.higher_priority(frame, v, extra)
    return Reason(code="not-worth-detour", params=params, remedy=remedy)


def _able(frame: Frame, v: int) -> list[int]:
    return [int(d) for d in np.flatnonzero(frame.eligible[v])]


def _fits_alone(frame: Frame, v: int, days: Sequence[int], *, any_time: bool = False) -> bool:
    """Whether some of `days` could take the visit if nothing else were planned on it."""
    _, short = evaluate(frame, [v], slots_of(frame, [(d, []) for d in days]), any_time=any_time)
    return bool((short <= 0).any())


def _short_of_time(frame: Frame, orders: Orders, v: int) -> Reason | None:
    """Able people whose day is too full (or too short) by so many minutes."""
    days = _able(frame, v)
    if not days or ranked_insertions(frame, orders, v, count=1):
        return None
    if _fits_alone(frame, v, days):
        code = "short-of-time"
    elif not _fits_alone(frame, v, days, any_time=True):
        code = "travel-infeasible"
    else:
        return None
    extended = remedies.shortest_extension(frame, orders, v, days)
    if extended is None:
        return None
    d, seconds = extended
    params = {
        **person(frame, d),
        "short_min": minutes_up(seconds),
        "n": len({frame.problem.days[e].technician for e in days}),
    }
    remedy = Reason(
        code="extend-shift",
        params={**person(frame, d), "minutes": minutes_up(seconds), "seconds": minutes_up(seconds) * 60},
    )
    return Reason(code=code, params=params, remedy=remedy)


def _no_room(frame: Frame, orders: Orders, v: int) -> Reason:
    """No single change helps: what is nearest to it, and by how much it fails."""
    days = _able(frame, v)
    slots = slots_of(frame, [(d, orders[d]) for d in days])
    _, short = evaluate(frame, [v], slots, any_time=True)
    nearest = int(short[0].argmin())
    params: dict[str, Value] = {
        **person(frame, int(slots.day[nearest])),
        "short_min": max(1, minutes_up(int(short[0, nearest]))),
        "n": len({frame.problem.days[d].technician for d in days}),
    }
    return Reason(code="no-room", params=params)


def _capacity(frame: Frame, orders: Orders, v: int) -> Reason | None:
    """One other visit, worth more, stands in the place that this one would need."""
    days = _able(frame, v)
    if not days or ranked_insertions(frame, orders, v, count=1):
        return None
    found = remedies.cheapest_to_leave_out(frame, orders, v, days)
    if found is None:
        return None
    d, u = found
    other = frame.problem.visits[u]
    params = {
        **person(frame, d),
        "visit": other.id,
        "label": other.label or other.id,
        "priority": frame.problem.visits[v].priority,
        "other_priority": other.priority,
    }
    return Reason(
        code="capacity",
        params=params,
        remedy=Reason(code="leave-out", params={"visit": other.id, "label": other.label or other.id}),
    )


def _hours(frame: Frame, orders: Orders, v: int) -> Reason | None:
    """Windows, due dates and shifts that do not meet, or meet too late to get there."""
    days = _able(frame, v)
    visit = frame.problem.visits[v]
    if not days or ranked_insertions(frame, orders, v, count=1):
        return None
    remedy = remedies.nearest_start(frame, orders, v, days)
    code = _hours_code(frame, visit, v, days)
    if code is None or (code == "window-full" and remedy is None):
        return None
    params: dict[str, Value] = {"n": len({frame.problem.days[d].technician for d in days})}
    if code == "not-due-yet":
        params["due_from_at"] = visit.due_from
    elif code == "due-date-passed":
        params["due_to_at"] = visit.due_to
    else:
        params |= {"from_at": visit.windows[0].start, "to_at": visit.windows[-1].end}
    return Reason(code=code, params=params, remedy=remedy)


def _hours_code(frame: Frame, visit: Visit, v: int, days: Sequence[int]) -> str | None:
    spans = [(frame.shift[d][0], frame.shift[d][1] + frame.shift[d][2]) for d in days]
    due = rules.due_window(visit)
    if due is None or not any(due.start <= end and start <= due.end for start, end in spans):
        is_early = visit.due_from is not None and all(end < visit.due_from for _, end in spans)
        return "not-due-yet" if is_early else "due-date-passed"
    if visit.windows and not frame.starts[v]:
        return "outside-due-window"
    if visit.windows and not any(low <= end and start <= high for start, end in spans for low, high in frame.starts[v]):
        return "no-shift"
    if _fits_alone(frame, v, days):
        return "window-full" if visit.windows else None
    if not visit.windows:
        return None
    return "window-closed" if _fits_alone(frame, v, days, any_time=True) else None


def _relaxed(
    frame: Frame, orders: Orders, v: int, change: Callable[[int], Visit | None], days: Sequence[int]
) -> tuple[int, int] | None:
    """Cheapest (extra, day) among `days` once the visit is changed by `change(d)`."""
    slots = slots_of(frame, [(d, orders[d]) for d in days])
    extra, short = evaluate(frame, [v], slots)
    best: tuple[int, int] | None = None
    for i in np.argsort(np.where(short[0] <= 0, extra[0], FAR), kind="stable"):
        if short[0, i] > 0:
            break
        d = int(slots.day[i])
        changed = change(d)
        if changed is not None and rules.may_take(changed, frame.problem.days[d]):
            best = (int(extra[0, i]), d)
            break
    return best


def _territory(frame: Frame, orders: Orders, v: int) -> Reason | None:
    visit = frame.problem.visits[v]
    days = [d for d, day in enumerate(frame.problem.days) if rules.is_foreign(visit, day)]
    if not days or rules.is_fact(visit):
        return None
    best = _relaxed(frame, orders, v, lambda d: replace(visit, branch=frame.problem.days[d].branch), days)
    remedy = None
    if best is not None and frame.problem.days[best[1]].branch is not None:
        remedy = Reason(
            code="lend-visit", params={**person(frame, best[1]), "branch": frame.problem.days[best[1]].branch}
        )
    count = len({frame.problem.days[d].technician for d in days})
    return Reason(code="territory", params={"branch": visit.branch, "n": count}, remedy=remedy)


def _certificates(frame: Frame, orders: Orders, v: int) -> Reason | None:
    visit = frame.problem.visits[v]
    days = [d for d, day in enumerate(frame.problem.days) if rules.has_expired(visit, day)]
    if not days or rules.is_fact(visit):
        return None

    def renewed(d: int) -> Visit | None:
        expired = rules.has_expired(visit, frame.problem.days[d])
        return (
            replace(visit, skills={c: n for c, n in visit.skills.items() if c not in expired})
            if len(expired) == 1
            else None
        )

    best = _relaxed(frame, orders, v, renewed, days)
    shown = best[1] if best is not None else days[0]
    code = rules.has_expired(visit, frame.problem.days[shown])[0]
    expires = frame.problem.days[shown].skills[code].expires
    params = {
        **person(frame, shown),
        "skill": code,
        "expires": expires.isoformat() if expires else None,
        "n": len({frame.problem.days[d].technician for d in days}),
    }
    remedy = None
    if best is not None:
        remedy = Reason(
            code="renew-certificate",
            params={**person(frame, shown), "skill": code, "until": frame.problem.days[shown].date.isoformat()},
        )
    return Reason(code="certificate-expired", params=params, remedy=remedy)


def _skills(frame: Frame, orders: Orders, v: int) -> Reason | None:
    visit = frame.problem.visits[v]
    days = [d for d, day in enumerate(frame.problem.days) if rules.lacks_skill(visit, day)]
    if not days or rules.is_fact(visit):
        return None

    def trained(d: int) -> Visit | None:
        lacking = rules.lacks_skill(visit, frame.problem.days[d])
        return (
            replace(visit, skills={c: n for c, n in visit.skills.items() if c not in lacking})
            if len(lacking) == 1
            else None
        )

    best = _relaxed(frame, orders, v, trained, days)
    shown = best[1] if best is not None else days[0]
    code = rules.lacks_skill(visit, frame.problem.days[shown])[0]
    able = {frame.problem.days[d].technician for d in range(frame.n_days) if d not in set(days)}
    params: dict[str, Value] = {
        "skill": code,
        "level": visit.skills[code],
        "n": len({frame.problem.days[d].technician for d in days}),
        "holders": len(able),
    }
    remedy = None
    if best is not None:
        remedy = Reason(code="grant-skill", params={**person(frame, shown), "skill": code, "level": visit.skills[code]})
    return Reason(code="no-skill", params=params, remedy=remedy)


def why(problem: Problem, plan: Plan, frame: Frame | None = None) -> dict[str, Reason]:
    """For each stop: what it costs here, who would be next best and at what price, and what lies near it.

    Costs are marginal: the plan with the visit against the plan without it, all else unchanged.
    """
    frame = frame or build_frame(problem)
    orders = orders_of(frame, plan)
    placed = [(v, d, i) for d, order in enumerate(orders) for i, v in enumerate(order)]
    if not placed:
        return {}
    slots = slots_of(frame, list(enumerate(orders)))
    costs = masked_costs(frame, [v for v, _, _ in placed], slots)
    people: dict[str, int] = {}
    who = np.array([people.setdefault(day.technician, len(people)) for day in problem.days])
    return {
        problem.visits[v].id: _why_here(
            frame, orders, v, d, i, np.where(who[slots.day] == who[d], FAR, costs[row]), slots.day, slots.position
        )
        for row, (v, d, i) in enumerate(placed)
    }


def _why_here(
    frame: Frame,
    orders: Orders,
    v: int,
    d: int,
    i: int,
    others: np.ndarray[tuple[int], np.dtype[np.int64]],
    slot_day: np.ndarray[tuple[int], np.dtype[np.int64]],
    slot_position: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> Reason:
    order = orders[d]
    extra = price_of(frame, d, order) - price_of(frame, d, order[:i] + order[i + 1 :])
    params: dict[str, Value] = {**person(frame, d), "extra_min": max(0, round(extra / 60))}
    beside = [u for u in order if u != v]
    if beside:
        u = min(beside, key=lambda w: (frame.metres[int(frame.place[v])][int(frame.place[w])], w))
        near = frame.problem.visits[u]
        params["near"] = near.label or near.id
        params["near_km"] = round(frame.metres[int(frame.place[v])][int(frame.place[u])] / 1000, 1)
    if frame.pinned[v]:
        return Reason(code="pinned-here", params=params)
    best = int(others.argmin())
    if others[best] >= FAR:
        able = len({frame.problem.days[e].technician for e in np.flatnonzero(frame.eligible[v])})
        return Reason(code="only-one" if able == 1 else "only-one-free", params={**params, "n": able})
    e, position = int(slot_day[best]), int(slot_position[best])
    next_extra = exact_extra(frame, e, orders[e], v, position)
    other = frame.problem.days[e]
    params |= {
        "next": other.name or other.technician,
        "next_date": other.date.isoformat(),
        "next_extra_min": max(0, round(next_extra / 60)),
        "more_min": round((next_extra - extra) / 60),
    }
    if not beside:
        return Reason(code="best-here-alone", params=params)
    return Reason(code="best-here" if next_extra >= extra else "good-here", params=params)
