"""Cheapest feasible insertion of visits into routes, exact in time and vectorised over all positions.

Forward labels (earliest ready, break ahead or behind) and backward labels (latest arrival that keeps the rest of the
route legal) make each position a matter of a few additions. Kindervater and Savelsbergh, "Vehicle routing: handling
edge exchanges" (1997), section 2, extended by a second label for the break and by several windows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from routing.frame import FAR, Frame, build_frame
from routing.plan import Plan
from routing.problem import IntArray, Problem
from routing.timing import after_pause, earliest_start, route_price, schedule

Orders = list[list[int]]
"""For each day of the problem the visits (indices) in order."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Insertion:
    """One visit into one day at one position; `extra_s` is what the objective grows by (its own worth aside)."""

    visit_id: str
    technician: str
    date: str
    position: int
    start: int
    extra_s: int
    extra_travel_s: int


@dataclass(frozen=True, eq=False, slots=True)
class Slots:
    """All insertion positions of some days as arrays of equal length."""

    day: IntArray
    position: IntArray
    before: IntArray
    after: IntArray
    ahead: IntArray
    behind: IntArray
    late_ahead: IntArray
    late_behind: IntArray
    earliest: IntArray
    latest: IntArray
    length: IntArray
    replaced: IntArray


def slots_of(
    frame: Frame, routes: Iterable[tuple[int, Sequence[int]]], *, limits: Sequence[int] | None = None
) -> Slots:
    """Positions in `routes` (day, legal order), one after another. `limits` (one for each) replace latest returns."""
    rows: list[tuple[int, ...]] = []
    for i, (d, order) in enumerate(routes):
        rows.extend(day_slots(frame, d, order, None if limits is None else limits[i]))
    table = np.array(rows, dtype=np.int64).reshape(len(rows), 12).T
    return Slots(*table)


def day_slots(frame: Frame, d: int, order: Sequence[int], limit: int | None = None) -> list[tuple[int, ...]]:
    """One row for each position of one day, in the order of the fields of `Slots`."""
    shift_start, shift_end, overtime = frame.shift[d]
    last_return = shift_end + overtime if limit is None else limit
    pause = frame.pause[d]
    places = [frame.day_start[d], *(int(frame.place[v]) for v in order), frame.day_end[d]]
    ahead, behind = [shift_start if pause else FAR], [FAR if pause else shift_start]
    for i, v in enumerate(order):
        way = frame.seconds[places[i]][places[i + 1]]
        service = int(frame.service[v])
        ahead.append(earliest_start(frame.starts[v], ahead[i] + way) + service)
        behind.append(
            earliest_start(frame.starts[v], min(behind[i] + way, after_pause(ahead[i], way, pause))) + service
        )
    late_ahead, late_behind = [min(last_return, pause[1]) if pause else -FAR], [last_return]
    for i in range(len(order) - 1, -1, -1):
        v, way = order[i], frame.seconds[places[i + 1]][places[i + 2]]
        service = int(frame.service[v])
        end_ahead = max(late_ahead[0] - way, _latest_before_pause(late_behind[0], way, pause))
        end_behind = late_behind[0] - way
        late_ahead.insert(0, _latest_start(frame.starts[v], end_ahead - service))
        late_behind.insert(0, _latest_start(frame.starts[v], end_behind - service))
    earliest, latest, length = pause or (0, -FAR, 0)
    return [
        (
            d,
            i,
            places[i],
            places[i + 1],
            min(ahead[i], FAR),
            min(behind[i], FAR),
            late_ahead[i],
            late_behind[i],
            earliest,
            latest,
            length,
            frame.seconds[places[i]][places[i + 1]] if order else 0,
        )
        for i in range(len(order) + 1)
    ]


def _latest_before_pause(late: int, way: int, pause: tuple[int, int, int] | None) -> int:
    """Latest end of work such that driving and the break together still arrive by `late`."""
    if pause is None or pause[0] + pause[2] > late:
        return -FAR
    return min(pause[1], late - way - pause[2])


def _latest_start(spans: Sequence[tuple[int, int]], until: int) -> int:
    """Last allowed second up to `until`; -FAR if there is none."""
    for low, high in reversed(spans):
        if low <= until:
            return min(high, until)
    return -FAR


def evaluate(
    frame: Frame, visits: Sequence[int] | IntArray, slots: Slots, *, any_time: bool = False
) -> tuple[IntArray, IntArray]:
    """For each visit (row) and slot (column): growth of travel and prices, and seconds by which time falls short.

    Shortfall ≤ 0 means that it fits; FAR or more means that no lateness would help (no window is left). Pairs that
    are not eligible are evaluated all the same: the caller masks them. `any_time` ignores the windows of the visits.
    """
    v = np.asarray(visits, dtype=np.int64)
    matrix = frame.problem.seconds
    place = frame.place[v]
    to = matrix[slots.before[None, :], place[:, None]]
    onward = matrix[place[:, None], slots.after[None, :]]
    service = frame.service[v][:, None]
    extra = to + onward - slots.replaced[None, :] + frame.price[np.ix_(v, slots.day)]

    begin = np.maximum(slots.ahead, slots.earliest)
    may_pause = (begin <= slots.latest) & (slots.ahead < FAR)
    via_pause = np.where(may_pause, np.maximum(slots.ahead + to, begin) + slots.length, FAR)
    start_ahead = _starts(frame, v, slots.ahead + to, any_time)
    start_behind = _starts(frame, v, np.minimum(slots.behind + to, via_pause), any_time)
    end_ahead, end_behind = start_ahead + service, start_behind + service
    # The break between this visit and the next: too late by the road, or because it may no longer begin.
    begin = np.maximum(end_ahead, slots.earliest)
    by_road = np.maximum(end_ahead + onward, begin) + slots.length - slots.late_behind
    late_pause = np.where((end_ahead < FAR) & (slots.latest >= 0), np.maximum(by_road, begin - slots.latest), FAR)
    short = np.minimum(end_behind + onward - slots.late_behind, end_ahead + onward - slots.late_ahead)
    short = np.minimum(short, late_pause)
    return extra, np.minimum(short, FAR)


def _starts(frame: Frame, v: IntArray, ready: IntArray, any_time: bool) -> IntArray:
    if any_time:
        return np.minimum(ready, FAR)
    best = np.full(ready.shape, FAR, dtype=np.int64)
    for w in range(max((len(frame.starts[i]) for i in v), default=0)):
        opens, closes = frame.opens[v, w][:, None], frame.closes[v, w][:, None]
        best = np.minimum(best, np.where(ready <= closes, np.maximum(ready, opens), FAR))
    return best


def masked_costs(frame: Frame, visits: Sequence[int] | IntArray, slots: Slots) -> IntArray:
    """Growth of travel and prices where the insertion is legal, FAR elsewhere; shape (visits, slots)."""
    extra, short = evaluate(frame, visits, slots)
    legal = (short <= 0) & frame.eligible[np.ix_(np.asarray(visits, dtype=np.int64), slots.day)]
    return np.where(legal, extra, FAR)


def exact_extra(frame: Frame, d: int, order: Sequence[int], v: int, position: int, base: int | None = None) -> int:
    """Growth of the whole route price, overtime and moved starts included; FAR when it is not legal."""
    grown = [*order[:position], v, *order[position:]]
    timed = schedule(frame, d, grown)
    if timed is None:
        return FAR
    if base is None:
        base = price_of(frame, d, order)
    return route_price(frame, d, grown, timed) - base


def price_of(frame: Frame, d: int, order: Sequence[int]) -> int:
    """Price of a legal route; an unused day costs nothing. FAR when it is not legal."""
    if not order:
        return 0
    timed = schedule(frame, d, order)
    return FAR if timed is None else route_price(frame, d, order, timed)


def needs_exact(frame: Frame) -> bool:
    """Whether overtime or published starts make a route cost more than travel and pair prices."""
    return any(overtime for _, _, overtime in frame.shift) or any(s is not None for s in frame.current_start)


def ranked_insertions(
    frame: Frame, orders: Sequence[Sequence[int]], v: int, *, per_day: bool = True, count: int = 3
) -> list[tuple[int, int, int]]:
    """The `count` cheapest legal (extra_s, day, position) of visit `v`; with `per_day` at most one for each day.

    Optimistic costs come vectorised; the exact price is asked only as long as it could still change the ranking
    (the optimistic cost never exceeds the exact one where the triangle inequality holds).
    """
    days = [d for d in range(frame.n_days) if frame.eligible[v, d]]
    if not days:
        return []
    slots = slots_of(frame, [(d, orders[d]) for d in days])
    costs = masked_costs(frame, [v], slots)[0]
    order = np.argsort(costs, kind="stable")
    exact = needs_exact(frame)
    found: list[tuple[int, int, int]] = []
    for i in order:
        optimistic = int(costs[i])
        if optimistic >= FAR:
            break
        d, position = int(slots.day[i]), int(slots.position[i])
        best = _ranked(found, per_day)
        if len(best) >= count and optimistic > best[count - 1][0]:
            break
        extra = exact_extra(frame, d, orders[d], v, position) if exact else optimistic
        if extra < FAR:
            found.append((extra, d, position))
    return _ranked(found, per_day)[:count]


def _ranked(found: list[tuple[int, int, int]], per_day: bool) -> list[tuple[int, int, int]]:
    ranked = sorted(found)
    if not per_day:
        return ranked
    seen: set[int] = set()
    return [row for row in ranked if not (row[1] in seen or seen.add(row[1]))]  # type: ignore[func-returns-value]


def orders_of(frame: Frame, plan: Plan) -> Orders:
    """The plan's routes as visit indices for each day of the problem."""
    day_number = {day.key: d for d, day in enumerate(frame.problem.days)}
    orders: Orders = [[] for _ in frame.problem.days]
    for route in plan.routes:
        orders[day_number[route.key]] = frame.visit_numbers(route.visit_ids)
    return orders


def best_insertions(problem: Problem, plan: Plan, visit_id: str, count: int = 3) -> list[Insertion]:
    """The `count` cheapest ways, one for each technician-day, to take `visit_id` into `plan` without other changes.

    The visit is in `problem` and not in the plan's routes (if it is, it is taken out first). Answers in milliseconds:
    meant for the urgent call, before any solver runs. An empty list: it fits nowhere; ask `explain` why.
    """
    frame = build_frame(problem)
    v = frame.visit_numbers([visit_id])[0]
    orders = [[u for u in order if u != v] for order in orders_of(frame, plan)]
    answers = []
    for extra, d, position in ranked_insertions(frame, orders, v, count=count):
        grown = [*orders[d][:position], v, *orders[d][position:]]
        timed = schedule(frame, d, grown)
        bare = schedule(frame, d, orders[d]) if orders[d] else None
        if timed is None:
            raise AssertionError("A legal insertion must have a schedule.")
        day = problem.days[d]
        answers.append(
            Insertion(
                visit_id=visit_id,
                technician=day.technician,
                date=day.date.isoformat(),
                position=position,
                start=timed.start[position],
                extra_s=extra,
                extra_travel_s=timed.travel_s - (bare.travel_s if bare else 0),
            )
        )
    return answers
