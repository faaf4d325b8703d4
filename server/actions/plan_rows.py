"""A decision of the maintenance core beside the stored row and visit: what differs, and what is written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta, timezone
from typing import Any

from server.actions.plan_values import Known, due_tasks, stored_tasks, visit_state
from server.actions.plan_words import tell
from server.domain.maintenance import Decision, DueTask, Plan, State, VisitState
from server.store.models import MaintenancePlan, Occurrence, Visit
from server.store.queries import maintenance as queries
from server.text import say

READING_KIND = "operation_control"
READING_MINUTES = 15
"""The kind of work and the minutes of a visit that only reads a meter."""


def is_new(rows: queries.PlanRows, plan: MaintenancePlan, decision: Decision) -> bool:
    """Whether a visit is to be made that was never there."""
    row = next((row for row in rows.occurrences.get(plan.id, ()) if row.id == decision.occurrence_id), None)
    return decision.state is State.GENERATED and (row is None or row.visit_id is None)


def since(plans: Sequence[MaintenancePlan]) -> datetime:
    """Work before a plan's first window cannot count for it; the zone does not matter for a day more."""
    first = min(plan.starts_on - timedelta(days=max(plan.early_days, 0) + 1) for plan in plans)
    return datetime.combine(first, time(), timezone(timedelta(hours=14)))


def row_of(plan: MaintenancePlan, decision: Decision, visit_id: str | None) -> dict[str, Any]:
    """The ledger row of a decision. A trigger without an anchor has no date; its row stands at the plan's start."""
    due_on = decision.due_on or plan.starts_on
    return {
        "due_on": due_on,
        "window_from": decision.window_from or due_on,
        "window_to": decision.window_to or due_on,
        "state": decision.state.value,
        "reason": decision.reason.to_json(),
        "visit_id": visit_id,
        "target_on": decision.target_on,
        "basis": decision.basis.to_json() if decision.basis else None,
        "tasks": stored_tasks(decision.tasks),
    }


def wants_change(visit: Visit, row: Occurrence, decision: Decision) -> bool:
    """Whether the decision asks for a change to a visit that nobody has touched.

    Dates that a dispatcher has set stay: only a window that the plan itself has changed moves an untouched visit.
    """
    state = visit_state(visit, row)
    if decision.state is not State.GENERATED:
        return state is VisitState.UNTOUCHED
    changed = moves(row, decision) or due_tasks(row.tasks) != decision.tasks
    return state is VisitState.WITHDRAWN or (state is VisitState.UNTOUCHED and changed)


def moves(row: Occurrence, decision: Decision) -> bool:
    """Whether the plan itself has changed the window."""
    return (row.window_from, row.window_to) != (decision.window_from, decision.window_to)


def work_of(rows: queries.PlanRows, values: Known, decision: Decision, locale: str) -> dict[str, Any]:
    """What is to be done: the plan's kind of work with its tasks, or only a look at a meter."""
    plan = values.plan
    if decision.asks_reading and decision.basis is not None:
        params = decision.basis.params
        told = tell(rows.company_id, plan.asset_id, "work", "read-meter", params, locale)
        looking = rows.kinds.get(READING_KIND)
        code = READING_KIND if looking is not None and looking.active else plan.kind
        return {"kind": code, "title": told[:200], "service_minutes": READING_MINUTES, "instructions": told}
    kind = rows.kinds.get(plan.kind)
    return {
        "kind": plan.kind,
        "title": kind.name[locale] if kind else None,
        "service_minutes": plan.service_minutes,
        "instructions": instructions(plan, decision.tasks, locale),
    }


def instructions(plan: Plan, tasks: Sequence[DueTask], locale: str) -> str | None:
    """The tasks of a visit in the language of its branch, one in a line; None without tasks."""
    names = {task.code: task.name.get(locale) or task.code for task in plan.tasks}
    lines = [
        names.get(each.code, each.code)
        if each.carried_from is None
        else say(
            "work",
            "task-carried",
            {"task": names.get(each.code, each.code), "day": each.carried_from.isoformat()},
            locale,
        )
        for each in tasks
    ]
    return "\n".join(lines)[:4000] or None
