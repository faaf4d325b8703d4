"""Floating calendar: so long after the work was last done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Self

from server.domain.maintenance.calendar import Every
from server.domain.maintenance.triggers.interval import interval_from_json, interval_problems
from server.domain.maintenance.values import AssetFacts, Completion, Cycle, Plan, Problem, VisitState
from server.domain.maintenance.view import PlanView
from server.domain.reason import Reason

_CLOSED = frozenset({VisitState.DONE, VisitState.CANCELLED, VisitState.SKIPPED})


@dataclass(frozen=True, kw_only=True)
class FloatingTrigger:
    """The last completion that counts, plus the interval. Before any, the plan's start or `last_done_on`.

    The cycle key is "anchor/n": the visit that was the last completion (or "start") and the number of the interval
    after it. n grows past 1 only when an occurrence was closed without the work being done (cancelled, skipped,
    suppressed), so that the plan goes on. An open one stays the only one, however overdue.
    """

    id: str
    every: Every
    last_done_on: date | None = None

    kind: ClassVar[str] = "calendar_floating"
    follows_warranty: ClassVar[bool] = False

    def problems(self, plan: Plan) -> tuple[Problem, ...]:
        return interval_problems(self.every)

    def missing_anchor(self, facts: AssetFacts) -> Reason | None:
        return None

    def cycles(self, view: PlanView) -> tuple[Cycle, ...]:
        cycles: list[Cycle] = []
        key, anchor, step = "start", self.last_done_on or view.plan.starts_on, 1
        pending = list(view.completions)
        while (due_on := self.every.after(anchor, step)) <= view.until:
            cycle_key = f"{key}/{step}"
            occurrence = view.occurrence_id(self, cycle_key)
            closed = self._closed(view, occurrence, due_on)
            done = _credit(view, occurrence, due_on, anchor, pending, closed)
            cycles.append(Cycle(key=cycle_key, due_on=due_on, credited_by=done))
            if done is not None:
                pending.remove(done)
                key, anchor, step = done.visit_id, done.completed_on, 1
            elif closed:
                step += 1
            else:
                break
        return tuple(cycles)

    def _closed(self, view: PlanView, occurrence: str, due_on: date) -> bool:
        if view.visit_state(occurrence) in _CLOSED:
            return True
        over = view.plan.window(due_on)[1] < view.today
        return over and view.suppressed(self, occurrence, due_on) is not None

    def to_json(self) -> dict[str, Any]:
        document: dict[str, Any] = {
            "kind": self.kind,
            "id": self.id,
            "every": {"count": self.every.count, "unit": self.every.unit},
        }
        if self.last_done_on is not None:
            document["last_done_on"] = self.last_done_on.isoformat()
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        last = document.get("last_done_on")
        return cls(
            id=document["id"],
            every=interval_from_json(document["every"]),
            last_done_on=date.fromisoformat(last) if last else None,
        )


def _credit(
    view: PlanView, occurrence: str, due_on: date, anchor: date, pending: list[Completion], closed: bool
) -> Completion | None:
    """The oldest work after the anchor that counts for this cycle.

    Work of the occurrence itself counts on any date. Other work counts from the start of the window on; it may be late,
    because an open occurrence waits, but not after the window of one that was closed.
    """
    first, last = view.plan.window(due_on)
    for done in pending:
        if done.occurrence_id == occurrence:
            return done
        if done.completed_on > anchor and done.completed_on >= first and not (closed and done.completed_on > last):
            return done
    return None
