"""A due date is a date at the site: one run of the scheduler finds another day at each of them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from server.store.models import Site
from tests.builders import SmallCompany, change
from tests.maintenance.builders import a_plan, do, generate, ledger, visits_of

pytestmark = pytest.mark.usefixtures("context")

FLOATING = {"kind": "calendar_floating", "id": "t1", "every": {"count": 1, "unit": "months"}}


@pytest.mark.parametrize(
    ("tz", "instant", "day"),
    [
        # The night in which Berlin's clocks go forward; half past eleven in the evening before, and after it.
        ("Europe/Berlin", datetime(2026, 3, 28, 22, 30, tzinfo=UTC), date(2026, 3, 28)),
        ("Europe/Berlin", datetime(2026, 3, 29, 22, 30, tzinfo=UTC), date(2026, 3, 30)),
        ("America/New_York", datetime(2026, 11, 1, 4, 30, tzinfo=UTC), date(2026, 11, 1)),
        ("America/New_York", datetime(2026, 11, 2, 4, 30, tzinfo=UTC), date(2026, 11, 1)),
        ("Asia/Kolkata", datetime(2026, 6, 1, 18, 45, tzinfo=UTC), date(2026, 6, 2)),
        ("Australia/Lord_Howe", datetime(2026, 6, 15, 13, 45, tzinfo=UTC), date(2026, 6, 16)),
        ("Australia/Lord_Howe", datetime(2026, 1, 15, 13, 15, tzinfo=UTC), date(2026, 1, 16)),
        ("Europe/Moscow", datetime(2026, 3, 29, 21, 0, tzinfo=UTC), date(2026, 3, 30)),
        # Apia had no 30 December 2011.
        ("Pacific/Apia", datetime(2011, 12, 30, 9, 59, tzinfo=UTC), date(2011, 12, 29)),
        ("Pacific/Apia", datetime(2011, 12, 30, 10, 0, tzinfo=UTC), date(2011, 12, 31)),
    ],
)
def test_work_counts_for_the_day_at_the_site(company: SmallCompany, tz: str, instant: datetime, day: date) -> None:
    """The office is in Andorra and the tablet says UTC; the next work is counted from the site's own day."""
    change(Site, company.id, company.sites[0], tz=tz)
    start = date(day.year - 1, day.month, 28)
    plan = a_plan(company, triggers=[FLOATING], starts_on=start, horizon_days=60)
    generate(company, instant)
    [visit] = visits_of(company, plan)
    do(company, visit.id, instant)
    generate(company, instant)
    month = day.month % 12 + 1
    following = date(day.year + (month == 1), month, min(day.day, 28 if month == 2 else day.day))
    assert ledger(company, plan)[-1] == (following.isoformat(), "generated", "due")


def test_one_run_finds_another_today_at_each_site(company: SmallCompany) -> None:
    """At 20:00 UTC it is tomorrow on Lord Howe and in Kolkata, and today in Berlin and New York."""
    now = datetime(2026, 6, 15, 20, 0, tzinfo=UTC)
    for tz, made in (("Australia/Lord_Howe", 1), ("Asia/Kolkata", 1), ("Europe/Berlin", 0), ("America/New_York", 0)):
        change(Site, company.id, company.sites[0], tz=tz)
        plan = a_plan(company, starts_on=date(2026, 6, 17), horizon_days=1)
        generate(company, now, plan)
        assert len(visits_of(company, plan)) == made, tz
