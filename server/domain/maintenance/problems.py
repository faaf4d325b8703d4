"""What is wrong with a plan, field by field, before it is saved."""

from __future__ import annotations

from server.domain.local_time import zone
from server.domain.maintenance.values import Plan, Problem
from server.domain.reason import reason

MOST_WINDOW_DAYS = 366
MOST_HORIZON_DAYS = 730
MOST_MINUTES = 14 * 24 * 60


def problems(plan: Plan) -> tuple[Problem, ...]:
    """Every problem found; empty means that the plan can be saved and generated."""
    return (*_own_problems(plan), *_trigger_problems(plan))


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
    for index, trigger in enumerate(plan.triggers):
        if any(trigger.id == other.id for other in plan.triggers[:index]):
            found.append(Problem(field=f"triggers.{index}.id", reason=reason("trigger-id-twice", id=trigger.id)))
        for each in trigger.problems(plan):
            found.append(Problem(field=f"triggers.{index}.{each.field}", reason=each.reason))
    return found
