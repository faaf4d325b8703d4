"""The conductor: build (regret, VROOM), deepen (ruin and recreate, PyVRP), finish; the best that passed the judge wins.

Laws kept here: the plan is never worse than a legal `start` (7), there is always an answer (8), and the same problem,
seed and number of iterations give the same plan (6).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from routing import engines, explain
from routing.check import check, measure
from routing.frame import Frame, build_frame
from routing.insert import Orders, orders_of
from routing.plan import Plan, Reason, Route, Stop, StopAfter, Unassigned
from routing.problem import Problem
from routing.repair import legalise, place_pinned, reinsert, relocate, repair
from routing.ruin import ruin_and_recreate
from routing.steady import calm, hold, with_disturbance

BUILD_SHARE, TRIAL_SHARE, DEEPEN_SHARE = 0.15, 0.10, 0.90
"""Of the given seconds: when building is to be over, how long the trial of each deepener is, when all search is over.
The rest is for the judge and the explanations. Measured with bench/plan.py; docs/routing-model.md."""

LEAST_TURN_S = 0.05
"""A shorter turn than this is not worth building an engine's model for."""

VROOM_START_S, VROOM_PAIR_S = 0.3, 3e-5
"""VROOM's measured time to its first solutions: so much, and so much for each pair of visit and technician-day."""

UNKNOWN = 1 << 60

Progress = Callable[[Plan], None]


def solve(
    problem: Problem, stop: StopAfter, seed: int = 0, start: Plan | None = None, progress: Progress | None = None
) -> Plan:
    """The best plan found that passes `check`, with reasons for the unassigned and for each stop.

    `start` is what is published or was found before; visits and days it names that are no longer in the problem are
    left out of it. `progress` hears of each better legal plan (without explanations) the moment it is found, so that
    whoever kills the search still has the best so far. Raises nothing for an unsolvable problem: then all is
    unassigned, with reasons.
    """
    clock = _Clock(stop)
    frame = build_frame(problem)
    best = _Best(frame, seed, progress)

    # 1. What is known without a search: nothing at all, the start, and the start (or nothing) completed by regret.
    best.offer([[] for _ in problem.days], "empty")
    given = None if start is None else _orders_still_known(frame, start)
    if given is not None:
        best.offer(given, "start")
    best.offer(repair(frame, given if given is not None else best.orders, rounds=0), "regret")
    # 2. Build from nothing, where VROOM can be done in its share of the time.
    if given is None and clock.allows_vroom(frame):
        built = engines.vroom_orders(frame, seconds=clock.until(BUILD_SHARE), exploration=0)
        if built is not None:
            best.offer(repair(frame, built, rounds=0), "vroom")
    # 3. Deepen: a trial of both from the same orders, the rest of the time for the one that came farther. Neither
    #    is better everywhere: PyVRP where all is mandatory and plain, ruin and recreate where breaks, skills,
    #    several windows and more work than time meet.
    built_orders = best.orders
    by_ruin = _deepen(frame, best, built_orders, clock.turn(TRIAL_SHARE), stop.iterations, seed, _ruin)
    by_pyvrp = _deepen(frame, best, built_orders, clock.turn(TRIAL_SHARE), stop.iterations, seed, _pyvrp)
    farther = _pyvrp if by_pyvrp < by_ruin else _ruin
    _deepen(frame, best, best.orders, clock.until(DEEPEN_SHARE), stop.iterations, seed + 1, farther)
    # 4. Finish: exact steps until nothing gains.
    best.offer(relocate(frame, repair(frame, best.orders)), "finish")

    # 5. What is published stays, but for changes that earn what they disturb.
    if given is None or all(visit.current is None for visit in problem.visits):
        return explain.explained(problem, best.plan, frame)
    standing = reinsert(frame, place_pinned(frame, legalise(frame, given)))
    orders, changes = calm(frame, standing, best.orders)
    steady = plan_of(frame, orders, seed)
    if steady is None or check(problem, steady):
        steady, changes = best.plan, ()
    steady = replace(steady, engines=(*best.plan.engines, "steady"))
    return with_disturbance(frame, explain.explained(problem, steady, frame), changes)


Deepener = Callable[[Frame, Orders, float | None, int | None, int], Orders | None]


def _deepen(
    frame: Frame,
    best: _Best,
    orders: Orders,
    seconds: float | None,
    iterations: int | None,
    seed: int,
    engine: Deepener,
) -> int:
    """Let `engine` work from `orders` and offer what it finds; returns the total it came to (UNKNOWN if to none)."""
    if seconds is not None and seconds < LEAST_TURN_S:
        return UNKNOWN
    found = engine(frame, orders, seconds, iterations, seed)
    return UNKNOWN if found is None else best.offer(found, engine.__name__.strip("_"))


def _ruin(frame: Frame, orders: Orders, seconds: float | None, iterations: int | None, seed: int) -> Orders:
    return ruin_and_recreate(frame, orders, seed=seed, seconds=seconds, iterations=iterations)


def _pyvrp(frame: Frame, orders: Orders, seconds: float | None, iterations: int | None, seed: int) -> Orders | None:
    deepened = engines.pyvrp_orders(frame, seconds=seconds, iterations=iterations, seed=seed, start=orders)
    return None if deepened is None else repair(frame, deepened)


class _Clock:
    """How much of the stop is left; without seconds each step runs to its own, repeatable end."""

    def __init__(self, stop: StopAfter) -> None:
        self._seconds = stop.seconds
        self._began = time.monotonic()

    def until(self, share: float) -> float | None:
        """Seconds until `share` of the whole is used up; None without a limit."""
        if self._seconds is None:
            return None
        return self._began + self._seconds * share - time.monotonic()

    def turn(self, share: float) -> float | None:
        """Seconds of a turn that is `share` of the whole, wherever it begins; None without a limit."""
        left = self.until(DEEPEN_SHARE)
        return None if self._seconds is None or left is None else min(share * self._seconds, left)

    def allows_vroom(self, frame: Frame) -> bool:
        """VROOM does not look at its timeout before its first solutions stand: ask only if they can be ready."""
        return (
            self._seconds is None or VROOM_START_S + VROOM_PAIR_S * frame.n_visits * frame.n_days < 0.3 * self._seconds
        )


class _Best:
    """The cheapest orders so far whose plan passed the judge."""

    def __init__(self, frame: Frame, seed: int, progress: Progress | None) -> None:
        self._frame, self._seed, self._progress = frame, seed, progress
        self.orders: Orders = []
        self.plan: Plan = Plan(routes=(), unassigned=())
        self.total = UNKNOWN

    def offer(self, orders: Sequence[Sequence[int]], engine: str) -> int:
        """Keep `orders` if they are legal and better; returns their total, UNKNOWN if they are not legal."""
        plan = plan_of(self._frame, orders, self._seed)
        if plan is None:
            return UNKNOWN
        total = plan.objective.total
        if total < self.total:
            plan = replace(plan, engines=(*self.plan.engines, engine))
            if check(self._frame.problem, plan):
                return UNKNOWN
            self.orders, self.plan, self.total = [list(order) for order in orders], plan, total
            if self._progress is not None:
                self._progress(plan)
        return total


def plan_of(frame: Frame, orders: Sequence[Sequence[int]], seed: int = 0) -> Plan | None:
    """The plan with times and figures for `orders`; None when some order is not legal.

    Left-out visits carry the provisional reason `not-planned` (pinned ones `pin-impossible`) until `explain` has
    found the true ones.
    """
    problem = frame.problem
    routes: list[Route] = []
    inside: set[int] = set()
    for d, order in enumerate(orders):
        if not order:
            continue
        route = route_of(frame, d, order)
        if route is None:
            return None
        inside.update(order)
        routes.append(route)
    unassigned = tuple(
        Unassigned(
            visit_id=visit.id,
            reasons=(Reason(code="pin-impossible" if visit.pinned is not None else "not-planned"),),
        )
        for v, visit in enumerate(problem.visits)
        if v not in inside
    )
    plan = Plan(routes=tuple(routes), unassigned=unassigned, seed=seed)
    return replace(plan, objective=measure(problem, plan))


def route_of(frame: Frame, d: int, order: Sequence[int]) -> Route | None:
    """One day's route with all its times; None when the order is not legal."""
    timed = hold(frame, d, order)
    if timed is None:
        return None
    day = frame.problem.days[d]
    here, stops, metres = frame.day_start[d], [], 0
    for i, v in enumerate(order):
        place = int(frame.place[v])
        stops.append(
            Stop(
                visit_id=frame.problem.visits[v].id,
                arrive=timed.arrive[i],
                start=timed.start[i],
                end=timed.start[i] + int(frame.service[v]),
                travel_s=frame.seconds[here][place],
                travel_m=frame.metres[here][place],
            )
        )
        metres += frame.metres[here][place]
        here = place
    return Route(
        technician=day.technician,
        date=day.date,
        depart=timed.depart,
        stops=tuple(stops),
        finish=timed.finish,
        pause_start=timed.pause_start,
        travel_s=timed.travel_s,
        travel_m=metres + frame.metres[here][frame.day_end[d]],
        overtime_s=timed.overtime_s,
    )


def _orders_still_known(frame: Frame, start: Plan) -> Orders:
    days = {day.key for day in frame.problem.days}
    ids = frame.problem.visit_by_id
    routes = tuple(
        replace(route, stops=tuple(stop for stop in route.stops if stop.visit_id in ids))
        for route in start.routes
        if route.key in days
    )
    return orders_of(frame, replace(start, routes=routes))
