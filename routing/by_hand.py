"""A day as a person has set it: the times stand, and what follows from them (setting off, break, return) is put where
it does the least harm. The result is for the judge (`check`), which then names what cannot be kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from routing.check import measure
from routing.plan import Plan, Route, Stop
from routing.problem import Problem, TechnicianDay


@dataclass(frozen=True, kw_only=True, slots=True)
class Slot:
    """One visit at the time that was set for it; Unix seconds."""

    visit_id: str
    start: int
    end: int


def route_as_set(problem: Problem, day: TechnicianDay, slots: Sequence[Slot], wished_pause: int | None = None) -> Route:
    """The route of `slots` (any order, not empty; all in the problem) with their times untouched.

    The break is where it takes from no work and no drive, as near to `wished_pause` as that allows; where there is no
    such place, where it takes least. A drive comes after the break, straight to the next work.
    """
    order = sorted(slots, key=lambda slot: (slot.start, slot.end, slot.visit_id))
    index = problem.place_index
    points = [day.start]
    for slot in order:
        point = problem.visit_by_id[slot.visit_id].point
        # A site without a position is no way at all; the judge names it.
        points.append(point if point is not None and point in index else points[-1])
    points.append(day.end)
    ways = [
        (int(problem.seconds[index[a], index[b]]), int(problem.metres[index[a], index[b]])) for a, b in pairwise(points)
    ]
    pause = _pause(day, order, [seconds for seconds, _ in ways], wished_pause)
    length = day.pause.length_s if day.pause is not None else 0
    first, last = order[0], order[-1]
    depart = first.start - ways[0][0]
    if pause is not None and depart < pause + length and pause < first.start:
        # The break falls into the way there: one sets off earlier by as much.
        depart -= length
    finish = max(last.end, last.start) + ways[-1][0]
    if pause is not None and last.end <= pause < finish:
        finish += length
    return Route(
        technician=day.technician,
        date=day.date,
        depart=depart,
        stops=tuple(
            Stop(
                visit_id=slot.visit_id,
                arrive=slot.start,
                start=slot.start,
                end=slot.end,
                travel_s=way[0],
                travel_m=way[1],
            )
            for slot, way in zip(order, ways, strict=False)
        ),
        finish=finish,
        pause_start=pause,
        travel_s=sum(seconds for seconds, _ in ways),
        travel_m=sum(metres for _, metres in ways),
        overtime_s=max(0, finish - day.shift_end),
    )


def plan_as_set(problem: Problem, routes: Sequence[Route]) -> Plan:
    """The routes as a plan with its figures, for the judge."""
    plan = Plan(routes=tuple(routes), unassigned=())
    return replace(plan, objective=measure(problem, plan))


def _pause(day: TechnicianDay, order: Sequence[Slot], ways: Sequence[int], wished: int | None) -> int | None:
    if day.pause is None:
        return None
    earliest, latest, length = day.pause.earliest, day.pause.latest, day.pause.length_s
    wished = min(max(wished if wished is not None else earliest, earliest), latest)
    tried = {wished, earliest, latest}
    for slot, way in zip(order, ways, strict=False):
        tried |= {slot.end, slot.start - length, slot.start - length - way}
    return min(
        (at for at in tried if earliest <= at <= latest),
        key=lambda at: (_harm(day, order, ways, at, length), abs(at - wished), at),
    )


def _harm(day: TechnicianDay, order: Sequence[Slot], ways: Sequence[int], begin: int, length: int) -> tuple[int, int]:
    """Seconds of work and of necessary driving that a break at `begin` takes, and whether it cuts a drive in two."""
    end = begin + length
    lost = max(0, day.shift_start - begin)
    cuts = 0
    free = day.shift_start
    for slot, way in zip(order, ways, strict=False):
        lost += max(0, min(end, slot.end) - max(begin, slot.start))
        in_gap = max(0, min(end, slot.start) - max(begin, free))
        if in_gap:
            lost += min(in_gap, max(0, way - (slot.start - free - in_gap)))
            cuts += slot.start - way < end
        free = max(free, slot.end)
    return lost, cuts
