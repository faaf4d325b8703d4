"""Ruin and recreate: take strings of neighbouring visits out of a few routes and put them back better.

After Christiaens and Vanden Berghe, "Slack induction by string removals for vehicle routing problems",
Transportation Science 54 (2020), with regret insertion over exact schedules: unlike the engines it knows breaks,
wishes, overtime and moved starts as they are. It needs no engine at all.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from routing.frame import FAR, Frame
from routing.insert import Orders, Slots, day_slots, exact_extra, masked_costs, price_of
from routing.problem import IntArray

NEIGHBOURS = 40
LONGEST_STRING = 8
MEAN_REMOVED = 8
MOST_LEFT_OUT = 30
BLINK = 0.04
"""Share of pairs (visit, day) that an insertion overlooks: small errors keep the search from repeating itself."""

TOGETHER = 8
"""One more visit is inserted at once for each so many that wait: the last ones are chosen with more care."""

IDLE_SEEDS = 0.25

HOTTEST_S, COLDEST_S = 300.0, 5.0


def ruin_and_recreate(
    frame: Frame, orders: Sequence[Sequence[int]], *, seed: int, seconds: float | None, iterations: int | None
) -> Orders:
    """The best orders found from legal `orders`, never worse. Stops at the first of `seconds` and `iterations`.

    Simulated annealing on the whole objective; the temperature falls with the share of the stop that is used up.
    """
    rng = random.Random(seed)
    state = _State(frame, orders)
    best, best_total, began, count = [list(o) for o in state.orders], state.total, time.monotonic(), 0
    while True:
        used = 0.0 if iterations is None else count / max(1, iterations)
        if seconds is not None:
            used = max(used, (time.monotonic() - began) / max(seconds, 1e-9))
        if used >= 1.0:
            return best
        count += 1
        temperature = HOTTEST_S * (COLDEST_S / HOTTEST_S) ** used
        changed, total = _step(state, rng)
        if total < state.total - temperature * math.log(max(rng.random(), 1e-12)):
            state.accept(changed, total)
            if total < best_total:
                best, best_total = [list(o) for o in state.orders], total


class _State:
    """Current orders with everything about a day that is costly to compute and rarely changes."""

    def __init__(self, frame: Frame, orders: Sequence[Sequence[int]]) -> None:
        self.frame = frame
        self.orders: Orders = [list(order) for order in orders]
        self.price = [price_of(frame, d, order) for d, order in enumerate(self.orders)]
        self.slots = [day_table(frame, d, order) for d, order in enumerate(self.orders)]
        self.day_of = {v: d for d, order in enumerate(self.orders) for v in order}
        self.asked = [v for v in range(frame.n_visits) if frame.plannable[v] and frame.eligible[v].any()]
        self.total = sum(self.price) + sum(int(frame.unserved[v]) for v in self.asked if v not in self.day_of)
        matrix = frame.problem.seconds[np.ix_(frame.place, frame.place)]
        self.near = np.argsort(matrix, axis=1, kind="stable")[:, :NEIGHBOURS].tolist() if frame.n_visits else []

    def accept(self, changed: dict[int, list[int]], total: int) -> None:
        for d in changed:
            for v in self.orders[d]:
                self.day_of.pop(v, None)
        for d, order in changed.items():
            self.orders[d] = order
            self.price[d] = price_of(self.frame, d, order)
            self.slots[d] = day_table(self.frame, d, order)
            for v in order:
                self.day_of[v] = d
        self.total = total


def day_table(frame: Frame, d: int, order: Sequence[int]) -> IntArray:
    """The slots of one day as a table of 12 rows."""
    return np.array(day_slots(frame, d, order), dtype=np.int64).T


def _step(state: _State, rng: random.Random) -> tuple[dict[int, list[int]], int]:
    """Orders of the days that a ruin and a recreate change, and the new total."""
    if not state.asked:
        return {}, state.total
    frame = state.frame
    idle = [v for v in state.asked if v not in state.day_of]
    # Some of the ruins make room where somebody is waiting for it.
    seed = rng.choice(idle) if idle and rng.random() < IDLE_SEEDS else rng.choice(state.asked)
    changed = _ruin(state, seed, rng)
    removed = [v for d, order in changed.items() for v in state.orders[d] if v not in set(order)]
    if len(idle) > MOST_LEFT_OUT:
        idle = rng.sample(idle, MOST_LEFT_OUT)
    pool = removed + idle
    if not pool:
        return {}, state.total
    before = sum(state.price[d] for d in changed) + sum(int(frame.unserved[v]) for v in idle)
    inserted = _recreate(state, changed, pool, rng)
    before += sum(state.price[d] for d in inserted)
    changed.update(inserted)
    kept = {v for order in changed.values() for v in order}
    after = sum(price_of(frame, d, order) for d, order in changed.items())
    after += sum(int(frame.unserved[v]) for v in pool if v not in kept)
    return changed, state.total - before + after


def _ruin(state: _State, seed: int, rng: random.Random) -> dict[int, list[int]]:
    """Shorter orders of a few days around the visit `seed`."""
    changed: dict[int, list[int]] = {}
    wanted = rng.randint(1, 2 * MEAN_REMOVED - 1)
    for v in state.near[seed]:
        d = state.day_of.get(v)
        if d is None or d in changed:
            continue
        order = state.orders[d]
        length = min(len(order), rng.randint(1, LONGEST_STRING), wanted)
        first = order.index(v) - rng.randrange(length)
        first = min(max(first, 0), len(order) - length)
        string = {u for u in order[first : first + length] if not state.frame.pinned[u]}
        changed[d] = [u for u in order if u not in string]
        wanted -= length
        if wanted <= 0:
            break
    return changed


def _recreate(
    state: _State, changed: dict[int, list[int]], pool: list[int], rng: random.Random
) -> dict[int, list[int]]:
    """Insert `pool` by regret; fills `changed` in place and returns the further days that it grew (not priced yet)."""
    frame = state.frame
    days = np.flatnonzero(frame.eligible[pool].any(axis=0)).tolist()
    if not days:
        return {}
    rows_of = np.asarray(pool, dtype=np.int64)
    tables = [day_table(frame, d, changed[d]) if d in changed else state.slots[d] for d in days]
    sizes = [table.shape[1] for table in tables]
    bounds = np.concatenate([[0], np.cumsum(sizes)])
    costs = masked_costs(frame, pool, Slots(*np.concatenate(tables, axis=1)))
    cost, position = _best_of_each(costs, bounds)
    blinks = np.random.default_rng(rng.getrandbits(32)).random(cost.shape) < BLINK
    cost[blinks] = FAR
    unserved = frame.unserved[rows_of]
    rows = np.arange(len(pool))
    grown: dict[int, list[int]] = {}
    exact: set[tuple[int, int]] = set()
    while True:
        best_column = cost.argmin(axis=1)
        best = cost[rows, best_column]
        second = np.partition(cost, 1, axis=1)[:, 1] if len(days) > 1 else unserved
        regret = np.where(best < unserved, np.minimum(second, unserved) - best, -FAR)
        # One visit into each of several days at once: they do not touch each other, and the arrays pay only once.
        touched: dict[int, list[int]] = {}
        most = 1 + int((unserved > -FAR).sum()) // TOGETHER
        for row in np.argsort(-regret, kind="stable"):
            if regret[row] <= -FAR or len(touched) == most:
                break
            column = int(best_column[row])
            if column in touched:
                continue
            d, v = days[column], pool[row]
            order = changed[d] if d in changed else grown.get(d, state.orders[d])
            where = int(position[row, column])
            if frame.shift[d][2] and (int(row), column) not in exact:
                exact.add((int(row), column))
                true = exact_extra(frame, d, order, v, where)
                if true != cost[row, column]:
                    cost[row, column] = true
                    continue
            order = [*order[:where], v, *order[where:]]
            (changed if d in changed else grown)[d] = order
            touched[column] = order
            unserved[row] = -FAR
            cost[row, :] = FAR
        alive = np.flatnonzero(unserved > -FAR)
        if not alive.size or (not touched and not (cost[rows, cost.argmin(axis=1)] < unserved).any()):
            return grown
        if touched:
            exact = {pair for pair in exact if pair[1] not in touched}
            tables = [day_table(frame, days[column], order) for column, order in touched.items()]
            bounds = np.concatenate([[0], np.cumsum([table.shape[1] for table in tables])])
            costs = masked_costs(frame, rows_of[alive], Slots(*np.concatenate(tables, axis=1)))
            block = np.ix_(alive, np.fromiter(touched, dtype=np.int64))
            cost[block], position[block] = _best_of_each(costs, bounds)


def _best_of_each(costs: IntArray, bounds: IntArray) -> tuple[IntArray, IntArray]:
    """Least cost in each run of columns between `bounds`, and its place in the run."""
    runs = [costs[:, a:b] for a, b in pairwise(bounds)]
    position = np.stack([run.argmin(axis=1) for run in runs], axis=1)
    return np.minimum.reduceat(costs, bounds[:-1], axis=1), position
