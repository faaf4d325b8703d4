"""From rows to the values of the maintenance core: one plan with what is known of its asset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from schemas.entities.base import parse_instant
from server.domain import maintenance
from server.domain.local_time import local_date
from server.domain.maintenance import (
    Answer,
    AssetFacts,
    CatchUp,
    Completion,
    DueTask,
    OpenPrevious,
    Plan,
    PlanTask,
    Reading,
    Recorded,
    Shift,
    SiteDays,
    State,
    VisitState,
)
from server.domain.maintenance.site_days import EVERY_DAY
from server.domain.reason import Reason
from server.problems import Problem
from server.store.models import (
    Asset,
    Contract,
    MaintenancePlan,
    MeterReading,
    Occurrence,
    ServiceKind,
    Site,
    SiteCalendar,
    Visit,
)
from server.store.queries.maintenance import Finished, PlanRows
from sync.states import FINISHED, OVER, UNDER_WAY, ended_as

PROACTIVE = "proactive_inspection"

UNDECIDABLE = (ValueError, ArithmeticError)
"""What deciding a plan raises if it cannot be read, or its numbers lead to no date."""


@contextmanager
def undecidable_refused() -> Iterator[None]:
    """Turn a plan that cannot be decided into Problem `plan-undecidable`."""
    try:
        yield
    except UNDECIDABLE as error:
        raise Problem(422, "plan-undecidable") from error


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
    covering = including(row, rows.contracts.get(site.customer_id, ()))
    plan = core_plan(row, site, rows.kinds.get(row.kind), covering, rows.calendars.get(site.id))
    finished = rows.finished.get(row.asset_id, ())
    facts = asset_facts(asset, covering, rows.readings.get(asset.id, ()), finished, site.tz)
    facts = replace(facts, campaigns_elsewhere=_campaigns(row, rows.siblings.get(row.asset_id, ())))
    tasks = frozenset(task.code for task in plan.tasks)
    completions = tuple(
        Completion(
            visit_id=done.id,
            completed_on=local_date(done.finished_at, site.tz),
            kind=done.kind,
            outcome=outcome(done.events),
            occurrence_id=done.occurrence_id,
            tasks=_tasks_done(done, tasks),
        )
        for done in finished
    )
    existing = tuple(_recorded(each, rows.visits) for each in rows.occurrences.get(row.id, ()))
    return Known(plan=plan, facts=facts, completions=completions, existing=existing, today=today)


def core_plan(
    row: MaintenancePlan,
    site: Site,
    kind: ServiceKind | None,
    covering: list[Contract],
    calendar: SiteCalendar | None,
) -> Plan:
    """A plan as the core knows it. Raises ValueError for what cannot be read."""
    return Plan(
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
        only_in_warranty=row.kind == PROACTIVE and not covering,
        open_previous=OpenPrevious(row.open_previous),
        catch_up=CatchUp(row.catch_up),
        shift=Shift(row.shift),
        season=frozenset(row.season),
        tasks=tuple(_task(each) for each in row.tasks),
        nesting={greater: frozenset(lesser) for greater, lesser in row.nesting.items()},
        absorb_days=row.absorb_days,
        credit_kinds=frozenset(row.credit_kinds),
        credit_percent=row.credit_percent,
        days=SiteDays.from_json(calendar.days) if calendar else EVERY_DAY,
    )


def _task(document: dict[str, Any]) -> PlanTask:
    return PlanTask(
        code=document["code"],
        name=document.get("name") or {},
        every_k_cycles=document.get("every_k_cycles") or 1,
        triggers=frozenset(document.get("triggers") or ()),
    )


def asset_facts(
    asset: Asset, covering: list[Contract], readings: Iterable[MeterReading], finished: Iterable[Finished], tz: str
) -> AssetFacts:
    """What is known of an asset, its papers, its meters and what was answered about it."""
    return AssetFacts(
        installed_on=asset.installed_on,
        commissioned_on=asset.commissioned_on,
        in_service=asset.in_service,
        warranty_starts_on=asset.warranty_starts_on,
        warranty_ends_on=asset.warranty_ends_on,
        contract_ends_on=_last_day(covering),
        readings=tuple(core_reading(each, tz) for each in sorted(readings, key=lambda each: (each.taken_at, each.id))),
        answers=tuple(
            Answer(id=each["id"], item=each["item"], on=local_date(at, tz), value=each["value"])
            for done in finished
            for each in done.answers
            if (at := parse_instant(each.get("at_corrected") or each["at"])) is not None
        ),
    )


def core_reading(row: MeterReading, tz: str) -> Reading:
    """A reading as the core knows it."""
    return Reading(
        id=row.id,
        meter=row.meter,
        on=local_date(row.taken_at, tz),
        value=row.value,
        at=row.taken_at.isoformat(),
        replaced=row.replaced,
        judged=row.judged,
    )


def including(row: MaintenancePlan, contracts: Iterable[Contract]) -> list[Contract]:
    """The contracts that include the plan's kind of work."""
    return [each for each in contracts if row.kind in each.included_kinds]


def _campaigns(row: MaintenancePlan, siblings: Iterable[MaintenancePlan]) -> frozenset[str]:
    """Bulletins that an older plan of the same asset carries out."""
    older = (each for each in siblings if each.id < row.id and each.active)
    return frozenset(str(each["campaign"]) for plan in older for each in plan.triggers if each.get("campaign"))


def _tasks_done(done: Finished, tasks: frozenset[str]) -> frozenset[str] | None:
    """Items that were answered, of those that are tasks of the plan; None where the visit answered none."""
    latest = {each["item"]: each["value"] for each in done.answers if each["item"] in tasks}
    return frozenset(item for item, value in latest.items() if value is not None) if latest else None


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
        tasks=due_tasks(row.tasks),
    )


def due_tasks(stored: list[dict[str, Any]]) -> tuple[DueTask, ...]:
    """Tasks as a ledger row keeps them."""
    return tuple(
        DueTask(
            code=each["code"],
            carried_from=date.fromisoformat(each["carried_from"]) if each.get("carried_from") else None,
        )
        for each in stored
    )


def stored_tasks(tasks: Iterable[DueTask]) -> list[dict[str, Any]]:
    """Tasks as a ledger row keeps them; the inverse of `due_tasks`."""
    return [
        {"code": each.code, "carried_from": each.carried_from.isoformat() if each.carried_from else None}
        for each in tasks
    ]


def _last_day(contracts: list[Contract]) -> date | None:
    return max((each.ends_on for each in contracts), default=None)
