"""Operating age: every so often since commissioning, whatever was done in between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from server.domain.maintenance.calendar import Every
from server.domain.maintenance.triggers.base import Grid
from server.domain.maintenance.triggers.interval import (
    interval_basis,
    interval_from_json,
    interval_problems,
    interval_to_json,
)
from server.domain.maintenance.values import AssetFacts, Plan, Problem, Slot
from server.domain.maintenance.view import PlanView
from server.domain.reason import Reason, reason


@dataclass(frozen=True, kw_only=True)
class AgeTrigger(Grid):
    """Commissioning plus n intervals; the cycle key is n. Dates before the plan's start are not expected."""

    id: str
    every: Every

    kind: ClassVar[str] = "age"

    def problems(self, plan: Plan) -> tuple[Problem, ...]:
        return interval_problems(self.every)

    def missing_anchor(self, facts: AssetFacts) -> Reason | None:
        return reason("not-commissioned") if facts.commissioned_on is None else None

    def slots(self, view: PlanView) -> Iterable[Slot]:
        anchor = view.facts.commissioned_on
        if anchor is None:
            return
        step = 1
        while (due_on := self.every.after(anchor, step)) <= view.until:
            if due_on >= view.plan.starts_on:
                basis = interval_basis(self.every, step, anchor, "age")
                yield Slot(key=str(step), due_on=due_on, number=step, basis=basis)
            step += 1

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "id": self.id, "every": interval_to_json(self.every)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        return cls(id=document["id"], every=interval_from_json(document["every"]))
