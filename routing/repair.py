"""Exact steps around the engines: make orders legal, take out what is not worth its way, insert what is.

Every function takes and returns orders (visit indices for each day) and leaves its argument untouched. Deterministic.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from routing.frame import FAR, Frame
from routing.insert import Orders, evaluate, exact_extra, masked_costs, price_of, ranked_insertions, slots_of
from routing.timing import schedule


def repair(frame: Frame, orders: Sequence[Sequence[int]], rounds: int = 3) -> Orders:
    """Legal orders, at most as expensive as what `legalise` leaves of `orders`. The order of work:

    1. drop what is not legal; 2. set the pinned first; 3. take out what costs more than it is worth;
    4. insert what is worth it, the most regretted first; 5. exchange a planned visit for a left-out one that gains.

    Step 5 is slow where much is left out; with `rounds` 0 it is left to whoever deepens.
    """
    mended = reinsert(frame, prune(frame, place_pinned(frame, legalise(frame, orders))))
    for _ in range(rounds):
        exchanged = exchange(frame, mended)
        if exchanged == mended:
            break
        mended = reinsert(frame, prune(frame, exchanged))
    return mended


def legalise(frame: Frame, orders: Sequence[Sequence[int]]) -> Orders:
    """Keep of each day the most valuable visits that can be served in the given order; each visit once."""
    seen: set[int] = set()
    legal: Orders = []
    for d, order in enumerate(orders):
        own = [v for v in order if frame.eligible[v, d]]
        own = [v for v in dict.fromkeys(own) if v not in seen]
        kept = own if schedule(frame, d, own) is not None else _most_valuable(frame, d, own)
        seen.update(kept)
        legal.append(kept)
    return legal


def _most_valuable(frame: Frame, d: int, order: list[int]) -> list[int]:
    """Greedy by worth: a visit stays if the order with it is still legal. An empty day is always legal."""
    kept: set[int] = set()
    for v in sorted(order, key=lambda u: (-int(frame.unserved[u]), order.index(u))):
        trial = [u for u in order if u in kept or u == v]
        if schedule(frame, d, trial) is not None:
            kept.add(v)
    return [u for u in order if u in kept]


def place_pinned(frame: Frame, orders: Sequence[Sequence[int]]) -> Orders:
    """Insert the pinned visits that are missing; others give way to them. An impossible pin stays out."""
    placed = [list(order) for order in orders]
    inside = {v for order in placed for v in order}
    missing = [v for v in range(frame.n_visits) if frame.pinned[v] and v not in inside]
    for v in sorted(missing, key=lambda u: (frame.starts[u][:1], u)):
        ranked = ranked_insertions(frame, placed, v, count=1)
        if ranked:
            _, d, position = ranked[0]
            placed[d].insert(position, v)
            continue
        only_pinned = [[u for u in order if frame.pinned[u]] for order in placed]
        for _, d, position in ranked_insertions(frame, only_pinned, v, count=1):
            with_pin = [*only_pinned[d][:position], v, *only_pinned[d][position:]]
            placed[d] = _thread(frame, d, with_pin, [u for u in placed[d] if not frame.pinned[u]])
    return placed


def _thread(frame: Frame, d: int, order: list[int], others: Iterable[int]) -> list[int]:
    """Insert `others` into `order` where each is cheapest, as far as they fit."""
    for v in sorted(others, key=lambda u: -int(frame.unserved[u])):
        options = [(exact_extra(frame, d, order, v, i), i) for i in range(len(order) + 1)]
        extra, position = min(options)
        if extra < FAR:
            order = [*order[:position], v, *order[position:]]
    return order


def prune(frame: Frame, orders: Sequence[Sequence[int]]) -> Orders:
    """Take out, worst first, each visit whose way costs more than it is worth."""
    pruned = []
    for d, given in enumerate(orders):
        order = list(given)
        while order:
            base = price_of(frame, d, order)
            gains = [
                (base - price_of(frame, d, order[:i] + order[i + 1 :]) - int(frame.unserved[v]), i)
                for i, v in enumerate(order)
            ]
            gain, i = max(gains)
            if gain <= 0:
                break
            order.pop(i)
        pruned.append(order)
    return pruned


def left_out(frame: Frame, orders: Sequence[Sequence[int]]) -> list[int]:
    """Visits in no order, by index."""
    inside = {v for order in orders for v in order}
    return [v for v in range(frame.n_visits) if v not in inside]


def reinsert(frame: Frame, orders: Sequence[Sequence[int]]) -> Orders:
    """Insert left-out visits worth their way, by regret over the two best days (Potvin and Rousseau, 1993).

    Costs are optimistic until a pair is about to be used; then the exact price is asked and the choice repeated.
    """
    grown = [list(order) for order in orders]
    pool = [v for v in left_out(frame, grown) if frame.plannable[v] and frame.eligible[v].any()]
    if not pool:
        return grown
    cost, position = _cost_table(frame, grown, pool, range(frame.n_days))
    exact = np.zeros(cost.shape, dtype=np.bool_)
    unserved = frame.unserved[np.asarray(pool)]
    rows = np.arange(len(pool))
    while True:
        best_day = cost.argmin(axis=1)
        best = cost[rows, best_day]
        rest = cost.copy()
        rest[rows, best_day] = FAR
        regret = np.minimum(rest.min(axis=1), unserved) - best
        regret[best >= unserved] = -FAR
        row = int(regret.argmax())
        if regret[row] <= -FAR:
            return grown
        d, v = int(best_day[row]), pool[row]
        where = int(position[row, d])
        if not exact[row, d]:
            exact[row, d] = True
            true = exact_extra(frame, d, grown[d], v, where)
            if true != cost[row, d]:
                cost[row, d] = true
                continue
        grown[d].insert(where, v)
        cost[row, :] = FAR
        column, column_position = _cost_table(frame, grown, pool, [d])
        alive = unserved > -FAR
        unserved[row] = -FAR
        alive[row] = False
        cost[alive, d], position[alive, d] = column[alive, 0], column_position[alive, 0]
        exact[:, d] = False


def _cost_table(
    frame: Frame, orders: Orders, pool: Sequence[int], days: Sequence[int]
) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.int64]], np.ndarray[tuple[int, int], np.dtype[np.int64]]]:
    """Cheapest optimistic insertion of each visit into each day, and its position; shape (pool, days)."""
    slots = slots_of(frame, [(d, orders[d]) for d in days])
    costs = masked_costs(frame, pool, slots)
    bounds = np.concatenate([[0], np.cumsum([len(orders[d]) + 1 for d in days])])
    best = np.minimum.reduceat(costs, bounds[:-1], axis=1)
    position = np.stack([costs[:, a:b].argmin(axis=1) for a, b in pairwise(bounds)], axis=1)
    return best, position


def exchange(frame: Frame, orders: Sequence[Sequence[int]], most: int = 40) -> Orders:
    """Put a left-out visit in the place of a planned one while that lowers the objective; `most` exchanges."""
    swapped = [list(order) for order in orders]
    for _ in range(most):
        pool = [v for v in left_out(frame, swapped) if frame.eligible[v].any()]
        step = _best_exchange(frame, swapped, pool) if pool else None
        if step is None:
            break
        d, order = step
        swapped[d] = order
        swapped = reinsert(frame, swapped)
    return swapped


def _best_exchange(frame: Frame, orders: Orders, pool: list[int]) -> tuple[int, list[int]] | None:
    useful = np.flatnonzero(frame.eligible[np.asarray(pool)].any(axis=0))
    base = {int(d): price_of(frame, int(d), orders[d]) for d in useful}
    variants = [(int(d), i) for d in useful for i, u in enumerate(orders[d]) if not frame.pinned[u]]
    if not variants:
        return None
    # One pseudo-day for each variant: the same person and date with one visit less.
    shorter = [orders[d][:i] + orders[d][i + 1 :] for d, i in variants]
    saved = np.array([base[d] - price_of(frame, d, o) for (d, _), o in zip(variants, shorter, strict=True)])
    lost = np.array([int(frame.unserved[orders[d][i]]) for d, i in variants])
    best: tuple[int, int, list[int]] | None = None
    sizes = [len(order) + 1 for order in shorter]
    joined = slots_of(frame, [(d, order) for (d, _), order in zip(variants, shorter, strict=True)])
    of_variant = np.repeat(np.arange(len(variants)), sizes)
    extra, short = evaluate(frame, pool, joined)
    legal = (short <= 0) & frame.eligible[np.ix_(np.asarray(pool), joined.day)]
    gain = frame.unserved[np.asarray(pool)][:, None] - extra + (saved - lost)[of_variant][None, :]
    gain = np.where(legal, gain, -FAR)
    for flat in np.argsort(-gain, axis=None, kind="stable")[:20]:
        row, column = np.unravel_index(int(flat), gain.shape)
        if gain[row, column] <= 0:
            break
        k = int(of_variant[column])
        d, i = variants[k]
        where = int(joined.position[column])
        order = [*shorter[k][:where], pool[int(row)], *shorter[k][where:]]
        after = price_of(frame, d, order)
        true = int(frame.unserved[pool[int(row)]]) - int(frame.unserved[orders[d][i]]) + base[d] - after
        if after < FAR and true > 0 and (best is None or true > best[0]):
            best = (true, d, order)
    return None if best is None else (best[1], best[2])


def relocate(frame: Frame, orders: Sequence[Sequence[int]], most: int = 60) -> Orders:
    """Move single visits to where they cost less, the greatest gain first, until none gains; `most` moves.

    After this no stop has a cheaper place in another person's route: what `explain.why` says about the next best.
    """
    moved = [list(order) for order in orders]
    for _ in range(most):
        step = _best_move(frame, moved)
        if step is None:
            break
        for d, order in step.items():
            moved[d] = order
    return moved


def _best_move(frame: Frame, orders: Orders) -> dict[int, list[int]] | None:
    placed = [(v, d, i) for d, order in enumerate(orders) for i, v in enumerate(order) if not frame.pinned[v]]
    if not placed:
        return None
    price = [price_of(frame, d, order) for d, order in enumerate(orders)]
    shorter = [orders[d][:i] + orders[d][i + 1 :] for _, d, i in placed]
    saved = np.array([price[d] - price_of(frame, d, order) for (_, d, _), order in zip(placed, shorter, strict=True)])
    slots = slots_of(frame, list(enumerate(orders)))
    costs = masked_costs(frame, [v for v, _, _ in placed], slots)
    home = np.array([d for _, d, _ in placed])
    gain = np.where((costs < FAR) & (slots.day[None, :] != home[:, None]), saved[:, None] - costs, -FAR)
    for flat in np.argsort(-gain, axis=None, kind="stable")[:30]:
        row, column = divmod(int(flat), gain.shape[1])
        if gain[row, column] <= 0:
            return None
        v, d, _ = placed[row]
        e, position = int(slots.day[column]), int(slots.position[column])
        if saved[row] > exact_extra(frame, e, orders[e], v, position, price[e]):
            return {d: shorter[row], e: [*orders[e][:position], v, *orders[e][position:]]}
    return None
