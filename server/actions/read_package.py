"""What a tablet holds and what not: the days, and the work that they leave out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from schemas.entities.base import technician_scope
from server.actions.move_windows import window_on
from server.domain.local_time import local_date
from server.store.queries import packages
from server.store.transaction import snapshot


@dataclass(frozen=True, kw_only=True)
class Package:
    """The first and the last day that are held, and the visits of days within the company's that did not fit."""

    first_day: date | None
    last_day: date | None
    visits_beyond: int
    first_beyond: date | None


def read_package(company_id: str, technician_id: str, now: datetime) -> Package:
    """As the technician's scope stands; without days when it reaches all."""
    scope = technician_scope(technician_id)
    with snapshot():
        reach = packages.reach(company_id, scope)
        if reach.window is None:
            return Package(first_day=None, last_day=None, visits_beyond=0, first_beyond=None)
        whole = window_on(now, reach.tz, reach.days)
        beyond = packages.starts_between(company_id, scope, reach.window.until, whole.until)
    return Package(
        first_day=local_date(reach.window.since, reach.tz),
        last_day=local_date(reach.window.until - timedelta(seconds=1), reach.tz),
        visits_beyond=len(beyond),
        first_beyond=local_date(beyond[0], reach.tz) if beyond else None,
    )
