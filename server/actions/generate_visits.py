"""Maintenance plans become visits, and every expected date a row of the ledger."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, timezone
from typing import Any

from server.actions.decide_coverage import Agreements
from server.actions.make_visit import make_visit
from server.actions.plan_values import PROACTIVE, Known, known, visit_state
from server.domain.maintenance import Decision, State, VisitState, WarrantyPhaseTrigger
from server.extensions import db
from server.problems import Problem
from server.store import documents
from server.store.failures import Contradiction
from server.store.models import MaintenancePlan, Occurrence, Visit
from server.store.queries import maintenance as queries
from server.store.transaction import transactional
from server.text import say

BATCH = 50
"""Plans in one transaction: long enough to be quick, short enough that other writers wait less than a second."""

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

    def to_json(self) -> dict[str, Any]:
        numbers = {"plans": self.plans, "made": self.made, "withdrawn": self.withdrawn, "moved": self.moved}
        return numbers | {"ledger": dict(sorted(self.ledger.items())), "failed": self.failed}


def generate_visits(company_id: str, now: datetime, plan_id: str | None = None) -> Report:
    """Bring the ledger and the generated visits of a company, or of one plan, up to `now`.

    Runs in transactions of `BATCH` plans with a savepoint for each plan. Repeating it changes nothing, and two
    processes at once make the same visits: the plans are locked while they are decided, and a visit's id follows from
    its occurrence. `Report.made` counts visits made or brought back, `ledger` the rows written, by state.
    """
    report = Report()
    for ids in _batches([plan_id] if plan_id else queries.plan_ids(company_id)):
        report.add(_generate(company_id, ids, now))
    return report


def _batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]


@transactional
def _generate(company_id: str, ids: Sequence[str], now: datetime) -> Report:
    plans = queries.lock_plans(company_id, ids)
    report = Report()
    if not plans:
        return report
    agreed = Agreements(company_id)
    rows = queries.rows_for(company_id, plans, _since(plans))
    for plan in plans:
        one = Report(plans=1)
        try:
            with db.session.begin_nested():
                _settle_plan(rows, plan, agreed, now, one)
        except (ValueError, Problem, Contradiction) as error:
            log.warning("maintenance plan %s was left as it is: %s", plan.id, error)
            report.plans += 1
            report.failed.append({"plan_id": plan.id, "name": plan.name, "error": str(error)})
        else:
            report.add(one)
    return report


def _since(plans: Sequence[MaintenancePlan]) -> datetime:
    """Work before a plan's first window cannot count for it; the zone does not matter for a day more."""
    first = min(plan.starts_on - timedelta(days=max(plan.early_days, 0) + 1) for plan in plans)
    return datetime.combine(first, time(), timezone(timedelta(hours=14)))


def _settle_plan(
    rows: queries.PlanRows, plan: MaintenancePlan, agreed: Agreements, now: datetime, report: Report
) -> None:
    """Decide one plan and write what differs from the stored ledger."""
    values = known(rows, plan, now)
    stored = {row.id: row for row in rows.occurrences.get(plan.id, ())}
    decisions = values.ledger(values.generated_until)
    for decision in decisions:
        _write(rows, plan, values, decision, stored.pop(decision.occurrence_id, None), agreed, now, report)
    for row in stored.values():
        # Only rows that never had a visit are left: a forecast or a missing anchor that has passed.
        db.session.delete(row)
    db.session.flush()


def _write(
    rows: queries.PlanRows,
    plan: MaintenancePlan,
    values: Known,
    decision: Decision,
    row: Occurrence | None,
    agreed: Agreements,
    now: datetime,
    report: Report,
) -> None:
    visit = _settle_visit(rows, plan, values, decision, row, agreed, now, report)
    # A trigger without an anchor has no date; its row stands at the start of the plan.
    due_on = decision.due_on or plan.starts_on
    wanted = {
        "due_on": due_on,
        "window_from": decision.window_from or due_on,
        "window_to": decision.window_to or due_on,
        "state": decision.state.value,
        "reason": decision.reason.to_json(),
        "visit_id": visit,
    }
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
    row.decided_at = now


def _settle_visit(
    rows: queries.PlanRows,
    plan: MaintenancePlan,
    values: Known,
    decision: Decision,
    row: Occurrence | None,
    agreed: Agreements,
    now: datetime,
    report: Report,
) -> str | None:
    """Make, bring back, move or withdraw the visit of one decision; returns its id if there is one."""
    if row is None or row.visit_id is None:
        if decision.state is not State.GENERATED:
            return None
        report.made += 1
        return _make(rows, plan, values, decision, agreed, now)
    seen = rows.visits.get(row.visit_id)
    if seen is None or not _wants_change(seen, row, decision):
        return row.visit_id
    # Somebody may have published the visit since it was read: what counts is its state under the lock.
    visit = _locked(plan.company_id, row.visit_id)
    if visit is None or not _wants_change(visit, row, decision):
        return row.visit_id
    if decision.state is not State.GENERATED:
        visit.plan_state = "cancelled"
        locale = rows.locales[visit.site_id]
        visit.cancel_reason = say("plan", decision.reason.code, decision.reason.params, locale)
        report.withdrawn += 1
        return row.visit_id
    if visit.plan_state == "cancelled":
        visit.plan_state, visit.cancel_reason = "due", None
        report.made += 1
    else:
        report.moved += 1
    visit.due_from, visit.due_to = decision.window_from, decision.window_to
    return row.visit_id


def _wants_change(visit: Visit, row: Occurrence, decision: Decision) -> bool:
    """Whether the decision asks for a change to a visit that nobody has touched.

    Dates that a dispatcher has set stay: only a window that the plan itself has changed moves an untouched visit.
    """
    state = visit_state(visit, row)
    if decision.state is not State.GENERATED:
        return state is VisitState.UNTOUCHED
    moved = (row.window_from, row.window_to) != (decision.window_from, decision.window_to)
    return state is VisitState.WITHDRAWN or (state is VisitState.UNTOUCHED and moved)


def _locked(company_id: str, visit_id: str) -> Visit | None:
    documents.lock(company_id, visit_id)
    visit = documents.load(company_id, "visit", visit_id)
    return visit if isinstance(visit, Visit) else None


def _make(
    rows: queries.PlanRows, plan: MaintenancePlan, values: Known, decision: Decision, agreed: Agreements, now: datetime
) -> str:
    assert decision.window_from is not None
    assert decision.window_to is not None
    site = rows.sites[rows.assets[plan.asset_id].site_id]
    kind = rows.kinds.get(plan.kind)
    trigger = next(each for each in values.plan.triggers if each.id == decision.trigger_id)
    proactive = plan.kind == PROACTIVE or isinstance(trigger, WarrantyPhaseTrigger)
    visit = make_visit(
        plan.company_id,
        {
            "kind": plan.kind,
            "title": kind.name[rows.locales[site.id]] if kind else None,
            "site_id": site.id,
            "asset_ids": [plan.asset_id],
            "service_minutes": values.plan.service_minutes,
            "due_from": decision.window_from.isoformat(),
            "due_to": decision.window_to.isoformat(),
            "hard_due": plan.hard_due,
        },
        origin="proactive" if proactive else "plan",
        now=now,
        visit_id=decision.visit_id,
        occurrence_id=decision.occurrence_id,
        plan_id=plan.id,
        agreed=agreed,
    )
    return visit.id
