"""The demo company in memory, as light values: what later parts must know of what earlier parts made."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from routing.problem import Grant, Point
from server.demo.source import Place
from server.domain import coverage

HISTORY_DAYS = 91
"""Days of past work that the company looks back on: since then it has worked with Rounds."""

AHEAD_DAYS = 30
"""Days that are planned or due already."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of work of the catalogue."""

    code: str
    name: dict[str, str]
    minutes: int
    checklist_id: str | None
    items: list[dict[str, Any]]
    in_warranty: bool


@dataclass(frozen=True, kw_only=True)
class Model:
    """A product model with what the demo knows of it beyond its document."""

    id: str
    code: str
    family: str
    skill: str
    term: str
    minutes: int
    share: int
    rule: dict[str, Any]
    daily_hours: float
    second: dict[str, Any] | None
    trouble: list[dict[str, str]]


@dataclass(frozen=True, kw_only=True)
class Technician:
    """One of the forty.

    `new` ones came this week and have no past and no tablet yet; from a `quiet` one's tablet nothing has come today.
    """

    id: str
    user_id: str
    device_id: str | None
    name: str
    home: Point
    starts_at: Point
    skills: dict[str, Grant]
    shifts: tuple[dict[str, Any], ...]
    max_overtime_minutes: int
    new: bool
    quiet: bool


@dataclass(frozen=True, kw_only=True)
class Site:
    """A place with its customer."""

    id: str
    customer_id: str
    name: str
    category: str
    lat: float
    lon: float
    contracts: tuple[coverage.Contract, ...] = ()
    agreed_prices: tuple[coverage.PriceItem, ...] = ()


@dataclass(kw_only=True)
class Asset:
    """A piece of equipment; `last` collects its newest visits while the past is made."""

    id: str
    site: Site
    model: Model
    installed_on: date
    commissioned_on: date
    warranty: coverage.Warranty
    in_service: bool
    last: list[dict[str, str]] = field(default_factory=list)

    def meter(self, code: str, day: date) -> float:
        """What the counter shows on a day; it runs evenly since commissioning."""
        hours = max((day - self.commissioned_on).days, 0) * self.model.daily_hours
        per_hour = 1.0 if code == "hours" else float((self.model.second or {}).get("per_hour", 0))
        return round(hours * per_hour)


@dataclass(kw_only=True)
class Branch:
    """A branch with its people, places and equipment."""

    id: str
    key: str
    name: str
    locale: str
    tz: str
    currency: str
    depot: Point
    city: str
    today: date
    now: datetime
    words: dict[str, Any]
    people: dict[str, Any]
    places: list[Place]
    prices: tuple[coverage.PriceItem, ...] = ()
    technicians: list[Technician] = field(default_factory=list)
    sites: list[Site] = field(default_factory=list)
    assets: list[Asset] = field(default_factory=list)

    def at(self, day: date, clock: time) -> datetime:
        """A wall time of the branch as an instant."""
        return datetime.combine(day, clock, ZoneInfo(self.tz)).astimezone(UTC)

    @property
    def since(self) -> date:
        return self.today - timedelta(days=HISTORY_DAYS)


@dataclass(kw_only=True)
class World:
    """All of it, and the rows that are to be stored, in groups that may be inserted one after the other."""

    company_id: str
    seed: int
    now: datetime
    kinds: dict[str, Kind] = field(default_factory=dict)
    dispatcher_id: str = ""
    models: list[Model] = field(default_factory=list)
    branches: list[Branch] = field(default_factory=list)
    groups: list[list[Any]] = field(default_factory=list)
