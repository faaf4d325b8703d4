"""Between instants and a site's own calendar. Every due date and every warranty day is a date at the site."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def local_date(instant: datetime, tz: str) -> date:
    """The date that a calendar on the site's wall shows at `instant`, which must be aware.

    Raises ValueError for an unknown time zone.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return instant.astimezone(zone(tz)).date()


def instant_of(day: date, clock: time, tz: str) -> datetime:
    """The instant (UTC) at which the site's wall clock shows `clock` on `day`.

    A wall time that the clock change skips becomes the same distance after the gap (02:30 becomes 03:30), and a wall
    time that occurs twice means the first. A day that a zone skipped altogether (Apia, 30 December 2011) falls on
    the next one. Raises ValueError for an unknown time zone.
    """
    return datetime.combine(day, clock, tzinfo=zone(tz)).astimezone(UTC)


def zone(tz: str) -> ZoneInfo:
    """The time zone of that name; raises ValueError if there is none."""
    try:
        return ZoneInfo(tz)
    except (ZoneInfoNotFoundError, OSError) as error:
        raise ValueError(f"unknown time zone: {tz!r}") from error
