"""Maintenance plans become visits, and every expected date a row of the ledger."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from time import monotonic, sleep
from typing import Any

from server.actions.decide_coverage import Agreements
from server.actions.make_visit import make_visit
from server.actions.plan_rows import instructions, is_new, moves, row_of, since, wants_change, work_of
from server.actions.plan_values import PROACTIVE, UNDECIDABLE, Known, due_tasks, known
from server.actions.plan_words import tell
from server.domain.local_time import instant_of
from server.domain.maintenance import (
    LONGEST,
    RULES,
    Decision,
    State,
    WarrantyPhaseTrigger,
    look_on,
)
from server.extensions import db
from server.problems import Problem
from server.store import documents
from server.store.failures import Refused
from server.store.models import MaintenancePlan, Occurrence, Visit
from server.store.queries import maintenance as queries
from server.store.queries import visits
from server.store.queries.looks import Look, keep, looks
from server.store.rows import chunks
from server.store.transaction import snapshot, transactional

MOST = 200
"""Plans that are read and decided at once, and at most in one transaction."""

SLICE = 0.2
"""Seconds that a transaction should take: other writers wait for no longer, and come in while the next is decided."""

GUESS = 0.01
"""Seconds that one plan takes to write, until it is measured."""

BREATH = 0.1
"""Seconds between two transactions without a decision between them: SQLite's waiters look as often as that."""

log = logging.getLogger(__name__)


@dataclass
class Report:
    """What a run did. `failed` names plans that could not be decided, with the reason; the others went on."""

    plans: int = 0
    made: int = 0
    withdrawn: int = 0
    moved: int = 0
    ledger: Counter[str] = field(default_factory=Counter)
    failed: list[dict[str, str]] = field(default_factory=list)

    def add(self, other: Report) -> None:
        self.plans += other.plans
        self.made += other.made
        self.withdrawn += other.withdrawn
        self.moved += other.moved
        self.ledger.update(other.ledger)
        self.failed += other.failed

    def fail(self, plan_id: str, name: str, error: Exception) -> None:
        """Name a plan that was left as it is."""
        log.warning("maintenance plan %s was left as it is: %s", plan_id, error)
        self.plans += 1
        self.failed.append({"plan_id": plan_id, "name": name, "error": str(error)})

    def to_json(self) -> dict[str, Any]:
        numbers = {"plans": self.plans, "made": self.made, "withdrawn": self.withdrawn, "moved": self.moved}
        return numbers | {"ledger": dict(sorted(self.ledger.items())), "failed": self.failed}


@dataclass(frozen=True, kw_only=True)
class Decided:
    """A plan as it was decided without a lock, with what the decision rests on."""

    plan_id: str
    name: str
    values: Known
    decisions: list[Decision]


@dataclass(frozen=True, kw_only=True)
class _Making:
    """What the visits of one transaction share."""

    agreed: Agreements
    numbers: Iterator[int]
    now: datetime


def generate_visits(company_id: str, now: datetime, plan_id: str | None = None) -> Report:
    """Bring the ledger and the generated visits of a company, or of one plan, up to `now`.

    Plans are decided from a snapshot, without a lock. Those whose ledger is then other than the stored one are written
    in short transactions, as many in each as take about `SLICE` seconds. Repeating it changes nothing, and two
    processes at once make the same visits: plans are locked while they are written, and decided again if anything that
    the decision rests on has changed since; a visit's id follows from its occurrence. `Report.made` counts visits made
    or brought back, `ledger` the rows written, by state. Of a whole company only those plans are decided that can have
    changed: by what they rest on, or by time.
    """
    report = Report()
    todo = {} if plan_id else _to_look_at(company_id, now, report)
    ids = [plan_id] if plan_id else list(todo)
    each, busy = GUESS, False
    while ids:
        # While there is much to write, a portion is one transaction; deciding the next leaves the others their turn.
        fits = max(1, min(MOST, round(SLICE / each)))
        looked_at = fits if busy else MOST
        looked: dict[str, datetime] = {}
        waiting = _decide(company_id, ids[:looked_at], now, report, looked)
        del ids[:looked_at]
        busy = bool(waiting)
        for batch in chunks(waiting, fits):
            began = monotonic()
            report.add(_write_all(company_id, batch, now))
            # What was measured counts for half, so that one slow disk write does not make the next ones tiny.
            each = (each + (monotonic() - began) / len(batch)) / 2
            if len(batch) < len(waiting):
                sleep(BREATH)
        failed = {one["plan_id"] for one in report.failed}
        _remember(company_id, [(todo[one], at) for one, at in looked.items() if one in todo and one not in failed])
    return report


def _to_look_at(company_id: str, now: datetime, report: Report) -> dict[str, Look]:
    """The plans that can have changed since they were last decided; the others are counted."""
    with snapshot():
        found = looks(company_id, RULES)
    due = {each.plan_id: each for each in found if each.look_at is None or each.look_at <= now or each.seen != each.now}
    report.plans += len(found) - len(due)
    return due


def _remember(company_id: str, looked: Sequence[tuple[Look, datetime]]) -> None:
    """Write down of what plans were decided, where that is other than what is written there."""
    fresh = [(look, at) for look, at in looked if (look.seen, look.look_at) != (look.now, at)]
    if fresh:
        _keep(company_id, fresh)


@transactional
def _keep(company_id: str, fresh: Sequence[tuple[Look, datetime]]) -> None:
    keep(company_id, fresh, [look.plan_id for look, _ in fresh if look.seen is not None])


def _decide(
    company_id: str, ids: Sequence[str], now: datetime, report: Report, looked: dict[str, datetime] | None = None
) -> list[Decided]:
    """Decide plans as they are now; those that need nothing are counted, those that cannot be decided are named.

    `looked` gets the moment from which time alone can change what each of them expects.
    """
    waiting: list[Decided] = []
    with snapshot():
        plans = queries.plans(company_id, ids)
        rows = queries.rows_for(company_id, plans, since(plans)) if plans else None
        for plan in plans:
            assert rows is not None
            try:
                values = known(rows, plan, now)
                beyond = values.ledger(values.generated_until + timedelta(days=LONGEST))
                again_on = look_on(values.plan, values.facts, beyond, values.today)
                again_at = instant_of(again_on, time(), values.plan.tz)
            except UNDECIDABLE as error:
                report.fail(plan.id, plan.name, error)
                continue
            decisions = [each for each in beyond if each.due_on is None or each.due_on <= values.generated_until]
            if looked is not None:
                looked[plan.id] = again_at
            if _differs(rows, plan, decisions):
                waiting.append(Decided(plan_id=plan.id, name=plan.name, values=values, decisions=decisions))
            else:
                report.plans += 1
    return waiting


def _write_all(company_id: str, batch: Sequence[Decided], now: datetime) -> Report:
    """Write a batch; when one of its plans cannot be written, each by itself."""
    try:
        return _write_batch(company_id, batch, now)
    except (*UNDECIDABLE, Problem, *Refused) as error:
        report = Report()
        if len(batch) == 1:
            report.fail(batch[0].plan_id, batch[0].name, error)
        else:
            for one in batch:
                report.add(_write_all(company_id, [one], now))
        return report


@transactional
def _write_batch(company_id: str, batch: Sequence[Decided], now: datetime) -> Report:
    report = Report()
    decided = {one.plan_id: one for one in batch}
    plans = queries.lock_plans(company_id, list(decided))
    if not plans:
        return report
    rows = queries.rows_for(company_id, plans, since(plans))
    agreed = Agreements(company_id)
    agreed.hold([*rows.sites.values(), *rows.branches.values()], rows.assets.values(), rows.contracts)
    todo: list[tuple[MaintenancePlan, Known, list[Decision]]] = []
    for plan in plans:
        values, before = known(rows, plan, now), decided[plan.id]
        same = values == before.values
        todo.append((plan, values, before.decisions if same else values.ledger(values.generated_until)))
    fresh = sum(is_new(rows, plan, decision) for plan, _, decisions in todo for decision in decisions)
    numbers = iter(visits.next_visit_numbers(company_id, fresh) if fresh else ())
    for plan, values, decisions in todo:
        report.plans += 1
        _settle_plan(rows, plan, values, decisions, _Making(agreed=agreed, numbers=numbers, now=now), report)
    return report


def _differs(rows: queries.PlanRows, plan: MaintenancePlan, decisions: Sequence[Decision]) -> bool:
    """Whether writing these decisions would change anything."""
    stored = {row.id: row for row in rows.occurrences.get(plan.id, ())}
    for decision in decisions:
        row = stored.pop(decision.occurrence_id, None)
        if row is None or is_new(rows, plan, decision):
            return True
        seen = rows.visits.get(row.visit_id) if row.visit_id else None
        if seen is not None and wants_change(seen, row, decision):
            return True
        if any(getattr(row, name) != value for name, value in row_of(plan, decision, row.visit_id).items()):
            return True
    return bool(stored)


def _settle_plan(
    rows: queries.PlanRows,
    plan: MaintenancePlan,
    values: Known,
    decisions: Sequence[Decision],
    making: _Making,
    report: Report,
) -> None:
    """Write what in the decisions of one plan differs from the stored ledger."""
    stored = {row.id: row for row in rows.occurrences.get(plan.id, ())}
    for decision in decisions:
        _write(rows, plan, values, decision, stored.pop(decision.occurrence_id, None), making, report)
    for row in stored.values():
        # Only rows that never had a visit are left: a forecast or a missing anchor that has passed.
        db.session.delete(row)


def _write(
    rows: queries.PlanRows,
    plan: MaintenancePlan,
    values: Known,
    decision: Decision,
    row: Occurrence | None,
    making: _Making,
    report: Report,
) -> None:
    visit = _settle_visit(rows, plan, values, decision, row, making, report)
    wanted = row_of(plan, decision, visit)
    if row is not None and all(getattr(row, name) == value for name, value in wanted.items()):
        return
    report.ledger[decision.state.value] += 1
    if row is None:
        row = Occurrence(
            company_id=plan.company_id,
            id=decision.occurrence_id,
            plan_id=plan.id,
            trigger_id=decision.trigger_id,
            cycle_key=decision.cycle_key,
        )
        db.session.add(row)
    for name, value in wanted.items():
        setattr(row, name, value)
    row.decided_at = making.now


def _settle_visit(
    rows: queries.PlanRows,
    plan: MaintenancePlan,
    values: Known,
    decision: Decision,
    row: Occurrence | None,
    making: _Making,
    report: Report,
) -> str | None:
    """Make, bring back, move or withdraw the visit of one decision; returns its id if there is one."""
    if row is None or row.visit_id is None:
        if decision.state is not State.GENERATED:
            return None
        report.made += 1
        return _make(rows, plan, values, decision, making)
    seen = rows.visits.get(row.visit_id)
    if seen is None or not wants_change(seen, row, decision):
        return row.visit_id
    # Somebody may have published the visit since it was read: what counts is its state under the lock.
    visit = _locked(plan.company_id, row.visit_id)
    if visit is None or not wants_change(visit, row, decision):
        return row.visit_id
    if decision.state is not State.GENERATED:
        visit.plan_state = "cancelled"
        locale = rows.locales[visit.site_id]
        why = decision.reason
        visit.cancel_reason = tell(plan.company_id, plan.asset_id, "plan", why.code, why.params, locale)
        report.withdrawn += 1
        return row.visit_id
    if visit.plan_state == "cancelled":
        visit.plan_state, visit.cancel_reason = "due", None
        report.made += 1
    else:
        report.moved += 1
    if moves(row, decision):
        visit.due_from, visit.due_to = decision.window_from, decision.window_to
    locale = rows.locales[visit.site_id]
    if visit.instructions == instructions(values.plan, due_tasks(row.tasks), locale):
        # What somebody at the office wrote there stays.
        visit.instructions = instructions(values.plan, decision.tasks, locale)
    return row.visit_id


def _locked(company_id: str, visit_id: str) -> Visit | None:
    documents.lock(company_id, visit_id)
    visit = documents.load(company_id, "visit", visit_id)
    return visit if isinstance(visit, Visit) else None


def _make(rows: queries.PlanRows, plan: MaintenancePlan, values: Known, decision: Decision, making: _Making) -> str:
    assert decision.window_from is not None
    assert decision.window_to is not None
    site = rows.sites[rows.assets[plan.asset_id].site_id]
    trigger = next(each for each in values.plan.triggers if each.id == decision.trigger_id)
    proactive = plan.kind == PROACTIVE or isinstance(trigger, WarrantyPhaseTrigger) or decision.asks_reading
    visit = make_visit(
        plan.company_id,
        {
            "site_id": site.id,
            "asset_ids": [plan.asset_id],
            "due_from": decision.window_from.isoformat(),
            "due_to": decision.window_to.isoformat(),
            "hard_due": plan.hard_due,
            **work_of(rows, values, decision, rows.locales[site.id]),
        },
        origin="proactive" if proactive else "plan",
        now=making.now,
        visit_id=decision.visit_id,
        occurrence_id=decision.occurrence_id,
        plan_id=plan.id,
        agreed=making.agreed,
        number=next(making.numbers),
    )
    return visit.id
