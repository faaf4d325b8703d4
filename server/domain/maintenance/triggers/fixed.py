"""Fixed calendar: a recurrence rule (RFC 5545) on the site's calendar."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from itertools import chain, takewhile
from typing import Any, ClassVar, Self

from dateutil.rrule import rrule

from server.domain.maintenance.triggers.base import Grid
from server.domain.maintenance.triggers.rule_text import BadRule, rule_arguments
from server.domain.maintenance.values import Plan, Problem, Slot
from server.domain.maintenance.view import PlanView
from server.domain.reason import reason

# Long enough for the rarest date that people do mean: 29 February across 2096 to 2104.
_LOOK_AHEAD_YEARS = 9


@dataclass(frozen=True, kw_only=True)
class FixedTrigger(Grid):
    """Dates of a recurrence rule that starts with the plan. The cycle key is the rule's own date.

    The rule gives dates, so it may not repeat within a day. Where the day of the month comes from the plan's start
    alone, a shorter month uses its last day; a written BYMONTHDAY means what RFC 5545 says (months without that day are
    left out) unless the rule adds SKIP=BACKWARD (RFC 7529). `without` removes dates and `also` adds some.
    """

    id: str
    rule: str
    without: frozenset[date] = frozenset()
    also: frozenset[date] = frozenset()

    kind: ClassVar[str] = "calendar_fixed"

    def problems(self, plan: Plan) -> tuple[Problem, ...]:
        try:
            arguments = rule_arguments(self.rule, plan.starts_on)
        except BadRule as bad:
            return (Problem(field="rule", reason=bad.reason),)
        years = _LOOK_AHEAD_YEARS * max(1, arguments.get("interval", 1))
        until = date(min(plan.starts_on.year + years, 9999), 12, 31)
        dates = chain(one_by_one(self.rule, plan.starts_on, until), (day for day in self.also if day >= plan.starts_on))
        if not any(each not in self.without for each in dates):
            return (Problem(field="rule", reason=reason("rule-never-fires", until=until)),)
        return ()

    def slots(self, view: PlanView) -> Iterable[Slot]:
        """Raises `BadRule` (a ValueError) if the rule was stored without asking `problems`."""
        dates = self._dates(view.plan.starts_on, view.until)
        for number, day in enumerate(dates, start=1):
            yield Slot(key=day.isoformat(), due_on=day, number=number, basis=reason("by-rule", rule=self.rule))

    def _dates(self, starts_on: date, until: date) -> list[date]:
        found = dates_of(self.rule, starts_on, until.year)
        ruled = found[: bisect_right(found, until)]
        if not self.also and not self.without:
            return list(ruled)
        return sorted({*ruled, *(each for each in self.also if starts_on <= each <= until)} - self.without)

    def to_json(self) -> dict[str, Any]:
        document: dict[str, Any] = {"kind": self.kind, "id": self.id, "rule": self.rule}
        for name, dates in (("without", self.without), ("also", self.also)):
            if dates:
                document[name] = [each.isoformat() for each in sorted(dates)]
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        return cls(
            id=document["id"],
            rule=document["rule"],
            without=frozenset(date.fromisoformat(each) for each in document.get("without", ())),
            also=frozenset(date.fromisoformat(each) for each in document.get("also", ())),
        )


def one_by_one(rule: str, starts_on: date, until: date) -> Iterator[date]:
    """Dates of the rule from the start on, one by one."""
    arguments = rule_arguments(rule, starts_on)
    last = min(arguments.pop("until", datetime.max), datetime.combine(until, time()))
    # The library allows only one of the two ends, so a rule with a count is cut off here.
    bound = {} if "count" in arguments else {"until": last}
    moments = rrule(dtstart=datetime.combine(starts_on, time()), **bound, **arguments)
    return (each.date() for each in takewhile(lambda moment: moment <= last, moments))


@lru_cache(maxsize=4096)
def dates_of(rule: str, starts_on: date, year: int) -> tuple[date, ...]:
    """Dates of the rule up to the end of a year; many plans share a rule and a start."""
    return tuple(one_by_one(rule, starts_on, date(year, 12, 31)))
