"""The question asked of the planner: visits, technician-days and the roads between them.

All times are whole seconds on one absolute axis (Unix seconds, UTC), all distances whole metres, all coordinates
(lat, lon) in degrees. Nothing here knows a time zone: the caller turns local shifts and windows into instants.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from routing.travel import TravelModel

    IntArray = npt.NDArray[np.int64]
else:
    # A process that never plans does not need the memory that numpy takes.
    IntArray = Any

Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """Work may begin at any second from `start` to `end`, both included. The end of the work is not limited by it."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"A window ends ({self.end}) before it starts ({self.start}).")


@dataclass(frozen=True, kw_only=True, slots=True)
class Pin:
    """This technician and no other; with `start` also this second and no other.

    `begun` says that the work is a fact (started or finished on site): then skills, certificates, territory, windows
    and due dates are no longer asked, only whether the person can be there. Without `begun` they are still laws, and
    a pin that breaks one is reported as `pin-impossible`.
    """

    technician: str
    start: int | None = None
    begun: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Placement:
    """Where a visit stands in the published plan: the origin from which disturbance is measured."""

    technician: str
    start: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """Work at a place.

    `windows`: none means any time. `skills`: code → lowest sufficient level. `priority`: 0 low, 1 normal, 2 high,
    3 urgent. Work never begins before `due_from`; after `due_to` it may, at a price for each day, unless `hard_due`.
    A visit already late at the start of the horizon carries `overdue_days` > 0, and then its `due_to` forbids nothing
    any more: refusing late work would only make it later. `branch`: the only branch that may take it; None: any.
    """

    id: str
    point: Point | None
    service_s: int
    windows: tuple[Window, ...] = ()
    skills: Mapping[str, int] = field(default_factory=dict)
    priority: int = 1
    due_from: int | None = None
    due_to: int | None = None
    hard_due: bool = False
    overdue_days: int = 0
    branch: str | None = None
    preferred: str | None = None
    pinned: Pin | None = None
    current: Placement | None = None
    label: str = ""

    def __post_init__(self) -> None:
        if self.service_s < 0:
            raise ValueError(f"Visit {self.id}: service_s is negative.")
        if not 0 <= self.priority <= 3:
            raise ValueError(f"Visit {self.id}: priority is {self.priority}, expected 0 to 3.")
        if self.overdue_days < 0:
            raise ValueError(f"Visit {self.id}: overdue_days is negative.")
        if self.due_from is not None and self.due_to is not None and self.due_to < self.due_from:
            raise ValueError(f"Visit {self.id}: due_to is before due_from.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """A skill held at `level`; a certificate is a skill with `expires`, the last date on which it counts."""

    level: int = 1
    expires: dt.date | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Break:
    """A pause of `length_s` that begins from `earliest` to `latest`. A fixed hour has both equal.

    It may interrupt a drive, never a visit, and may fall after the return if that is not later than `latest`.
    """

    earliest: int
    latest: int
    length_s: int

    def __post_init__(self) -> None:
        if self.latest < self.earliest or self.length_s < 0:
            raise ValueError("A break needs earliest <= latest and a length of zero or more.")


@dataclass(frozen=True, kw_only=True, slots=True)
class TechnicianDay:
    """One person's shift on one date. A second shift on the same date is not expressible."""

    technician: str
    date: dt.date
    start: Point
    end: Point
    shift_start: int
    shift_end: int
    pause: Break | None = None
    skills: Mapping[str, Grant] = field(default_factory=dict)
    branch: str | None = None
    max_overtime_s: int = 0
    name: str = ""

    def __post_init__(self) -> None:
        if self.shift_end < self.shift_start or self.max_overtime_s < 0:
            raise ValueError(f"Technician {self.technician} on {self.date}: the shift ends before it starts.")

    @property
    def key(self) -> tuple[str, dt.date]:
        return self.technician, self.date


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Visits, technician-days and the travel between their places.

    `seconds[i, j]` and `metres[i, j]` lead from `places[i]` to `places[j]`. Build it with `build_problem`, which
    collects the places; with a road engine pass its own matrices. Ids of visits and keys of days are unique.
    """

    visits: tuple[Visit, ...]
    days: tuple[TechnicianDay, ...]
    places: tuple[Point, ...]
    seconds: IntArray = field(compare=False, repr=False)
    metres: IntArray = field(compare=False, repr=False)

    def __post_init__(self) -> None:
        if len({v.id for v in self.visits}) != len(self.visits):
            raise ValueError("Two visits share one id.")
        if len({d.key for d in self.days}) != len(self.days):
            raise ValueError("A technician has two shifts on one date.")
        shape = (len(self.places), len(self.places))
        if self.seconds.shape != shape or self.metres.shape != shape:
            raise ValueError(f"Travel matrices must have the shape {shape}.")

    @cached_property
    def place_index(self) -> dict[Point, int]:
        return {point: i for i, point in enumerate(self.places)}

    @cached_property
    def visit_by_id(self) -> dict[str, Visit]:
        return {visit.id: visit for visit in self.visits}

    @cached_property
    def day_by_key(self) -> dict[tuple[str, dt.date], TechnicianDay]:
        return {day.key: day for day in self.days}

    def __getstate__(self) -> dict[str, Any]:
        # The caches are derived; leaving them out keeps what travels to the planner's process small.
        return {name: self.__dict__[name] for name in ("visits", "days", "places", "seconds", "metres")}


def is_located(point: Point | None) -> bool:
    """Whether a point can be driven to. (0, 0) is what forms and importers write for "unknown"."""
    if point is None or point == (0.0, 0.0):
        return False
    lat, lon = point
    return -90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0


def build_problem(visits: Iterable[Visit], days: Iterable[TechnicianDay], travel: TravelModel | None = None) -> Problem:
    """Collect the distinct places and fill the matrices with `travel` (great circle by default).

    Visits that are not located have no place; the planner leaves them out with the reason `missing-geo`.
    """
    from routing.travel import TravelModel

    visits, days = tuple(visits), tuple(days)
    places: dict[Point, None] = {}
    for day in days:
        places[day.start] = None
        places[day.end] = None
    for visit in visits:
        if visit.point is not None and is_located(visit.point):
            places[visit.point] = None
    seconds, metres = (travel or TravelModel()).matrix(tuple(places))
    return Problem(visits=visits, days=days, places=tuple(places), seconds=seconds, metres=metres)
