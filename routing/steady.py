"""Least disturbance: what is published keeps its time where it can, and a change must earn its price.

`hold` times a route so that published visits begin when they were said to, as far as that costs nothing. `calm` takes
a new plan apart into changes that have nothing to do with each other, and keeps those that gain enough for the people
and times they disturb.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from routing.frame import Frame
from routing.insert import Orders
from routing.plan import Plan, Reason, Route, Stop
from routing.timing import Timed, route_price, schedule

LEAST_GAIN_S = 300
"""What each change of hands and each change of time must gain, in seconds of travel."""

SAME_S = 60
"""Less than this is not another time."""


def hold(frame: Frame, d: int, order: Sequence[int]) -> Timed | None:
    """The schedule of visits `order` on day `d`, None when there is none; published visits begin no earlier than they
    were said to, each as far as the route stays legal and costs no more for it."""
    free = schedule(frame, d, order)
    if free is None or all(_is_held(frame, v, free.start[i]) for i, v in enumerate(order)):
        return free
    best, price = free, route_price(frame, d, order, free)
    starts = list(frame.starts)
    for v in order:
        said = frame.current_start[v]
        if said is None:
            continue
        kept = starts[v]
        starts[v] = tuple((max(low, said), high) for low, high in kept if high >= said)
        held = schedule(replace(frame, starts=tuple(starts)), d, order) if starts[v] else None
        cost = route_price(frame, d, order, held) if held is not None else price + 1
        if held is None or cost > price:
            starts[v] = kept
            continue
        best, price = held, cost
    return best


def _is_held(frame: Frame, v: int, start: int) -> bool:
    said = frame.current_start[v]
    return said is None or abs(start - said) < SAME_S


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """Days of a plan that changed together: what the change gains, and how many published visits it disturbs."""

    days: frozenset[int]
    gain_s: int
    disturbed: int


def calm(frame: Frame, base: Orders, found: Orders) -> tuple[Orders, tuple[Change, ...]]:
    """`base`, which is legal, with the changes of `found` that gain `LEAST_GAIN_S` for each change of hands or time."""
    kept = [list(order) for order in base]
    accepted = []
    for days in _groups(base, found):
        before, after = _Cost.of(frame, base, days), _Cost.of(frame, found, days)
        if before is None or after is None:
            continue
        lost = sum(int(frame.unserved[v]) for v in before.served - after.served)
        won = sum(int(frame.unserved[v]) for v in after.served - before.served)
        gain = before.price - after.price + won - lost
        more = max(0, len(after.disturbed - before.disturbed))
        if gain > 0 and gain >= LEAST_GAIN_S * more:
            accepted.append(Change(days=frozenset(days), gain_s=gain, disturbed=len({v for _, v in after.disturbed})))
            for d in days:
                kept[d] = list(found[d])
    return kept, tuple(accepted)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Cost:
    """What some days cost, which published visits they disturb, and whom they serve."""

    price: int
    disturbed: frozenset[tuple[str, int]]
    served: frozenset[int]

    @classmethod
    def of(cls, frame: Frame, orders: Orders, days: Sequence[int]) -> _Cost | None:
        price = 0
        disturbed: set[tuple[str, int]] = set()
        served: set[int] = set()
        for d in days:
            order = orders[d]
            if not order:
                continue
            timed = hold(frame, d, order)
            if timed is None:
                return None
            price += route_price(frame, d, order, timed)
            served |= set(order)
            for v, start in zip(order, timed.start, strict=True):
                current = frame.problem.visits[v].current
                if current is not None and current.technician != frame.problem.days[d].technician:
                    disturbed.add(("hands", v))
                if not _is_held(frame, v, start):
                    disturbed.add(("time", v))
        return cls(price=price, disturbed=frozenset(disturbed), served=frozenset(served))


def _groups(base: Orders, found: Orders) -> list[list[int]]:
    """Days that differ, those between which visits move together."""
    parent = list(range(len(base)))

    def root(d: int) -> int:
        while parent[d] != d:
            parent[d] = parent[parent[d]]
            d = parent[d]
        return d

    where = {v: d for d, order in enumerate(base) for v in order}
    for d, order in enumerate(found):
        for v in order:
            if v in where and where[v] != d:
                parent[root(where[v])] = root(d)
    changed = {root(d) for d in range(len(base)) if base[d] != found[d]}
    groups: dict[int, list[int]] = {}
    for d in range(len(base)):
        if root(d) in changed:
            groups.setdefault(root(d), []).append(d)
    return [groups[key] for key in sorted(groups)]


def with_disturbance(frame: Frame, plan: Plan, changes: Sequence[Change]) -> Plan:
    """The plan with a word for each published visit that does not stay: who had it or when, and what that gains."""
    number = {day.key: d for d, day in enumerate(frame.problem.days)}
    names = {day.technician: day.name or day.technician for day in frame.problem.days}
    routes = []
    for route in plan.routes:
        change = next((one for one in changes if number[route.key] in one.days), None)
        routes.append(replace(route, stops=tuple(_told(frame, route, stop, change, names) for stop in route.stops)))
    return replace(plan, routes=tuple(routes))


def _told(frame: Frame, route: Route, stop: Stop, change: Change | None, names: dict[str, str]) -> Stop:
    current = frame.problem.visit_by_id[stop.visit_id].current
    if current is None:
        return stop
    by_s = stop.start - current.start
    gain = {"n": change.disturbed, "gain_min": change.gain_s // 60} if change is not None else {}
    if current.technician != route.technician:
        code = "taken-over-gain" if gain else "taken-over"
        return replace(stop, why=Reason(code=code, params={"from": names.get(current.technician, "…"), **gain}))
    if abs(by_s) < SAME_S:
        return stop
    code = "shifted-gain" if gain else "shifted"
    return replace(stop, why=Reason(code=code, params={"by_min": abs(by_s) // 60, "was_at": current.start, **gain}))
