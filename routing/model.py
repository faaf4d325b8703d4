"""The problem in the engines' terms, one function for each constraint.

Skills, certificates, territory and pins become *atoms*: groups of technician-days that a visit may require. In PyVRP
an atom is a load dimension of which the days outside have no capacity; in VROOM it is a skill. Prices of a pair
(wishes, delay, change of hands) sit on the way to the visit, in a cost matrix of their own for each distinct column;
times stay untouched. Measured traps and their reasons: docs/routing-model.md.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt

import numpy as np

from routing.frame import Frame
from routing.problem import IntArray

MAX_MATRIX_BYTES = 400_000_000
"""Above this the cost matrices are shared by all technicians of a date: personal wishes are then left to repair."""

Key = tuple[str, str | int]


@dataclass(frozen=True, kw_only=True, eq=False)
class Atoms:
    """`needs[v]`: numbers of the atoms that visit v requires; `holds[d]`: those that day d has."""

    count: int
    needs: tuple[frozenset[int], ...]
    holds: tuple[frozenset[int], ...]


def atoms_of(frame: Frame) -> Atoms:
    """Distinct sets of days, one for each requirement that excludes somebody.

    A visit's eligibility is the intersection of its atoms by construction: first from skills, branch and pin; what
    differs from that (work already begun, expired certificates) gets a set of its own.
    """
    number: dict[bytes, int] = {}
    members: list[np.ndarray[tuple[int], np.dtype[np.bool_]]] = []
    needs: list[frozenset[int]] = []
    by_key: dict[Key, np.ndarray[tuple[int], np.dtype[np.bool_]]] = {}
    for v, visit in enumerate(frame.problem.visits):
        keys: list[Key] = [(f"skill {code}", level) for code, level in visit.skills.items()]
        if visit.branch is not None:
            keys.append(("branch", visit.branch))
        if visit.pinned is not None:
            keys.append(("pin", visit.pinned.technician))
        sets = [by_key.setdefault(key, _holders(frame, key)) for key in keys]
        joint = np.logical_and.reduce(sets) if sets else np.ones(frame.n_days, dtype=np.bool_)
        if not np.array_equal(joint, frame.eligible[v]):
            sets = [frame.eligible[v]]
        own = set()
        for who in sets:
            if who.all():
                continue
            if who.tobytes() not in number:
                number[who.tobytes()] = len(members)
                members.append(who)
            own.add(number[who.tobytes()])
        needs.append(frozenset(own))
    holds = tuple(frozenset(a for a, who in enumerate(members) if who[d]) for d in range(frame.n_days))
    return Atoms(count=len(members), needs=tuple(needs), holds=holds)


def _holders(frame: Frame, key: Key) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    kind, value = key
    flags = []
    for day in frame.problem.days:
        if kind == "branch":
            flags.append(day.branch == value)
        elif kind == "pin":
            flags.append(day.technician == value)
        else:
            grant = day.skills.get(kind.removeprefix("skill "))
            flags.append(
                grant is not None and grant.level >= int(value) and (grant.expires is None or grant.expires >= day.date)
            )
    return np.array(flags, dtype=np.bool_)


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """An axis without the usual breaks: PyVRP knows none, so the hour of the break is cut out of the day.

    `cuts`: (first second, length) in order, disjoint. What the cut gets wrong (work across it, another person's other
    hour) the exact step puts right.
    """

    origin: int
    cuts: tuple[tuple[int, int], ...]

    def squeeze(self, instant: int) -> int:
        """The instant on the shortened axis, seconds since the origin."""
        lost = sum(min(max(instant - first, 0), length) for first, length in self.cuts)
        return max(0, instant - lost - self.origin)


def clock_of(frame: Frame) -> Clock:
    """Cut out, for each date, the median break of the technicians at work on it."""
    by_date: dict[object, list[tuple[int, int]]] = {}
    for day in frame.problem.days:
        if day.pause is not None and day.pause.length_s:
            middle = (day.pause.earliest + day.pause.latest) // 2
            by_date.setdefault(day.date, []).append((middle, day.pause.length_s))
    cuts: list[tuple[int, int]] = []
    for breaks in by_date.values():
        first = int(statistics.median(b[0] for b in breaks))
        cuts.append((first, int(statistics.median(b[1] for b in breaks))))
    disjoint: list[tuple[int, int]] = []
    for first, length in sorted(cuts):
        if not disjoint or first >= disjoint[-1][0] + disjoint[-1][1]:
            disjoint.append((first, length))
    return Clock(origin=min((s for s, _, _ in frame.shift), default=0), cuts=tuple(disjoint))


def working_span(frame: Frame, d: int, clock: Clock) -> tuple[int, int]:
    """Shift of day d on the squeezed axis: start and nominal end, the person's own break taken off."""
    start, end, _ = frame.shift[d]
    pause = frame.pause[d]
    own = pause[2] if pause is not None and pause[1] < end else 0
    squeezed = clock.squeeze(start)
    return squeezed, squeezed + max(0, end - start - own)


def pieces_of(frame: Frame, v: int) -> list[tuple[int, int]]:
    """Allowed starts of visit v that meet the shift of an eligible day, joined over hours in which nobody works."""
    spans = sorted(
        (frame.shift[d][0], frame.shift[d][1] + frame.shift[d][2]) for d in np.flatnonzero(frame.eligible[v])
    )
    joined: list[tuple[int, int]] = []
    for low, high in frame.starts[v]:
        if not any(start <= high and low <= end for start, end in spans):
            continue
        if joined and not any(start < low and joined[-1][1] < end for start, end in spans):
            joined[-1] = (joined[-1][0], high)
        else:
            joined.append((low, high))
    return joined


def price_groups(frame: Frame, n_locations: int) -> tuple[list[int], list[IntArray]]:
    """For each day the number of its price column, and the columns (visits,): equal columns are shared."""
    if frame.n_days == 0:
        return [], []
    distinct, number = np.unique(frame.price, axis=1, return_inverse=True)
    if distinct.shape[1] * n_locations**2 * 16 <= MAX_MATRIX_BYTES:
        return [int(i) for i in number.ravel()], list(distinct.T)
    by_start: dict[object, int] = {}
    groups: list[int] = []
    columns: list[IntArray] = []
    for day in frame.problem.days:
        if day.date not in by_start:
            by_start[day.date] = len(columns)
            same_date = [e for e, other in enumerate(frame.problem.days) if other.date == day.date]
            columns.append(frame.price[:, same_date].min(axis=1))
        groups.append(by_start[day.date])
    return groups, columns


def locations_of(frame: Frame, visits: Sequence[int]) -> tuple[list[int], dict[int, int]]:
    """Places in engine order: one for each of `visits` (its price is its own), then the ends of days.

    Returns the place of each location and, for places of ends, their location.
    """
    places = [int(frame.place[v]) for v in visits]
    ends: dict[int, int] = {}
    for place in [*frame.day_start, *frame.day_end]:
        if place not in ends:
            ends[place] = len(places)
            places.append(place)
    return places, ends


def cost_matrix(frame: Frame, visits: Sequence[int], places: Sequence[int], column: IntArray) -> IntArray:
    """Travel seconds between locations plus the price of the visit at the end of the leg; zero on the diagonal."""
    cost: IntArray = frame.problem.seconds[np.ix_(np.asarray(places), np.asarray(places))].copy()
    cost[:, : len(visits)] += column[np.asarray(visits, dtype=np.int64)][None, :]
    np.fill_diagonal(cost, 0)
    return cost


def candidates_of(frame: Frame) -> list[int]:
    """Visits that somebody may take at some time: what the engines are asked about."""
    return [v for v in range(frame.n_visits) if frame.plannable[v] and frame.eligible[v].any() and pieces_of(frame, v)]


def vroom_priority(frame: Frame, v: int) -> int:
    """1 to 100, in the order of worth: VROOM compares sums of priorities before costs.

    The root keeps all classes apart in a hundred steps: low 4, normal 8, high 16, urgent 29, hard and urgent 83.
    """
    return min(100, max(1, isqrt(int(frame.unserved[v])) // 10))
