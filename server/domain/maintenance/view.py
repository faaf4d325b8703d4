"""What a trigger may see while it names its cycles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

from server.domain.maintenance import identity
from server.domain.maintenance.meters import MeterKind, Use, use_of
from server.domain.maintenance.nesting import containing
from server.domain.maintenance.suppress import suppression
from server.domain.maintenance.values import (
    READING,
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

    `completions` holds only work that counts for the plan (its kinds or enough of its tasks), oldest first; `work`
    all that ended at the asset, however. `until` is the last due date looked at; it is never less than what today's
    decisions depend on.
    """

    plan: Plan
    facts: AssetFacts
    today: date
    until: date
    completions: tuple[Completion, ...]
    work: tuple[Completion, ...]
    ended: Mapping[str, Completion]
    recorded: Mapping[str, Recorded]
    _uses: dict[MeterKind, Use | None] = field(default_factory=dict, compare=False)

    @property
    def generate_until(self) -> date:
        return self.today + timedelta(days=self.plan.horizon_days)

    @cached_property
    def contained(self) -> Mapping[str, frozenset[str]]:
        """For each trigger all those whose work it contains."""
        return containing(self.plan.nesting)

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
        if recorded is not None and recorded.state is State.SUPPRESSED and recorded.reason is not None:
            closed = self.plan.window(due_on)[1] < self.today
            if closed and recorded.due_on == due_on:
                return recorded.reason
        return suppression(self.plan, self.facts, trigger, due_on)

    def counts_for(self, trigger: Trigger, done: Completion) -> bool:
        """Whether work that counts for the plan counts for this trigger: the weekly check is no yearly service."""
        if trigger.only_own_work:
            return False
        origin = self.origin(done)
        return not self.contained or origin in (None, trigger.id) or self.contains(origin, trigger.id)

    def contains(self, greater: str | None, lesser: str) -> bool:
        """Whether the work of the first trigger contains that of the second."""
        return greater is not None and lesser in self.contained.get(greater, ())

    def origin(self, done: Completion) -> str | None:
        """The trigger of this plan that asked for this work; None for any other work."""
        row = self.recorded.get(done.occurrence_id or "")
        return row.trigger_id if row else None

    def use(self, kind: MeterKind) -> Use | None:
        """The use by one of the asset's meters; None without a reading."""
        if kind not in self._uses:
            mine = [each for each in self.facts.readings if each.meter == kind.meter and each.judged != "rejected"]
            self._uses[kind] = use_of(mine, kind) if mine else None
        return self._uses[kind]


def view_of(
    plan: Plan,
    facts: AssetFacts,
    completions: Iterable[Completion],
    existing: Iterable[Recorded],
    today: date,
    horizon_end: date,
) -> PlanView:
    in_order = sorted(completions, key=lambda each: (each.completed_on, each.visit_id, each.outcome))
    recorded = {identity.occurrence_id(plan.id, row.trigger_id, row.cycle_key): row for row in existing}
    # Who came to read a meter has not done the work.
    read_only = {occurrence for occurrence, row in recorded.items() if row.cycle_key.startswith(READING)}
    worked = (each for each in in_order if each.occurrence_id not in read_only)
    counting = tuple(each for each in worked if _counts(plan, each, each.occurrence_id in recorded))
    # A decision depends on neighbours up to these dates; looking less far would let the horizon change the answer.
    reaches = [horizon_end, today + timedelta(days=max(plan.horizon_days, plan.early_days))]
    reaches += [each.completed_on + timedelta(days=plan.early_days) for each in counting]
    reaches += [row.due_on for row in recorded.values() if row.due_on is not None]
    until = max(reaches)
    if plan.nesting:
        until += timedelta(days=plan.absorbs_over)
    return PlanView(
        plan=plan,
        facts=facts,
        today=today,
        until=until,
        completions=counting,
        work=tuple(in_order),
        ended={each.occurrence_id: each for each in in_order if each.occurrence_id is not None},
        recorded=recorded,
    )


def _counts(plan: Plan, done: Completion, own: bool) -> bool:
    """Whether work counts for the plan: by its kind, or for having done enough of the plan's tasks."""
    if own or not plan.tasks or done.tasks is None:
        return done.outcome == "done" and (done.kind == plan.kind or done.kind in plan.credit_kinds)
    if done.outcome not in ("done", "partly_done"):
        return False
    wanted = {task.code for task in plan.tasks if task.every_k_cycles == 1} or {task.code for task in plan.tasks}
    return len(wanted & done.tasks) * 100 >= plan.credit_percent * len(wanted)
