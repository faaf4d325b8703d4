"""What maintenance plans expect, asked of the product's own core: the past as it went, then the ledger as of today.

The scheduler would come to the same rows; that it finds nothing to do afterwards is a test.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

from server.demo.chance import Chance
from server.demo.equipment import PROACTIVE, Planned
from server.demo.jobs import Job
from server.demo.past import Done
from server.demo.world import World
from server.domain import maintenance
from server.domain.maintenance import AssetFacts, Completion, Decision, Recorded, State, VisitState
from server.store import models

LATE_OR_NEVER = 0.03
"""Share of expected work that nobody did in time: it stands on the board as overdue."""

LONG = 365
"""Horizon in days while the past is walked through: the next date counts, however far it is."""


@dataclass(kw_only=True)
class Expected:
    """The preventive work of the past by branch and day, and which plan and decision each piece came from."""

    jobs: dict[tuple[str, date], list[Job]] = field(default_factory=lambda: defaultdict(list))
    origins: dict[str, tuple[Planned, Decision]] = field(default_factory=dict)


@dataclass(kw_only=True)
class Ledger:
    """The rows of the ledger as of now, and the work that it asks for by branch, the most pressing first."""

    rows: list[models.Occurrence] = field(default_factory=list)
    jobs: dict[str, list[Job]] = field(default_factory=lambda: defaultdict(list))


def past_work(world: World, planned: Sequence[Planned]) -> Expected:
    """Walk through the past of each plan; what is open today is left out."""
    found = Expected()
    chance = Chance(world.seed, "expected")
    for plan in planned:
        for decision, day in _done_dates(plan, chance):
            job = _job(world, plan, decision)
            found.jobs[plan.branch.id, day].append(job)
            found.origins[job.id] = (plan, decision)
    return found


def ledger_now(world: World, planned: Sequence[Planned], expected: Expected, past: Sequence[Done]) -> Ledger:
    """Every row of the ledger after what really was done, and the visits that are due within the horizon."""
    worked: dict[str, list[Done]] = defaultdict(list)
    for done in past:
        if done.job.id in expected.origins:
            worked[expected.origins[done.job.id][0].row.id].append(done)
    ledger = Ledger()
    for plan in planned:
        done_here = worked[plan.row.id]
        visits = {done.job.occurrence_id: done.job.id for done in done_here}
        for decision in _decide_now(plan, expected, done_here):
            visit = visits.get(decision.occurrence_id)
            if visit is None and decision.state is State.GENERATED:
                job = _job(world, plan, decision)
                ledger.jobs[plan.branch.id].append(job)
                visit = job.id
            ledger.rows.append(_row(world, plan, decision, visit))
    for jobs in ledger.jobs.values():
        jobs.sort(key=lambda job: (job.due_to or date.max, job.id))
    return ledger


def _decide_now(planned: Planned, expected: Expected, past: Sequence[Done]) -> list[Decision]:
    branch = planned.branch
    completions = [
        Completion(
            visit_id=done.job.id,
            completed_on=done.facts.finished_at.astimezone(ZoneInfo(branch.tz)).date(),
            kind=done.job.kind.code,
            outcome=done.facts.outcome,
            occurrence_id=done.job.occurrence_id,
        )
        for done in past
        if done.facts.finished_at
    ]
    recorded = [_recorded(expected.origins[done.job.id][1]) for done in past]
    horizon = branch.today + timedelta(days=planned.row.horizon_days)
    until = max([horizon, *(each.due_on for each in recorded if each.due_on)])
    plan = _core_plan(planned, planned.row.horizon_days)
    return maintenance.expected(plan, _facts(planned), completions, recorded, branch.today, until)


def _done_dates(planned: Planned, chance: Chance) -> Iterator[tuple[Decision, date]]:
    """Walk through the past as it went: what is expected next, when it was done, what that leads to."""
    plan, branch = _core_plan(planned, LONG), planned.branch
    done: list[Completion] = []
    recorded: list[Recorded] = []
    stand = branch.since
    while True:
        decisions = maintenance.expected(plan, _facts(planned), done, recorded, stand, branch.today)
        over = {each.occurrence_id for each in done}
        wanted = (each for each in decisions if each.state is State.GENERATED and each.occurrence_id not in over)
        following = next(wanted, None)
        if following is None or following.due_on is None:
            return
        day = max(following.due_on + timedelta(days=chance.randint(-plan.early_days, plan.late_days) // 2), stand)
        day -= timedelta(days=max(day.weekday() - 4, 0))
        if day < branch.since:
            day = branch.since + timedelta(days=7 - branch.since.weekday())
        if day >= branch.today or chance.happens(LATE_OR_NEVER):
            return
        yield following, day
        done.append(
            Completion(
                visit_id=following.visit_id, completed_on=day, kind=plan.kind, occurrence_id=following.occurrence_id
            )
        )
        recorded.append(_recorded(following))
        stand = day


def _recorded(decision: Decision) -> Recorded:
    return Recorded(
        trigger_id=decision.trigger_id,
        cycle_key=decision.cycle_key,
        due_on=decision.due_on,
        state=State.GENERATED,
        reason=decision.reason,
        visit_state=VisitState.DONE,
    )


def _facts(planned: Planned) -> AssetFacts:
    asset = planned.asset
    including = [each for each in asset.site.contracts if planned.row.kind in each.included_kinds]
    return AssetFacts(
        installed_on=asset.installed_on,
        commissioned_on=asset.commissioned_on,
        in_service=asset.in_service,
        warranty_starts_on=asset.warranty.starts_on,
        warranty_ends_on=asset.warranty.ends_on,
        contract_ends_on=max((each.ends_on for each in including), default=None),
    )


def _core_plan(planned: Planned, horizon_days: int) -> maintenance.Plan:
    row = planned.row
    including = any(row.kind in each.included_kinds for each in planned.asset.site.contracts)
    return maintenance.Plan(
        id=row.id,
        asset_id=row.asset_id,
        kind=row.kind,
        triggers=tuple(maintenance.trigger_from_json(each) for each in row.triggers),
        starts_on=row.starts_on,
        early_days=row.early_days,
        late_days=row.late_days,
        hard_due=row.hard_due,
        horizon_days=horizon_days,
        tz=planned.branch.tz,
        only_in_warranty=row.kind == PROACTIVE and not including,
    )


def _job(world: World, planned: Planned, decision: Decision) -> Job:
    kind = world.kinds[planned.row.kind]
    first = decision.window_from or planned.row.starts_on
    created = planned.branch.at(max(first - timedelta(days=21), planned.branch.since), time(2))
    return Job(
        id=decision.visit_id,
        kind=kind,
        site=planned.asset.site,
        asset=planned.asset,
        minutes=planned.row.service_minutes or kind.minutes,
        origin="proactive" if kind.code == PROACTIVE else "plan",
        created=min(created, world.now),
        due_from=decision.window_from,
        due_to=decision.window_to,
        hard_due=planned.row.hard_due,
        plan_id=planned.row.id,
        occurrence_id=decision.occurrence_id,
    )


def _row(world: World, planned: Planned, decision: Decision, visit_id: str | None) -> models.Occurrence:
    due_on = decision.due_on or planned.row.starts_on
    return models.Occurrence(
        company_id=world.company_id,
        id=decision.occurrence_id,
        plan_id=planned.row.id,
        trigger_id=decision.trigger_id,
        cycle_key=decision.cycle_key,
        due_on=due_on,
        window_from=decision.window_from or due_on,
        window_to=decision.window_to or due_on,
        state=decision.state.value,
        reason=decision.reason.to_json(),
        visit_id=visit_id,
        decided_at=world.now,
        target_on=decision.target_on,
        basis=decision.basis.to_json() if decision.basis else None,
        tasks=[],
    )
