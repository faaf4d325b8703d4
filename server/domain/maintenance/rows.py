"""Rows of the ledger while they are being decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from server.domain.maintenance.shift import placed
from server.domain.maintenance.values import Cycle, Plan, State, Trigger, VisitState
from server.domain.maintenance.view import PlanView
from server.domain.reason import Reason, reason

ASKED_DAYS = 7
"""Within so many days a meter is to be read that nobody has read for long."""


@dataclass(frozen=True)
class Row:
    """One cycle of one trigger, named."""

    trigger: Trigger
    cycle: Cycle
    occurrence: str

    @property
    def due_on(self) -> date:
        return self.cycle.due_on


@dataclass(frozen=True)
class Verdict:
    """What becomes of a row. `open`: there is or will be a visit that has not ended. `into`: merged into that row."""

    state: State
    reason: Reason
    open: bool = False
    into: str | None = None


Verdicts = list[Verdict | None]


def window(plan: Plan, cycle: Cycle) -> tuple[date, date]:
    """First and last day for the work of a cycle, days off looked at."""
    if cycle.asks_reading:
        return cycle.due_on, cycle.due_on + timedelta(days=ASKED_DAYS)
    place = placed(plan, cycle.due_on, cycle.opens_on)
    return (place.window_from, place.window_to) if place else plan.window(cycle.due_on)


def due(view: PlanView, row: Row) -> Reason:
    """That a visit is due, until when, and whether days off have moved it."""
    due_on = row.due_on
    place = placed(view.plan, due_on, row.cycle.opens_on)
    first, last = window(view.plan, row.cycle)
    if last < view.today:
        return reason("overdue", due_on=due_on, window_from=first, window_to=last)
    if place is not None and place.target_on != due_on:
        return reason("due-moved", due_on=due_on, target_on=place.target_on, window_from=first, window_to=last)
    return reason("due", due_on=due_on, window_from=first, window_to=last)


def movable(view: PlanView, row: Row, verdict: Verdict | None) -> bool:
    """Whether the scheduler may still decide this row: no visit, or one that nobody has touched."""
    if verdict is None:
        return True
    untouched = view.visit_state(row.occurrence) is VisitState.UNTOUCHED
    return verdict.state is State.GENERATED and verdict.open and untouched
