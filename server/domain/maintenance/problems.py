"""What is wrong with a plan, field by field, before it is saved."""

from __future__ import annotations

from server.domain.local_time import zone
from server.domain.maintenance.nesting import circles
from server.domain.maintenance.site_days import known_country
from server.domain.maintenance.values import AssetFacts, Plan, Problem
from server.domain.reason import reason

MOST_WINDOW_DAYS = 366
MOST_HORIZON_DAYS = 730
MOST_MINUTES = 14 * 24 * 60


MOST_TASKS = 200
MOST_TRIGGERS = 20


def problems(plan: Plan, facts: AssetFacts | None = None) -> tuple[Problem, ...]:
    """Every problem found; empty means that the plan can be saved and generated.

    With the asset's `facts` it is also asked whether the asset can have a plan at all.
    """
    retired = []
    if facts is not None and not facts.in_service and plan.active:
        retired.append(Problem(field="asset_id", reason=reason("asset-retired")))
    return (*retired, *_own_problems(plan), *_trigger_problems(plan), *_nesting_problems(plan), *_task_problems(plan))


def _own_problems(plan: Plan) -> list[Problem]:
    found = []
    for field, days in (("early_days", plan.early_days), ("late_days", plan.late_days)):
        if not 0 <= days <= MOST_WINDOW_DAYS:
            found.append(Problem(field=field, reason=reason("window-out-of-range", count=days, most=MOST_WINDOW_DAYS)))
    if not 1 <= plan.horizon_days <= MOST_HORIZON_DAYS:
        why = reason("horizon-out-of-range", count=plan.horizon_days, most=MOST_HORIZON_DAYS)
        found.append(Problem(field="horizon_days", reason=why))
    if not 1 <= plan.service_minutes <= MOST_MINUTES:
        why = reason("minutes-out-of-range", count=plan.service_minutes, most=MOST_MINUTES)
        found.append(Problem(field="service_minutes", reason=why))
    if plan.ends_on is not None and plan.ends_on < plan.starts_on:
        why = reason("ends-before-start", starts_on=plan.starts_on, ends_on=plan.ends_on)
        found.append(Problem(field="ends_on", reason=why))
    if plan.absorb_days is not None and not 0 <= plan.absorb_days <= MOST_WINDOW_DAYS:
        why = reason("window-out-of-range", count=plan.absorb_days, most=MOST_WINDOW_DAYS)
        found.append(Problem(field="absorb_days", reason=why))
    if not 1 <= plan.credit_percent <= 100:
        why = reason("interval-out-of-range", count=plan.credit_percent, most=100)
        found.append(Problem(field="credit_percent", reason=why))
    if any(not 1 <= month <= 12 for month in plan.season):
        found.append(Problem(field="season", reason=reason("no-such-month", months=_listed(plan.season))))
    if plan.days.country is not None and not known_country(plan.days.country, plan.days.region):
        found.append(Problem(field="country", reason=reason("country-unknown", country=plan.days.country)))
    if not plan.kind:
        found.append(Problem(field="kind", reason=reason("no-kind")))
    try:
        zone(plan.tz)
    except ValueError:
        found.append(Problem(field="tz", reason=reason("time-zone-unknown", tz=plan.tz)))
    return found


def _trigger_problems(plan: Plan) -> list[Problem]:
    if not plan.triggers:
        return [Problem(field="triggers", reason=reason("no-trigger"))]
    found = []
    if len(plan.triggers) > MOST_TRIGGERS:
        why = reason("too-many", count=len(plan.triggers), most=MOST_TRIGGERS)
        found.append(Problem(field="triggers", reason=why))
    for index, trigger in enumerate(plan.triggers):
        if any(trigger.id == other.id for other in plan.triggers[:index]):
            found.append(Problem(field=f"triggers.{index}.id", reason=reason("trigger-id-twice", id=trigger.id)))
        for each in trigger.problems(plan):
            found.append(Problem(field=f"triggers.{index}.{each.field}", reason=each.reason))
    return found


def _nesting_problems(plan: Plan) -> list[Problem]:
    known = {trigger.id for trigger in plan.triggers}
    found = []
    for greater, lesser in plan.nesting.items():
        for each in sorted({greater, *lesser} - known):
            found.append(Problem(field=f"nesting.{greater}", reason=reason("no-such-trigger", id=each)))
    for each in circles(plan.nesting):
        found.append(Problem(field=f"nesting.{each}", reason=reason("nesting-circle", id=each)))
    return found


def _task_problems(plan: Plan) -> list[Problem]:
    found = []
    if len(plan.tasks) > MOST_TASKS:
        found.append(Problem(field="tasks", reason=reason("too-many", count=len(plan.tasks), most=MOST_TASKS)))
    known = {trigger.id for trigger in plan.triggers}
    for index, task in enumerate(plan.tasks):
        if any(task.code == other.code for other in plan.tasks[:index]):
            found.append(Problem(field=f"tasks.{index}.code", reason=reason("task-twice", code=task.code)))
        if not 1 <= task.every_k_cycles <= 1000:
            why = reason("interval-out-of-range", count=task.every_k_cycles, most=1000)
            found.append(Problem(field=f"tasks.{index}.every_k_cycles", reason=why))
        for each in sorted(task.triggers - known):
            found.append(Problem(field=f"tasks.{index}.triggers", reason=reason("no-such-trigger", id=each)))
    return found


def _listed(numbers: frozenset[int]) -> str:
    return ", ".join(map(str, sorted(numbers)))
