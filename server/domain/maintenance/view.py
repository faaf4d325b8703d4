"""What a trigger may see while it names its cycles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from server.domain.maintenance import identity
from server.domain.maintenance.suppress import suppression
from server.domain.maintenance.values import (
    AssetFacts,
    Completion,
    Plan,
    Recorded,
    State,
    Trigger,
    VisitState,
)
from server.domain.reason import Reason

OPEN = frozenset({VisitState.UNTOUCHED, VisitState.PUBLISHED, VisitState.STARTED})


@dataclass(frozen=True, kw_only=True)
class PlanView:
    """A plan with its facts, in one order whatever order they arrived in.

    `completions` holds only work that counts for the plan (its kinds, outcome done), oldest first.
    `until` is the last due date looked at; it is never less than what today's decisions depend on.
    """

    plan: Plan
    facts: AssetFacts
    today: date
    until: date
    completions: tuple[Completion, ...]
    ended: Mapping[str, Completion]
    recorded: Mapping[str, Recorded]

    @property
    def generate_until(self) -> date:
        return self.today + timedelta(days=self.plan.horizon_days)

    def occurrence_id(self, trigger: Trigger, key: str) -> str:
        return identity.occurrence_id(self.plan.id, trigger.id, key)

    def visit_state(self, occurrence: str) -> VisitState | None:
        """The state of the occurrence's visit; a withdrawn visit counts as none."""
        recorded = self.recorded.get(occurrence)
        if recorded is None or recorded.visit_state is VisitState.WITHDRAWN:
            return None
        return recorded.visit_state

    def suppressed(self, trigger: Trigger, occurrence: str, due_on: date) -> Reason | None:
        """Why no visit is wanted on this date.

        A suppression on record stays as it was once its window has closed: putting the asset back into service in June
        does not make the visit of May appear.
        """
        recorded = self.recorded.get(occurrence)
        closed = self.plan.window(due_on)[1] < self.today
        if closed and recorded is not None and recorded.state is State.SUPPRESSED and recorded.reason is not None:
            return recorded.reason
        return suppression(self.plan, self.facts, trigger, due_on)


def view_of(
    plan: Plan,
    facts: AssetFacts,
    completions: Iterable[Completion],
    existing: Iterable[Recorded],
    today: date,
    horizon_end: date,
) -> PlanView:
    kinds = plan.credit_kinds | {plan.kind}
    in_order = sorted(completions, key=lambda each: (each.completed_on, each.visit_id, each.outcome))
    counting = tuple(each for each in in_order if each.outcome == "done" and each.kind in kinds)
    recorded = {identity.occurrence_id(plan.id, row.trigger_id, row.cycle_key): row for row in existing}
    # A decision depends on neighbours up to these dates; looking less far would let the horizon change the answer.
    reaches = [horizon_end, today + timedelta(days=plan.horizon_days)]
    reaches += [each.completed_on + timedelta(days=plan.early_days) for each in counting]
    reaches += [row.due_on for row in recorded.values() if row.due_on is not None]
    return PlanView(
        plan=plan,
        facts=facts,
        today=today,
        until=max(reaches),
        completions=counting,
        ended={each.occurrence_id: each for each in in_order if each.occurrence_id is not None},
        recorded=recorded,
    )
