"""Days off move the day of a visit, never the plan's own date, so that no later date moves with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from server.domain.maintenance.values import Plan, Shift


@dataclass(frozen=True)
class Placed:
    """The working day a due date falls on, with the window around it."""

    target_on: date
    window_from: date
    window_to: date


def placed(plan: Plan, due_on: date, opens_on: date | None = None) -> Placed | None:
    """Where a due date falls at the site; None if no working day can be had.

    The window reaches at least to the target and begins and ends on a working day. A hard due date is never moved past
    the window's last day: if the next working day lies behind it, the one before is taken.
    """
    first, last = plan.window(due_on)
    first = opens_on or first
    if plan.shift is Shift.NONE or plan.days.plain:
        return Placed(due_on, first, last)
    target = _target(plan, due_on, last)
    if target is None:
        return None
    opens = plan.days.next_working(min(first, target), 1) or target
    ends = plan.days.next_working(max(last, target), -1) or target
    return Placed(target, min(opens, target), max(ends, target))


def _target(plan: Plan, due_on: date, last: date) -> date | None:
    if plan.shift is Shift.SKIP or plan.days.works(due_on):
        return due_on
    after, before = plan.days.next_working(due_on, 1), plan.days.next_working(due_on, -1)
    if plan.hard_due and after is not None and after > last:
        after = None
    if after is None or before is None:
        return after or before
    if plan.shift is Shift.FORWARD:
        return after
    if plan.shift is Shift.BACKWARD:
        return before
    return after if after - due_on <= due_on - before else before
