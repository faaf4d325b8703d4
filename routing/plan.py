"""The answer of the planner: routes of stops, what is left out and why, and what it all costs.

Units as in `routing.problem`: Unix seconds, seconds, metres.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

Value = int | float | str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """Why, as a code and its numbers and names; the words live in the server's catalogues under `route.<code>`.

    Numbers keep the unit in their name (`short_min`, `extra_min`, `near_km`), instants are Unix seconds (`..._at`),
    dates ISO text. `remedy` is the smallest change that would alter the outcome, if one was found.
    """

    code: str
    params: Mapping[str, Value] = field(default_factory=dict)
    remedy: Reason | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """One visit on a route. `arrive` ≤ `start`; `travel_s` and `travel_m` lead to it from the stop before."""

    visit_id: str
    arrive: int
    start: int
    end: int
    travel_s: int
    travel_m: int
    why: Reason | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """One technician-day that has stops. `finish` is the arrival at the end point; totals include the way back."""

    technician: str
    date: dt.date
    depart: int
    stops: tuple[Stop, ...]
    finish: int
    pause_start: int | None
    travel_s: int
    travel_m: int
    overtime_s: int

    @property
    def key(self) -> tuple[str, dt.date]:
        return self.technician, self.date

    @property
    def visit_ids(self) -> tuple[str, ...]:
        return tuple(stop.visit_id for stop in self.stops)


@dataclass(frozen=True, kw_only=True, slots=True)
class Unassigned:
    """A visit left out. In a plan shown to people `reasons` is never empty; the nearest to a remedy comes first."""

    visit_id: str
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Objective:
    """What a plan costs. `total` is in seconds of travel; the scale is written down in docs/routing-model.md.

    total = travel_s + overtime_price + wishes_price + change_price + delay_price + unserved_price.
    """

    travel_s: int = 0
    travel_m: int = 0
    overtime_s: int = 0
    unassigned: int = 0
    overtime_price: int = 0
    wishes_price: int = 0
    change_price: int = 0
    delay_price: int = 0
    unserved_price: int = 0
    moved: int = 0
    shifted: int = 0

    @property
    def total(self) -> int:
        return (
            self.travel_s
            + self.overtime_price
            + self.wishes_price
            + self.change_price
            + self.delay_price
            + self.unserved_price
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Routes (only days with stops, in the order of the problem's days) and the visits left out."""

    routes: tuple[Route, ...]
    unassigned: tuple[Unassigned, ...]
    objective: Objective = Objective()
    seed: int = 0
    engines: tuple[str, ...] = ()

    @property
    def assigned_ids(self) -> frozenset[str]:
        return frozenset(visit_id for route in self.routes for visit_id in route.visit_ids)


@dataclass(frozen=True, kw_only=True, slots=True)
class StopAfter:
    """When to stop: after `iterations` of the deepening engine (repeatable) or `seconds` of wall time, or both."""

    seconds: float | None = None
    iterations: int | None = None

    def __post_init__(self) -> None:
        if self.seconds is None and self.iterations is None:
            raise ValueError("A stop needs seconds, iterations or both.")
