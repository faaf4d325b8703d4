"""A second, slow opinion: walks the calendar day by day and shares no code with the core but its values.

It knows one trigger at a time, given as a question "is work expected on this day?", and each day off as another
question. Its answer is a list of (due date, day of the visit, state, code).
"""

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from server.domain.maintenance import AssetFacts, Completion, Plan, VisitState

DAY = timedelta(days=1)
Row = tuple[date, date, str, str]


def every_days(start: date, step: int) -> Callable[[date], bool]:
    return lambda day: day >= start and (day - start).days % step == 0


def every_months(start: date, step: int, *, first: int = 0) -> Callable[[date], bool]:
    """True on the day of the start's number, or on the month's last day if the month is too short for it."""

    def expects(day: date) -> bool:
        months = (day.year - start.year) * 12 + day.month - start.month
        last = monthrange(day.year, day.month)[1]
        return months >= first * step and months % step == 0 and day.day == min(start.day, last)

    return expects


def on_weekday(start: date, weekday: int, weeks: int) -> Callable[[date], bool]:
    monday = start - timedelta(days=start.weekday())
    return lambda day: day >= start and day.weekday() == weekday and ((day - monday).days // 7) % weeks == 0


@dataclass
class Naive:
    plan: Plan
    facts: AssetFacts
    completions: list[Completion]
    visits: dict[date, VisitState]
    own: dict[date, Completion]
    today: date
    expects: Callable[[date], bool]
    works: Callable[[date], bool]

    def ledger(self, until: date) -> list[Row]:
        far = max([until, self.today, *self.visits, *(each.completed_on for each in self.completions)])
        far += timedelta(days=self.plan.horizon_days + self.plan.early_days)
        days = []
        day = self.plan.starts_on
        while day <= far:
            if self.expects(day):
                days.append(day)
            day += DAY
        credited = self.credits(days)
        rows: dict[date, tuple[str, str]] = {}
        for day in days:
            verdict = self.by_itself(day, credited.get(day))
            if verdict is not None:
                rows[day] = verdict
        undecided = [day for day in days if day not in rows]
        for day in undecided:
            if self.plan.catch_up == "each" or day >= self.today:
                continue
            if self.plan.catch_up == "skip":
                rows[day] = ("skipped", "missed")
                continue
            later_missed = [each for each in undecided if day < each < self.today]
            later_open = [each for each in days if each > day and self.is_open(each, rows)]
            if later_missed or later_open:
                rows[day] = ("skipped", "coalesced")
        for day in days:
            if day not in rows:
                holds = self.plan.open_previous == "hold"
                if holds and any(self.is_open(each, rows) for each in days if each < day):
                    rows[day] = ("held", "previous-open")
                else:
                    rows[day] = ("generated", self.due(day))
        return [(day, self.place(day)[0], *rows[day]) for day in days if day <= until]

    def is_open(self, day: date, rows: dict[date, tuple[str, str]]) -> bool:
        if day not in rows or rows[day][0] != "generated":
            return False
        return rows[day][1] in (
            "due", "due-moved", "overdue", "visit-started", "published-though-done",
        )  # fmt: skip

    def due(self, day: date) -> str:
        target, last = self.place(day)
        if last < self.today:
            return "overdue"
        return "due" if target == day else "due-moved"

    def place(self, day: date) -> tuple[date, date]:
        """The day of the visit, and the last day on which it can be done."""
        last = day + self.plan.late_days * DAY
        if self.plan.shift == "none":
            return day, last
        target = day
        if not self.works(day) and self.plan.shift != "skip":
            after, before = day, day
            while not self.works(after):
                after += DAY
            while not self.works(before):
                before -= DAY
            ahead = self.plan.shift == "forward" or (self.plan.shift == "nearest" and after - day <= day - before)
            target = after if ahead and not (self.plan.hard_due and after > last) else before
        last = max(last, target)
        while last > target and not self.works(last):
            last -= DAY
        return target, last

    def credits(self, days: list[date]) -> dict[date, Completion]:
        taken = dict(self.own)
        mine = {id(each) for each in self.own.values()}
        for work in sorted(self.completions, key=lambda each: (each.completed_on, each.visit_id)):
            if id(work) in mine or work.kind != self.plan.kind or work.outcome != "done":
                continue
            best: date | None = None
            for day in days:
                first, last = day - self.plan.early_days * DAY, day + self.plan.late_days * DAY
                if day in taken or not first <= work.completed_on <= last:
                    continue
                if best is None or abs(day - work.completed_on) < abs(best - work.completed_on):
                    best = day
            if best is not None:
                taken[best] = work
        return taken

    def by_itself(self, day: date, work: Completion | None) -> tuple[str, str] | None:
        state = self.visits.get(day)
        if day in self.own:
            return ("generated", "visit-done")
        if state is VisitState.STARTED:
            return ("generated", "visit-started")
        if state is VisitState.PUBLISHED:
            return ("generated", "published-though-done" if work else self.due(day))
        if work is not None:
            return ("credited", "credited")
        if state is VisitState.CANCELLED:
            return ("skipped", "visit-cancelled")
        if state is VisitState.SKIPPED:
            return ("skipped", "skipped-by-office")
        if not self.plan.active:
            return ("suppressed", "plan-inactive")
        if self.plan.ends_on and day > self.plan.ends_on:
            return ("suppressed", "plan-ended")
        since = self.facts.out_of_service_from
        if not self.facts.in_service and since and day >= since:
            return ("suppressed", "asset-out-of-service-since")
        if self.facts.contract_ends_on and day > self.facts.contract_ends_on:
            return ("suppressed", "contract-ended")
        if self.plan.season and day.month not in self.plan.season:
            return ("suppressed", "out-of-season")
        if self.plan.shift == "skip" and not self.works(day):
            return ("suppressed", "day-off")
        if day > self.today + self.plan.horizon_days * DAY:
            return ("forecast", "beyond-horizon")
        equal = [each for each in self.completions if each.kind == self.plan.kind and each.outcome == "done"]
        if day < self.today and any(each.completed_on > day for each in equal):
            return ("skipped", "covered-by-later-work")
        if state is VisitState.UNTOUCHED:
            return ("generated", self.due(day))
        return None
