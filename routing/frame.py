"""The problem as arrays: computed once, read by engines, insertion, repair and explanations. Never by the judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from routing import rules, worth
from routing.problem import IntArray, Problem

FAR = 1 << 40
"""Later than any instant; sums of several stay inside 64 bits."""

PIN_WORTH_S = 10_000_000
"""A pin is a law, not a wish: above any sum of prices that could buy it off."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Frame:
    """Indices `v` count `problem.visits`, `d` count `problem.days`, places count `problem.places`.

    `seconds`, `metres` as nested lists for the scalar path (numpy scalars are five times slower there).
    `opens`, `closes`: (visits, W) windows of allowed starts, padded with windows that never open.
    `eligible`, `price`: (visits, days). `price` is what the pair costs beside travel, in seconds.
    """

    problem: Problem
    seconds: list[list[int]]
    metres: list[list[int]]
    place: IntArray
    service: IntArray
    opens: IntArray
    closes: IntArray
    starts: tuple[tuple[tuple[int, int], ...], ...]
    eligible: npt.NDArray[np.bool_]
    price: IntArray
    unserved: IntArray
    plannable: npt.NDArray[np.bool_]
    pinned: npt.NDArray[np.bool_]
    current_start: tuple[int | None, ...]
    day_start: tuple[int, ...]
    day_end: tuple[int, ...]
    shift: tuple[tuple[int, int, int], ...]
    pause: tuple[tuple[int, int, int] | None, ...]

    @property
    def n_visits(self) -> int:
        return len(self.problem.visits)

    @property
    def n_days(self) -> int:
        return len(self.problem.days)

    def visit_numbers(self, ids: Sequence[str]) -> list[int]:
        """Indices of visit ids; raises KeyError for an id that is not in the problem."""
        number = {visit.id: v for v, visit in enumerate(self.problem.visits)}
        return [number[visit_id] for visit_id in ids]


def build_frame(problem: Problem) -> Frame:
    """Evaluate every law and price once for each pair."""
    visits, days = problem.visits, problem.days
    index = problem.place_index
    first, last = worth.horizon(problem)
    starts = tuple(tuple((w.start, w.end) for w in rules.allowed_starts(visit)) for visit in visits)
    width = max((len(spans) for spans in starts), default=1) or 1
    opens = np.full((len(visits), width), FAR, dtype=np.int64)
    closes = np.full((len(visits), width), -FAR, dtype=np.int64)
    for v, spans in enumerate(starts):
        for w, (low, high) in enumerate(spans):
            opens[v, w], closes[v, w] = low, min(high, FAR)
    plannable = np.array([rules.is_plannable(visit) for visit in visits], dtype=np.bool_)
    eligible = np.zeros((len(visits), len(days)), dtype=np.bool_)
    price = np.zeros((len(visits), len(days)), dtype=np.int64)
    for v, visit in enumerate(visits):
        for d, day in enumerate(days):
            eligible[v, d] = plannable[v] and rules.may_take(visit, day)
            price[v, d] = (
                worth.delay_price(visit, day, first) + worth.wish_price(visit, day) + worth.hand_over_price(visit, day)
            )
    return Frame(
        problem=problem,
        seconds=problem.seconds.tolist(),
        metres=problem.metres.tolist(),
        place=np.array([index.get(v.point, 0) if v.point else 0 for v in visits], dtype=np.int64),
        service=np.array([visit.service_s for visit in visits], dtype=np.int64),
        opens=opens,
        closes=closes,
        starts=starts,
        eligible=eligible,
        price=price,
        unserved=np.array(
            [PIN_WORTH_S if visit.pinned else worth.unserved_price(visit, last) for visit in visits], dtype=np.int64
        ),
        plannable=plannable,
        pinned=np.array([visit.pinned is not None for visit in visits], dtype=np.bool_),
        current_start=tuple(visit.current.start if visit.current else None for visit in visits),
        day_start=tuple(index[day.start] for day in days),
        day_end=tuple(index[day.end] for day in days),
        shift=tuple((day.shift_start, day.shift_end, day.max_overtime_s) for day in days),
        pause=tuple((day.pause.earliest, day.pause.latest, day.pause.length_s) if day.pause else None for day in days),
    )
