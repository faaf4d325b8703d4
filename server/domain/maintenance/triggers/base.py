"""The two shapes of a trigger: dates on a grid that nobody moves, and a chain in which work begins the next link."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, ClassVar, Self

from server.domain.maintenance.credit import with_credits
from server.domain.maintenance.values import (
    Anchor,
    AssetFacts,
    Completion,
    Cycle,
    Plan,
    Problem,
    Slot,
    VisitState,
)
from server.domain.maintenance.view import PlanView
from server.domain.reason import Reason

_CLOSED = frozenset({VisitState.DONE, VisitState.CANCELLED, VisitState.SKIPPED})


class _Either(ABC):
    """What both shapes share: the defaults of `Trigger`."""

    id: str
    kind: ClassVar[str]
    follows_warranty: ClassVar[bool] = False
    only_own_work: ClassVar[bool] = False

    @property
    def floats(self) -> bool:
        """Whether dates are counted from the day of the last work."""
        return False

    def problems(self, plan: Plan) -> tuple[Problem, ...]:
        return ()

    def missing_anchor(self, facts: AssetFacts) -> Reason | None:
        return None

    @abstractmethod
    def cycles(self, view: PlanView) -> tuple[Cycle, ...]: ...

    @abstractmethod
    def after(self, view: PlanView, anchor: Anchor) -> Slot | None: ...

    @abstractmethod
    def to_json(self) -> dict[str, Any]: ...

    @classmethod
    @abstractmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self: ...


class Grid(_Either):
    """Dates that are where they are whatever is done: work counts for the nearest of them."""

    @abstractmethod
    def slots(self, view: PlanView) -> Iterable[Slot]:
        """Every date from the plan's start up to `view.until`, oldest first."""

    def cycles(self, view: PlanView) -> tuple[Cycle, ...]:
        return with_credits(view, self, self.slots(view))

    def after(self, view: PlanView, anchor: Anchor) -> Slot | None:
        """The first date that work on the anchor's day does not count for."""
        covered = anchor.day + timedelta(days=view.plan.early_days)
        floor = max(covered, anchor.floor) if anchor.floor else covered
        return next((slot for slot in self.slots(view) if slot.due_on > floor and slot.absent is None), None)


@dataclass(frozen=True)
class Place:
    """Where a chain stands: `anchors` are the days that its parts count from, `step` the links since the last work."""

    anchors: tuple[Anchor, ...]
    step: int = 1
    worked: bool = False


class Chain(_Either):
    """Each link begins where the work of the last one ended.

    The cycle key is "anchor/n": the visit that was the last completion (or "start") and the number of the link after
    it. n grows past 1 only when an occurrence was closed without the work being done (cancelled, skipped, suppressed),
    so that the plan goes on. An open one stays the only one, however overdue.
    """

    @abstractmethod
    def begin(self, view: PlanView) -> Place:
        """Where the chain starts."""

    @abstractmethod
    def next_slot(self, view: PlanView, place: Place) -> Slot | None:
        """The next date from here; its key and number are not looked at. None: none up to `view.until`."""

    @abstractmethod
    def worked(self, view: PlanView, place: Place, slot: Slot, day: date) -> Place:
        """Where the chain stands after work on `day` for this slot."""

    @abstractmethod
    def passed(self, view: PlanView, place: Place, slot: Slot) -> Place:
        """Where the chain stands after a slot that was closed without work."""

    def cycles(self, view: PlanView) -> tuple[Cycle, ...]:
        cycles: list[Cycle] = []
        place = self.begin(view)
        key, number = "start", 1
        since = max(anchor.day for anchor in place.anchors)
        pending = [done for done in view.completions if view.counts_for(self, done)]
        while (slot := self.next_slot(view, place)) is not None and slot.due_on <= view.until:
            cycle_key = f"{key}/{place.step}"
            occurrence = view.occurrence_id(self, cycle_key)
            closed = self._closed(view, occurrence, slot.due_on)
            done = self._credit(view, occurrence, slot.due_on, since, pending, closed)
            cycles.append(Cycle(key=cycle_key, due_on=slot.due_on, number=number, basis=slot.basis, credited_by=done))
            number += 1
            if done is not None:
                pending.remove(done)
                key, since = done.visit_id, done.completed_on
                place = self.worked(view, place, slot, done.completed_on)
            elif closed:
                place = self.passed(view, place, slot)
            else:
                break
        return tuple(cycles)

    def _closed(self, view: PlanView, occurrence: str, due_on: date) -> bool:
        if view.visit_state(occurrence) in _CLOSED:
            return True
        over = view.plan.window(due_on)[1] < view.today
        return over and view.suppressed(self, occurrence, due_on) is not None

    def _credit(
        self, view: PlanView, occurrence: str, due_on: date, since: date, pending: list[Completion], closed: bool
    ) -> Completion | None:
        """The oldest work after the anchor that counts for this cycle.

        Work of the occurrence itself counts on any date, and so does greater work. Other work counts from the start of
        the window on; it may be late, because an open occurrence waits, but not after the window of one that was
        closed.
        """
        first, last = view.plan.window(due_on)
        for done in pending:
            if done.occurrence_id == occurrence:
                return done
            if done.completed_on <= since:
                continue
            if view.contains(view.origin(done), self.id):
                return done
            if done.completed_on >= first and not (closed and done.completed_on > last):
                return done
        return None
