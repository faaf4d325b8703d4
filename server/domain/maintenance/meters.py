"""Meters: readings become use, use becomes a date at which a threshold is reached.

A meter's number may start again (rollover) or belong to another meter (replacement); `Use.total` is what the machine
has run altogether, on the scale of its first meter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from math import ceil, sqrt

RATE_DAYS = 90
"""The use of so many days before the last reading is the average that is projected."""

MOST_DAYS = 3650
"""A threshold further away than this is not projected."""

NEAR_ROLLOVER = 0.8
"""A number that starts again must have been at least this far up before."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A number read off a meter. `at` orders the readings of one day; `replaced` marks the first of a new meter.

    `judged`: what a person said of a number that looked wrong: "accepted", "rejected", or None.
    """

    id: str
    meter: str
    on: date
    value: float
    at: str = ""
    replaced: bool = False
    judged: str | None = None


@dataclass(frozen=True, kw_only=True)
class MeterKind:
    """What is known of a meter: at which number it starts again, the most and the usual use of a day."""

    meter: str
    rollover_at: float | None = None
    most_per_day: float | None = None
    usual_per_day: float | None = None


@dataclass(frozen=True)
class Point:
    """What the machine had run altogether on a day."""

    on: date
    total: float


@dataclass(frozen=True)
class Use:
    """The use of one machine by one meter; `held` are readings that need a person and are left out until then."""

    points: tuple[Point, ...]
    held: tuple[Reading, ...]

    @property
    def last(self) -> Point:
        return self.points[-1]


@dataclass(frozen=True)
class Rate:
    """Use of a day, and how far a day's average has strayed from it."""

    per_day: float
    spread: float


def use_of(readings: Iterable[Reading], kind: MeterKind) -> Use:
    """The use that readings show, in any order; those that contradict the ones before are held."""
    points: list[Point] = []
    held: list[Reading] = []
    value = 0.0
    mine = (each for each in readings if each.meter == kind.meter and each.judged != "rejected")
    for reading in sorted(mine, key=lambda each: (each.on, each.at, each.replaced, each.value, each.id)):
        if not points:
            points.append(Point(reading.on, reading.value))
        elif reading.replaced:
            points.append(Point(reading.on, points[-1].total))
        else:
            grown = grown_by(value, reading.value, (reading.on - points[-1].on).days, kind)
            if grown is None and reading.judged != "accepted":
                held.append(reading)
                continue
            points.append(Point(reading.on, points[-1].total + max(0.0, grown or reading.value - value)))
        value = reading.value
    return Use(_one_a_day(points), tuple(held))


def grown_by(before: float, after: float, days: int, kind: MeterKind) -> float | None:
    """How much a meter has run between two numbers; None if the second cannot be right."""
    grown = after - before
    if grown < 0:
        if kind.rollover_at is None or before < kind.rollover_at * NEAR_ROLLOVER or after > kind.rollover_at:
            return None
        grown += kind.rollover_at
    if kind.most_per_day is not None and grown > kind.most_per_day * (days + 1):
        return None
    return grown


def _one_a_day(points: Sequence[Point]) -> tuple[Point, ...]:
    """The last point of each day."""
    return tuple({each.on: each for each in points}.values())


def rate_of(use: Use, kind: MeterKind) -> Rate | None:
    """The average use of a day, from the last `RATE_DAYS` of readings; None where nothing tells it."""
    last = use.last
    since = last.on - timedelta(days=RATE_DAYS)
    recent = [each for each in use.points if each.on >= since]
    if len(recent) < 2:
        recent = list(use.points[-2:])
    if len(recent) < 2:
        return None if kind.usual_per_day is None else Rate(kind.usual_per_day, kind.usual_per_day / 2)
    days = (last.on - recent[0].on).days
    per_day = (last.total - recent[0].total) / days
    weighted = sum(
        (after.on - before.on).days * ((after.total - before.total) / (after.on - before.on).days - per_day) ** 2
        for before, after in pairwise(recent)
    )
    return Rate(per_day, sqrt(weighted / days))


def reached_on(use: Use, total: float) -> date | None:
    """The first day on which the machine had run `total`, between readings as if evenly; None: not yet."""
    first = use.points[0]
    if total <= first.total:
        return first.on
    for before, after in pairwise(use.points):
        if before.total < total <= after.total:
            share = (total - before.total) / (after.total - before.total)
            return before.on + timedelta(days=ceil(share * (after.on - before.on).days - 1e-9))
    return None


def projected_on(use: Use, rate: Rate, total: float) -> date | None:
    """The day on which `total` will be reached at this rate; None if that is not in sight."""
    # Compared before it is divided: next to no use makes the quotient infinite.
    if rate.per_day <= 0 or total - use.last.total > rate.per_day * MOST_DAYS:
        return None
    days = ceil((total - use.last.total) / rate.per_day - 1e-9)
    return use.last.on + timedelta(days=days) if days <= MOST_DAYS else None


def total_on(use: Use, rate: Rate | None, day: date) -> float:
    """What the machine had run, or will have run, at the end of a day."""
    first, last = use.points[0], use.last
    if day >= last.on:
        return last.total + (rate.per_day * (day - last.on).days if rate else 0.0)
    if day <= first.on:
        return first.total
    for before, after in pairwise(use.points):
        if before.on <= day < after.on:
            return before.total + (after.total - before.total) * (day - before.on).days / (after.on - before.on).days
    return last.total


def spread_days(rate: Rate, use: Use, total: float) -> int:
    """By how many days the projected date may be wrong, either way."""
    days = (total - use.last.total) / rate.per_day
    return ceil(days * min(1.0, rate.spread / rate.per_day) - 1e-9)
