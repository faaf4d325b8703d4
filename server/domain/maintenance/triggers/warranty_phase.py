"""Warranty phase: inspections without anybody's call, placed by the start and the end of the warranty."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Self

from server.domain.maintenance.calendar import Every
from server.domain.maintenance.triggers.base import Grid
from server.domain.maintenance.values import AssetFacts, Plan, Problem, Slot
from server.domain.maintenance.view import PlanView
from server.domain.reason import Reason, reason

_FROM_START = re.compile(r"([dmy])([1-9]\d{0,3})")
_BEFORE_END = re.compile(r"end-([1-9]\d{0,3})([dmy])")
_UNITS: dict[str, Any] = {"d": "days", "m": "months", "y": "years"}


@dataclass(frozen=True, kw_only=True)
class WarrantyPhaseTrigger(Grid):
    """Phases of the warranty; the cycle key is the phase code.

    `m6` is six months after the warranty starts (also `d14`, `y1`), `end-30d` thirty days before its last day. When the
    warranty is extended, the phases at its end move with it and keep their keys.
    """

    id: str
    phases: tuple[str, ...]

    kind: ClassVar[str] = "warranty_phase"
    follows_warranty: ClassVar[bool] = True

    def problems(self, plan: Plan) -> tuple[Problem, ...]:
        if not self.phases:
            return (Problem(field="phases", reason=reason("no-phases")),)
        found = []
        for index, phase in enumerate(self.phases):
            if not (_FROM_START.fullmatch(phase) or _BEFORE_END.fullmatch(phase)):
                found.append(Problem(field=f"phases.{index}", reason=reason("phase-unknown", phase=phase)))
            elif phase in self.phases[:index]:
                found.append(Problem(field=f"phases.{index}", reason=reason("phase-twice", phase=phase)))
        return tuple(found)

    def missing_anchor(self, facts: AssetFacts) -> Reason | None:
        if facts.warranty_starts_on is None or facts.warranty_ends_on is None:
            return reason("no-warranty")
        return None

    def slots(self, view: PlanView) -> Iterable[Slot]:
        dates = [(due_on, phase) for phase in self.phases if (due_on := _due_on(phase, view.facts)) is not None]
        for number, (due_on, phase) in enumerate(sorted(dates), start=1):
            if view.plan.starts_on <= due_on <= view.until:
                yield Slot(key=phase, due_on=due_on, number=number, basis=_basis(phase, view.facts))

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "id": self.id, "phases": list(self.phases)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        return cls(id=document["id"], phases=tuple(str(each) for each in document["phases"]))


def _due_on(phase: str, facts: AssetFacts) -> date | None:
    starts_on, ends_on = facts.warranty_starts_on, facts.warranty_ends_on
    if starts_on is None or ends_on is None:
        return None
    if match := _FROM_START.fullmatch(phase):
        return Every(int(match[2]), _UNITS[match[1]]).after(starts_on, 1)
    if match := _BEFORE_END.fullmatch(phase):
        return Every(int(match[1]), _UNITS[match[2]]).after(ends_on, -1)
    return None


def _basis(phase: str, facts: AssetFacts) -> Reason | None:
    starts_on, ends_on = facts.warranty_starts_on, facts.warranty_ends_on
    if starts_on is None or ends_on is None:
        return None
    return reason("by-phase", phase=phase, starts_on=starts_on, ends_on=ends_on)
