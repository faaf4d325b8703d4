"""The clock of one route: the earliest schedule of a given order of visits, with the break placed exactly.

Two labels run along the route: the earliest moment of being ready with the break still ahead, and with the break
behind. Earlier is never worse for either (one can wait), so the two suffice and the result is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from routing import worth
from routing.frame import FAR, Frame


@dataclass(frozen=True, kw_only=True, slots=True)
class Timed:
    """A route that keeps its clock. `arrive`, `start`: one for each visit; `finish`: arrival at the end point."""

    depart: int
    arrive: tuple[int, ...]
    start: tuple[int, ...]
    finish: int
    pause_start: int | None
    travel_s: int
    overtime_s: int


def schedule(frame: Frame, d: int, order: Sequence[int], *, limit: int | None = None) -> Timed | None:
    """Earliest schedule of visits `order` on day `d`, or None when some window, break or the shift cannot be kept.

    `limit` replaces the latest return (shift end + overtime), to ask how long the day would have to be.
    """
    shift_start, shift_end, overtime = frame.shift[d]
    latest_return = shift_end + overtime if limit is None else limit
    pause = frame.pause[d]
    here = frame.day_start[d]
    # ahead/behind: earliest ready time with the break still to come / already taken.
    ahead, behind = (shift_start, FAR) if pause is not None else (FAR, shift_start)
    steps: list[tuple[int, int, int, bool]] = []
    travel = 0
    for v in order:
        place = int(frame.place[v])
        way = frame.seconds[here][place]
        travel += way
        via_pause = after_pause(ahead, way, pause)
        direct = behind + way
        took = via_pause < direct
        start_ahead = earliest_start(frame.starts[v], ahead + way)
        start_behind = earliest_start(frame.starts[v], via_pause if took else direct)
        if start_ahead >= FAR and start_behind >= FAR:
            return None
        steps.append((way, start_ahead, start_behind, took))
        service = int(frame.service[v])
        ahead, behind = start_ahead + service, start_behind + service
        here = place
    way = frame.seconds[here][frame.day_end[d]]
    travel += way
    finish, pause_at_end, state_behind = behind + way, None, True
    if pause is not None:
        if ahead + way <= min(pause[1], finish):
            finish, pause_at_end, state_behind = ahead + way, max(ahead + way, pause[0]), False
        on_way = after_pause(ahead, way, pause)
        if on_way < finish:
            finish, pause_at_end, state_behind = on_way, max(ahead, pause[0]), False
    if finish > latest_return:
        return None
    return _walk_back(frame, d, order, steps, finish, pause_at_end, state_behind, travel)


def after_pause(ready: int, way: int, pause: tuple[int, int, int] | None) -> int:
    """When one is ready at the next place after driving `way` and taking the break in between; FAR if too late."""
    if pause is None or ready >= FAR:
        return FAR
    begin = max(ready, pause[0])
    return max(ready + way, begin) + pause[2] if begin <= pause[1] else FAR


def earliest_start(spans: Sequence[tuple[int, int]], ready: int) -> int:
    """First allowed second from `ready` on; FAR if there is none."""
    if ready >= FAR:
        return FAR
    for low, high in spans:
        if ready <= high:
            return max(ready, low)
    return FAR


def route_price(frame: Frame, d: int, order: Sequence[int], timed: Timed) -> int:
    """All that the route adds to the objective, unserved visits aside."""
    total = timed.travel_s + worth.OVERTIME_FACTOR * timed.overtime_s
    for v, start in zip(order, timed.start, strict=True):
        total += int(frame.price[v, d])
        published = frame.current_start[v]
        if published is not None and abs(start - published) > worth.SHIFT_TOLERANCE_S:
            total += worth.SHIFT_PRICE_S
    return total


def _walk_back(
    frame: Frame,
    d: int,
    order: Sequence[int],
    steps: list[tuple[int, int, int, bool]],
    finish: int,
    pause_at_end: int | None,
    is_behind: bool,
    travel: int,
) -> Timed:
    """Follow the labels from the end to the start and fix when each visit and the break happen."""
    shift_start, shift_end, _ = frame.shift[d]
    pause = frame.pause[d]
    pause_start, pause_gap = pause_at_end, len(order) if pause_at_end is not None else None
    starts = [0] * len(order)
    for i in range(len(order) - 1, -1, -1):
        _, start_ahead, start_behind, took = steps[i]
        starts[i] = start_behind if is_behind else start_ahead
        if is_behind and took:
            is_behind, pause_gap = False, i
    arrives = []
    ready = shift_start
    for i, v in enumerate(order):
        way = steps[i][0]
        arrive = ready + way
        if pause is not None and pause_gap == i:
            pause_start = max(ready, pause[0])
            if pause_start < arrive:
                arrive += pause[2]
        arrives.append(arrive)
        ready = starts[i] + int(frame.service[v])
    depart = shift_start
    if order and pause_gap != 0:
        # Nobody waits at the first door: leave home later instead.
        depart += starts[0] - arrives[0]
        arrives[0] = starts[0]
    return Timed(
        depart=depart,
        arrive=tuple(arrives),
        start=tuple(starts),
        finish=finish,
        pause_start=pause_start,
        travel_s=travel,
        overtime_s=max(0, finish - shift_end),
    )
