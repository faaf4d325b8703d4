"""Which tasks a visit has: those of its cycle, of dates merged into it, and what an earlier visit left undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from server.domain.maintenance.rows import Row, Verdict
from server.domain.maintenance.values import DueTask, State, VisitState
from server.domain.maintenance.view import PlanView

_AHEAD = frozenset({State.GENERATED, State.HELD, State.FORECAST})
_WITH_PEOPLE = frozenset({VisitState.PUBLISHED, VisitState.STARTED, VisitState.DONE})


def tasks_of(
    view: PlanView, rows: Sequence[Row], verdicts: Sequence[Verdict | None]
) -> Mapping[str, tuple[DueTask, ...]]:
    """Tasks by occurrence. What a partly done visit left is carried to one later visit, and to no second one."""
    if not view.plan.tasks:
        return {}
    found = {row.occurrence: () if row.cycle.asks_reading else _of_cycle(view, row) for row in rows}
    given: set[str] = set()
    for row, verdict in zip(rows, verdicts, strict=True):
        if verdict is not None and verdict.into in found and verdict.into is not None:
            there = found[verdict.into]
            names = {each.code for each in there}
            found[verdict.into] = there + tuple(each for each in found[row.occurrence] if each.code not in names)
    for occurrence, recorded in view.recorded.items():
        # What a technician has been given, or has ended, keeps the tasks that it had.
        if recorded.tasks and recorded.visit_state in _WITH_PEOPLE:
            found[occurrence] = recorded.tasks
            if recorded.visit_state is not VisitState.DONE:
                given |= {each.code for each in recorded.tasks if each.carried_from is not None}
    target = next((row for row, each in zip(rows, verdicts, strict=True) if _can_take(view, row, each)), None)
    left = _left_undone(view, rows, found)
    carried = {code: since for code, since in left.items() if code not in given}
    if target is not None and carried:
        own = {each.code: each for each in found[target.occurrence]}
        own |= {code: DueTask(code=code, carried_from=since) for code, since in carried.items()}
        found[target.occurrence] = tuple(own.values())
    return found


def _of_cycle(view: PlanView, row: Row) -> tuple[DueTask, ...]:
    return tuple(DueTask(code=task.code) for task in view.plan.tasks if task.in_cycle(row.trigger.id, row.cycle.number))


def _can_take(view: PlanView, row: Row, verdict: Verdict | None) -> bool:
    """Whether a row is a visit to come that nobody has been given yet."""
    if verdict is None or verdict.state not in _AHEAD:
        return False
    if verdict.state is State.GENERATED:
        return verdict.open and view.visit_state(row.occurrence) in (None, VisitState.UNTOUCHED)
    return True


def _left_undone(view: PlanView, rows: Sequence[Row], tasks: Mapping[str, tuple[DueTask, ...]]) -> dict[str, date]:
    """Tasks that a partly done visit had and did not do, and that nobody has done since; with that visit's due date."""
    due_dates = {row.occurrence: row.due_on for row in rows}
    left: dict[str, date] = {}
    for done in view.work:
        occurrence = done.occurrence_id or ""
        recorded = view.recorded.get(occurrence)
        due_on = due_dates.get(occurrence) or (recorded.due_on if recorded else None)
        if done.outcome == "partly_done" and done.tasks is not None and due_on is not None:
            had = recorded.tasks if recorded and recorded.tasks else tasks.get(occurrence, ())
            for task in had:
                left.setdefault(task.code, task.carried_from or due_on)
        if done.tasks is not None:
            left = {code: since for code, since in left.items() if code not in done.tasks}
        elif done.outcome == "done" and due_on is not None:
            # A visit of the plan that ended as done without a word of its tasks did all that it was given.
            left = {}
    return left
