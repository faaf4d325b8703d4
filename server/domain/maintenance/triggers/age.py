"""Operating age: every so often since commissioning, whatever was done in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Self

from server.domain.maintenance.calendar import Every
from server.domain.maintenance.credit import with_credits
from server.domain.maintenance.triggers.interval import interval_from_json, interval_problems
from server.domain.maintenance.values import AssetFacts, Cycle, Plan, Problem
from server.domain.maintenance.view import PlanView
from server.domain.reason import Reason, reason


@dataclass(frozen=True, kw_only=True)
class AgeTrigger:
    """Commissioning plus n intervals; the cycle key is n. Dates before the plan's start are not expected."""

    id: str
    every: Every

    kind: ClassVar[str] = "age"
    follows_warranty: ClassVar[bool] = False

    def problems(self, plan: Plan) -> tuple[Problem, ...]:
        return interval_problems(self.every)

    def missing_anchor(self, facts: AssetFacts) -> Reason | None:
        return reason("not-commissioned") if facts.commissioned_on is None else None

    def cycles(self, view: PlanView) -> tuple[Cycle, ...]:
        anchor = view.facts.commissioned_on
        if anchor is None:
            return ()
        dates: list[tuple[str, date]] = []
        step = 1
        while (due_on := self.every.after(anchor, step)) <= view.until:
            if due_on >= view.plan.starts_on:
                dates.append((str(step), due_on))
            step += 1
        return with_credits(view, self, dates)

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "id": self.id, "every": {"count": self.every.count, "unit": self.every.unit}}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        return cls(id=document["id"], every=interval_from_json(document["every"]))
