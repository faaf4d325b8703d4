"""How other systems count, and how this one does, over ten years: the table of `docs/maintenance-compared.md`.

Each formula is written down from its public source as plain arithmetic: OCA field-service (the next order is counted
from the last order's own, movable date), ERPNext (a month is 30 days, a quarter 91, a year 365), Atlas CMMS (a daily
schedule ticks every 24 hours).
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from dateutil.rrule import MO, MONTHLY, WEEKLY, rrule

from server.domain.local_time import instant_of, zone
from server.domain.maintenance import AssetFacts, Completion, FixedTrigger, Plan, Recorded, VisitState, expected
from tests.domain.maintenance_builders import TRIGGER, a_plan, done, recorded

PAGE = Path(__file__).parents[2] / "docs" / "maintenance-compared.md"
YEARS = 10
PERIODS = {"Monthly": 30, "Quarterly": 91, "Yearly": 365}


@dataclass(frozen=True)
class Line:
    """One line of the table: what theirs and ours come to."""

    case: str
    theirs: str
    ours: str

    def __str__(self) -> str:
        return f"| {self.case} | {self.theirs} | {self.ours} |"


def after(frequency: int, last: date, **more: object) -> date:
    """OCA: the rule starts anew at the date on which the last order stands now."""
    rule = rrule(frequency, dtstart=datetime.combine(last, time()), **more)  # type: ignore[arg-type]
    found = rule.after(datetime.combine(last, time()))
    assert found is not None
    return found.date()


def lived(plan: Plan, until: date, moved: dict[int, int]) -> list[date]:
    """Ours, lived through: each visit is done on its day, the n-th so many days from it; the plan's own dates."""
    completions: list[Completion] = []
    existing: list[Recorded] = []
    dates = [each.due_on for each in expected(plan, AssetFacts(), [], [], plan.starts_on, until) if each.due_on]
    for number, day in enumerate(dates):
        on = day + timedelta(days=moved.get(number, 0))
        completions.append(done(on, f"v{number}", day.isoformat()))
        existing.append(recorded(day.isoformat(), VisitState.DONE, day))
    found = expected(plan, AssetFacts(), completions, existing, until, until)
    assert [each.reason.code for each in found] == ["visit-done"] * len(dates), "no second visit for any date"
    return [each.due_on for each in found if each.due_on]


def pulled_forward() -> Line:
    """Weekly on Mondays; each fourth visit is pulled forward to the Friday before."""
    start, until = date(2026, 1, 5), date(2036, 1, 4)
    extra, number, day = 0, 0, start
    while day <= until:
        number += 1
        if number % 4 == 0:
            # The order now stands on Friday; the next one is counted from there and falls on the same Monday again.
            again = after(WEEKLY, day - timedelta(days=3), byweekday=MO)
            extra += again == day
        day += timedelta(weeks=1)
    plan = a_plan(triggers=(FixedTrigger(id=TRIGGER, rule="FREQ=WEEKLY;BYDAY=MO"),), starts_on=start, early_days=3)
    ours = lived(plan, until, dict.fromkeys(range(3, number, 4), -3))
    second = len(ours) - len(set(ours))
    return Line(
        "OCA field-service: weekly on Mondays, each fourth visit pulled forward to Friday",
        f"{extra} second visits for a Monday that was done",
        f"{second} second visits",
    )


def slipped() -> Line:
    """Quarterly from 15 January; the first visit of each year is a week late."""
    start, until = date(2026, 1, 15), date(2035, 12, 31)
    day = start
    for year in range(YEARS):
        for quarter in range(4):
            if quarter == 0:
                day += timedelta(weeks=1)
            if (year, quarter) != (YEARS - 1, 3):
                day = after(MONTHLY, day, interval=3)
    rule = "FREQ=MONTHLY;INTERVAL=3"
    plan = a_plan(triggers=(FixedTrigger(id=TRIGGER, rule=rule),), starts_on=start, late_days=7)
    ours = lived(plan, until, {4 * year: 7 for year in range(YEARS)})[-1]
    true = date(2035, 10, 15)
    return Line(
        "OCA field-service: quarterly, one visit a year is a week late",
        f"the last visit is due on {day}, {(day - true).days} days late",
        f"{ours}, {(ours - true).days} days",
    )


def months_of_thirty_days(period: str, rule: str) -> Line:
    """ERPNext from 15 January 2026, for ten years."""
    start, until = date(2026, 1, 15), date(2036, 1, 14)
    theirs = [start + timedelta(days=n * PERIODS[period]) for n in range(until.toordinal() - start.toordinal())]
    theirs = [day for day in theirs if day <= until]
    plan = a_plan(triggers=(FixedTrigger(id=TRIGGER, rule=rule),), starts_on=start)
    ours = lived(plan, until, {})
    there = theirs[len(ours) - 1]
    early = (ours[-1] - there).days
    return Line(
        f"ERPNext: {period.lower()} from 15 January",
        f"{len(theirs)} visits; the {len(ours)}th is due on {there}, {early} days early",
        f"{len(ours)} visits; {ours[-1]}, 0 days",
    )


def ticks_of_a_day() -> Line:
    """Atlas: each day at nine in Berlin, begun in winter."""
    berlin = zone("Europe/Berlin")
    first = instant_of(date(2026, 1, 1), time(9), "Europe/Berlin")
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(3652)]
    theirs = [(first + timedelta(hours=24 * n)).astimezone(berlin).hour for n in range(len(days))]
    ours = [instant_of(day, time(9), "Europe/Berlin").astimezone(berlin).hour for day in days]
    return Line(
        "Atlas: daily at 09:00 in Berlin, begun in winter",
        f"{sum(hour != 9 for hour in theirs)} of {len(days)} visits at 10:00",
        f"{sum(hour != 9 for hour in ours)} of {len(days)}",
    )


def test_the_page_says_what_the_formulas_come_to() -> None:
    lines = [
        pulled_forward(),
        slipped(),
        months_of_thirty_days("Monthly", "FREQ=MONTHLY"),
        months_of_thirty_days("Quarterly", "FREQ=MONTHLY;INTERVAL=3"),
        months_of_thirty_days("Yearly", "FREQ=YEARLY"),
        ticks_of_a_day(),
    ]
    page = PAGE.read_text("utf-8")
    for line in lines:
        assert str(line) in page, f"the page should say\n{line}"
