"""Which completed work counts for which cycle of a trigger whose dates form a grid."""

from __future__ import annotations

from datetime import date

from server.domain.maintenance.values import Completion, Cycle, Trigger
from server.domain.maintenance.view import PlanView


def with_credits(view: PlanView, trigger: Trigger, dates: list[tuple[str, date]]) -> tuple[Cycle, ...]:
    """Cycles with the completion that counts for each.

    1. Work done for an occurrence counts for that occurrence, whenever it was done.
    2. Other equivalent work, oldest first, counts for the cycle with the nearest due date whose window it falls in.
    One completion counts for at most one cycle of a trigger, so overlapping windows do not swallow each other.
    """
    by_id = {view.occurrence_id(trigger, key): key for key, _ in dates}
    taken: dict[str, Completion] = {}
    free: list[Completion] = []
    for done in view.completions:
        key = by_id.get(done.occurrence_id or "")
        if key is None:
            free.append(done)
        else:
            taken.setdefault(key, done)
    for done in free:
        candidates = [
            (abs((due_on - done.completed_on).days), due_on, key)
            for key, due_on in dates
            if key not in taken and _inside(view, due_on, done.completed_on)
        ]
        if candidates:
            taken[min(candidates)[2]] = done
    return tuple(Cycle(key=key, due_on=due_on, credited_by=taken.get(key)) for key, due_on in dates)


def _inside(view: PlanView, due_on: date, day: date) -> bool:
    first, last = view.plan.window(due_on)
    return first <= day <= last
