"""What a new plan or an edit of one would change, worked out as the generator will, and not written down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from server.actions.plan_rows import is_new, row_of, since, wants_change
from server.actions.plan_values import known, undecidable_refused, visit_state
from server.actions.plan_words import PlanWords, words_about
from server.actions.write_plan import changes, judge, loaded
from server.domain.maintenance import Decision, State, VisitState
from server.problems import not_found
from server.store.models import MaintenancePlan, Occurrence
from server.store.queries import maintenance as queries
from server.store.transaction import snapshot
from server.store.types import new_id


class Effect(StrEnum):
    """What becomes of the visit of a date: it is made (or comes back), taken back, given other days or tasks, or stays
    as it is, and only the ledger says something else.
    """

    MADE = "made"
    WITHDRAWN = "withdrawn"
    CHANGED = "changed"
    SAID = "said"
    FORGOTTEN = "forgotten"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One date of which the edit changes something. `decision` is None for a row that is forgotten."""

    effect: Effect
    occurrence_id: str
    before: Occurrence | None
    decision: Decision | None
    words: PlanWords


def preview_new(company_id: str, values: dict[str, Any], now: datetime) -> list[Change]:
    """What a new plan of these wire values would make. Raises Problem as `create_plan` does, and
    `plan-undecidable`.
    """
    with snapshot():
        plan = MaintenancePlan(company_id=company_id, id=new_id(), version=1, **loaded(values, {}))
        judge(plan)
        return _changes(plan, now)


def preview_edit(company_id: str, plan_id: str, values: dict[str, Any], now: datetime) -> list[Change]:
    """What setting these wire values on a plan would change at its next run. Raises Problem as `edit_plan` does,
    and `plan-undecidable`.
    """
    with snapshot():
        stored = queries.plan(company_id, plan_id)
        if stored is None:
            raise not_found()
        columns = {column.name: getattr(stored, column.name) for column in MaintenancePlan.__table__.columns}
        plan = MaintenancePlan(**columns | changes(stored, values))
        judge(plan)
        return _changes(plan, now)


def _changes(plan: MaintenancePlan, now: datetime) -> list[Change]:
    rows = queries.rows_for(plan.company_id, [plan], since([plan]))
    with undecidable_refused():
        values = known(rows, plan, now)
        decisions = values.ledger(values.generated_until)
    stored = {row.id: row for row in rows.occurrences.get(plan.id, ())}
    words = words_about(plan.company_id, [plan.asset_id])[plan.asset_id]
    found = []
    for decision in decisions:
        row = stored.pop(decision.occurrence_id, None)
        effect = _effect(rows, plan, decision, row)
        if effect is not None:
            found.append(
                Change(effect=effect, occurrence_id=decision.occurrence_id, before=row, decision=decision, words=words)
            )
    gone = sorted(stored.values(), key=lambda row: (row.due_on, row.id))
    return found + [
        Change(effect=Effect.FORGOTTEN, occurrence_id=row.id, before=row, decision=None, words=words) for row in gone
    ]


def _effect(rows: queries.PlanRows, plan: MaintenancePlan, decision: Decision, row: Occurrence | None) -> Effect | None:
    if is_new(rows, plan, decision):
        return Effect.MADE
    visit = rows.visits.get(row.visit_id) if row is not None and row.visit_id else None
    if visit is not None and row is not None and wants_change(visit, row, decision):
        if decision.state is not State.GENERATED:
            return Effect.WITHDRAWN
        return Effect.MADE if visit_state(visit, row) is VisitState.WITHDRAWN else Effect.CHANGED
    wanted = row_of(plan, decision, row.visit_id if row else None)
    if row is None or any(getattr(row, name) != value for name, value in wanted.items()):
        return Effect.SAID
    return None
