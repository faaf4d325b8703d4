"""From rows to the values of the maintenance core: one plan with what is known of its asset."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from server.domain import maintenance
from server.domain.local_time import local_date
from server.domain.maintenance import AssetFacts, Completion, Plan, Recorded, State, VisitState
from server.domain.reason import Reason
from server.store.models import Contract, MaintenancePlan, Occurrence, Visit
from server.store.queries.maintenance import PlanRows
from sync.states import FINISHED, OVER, UNDER_WAY, ended_as

PROACTIVE = "proactive_inspection"


@dataclass(frozen=True, kw_only=True)
class Known:
    """The arguments of the core for one plan."""

    plan: Plan
    facts: AssetFacts
    completions: tuple[Completion, ...]
    existing: tuple[Recorded, ...]
    today: date

    @property
    def generated_until(self) -> date:
        """How far the stored ledger reaches: the horizon, and every row that has ever had a visit."""
        kept = [row.due_on for row in self.existing if row.visit_state and row.due_on]
        return max([self.today + timedelta(days=self.plan.horizon_days), *kept])

    def ledger(self, until: date) -> list[maintenance.Decision]:
        return maintenance.expected(self.plan, self.facts, self.completions, self.existing, self.today, until)


def known(rows: PlanRows, row: MaintenancePlan, now: datetime) -> Known:
    """What the core must know of a plan. Raises ValueError for triggers or a time zone that cannot be read."""
    asset = rows.assets[row.asset_id]
    site = rows.sites[asset.site_id]
    today = local_date(now, site.tz)
    including = [each for each in rows.contracts.get(site.customer_id, ()) if row.kind in each.included_kinds]
    kind = rows.kinds.get(row.kind)
    plan = Plan(
        id=row.id,
        asset_id=row.asset_id,
        kind=row.kind,
        triggers=tuple(maintenance.trigger_from_json(each) for each in row.triggers),
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        active=row.active,
        early_days=row.early_days,
        late_days=row.late_days,
        hard_due=row.hard_due,
        horizon_days=row.horizon_days,
        service_minutes=row.service_minutes or (kind.minutes if kind else 60),
        tz=site.tz,
        version=row.version,
        # Somebody pays for inspections only where a contract includes them; else they are the warranty's.
        only_in_warranty=row.kind == PROACTIVE and not including,
    )
    facts = AssetFacts(
        installed_on=asset.installed_on,
        commissioned_on=asset.commissioned_on,
        in_service=asset.in_service,
        warranty_starts_on=asset.warranty_starts_on,
        warranty_ends_on=asset.warranty_ends_on,
        contract_ends_on=_last_day(including),
    )
    completions = tuple(
        Completion(
            visit_id=done.id,
            completed_on=local_date(done.finished_at, site.tz),
            kind=done.kind,
            outcome=outcome(done.events),
            occurrence_id=done.occurrence_id,
        )
        for done in rows.finished.get(row.asset_id, ())
    )
    existing = tuple(_recorded(each, rows.visits) for each in rows.occurrences.get(row.id, ()))
    return Known(plan=plan, facts=facts, completions=completions, existing=existing, today=today)


def outcome(events: list[dict[str, object]]) -> str:
    """How a finished visit ended on site; work recorded without any events counts as done."""
    state = ended_as(events)
    return state if state in FINISHED else "done"


def visit_state(visit: Visit, occurrence: Occurrence) -> VisitState:
    """How far a generated visit has got.

    A visit is untouched while nobody has given it to anyone, promised or locked it. A cancelled visit was withdrawn by
    the scheduler itself if the ledger gives a reason of its own for having none.
    """
    if visit.exec_state in OVER:
        return VisitState.DONE
    if visit.exec_state in UNDER_WAY:
        return VisitState.STARTED
    if visit.plan_state == "cancelled":
        by_office = occurrence.state == State.GENERATED or occurrence.reason.get("code") == "visit-cancelled"
        return VisitState.CANCELLED if by_office else VisitState.WITHDRAWN
    if visit.plan_state == "merged":
        return VisitState.SKIPPED
    touched = visit.assignee_id or visit.locked or visit.window_start or visit.promised_by
    untouched = visit.plan_state == "due" and visit.exec_state == "not_started" and not touched
    return VisitState.UNTOUCHED if untouched else VisitState.PUBLISHED


def _recorded(row: Occurrence, visits: dict[str, Visit]) -> Recorded:
    visit = visits.get(row.visit_id) if row.visit_id else None
    return Recorded(
        trigger_id=row.trigger_id,
        cycle_key=row.cycle_key,
        due_on=row.due_on,
        state=State(row.state),
        reason=Reason.from_json(row.reason),
        visit_state=visit_state(visit, row) if visit else None,
    )


def _last_day(contracts: list[Contract]) -> date | None:
    return max((each.ends_on for each in contracts), default=None)
