"""What a plan expects and what becomes of each date: start reading here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from server.domain.maintenance.values import (
    AssetFacts,
    CatchUp,
    Completion,
    Cycle,
    Decision,
    OpenPrevious,
    Plan,
    Recorded,
    State,
    Trigger,
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
    3. Due dates that passed without a visit are caught up with.
    4. What remains is generated, held behind an open visit of the same plan, or a forecast.
    5. Rows on record that the plan no longer expects are accounted for.

    The answer is a function of the arguments as sets: their order does not matter, applying it and asking again gives
    the same answer, and a shorter `horizon_end` gives the same rows, only fewer. The plan must have no `problems`;
    an unreadable rule raises ValueError. `today` is the date at the site.
    """
    view = view_of(plan, facts, completions, existing, today, horizon_end)
    rows = _rows(view)
    verdicts = _settle(view, rows)
    _catch_up(view, rows, verdicts)
    _generate(view, rows, verdicts)
    decisions = [
        _decision(view, row.trigger.id, row.cycle.key, row.cycle.due_on, verdict)
        for row, verdict in zip(rows, verdicts, strict=True)
        if verdict is not None and row.cycle.due_on <= horizon_end
    ]
    return _without_anchor(view) + _orphans(view, rows, horizon_end) + decisions


@dataclass(frozen=True)
class _Row:
    trigger: Trigger
    cycle: Cycle
    occurrence: str


@dataclass(frozen=True)
class _Verdict:
    state: State
    reason: Reason
    open: bool = False


def _rows(view: PlanView) -> list[_Row]:
    """Cycles of all triggers in the order in which they fall due."""
    keyed = [
        ((cycle.due_on, position, cycle.key), _Row(trigger, cycle, view.occurrence_id(trigger, cycle.key)))
        for position, trigger in enumerate(view.plan.triggers)
        for cycle in trigger.cycles(view)
    ]
    return [row for _, row in sorted(keyed, key=lambda each: each[0])]


def _settle(view: PlanView, rows: Sequence[_Row]) -> list[_Verdict | None]:
    return [_settled(view, row) for row in rows]


def _settled(view: PlanView, row: _Row) -> _Verdict | None:
    """What this row is by itself; None if that depends on its neighbours."""
    due_on, credit = row.cycle.due_on, row.cycle.credited_by
    visit = view.visit_state(row.occurrence)
    if visit is VisitState.DONE or (credit is not None and credit.occurrence_id == row.occurrence):
        return _Verdict(State.GENERATED, _ended(view, row.occurrence))
    if visit is VisitState.STARTED:
        return _Verdict(State.GENERATED, reason("visit-started", due_on=due_on), open=True)
    if visit is VisitState.PUBLISHED:
        if credit is not None:
            why = reason("published-though-done", due_on=due_on, done_on=credit.completed_on)
        else:
            why = _due(view, due_on)
        return _Verdict(State.GENERATED, why, open=True)
    if credit is not None:
        return _Verdict(State.CREDITED, reason("credited", due_on=due_on, done_on=credit.completed_on))
    if visit is VisitState.CANCELLED:
        return _Verdict(State.SKIPPED, reason("visit-cancelled", due_on=due_on))
    if visit is VisitState.SKIPPED:
        return _Verdict(State.SKIPPED, reason("skipped-by-office", due_on=due_on))
    if (why_not := view.suppressed(row.trigger, row.occurrence, due_on)) is not None:
        return _Verdict(State.SUPPRESSED, why_not)
    if due_on > view.generate_until:
        return _Verdict(State.FORECAST, reason("beyond-horizon", due_on=due_on, n=view.plan.horizon_days))
    if (later := _work_after(view, due_on)) is not None:
        return _Verdict(State.SKIPPED, reason("covered-by-later-work", due_on=due_on, done_on=later.completed_on))
    if visit is VisitState.UNTOUCHED:
        return _Verdict(State.GENERATED, _due(view, due_on), open=True)
    return None


def _work_after(view: PlanView, due_on: date) -> Completion | None:
    """The first equivalent work after a due date that passed: the machine has been served since."""
    if due_on >= view.today:
        return None
    return next((done for done in view.completions if done.completed_on > due_on), None)


def _catch_up(view: PlanView, rows: Sequence[_Row], verdicts: list[_Verdict | None]) -> None:
    """Settle missed due dates that will get no visit of their own."""
    if view.plan.catch_up is CatchUp.EACH:
        return
    into: date | None = None
    for index in reversed(range(len(rows))):
        row, verdict = rows[index], verdicts[index]
        due_on = row.cycle.due_on
        missed = verdict is None and due_on < view.today
        if missed and view.plan.catch_up is CatchUp.SKIP:
            verdicts[index] = _Verdict(State.SKIPPED, reason("missed", due_on=due_on))
        elif missed and into is not None:
            verdicts[index] = _Verdict(State.SKIPPED, reason("coalesced", due_on=due_on, into=into))
        elif missed or (verdict is not None and verdict.open):
            # Only the newest missed date gets a visit; the nearest later visit that is already open serves as well.
            into = due_on


def _generate(view: PlanView, rows: Sequence[_Row], verdicts: list[_Verdict | None]) -> None:
    open_since: date | None = None
    holds = view.plan.open_previous is OpenPrevious.HOLD
    for index, row in enumerate(rows):
        due_on = row.cycle.due_on
        verdict = verdicts[index]
        if verdict is None:
            if holds and open_since is not None:
                verdict = _Verdict(State.HELD, reason("previous-open", due_on=due_on, previous_due_on=open_since))
            else:
                verdict = _Verdict(State.GENERATED, _due(view, due_on), open=True)
            verdicts[index] = verdict
        if verdict.open:
            open_since = due_on


def _due(view: PlanView, due_on: date) -> Reason:
    first, last = view.plan.window(due_on)
    return reason("overdue" if last < view.today else "due", due_on=due_on, window_from=first, window_to=last)


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
        _decision(view, trigger.id, NO_ANCHOR, None, _Verdict(State.SUPPRESSED, why))
        for trigger in view.plan.triggers
        if (why := trigger.missing_anchor(view.facts)) is not None
    ]


def _orphans(view: PlanView, rows: Sequence[_Row], horizon_end: date) -> list[Decision]:
    """Rows on record whose date the plan does not expect any more: what people have touched stays."""
    expected_ids = {row.occurrence for row in rows}
    found = []
    for occurrence, recorded in view.recorded.items():
        visit, due_on = recorded.visit_state, recorded.due_on
        if occurrence in expected_ids or visit is None or due_on is None or due_on > horizon_end:
            continue
        if visit is VisitState.DONE:
            verdict = _Verdict(State.GENERATED, _ended(view, occurrence))
        elif visit in (VisitState.UNTOUCHED, VisitState.WITHDRAWN):
            verdict = _Verdict(State.SUPPRESSED, reason("no-longer-expected", due_on=due_on))
        elif visit in OPEN:
            verdict = _Verdict(State.GENERATED, reason("kept-from-earlier-rule", due_on=due_on))
        elif visit is VisitState.CANCELLED:
            verdict = _Verdict(State.SKIPPED, reason("visit-cancelled", due_on=due_on))
        else:
            verdict = _Verdict(State.SKIPPED, reason("skipped-by-office", due_on=due_on))
        found.append(_decision(view, recorded.trigger_id, recorded.cycle_key, due_on, verdict))
    return sorted(found, key=lambda each: (each.due_on or date.min, each.trigger_id, each.cycle_key))


def _decision(view: PlanView, trigger_id: str, key: str, due_on: date | None, verdict: _Verdict) -> Decision:
    window = view.plan.window(due_on) if due_on is not None else (None, None)
    return Decision(
        plan_id=view.plan.id,
        trigger_id=trigger_id,
        cycle_key=key,
        state=verdict.state,
        reason=verdict.reason,
        due_on=due_on,
        window_from=window[0],
        window_to=window[1],
    )
