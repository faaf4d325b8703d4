"""Event: so many days after something was done at the machine: installation, repair, training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, ClassVar, Self

from server.domain.maintenance.triggers.base import Grid
from server.domain.maintenance.triggers.fields import text, whole
from server.domain.maintenance.values import Plan, Problem, Slot
from server.domain.maintenance.view import PlanView
from server.domain.reason import reason

INSTALLED, COMMISSIONED = "installed", "commissioned"
_PAPER_CODES = {INSTALLED: "after-installed", COMMISSIONED: "after-commissioned"}


@dataclass(frozen=True, kw_only=True)
class EventTrigger(Grid):
    """Each of `after_days` after each finished visit of one of the kinds in `on`; the key is "visit/days".

    `on` may also hold "installed" and "commissioned": the days on the machine's papers.
    """

    id: str
    on: tuple[str, ...]
    after_days: tuple[int, ...]

    kind: ClassVar[str] = "event"

    def problems(self, plan: Plan) -> tuple[Problem, ...]:
        found = []
        if not self.on:
            found.append(Problem(field="on", reason=reason("no-events")))
        if plan.kind in self.on:
            # Each visit would ask for the next one: that is what a floating trigger is for.
            found.append(Problem(field="on", reason=reason("event-of-own-kind", kind=plan.kind)))
        if not self.after_days:
            found.append(Problem(field="after_days", reason=reason("no-days")))
        for index, days in enumerate(self.after_days):
            if not 0 <= days <= 3650 or days in self.after_days[:index]:
                why = reason("window-out-of-range", count=days, most=3650)
                found.append(Problem(field=f"after_days.{index}", reason=why))
        return tuple(found)

    def slots(self, view: PlanView) -> Iterable[Slot]:
        found = []
        for source, kind, on in self._events(view):
            for days in self.after_days:
                due_on = on + timedelta(days=days)
                if view.plan.starts_on <= due_on <= view.until:
                    basis = reason(_PAPER_CODES.get(kind, "after-event"), n=days, kind=kind, happened_on=on)
                    found.append(Slot(key=f"{source}/{days}", due_on=due_on, basis=basis))
        return sorted(found, key=lambda each: (each.due_on, each.key))

    def _events(self, view: PlanView) -> list[tuple[str, str, date]]:
        papers = ((INSTALLED, view.facts.installed_on), (COMMISSIONED, view.facts.commissioned_on))
        found = [(name, name, on) for name, on in papers if on is not None and name in self.on]
        done = (each for each in view.work if each.outcome == "done" and each.kind in self.on)
        return found + [(each.visit_id, each.kind, each.completed_on) for each in done]

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "id": self.id, "on": list(self.on), "after_days": list(self.after_days)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        on, days = document["on"], document["after_days"]
        if not isinstance(on, list) or not isinstance(days, list):
            raise ValueError("on and after_days must be lists")
        return cls(id=document["id"], on=tuple(map(text, on)), after_days=tuple(map(whole, days)))
