"""Which completed work counts for which cycle of a trigger whose dates form a grid."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from server.domain.maintenance.values import Completion, Cycle, Slot, Trigger
from server.domain.maintenance.view import PlanView


def with_credits(view: PlanView, trigger: Trigger, slots: Iterable[Slot]) -> tuple[Cycle, ...]:
    """Cycles with the completion that counts for each.

    1. Work done for an occurrence counts for that occurrence, whenever it was done.
    2. Other equivalent work, oldest first, counts for the cycle with the nearest due date whose window it falls in.
    One completion counts for at most one cycle of a trigger, so overlapping windows do not swallow each other.
    """
    slots = list(slots)
    taken = _taken(view, trigger, slots) if view.completions else {}
    return tuple(
        Cycle(
            key=each.key,
            due_on=each.due_on,
            number=each.number,
            opens_on=each.opens_on,
            basis=each.basis,
            absent=each.absent,
            credited_by=taken.get(each.key),
        )
        for each in slots
    )


def _taken(view: PlanView, trigger: Trigger, slots: list[Slot]) -> dict[str, Completion]:
    own = {each.occurrence_id: each for each in view.completions if each.occurrence_id is not None}
    by_id = {view.occurrence_id(trigger, slot.key): slot.key for slot in slots} if own else {}
    taken: dict[str, Completion] = {}
    free: list[Completion] = []
    for done in view.completions:
        key = by_id.get(done.occurrence_id or "")
        if key is not None:
            taken.setdefault(key, done)
        elif view.counts_for(trigger, done):
            free.append(done)
    for done in free:
        candidates = [
            (abs((slot.due_on - done.completed_on).days), slot.due_on, slot.key)
            for slot in slots
            if slot.key not in taken and _inside(view, slot, done.completed_on)
        ]
        if candidates:
            taken[min(candidates)[2]] = done
    return taken


def _inside(view: PlanView, slot: Slot, day: date) -> bool:
    first, last = view.plan.window(slot.due_on)
    return (slot.opens_on or first) <= day <= last
