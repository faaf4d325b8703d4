"""Which rows give way to another: lesser work near greater work, earlier work when the next is there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from server.domain.maintenance.rows import Row, Verdict, Verdicts, due, movable, window
from server.domain.maintenance.values import CatchUp, OpenPrevious, State, VisitState
from server.domain.maintenance.view import PlanView
from server.domain.reason import reason

GONE = frozenset({State.SUPPRESSED, State.SKIPPED, State.MERGED})


def absorb(view: PlanView, rows: Sequence[Row], verdicts: Verdicts) -> None:
    """A lesser date near a greater one that stands is merged into it: one visit, all the work."""
    if not view.contained:
        return
    ranked = sorted(range(len(rows)), key=lambda index: -len(view.contained.get(rows[index].trigger.id, ())))
    for index in ranked:
        row, verdict = rows[index], verdicts[index]
        forecast = verdict is not None and verdict.state is State.FORECAST
        if not forecast and not movable(view, row, verdict):
            continue
        greater = [
            (abs((other.due_on - row.due_on).days), other.due_on, at)
            for at, other in enumerate(rows)
            if view.contains(other.trigger.id, row.trigger.id)
            and abs((other.due_on - row.due_on).days) <= view.plan.absorbs_over
            and _stands(view, other, verdicts[at])
        ]
        if greater:
            into = rows[min(greater)[2]]
            why = reason("contained", due_on=row.due_on, into=into.due_on)
            verdicts[index] = Verdict(State.MERGED, why, into=into.occurrence)


def _stands(view: PlanView, row: Row, verdict: Verdict | None) -> bool:
    """Whether the work of a row has been or is going to be done."""
    if verdict is None:
        return True
    if verdict.state in GONE:
        return False
    if view.visit_state(row.occurrence) is VisitState.DONE:
        return row.cycle.credited_by is not None
    return True


def supersede(view: PlanView, rows: Sequence[Row], verdicts: Verdicts) -> None:
    """Of dates whose window has opened, the newest takes the place of earlier ones that nobody has touched."""
    if view.plan.open_previous is not OpenPrevious.SUPERSEDE:
        return
    newer: date | None = None
    for index in reversed(range(len(rows))):
        row, verdict = rows[index], verdicts[index]
        if not (verdict is None or verdict.open) or window(view.plan, row.cycle)[0] > view.today:
            continue
        if newer is not None and movable(view, row, verdict):
            verdicts[index] = Verdict(State.SKIPPED, reason("superseded", due_on=row.due_on, by=newer))
        elif newer is None:
            newer = row.due_on


def catch_up(view: PlanView, rows: Sequence[Row], verdicts: Verdicts) -> None:
    """Settle missed due dates that will get no visit of their own."""
    if view.plan.catch_up is CatchUp.EACH:
        return
    into: date | None = None
    for index in reversed(range(len(rows))):
        row, verdict = rows[index], verdicts[index]
        due_on = row.due_on
        missed = verdict is None and due_on < view.today
        if missed and view.plan.catch_up is CatchUp.SKIP:
            verdicts[index] = Verdict(State.SKIPPED, reason("missed", due_on=due_on))
        elif missed and into is not None:
            verdicts[index] = Verdict(State.SKIPPED, reason("coalesced", due_on=due_on, into=into))
        elif missed or (verdict is not None and verdict.open):
            # Only the newest missed date gets a visit; the nearest later visit that is already open serves as well.
            into = due_on


def generate(view: PlanView, rows: Sequence[Row], verdicts: Verdicts) -> None:
    """Decide what is left, oldest first: a visit, or what the open one before it makes of the date."""
    policy = view.plan.open_previous
    open_row: Row | None = None
    for index, row in enumerate(rows):
        verdict = verdicts[index]
        if verdict is None:
            if open_row is None or policy is OpenPrevious.STACK:
                verdict = Verdict(State.GENERATED, due(view, row), open=True)
            elif policy is OpenPrevious.MERGE_TASKS and _takes_in(view, open_row, row):
                why = reason("tasks-merged", due_on=row.due_on, into=open_row.due_on, into_id=open_row.occurrence)
                verdict = Verdict(State.MERGED, why, into=open_row.occurrence)
            else:
                why = reason("previous-open", due_on=row.due_on, previous_due_on=open_row.due_on)
                verdict = Verdict(State.HELD, why)
            verdicts[index] = verdict
        if verdict.open:
            open_row = row


def _takes_in(view: PlanView, open_row: Row, row: Row) -> bool:
    """Whether an open visit can still be given the tasks of a date whose window has opened."""
    untouched = view.visit_state(open_row.occurrence) in (None, VisitState.UNTOUCHED)
    return untouched and window(view.plan, row.cycle)[0] <= view.today


def kept_merge(view: PlanView, row: Row) -> Verdict | None:
    """A date whose tasks went into an earlier visit stays so once that one was done with them."""
    recorded = view.recorded.get(row.occurrence)
    if recorded is None or recorded.state is not State.MERGED or recorded.reason is None:
        return None
    into = str(recorded.reason.params.get("into_id", ""))
    done = view.ended.get(into)
    if done is None or done.outcome != "done" or view.visit_state(into) is not VisitState.DONE:
        return None
    return Verdict(State.MERGED, recorded.reason, into=into)
