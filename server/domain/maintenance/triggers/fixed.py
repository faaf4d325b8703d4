"""Fixed calendar: a recurrence rule (RFC 5545) on the site's calendar."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import takewhile
from typing import Any, ClassVar, Self

from dateutil.rrule import rrule

from server.domain.maintenance.credit import with_credits
from server.domain.maintenance.triggers.rule_text import BadRule, rule_arguments
from server.domain.maintenance.values import AssetFacts, Cycle, Plan, Problem
from server.domain.maintenance.view import PlanView
from server.domain.reason import Reason, reason

# Long enough for the rarest date that people do mean: 29 February across 2096 to 2104.
_LOOK_AHEAD_YEARS = 9


@dataclass(frozen=True, kw_only=True)
class FixedTrigger:
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
    follows_warranty: ClassVar[bool] = False

    def problems(self, plan: Plan) -> tuple[Problem, ...]:
        try:
            arguments = rule_arguments(self.rule, plan.starts_on)
        except BadRule as bad:
            return (Problem(field="rule", reason=bad.reason),)
        years = _LOOK_AHEAD_YEARS * max(1, arguments.get("interval", 1))
        until = date(min(plan.starts_on.year + years, 9999), 12, 31)
        if not any(each not in self.without for each in self._found(plan.starts_on, until)):
            return (Problem(field="rule", reason=reason("rule-never-fires", until=until)),)
        return ()

    def missing_anchor(self, facts: AssetFacts) -> Reason | None:
        return None

    def cycles(self, view: PlanView) -> tuple[Cycle, ...]:
        """Raises `BadRule` (a ValueError) if the rule was stored without asking `problems`."""
        dates = self._dates(view.plan.starts_on, view.until)
        return with_credits(view, self, [(each.isoformat(), each) for each in dates])

    def _dates(self, starts_on: date, until: date) -> list[date]:
        return sorted(set(self._found(starts_on, until)) - self.without)

    def _found(self, starts_on: date, until: date) -> Iterator[date]:
        """Dates of the rule one by one, then those that are added; some may come twice."""
        arguments = rule_arguments(self.rule, starts_on)
        last = min(arguments.pop("until", datetime.max), datetime.combine(until, time()))
        # The library allows only one of the two ends, so a rule with a count is cut off here.
        bound = {} if "count" in arguments else {"until": last}
        found = rrule(dtstart=datetime.combine(starts_on, time()), **bound, **arguments)
        yield from (each.date() for each in takewhile(lambda moment: moment <= last, found))
        yield from (each for each in self.also if starts_on <= each <= until)

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
