"""The days that tablets hold: each technician's scope reaches the visits of some days before and after today.

Days are the branch's. Nothing is written of a visit: it enters and leaves by where it stands, as by a reassignment.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from schemas.entities.base import technician_scope
from server.domain.local_time import instant_of, local_date
from server.domain.package import last_day
from server.extensions import db
from server.store import feed, windows
from server.store.queries import packages
from server.store.transaction import snapshot, transactional
from server.store.windows import Window


def window_on(now: datetime, tz: str, days: int) -> Window:
    """From midnight so many days before today until the midnight after as many days, by the clock of a zone."""
    today = local_date(now, tz)
    first, after = today - timedelta(days=days), today + timedelta(days=days + 1)
    return Window(since=instant_of(first, time(), tz), until=instant_of(after, time(), tz))


def move_windows(company_id: str, now: datetime) -> dict[str, Any]:
    """Bring every technician's window to where it is to be now; how many moved, and what entered and left tablets.

    Each technician is a transaction of its own. Where nothing is to move nothing is written.
    """
    with snapshot():
        wanted = {
            each.scope: window
            for each in packages.reaches(company_id)
            if (window := wanted_window(company_id, each, now)) != each.window
        }
    report = {"moved": len(wanted), "entered": 0, "left": 0}
    for scope in sorted(wanted):
        entered, left = move_window(company_id, scope, wanted[scope])
        report["entered"] += entered
        report["left"] += left
    return report


def wanted_window(company_id: str, reach: packages.Reach, now: datetime) -> Window:
    """The days that a technician's tablets are to hold: as many as the company says, as far as they fit (S-223)."""
    whole = window_on(now, reach.tz, reach.days)
    load: dict[date, int] = {}
    today = local_date(now, reach.tz)
    for one in packages.weights(company_id, reach.scope, whole):
        # What has no time comes with today.
        day = local_date(one.planned_start, reach.tz) if one.planned_start else today
        load[day] = load.get(day, 0) + one.size
    last = last_day(load, today, today + timedelta(days=reach.days), reach.budget)
    return Window(since=whole.since, until=instant_of(last + timedelta(days=1), time(), reach.tz))


@transactional
def move_window(company_id: str, scope: str, window: Window) -> tuple[int, int]:
    """Move the window of a technician's scope; how many documents entered and left."""
    number = feed.next_number(db.session(), company_id)
    docs = packages.dated_visits(company_id, scope)
    moves = windows.move(db.session(), company_id, number, scope, window, docs)
    return len(moves.entered), len(moves.left)


def open_window(company_id: str, technician_id: str, now: datetime) -> None:
    """Have a technician's scope reach the right days, as before a tablet is given it; does not commit."""
    scope = technician_scope(technician_id)
    reach = packages.reach(company_id, scope)
    window = wanted_window(company_id, reach, now)
    if window != reach.window:
        move_window(company_id, scope, window)
