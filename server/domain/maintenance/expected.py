"""What a plan expects and what becomes of each date: start reading here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from server.domain.maintenance.absorb import absorb, catch_up, generate, kept_merge, supersede
from server.domain.maintenance.rows import Row, Verdict, Verdicts, due, window
from server.domain.maintenance.shift import placed
from server.domain.maintenance.tasks import tasks_of
from server.domain.maintenance.values import (
    AssetFacts,
    Completion,
    Decision,
    DueTask,
    Plan,
    Recorded,
    State,
    VisitState,
)
from server.domain.maintenance.view import OPEN, PlanView, view_of
from server.domain.reason import Reason, reason

NO_ANCHOR = "no-anchor"
UNDONE_CODES = {
    "partly_done": "visit-partly-done",
    "no_access": "visit-no-access",
    "refused": "visit-refused",
}


def expected(
    plan: Plan,
    facts: AssetFacts,
    completions: Iterable[Completion],
    existing: Iterable[Recorded],
    today: date,
    horizon_end: date,
) -> list[Decision]:
    """One decision for every date the plan expects up to `horizon_end`, oldest first.

    1. Each trigger names its cycles; equivalent work is credited.
    2. What people or facts have settled is stated: done, published, credited, cancelled, suppressed.
    3. Lesser work near greater work goes into it; with `SUPERSEDE` the newer date takes the older one's place.
    4. Due dates that passed without a visit are caught up with.
    5. What remains is generated, or held behind or merged into an open visit of the same plan.
    6. Each visit gets its tasks, those left undone before among them.
    7. Rows on record that the plan no longer expects are accounted for.

    The answer is a function of the arguments as sets: their order does not matter, applying it and asking again gives
    the same answer, and a shorter `horizon_end` gives the same rows, only fewer. The plan must have no `problems`;
    an unreadable rule raises ValueError. `today` is the date at the site.
    """
    view = view_of(plan, facts, completions, existing, today, horizon_end)
    rows = _rows(view)
    verdicts = _settle(view, rows)
    absorb(view, rows, verdicts)
    supersede(view, rows, verdicts)
    catch_up(view, rows, verdicts)
    generate(view, rows, verdicts)
    tasks = tasks_of(view, rows, verdicts)
    decisions = [
        _of_row(view, row, verdict, tasks.get(row.occurrence, ()))
        for row, verdict in zip(rows, verdicts, strict=True)
        if verdict is not None and row.due_on <= horizon_end
    ]
    return _without_anchor(view) + _orphans(view, rows, horizon_end) + decisions


def _rows(view: PlanView) -> list[Row]:
    """Cycles of all triggers in the order in which they fall due."""
    keyed = [
        ((cycle.due_on, position, cycle.key), Row(trigger, cycle, view.occurrence_id(trigger, cycle.key)))
        for position, trigger in enumerate(view.plan.triggers)
        for cycle in trigger.cycles(view)
    ]
    return [row for _, row in sorted(keyed, key=lambda each: each[0])]


def _settle(view: PlanView, rows: Sequence[Row]) -> Verdicts:
    return [_settled(view, row) for row in rows]


def _settled(view: PlanView, row: Row) -> Verdict | None:
    """What this row is by itself; None if that depends on its neighbours."""
    due_on, credit = row.due_on, row.cycle.credited_by
    visit = view.visit_state(row.occurrence)
    if visit is VisitState.DONE or (credit is not None and credit.occurrence_id == row.occurrence):
        return Verdict(State.GENERATED, _ended(view, row.occurrence))
    if visit is VisitState.STARTED:
        return Verdict(State.GENERATED, reason("visit-started", due_on=due_on), open=True)
    if visit is VisitState.PUBLISHED:
        if credit is not None:
            why = reason("published-though-done", due_on=due_on, done_on=credit.completed_on)
        else:
            why = due(view, row)
        return Verdict(State.GENERATED, why, open=True)
    if credit is not None:
        return Verdict(State.CREDITED, reason("credited", due_on=due_on, done_on=credit.completed_on))
    if visit is VisitState.CANCELLED:
        return Verdict(State.SKIPPED, reason("visit-cancelled", due_on=due_on))
    if visit is VisitState.SKIPPED:
        return Verdict(State.SKIPPED, reason("skipped-by-office", due_on=due_on))
    if (merged := kept_merge(view, row)) is not None:
        return merged
    if row.cycle.absent is not None:
        return Verdict(State.SUPPRESSED, row.cycle.absent)
    if (why_not := view.suppressed(row.trigger, row.occurrence, due_on)) is not None:
        return Verdict(State.SUPPRESSED, why_not)
    if row.cycle.asks_reading:
        # Neither held nor caught up with: it is there until somebody has read the meter.
        return Verdict(State.GENERATED, reason("reading-wanted", until=window(view.plan, row.cycle)[1]))
    if due_on > view.generate_until:
        return Verdict(State.FORECAST, reason("beyond-horizon", due_on=due_on, n=view.plan.horizon_days))
    if (later := _work_after(view, row)) is not None:
        return Verdict(State.SKIPPED, reason("covered-by-later-work", due_on=due_on, done_on=later.completed_on))
    if visit is VisitState.UNTOUCHED:
        return Verdict(State.GENERATED, due(view, row), open=True)
    return None


def _work_after(view: PlanView, row: Row) -> Completion | None:
    """The first equivalent work after a due date that passed: the machine has been served since."""
    if row.due_on >= view.today:
        return None
    later = (done for done in view.completions if done.completed_on > row.due_on)
    return next((done for done in later if view.counts_for(row.trigger, done)), None)


def _ended(view: PlanView, occurrence: str) -> Reason:
    done = view.ended.get(occurrence)
    if done is None:
        return reason("visit-ended")
    if done.outcome == "done":
        return reason("visit-done", done_on=done.completed_on)
    return reason(UNDONE_CODES.get(done.outcome, "visit-undone"), ended_on=done.completed_on)


def _without_anchor(view: PlanView) -> list[Decision]:
    """A trigger that cannot name a date yet says so in a row of its own."""
    return [
        _decision(view, trigger.id, NO_ANCHOR, None, Verdict(State.SUPPRESSED, why))
        for trigger in view.plan.triggers
        if (why := trigger.missing_anchor(view.facts)) is not None
    ]


def _orphans(view: PlanView, rows: Sequence[Row], horizon_end: date) -> list[Decision]:
    """Rows on record whose date the plan does not expect any more: what people have touched stays."""
    expected_ids = {row.occurrence for row in rows}
    found = []
    for occurrence, recorded in view.recorded.items():
        visit, due_on = recorded.visit_state, recorded.due_on
        if occurrence in expected_ids or visit is None or due_on is None or due_on > horizon_end:
            continue
        if visit is VisitState.DONE:
            verdict = Verdict(State.GENERATED, _ended(view, occurrence))
        elif visit in (VisitState.UNTOUCHED, VisitState.WITHDRAWN):
            verdict = Verdict(State.SUPPRESSED, reason("no-longer-expected", due_on=due_on))
        elif visit in OPEN:
            verdict = Verdict(State.GENERATED, reason("kept-from-earlier-rule", due_on=due_on))
        elif visit is VisitState.CANCELLED:
            verdict = Verdict(State.SKIPPED, reason("visit-cancelled", due_on=due_on))
        else:
            verdict = Verdict(State.SKIPPED, reason("skipped-by-office", due_on=due_on))
        decision = _decision(view, recorded.trigger_id, recorded.cycle_key, due_on, verdict)
        found.append(replace(decision, tasks=recorded.tasks))
    return sorted(found, key=lambda each: (each.due_on or date.min, each.trigger_id, each.cycle_key))


def _of_row(view: PlanView, row: Row, verdict: Verdict, tasks: tuple[DueTask, ...]) -> Decision:
    first, last = window(view.plan, row.cycle)
    place = placed(view.plan, row.due_on, row.cycle.opens_on)
    return Decision(
        plan_id=view.plan.id,
        trigger_id=row.trigger.id,
        cycle_key=row.cycle.key,
        state=verdict.state,
        reason=verdict.reason,
        due_on=row.due_on,
        window_from=first,
        window_to=last,
        target_on=place.target_on if place else row.due_on,
        basis=row.cycle.basis,
        tasks=tasks,
    )


def _decision(view: PlanView, trigger_id: str, key: str, due_on: date | None, verdict: Verdict) -> Decision:
    around = view.plan.window(due_on) if due_on is not None else (None, None)
    return Decision(
        plan_id=view.plan.id,
        trigger_id=trigger_id,
        cycle_key=key,
        state=verdict.state,
        reason=verdict.reason,
        due_on=due_on,
        window_from=around[0],
        window_to=around[1],
        target_on=due_on,
    )
