"""Valid plans and the ledger as a store would keep it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from server.domain.maintenance import (
    Completion,
    Decision,
    FixedTrigger,
    Plan,
    Recorded,
    State,
    VisitState,
)
from server.domain.maintenance.identity import occurrence_id

PLAN = "0190a0c0-0000-7000-8000-000000000001"
TRIGGER = "t1"


def a_plan(**changes: Any) -> Plan:
    plain = Plan(
        id=PLAN,
        asset_id="0190a0c0-0000-7000-8000-0000000000aa",
        kind="preventive_maintenance",
        triggers=(FixedTrigger(id=TRIGGER, rule="FREQ=MONTHLY"),),
        starts_on=date(2026, 1, 15),
    )
    return replace(plain, **changes)


def occurrence(key: str, trigger: str = TRIGGER) -> str:
    return occurrence_id(PLAN, trigger, key)


def done(day: date, visit: str, key: str | None = None, trigger: str = TRIGGER, **changes: Any) -> Completion:
    plain = Completion(
        visit_id=visit,
        completed_on=day,
        kind="preventive_maintenance",
        occurrence_id=occurrence(key, trigger) if key is not None else None,
    )
    return replace(plain, **changes)


def recorded(key: str, visit: VisitState | None, due_on: date | None = None, **changes: Any) -> Recorded:
    plain = Recorded(trigger_id=TRIGGER, cycle_key=key, due_on=due_on, state=State.GENERATED, visit_state=visit)
    return replace(plain, **changes)


def stored(before: Iterable[Recorded], decisions: Iterable[Decision]) -> list[Recorded]:
    """What a store holds after writing the decisions: visits appear, untouched ones that lost their date go."""
    rows = {(row.trigger_id, row.cycle_key): row for row in before}
    for decision in decisions:
        key = (decision.trigger_id, decision.cycle_key)
        old = rows.get(key)
        visit = old.visit_state if old else None
        if decision.state is State.GENERATED:
            visit = VisitState.UNTOUCHED if visit in (None, VisitState.WITHDRAWN) else visit
        elif visit is VisitState.UNTOUCHED:
            visit = VisitState.WITHDRAWN
        rows[key] = Recorded(
            trigger_id=decision.trigger_id,
            cycle_key=decision.cycle_key,
            due_on=decision.due_on,
            state=decision.state,
            reason=decision.reason,
            visit_state=visit,
            tasks=decision.tasks,
        )
    return list(rows.values())
