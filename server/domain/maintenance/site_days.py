"""On which days a site works: weekdays, the country's holidays, and the site's own exceptions on top."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any, Self

import holidays
from holidays.holiday_base import HolidayBase

_ANY_YEAR = 2026

FURTHEST_SHIFT = 62
"""Days that are looked at on each side for a working day."""


@dataclass(frozen=True, kw_only=True)
class Closure:
    """Days on which the site is closed, both included; `name` says why in the customer's words."""

    first: date
    last: date
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class SiteDays:
    """The calendar of a site. What comes later wins: `weekend`, the holidays of `country` (ISO 3166, with the working
    weekends that a government orders), `closed`, `open`. Weekdays count from Monday, 0.
    """

    weekend: frozenset[int] = frozenset()
    country: str | None = None
    region: str | None = None
    closed: tuple[Closure, ...] = ()
    open: frozenset[date] = frozenset()

    def closure(self, day: date) -> Closure | None:
        """The site's own closure that holds on `day`."""
        if day in self.open:
            return None
        return next((each for each in self.closed if each.first <= day <= each.last), None)

    def works(self, day: date) -> bool:
        """Whether somebody can be received at the site on `day`."""
        if day in self.open:
            return True
        if any(each.first <= day <= each.last for each in self.closed):
            return False
        if self.country is None:
            return day.weekday() not in self.weekend
        public = public_holidays(self.country, self.region, day.year)
        if day in public:
            return False
        return day.weekday() not in self.weekend or day in public.weekend_workdays

    def next_working(self, day: date, step: int) -> date | None:
        """The nearest working day from `day` on, forward (1) or back (-1); None if none is near."""
        for distance in range(FURTHEST_SHIFT + 1):
            candidate = day + timedelta(days=distance * step)
            if self.works(candidate):
                return candidate
        return None

    @property
    def plain(self) -> bool:
        """Whether every day is a working day."""
        return not self.weekend and self.country is None and not self.closed

    def to_json(self) -> dict[str, Any]:
        return {
            "weekend": sorted(self.weekend),
            "country": self.country,
            "region": self.region,
            "closed": [
                {"first": each.first.isoformat(), "last": each.last.isoformat(), "name": each.name}
                for each in self.closed
            ],
            "open": [each.isoformat() for each in sorted(self.open)],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        return cls(
            weekend=frozenset(document.get("weekend") or ()),
            country=document.get("country"),
            region=document.get("region"),
            closed=tuple(
                Closure(
                    first=date.fromisoformat(each["first"]),
                    last=date.fromisoformat(each["last"]),
                    name=each.get("name") or "",
                )
                for each in document.get("closed") or ()
            ),
            open=frozenset(date.fromisoformat(each) for each in document.get("open") or ()),
        )


EVERY_DAY = SiteDays()


@cache
def public_holidays(country: str, region: str | None, year: int) -> HolidayBase:
    """The holidays of a country or a part of it around a year, whole: nothing is added to it later.

    Raises ValueError for a country or region that is not known.
    """
    # The library notes a year before it fills it, so an object that grew would show other threads a year half filled.
    # The years on both sides are there because a holiday may be given on a day of the next or the last year.
    years = (year - 1, year, year + 1)
    try:
        return holidays.country_holidays(country, subdiv=region, years=years, expand=False)
    except NotImplementedError as error:
        raise ValueError(f"no holidays are known for {country} {region or ''}".strip()) from error


def known_country(country: str, region: str | None) -> bool:
    """Whether holidays are known for this country and part of it."""
    try:
        public_holidays(country, region, _ANY_YEAR)
    except ValueError:
        return False
    return True
