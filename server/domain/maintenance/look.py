"""From which day on time alone can change what a plan's ledger says."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from server.domain.maintenance.triggers.combined import Combined
from server.domain.maintenance.triggers.meter import MeterTrigger
from server.domain.maintenance.values import AssetFacts, Decision, Plan, Trigger

RULES = 2
"""Rises when the core decides otherwise than before, so that every plan is looked at again."""

LONGEST = 31
"""Days after which a plan is looked at again whatever happens; the ledger must be known so far beyond the horizon."""

DAY = timedelta(days=1)


def look_on(plan: Plan, facts: AssetFacts, decisions: Iterable[Decision], today: date) -> date:
    """The first day after `today` on which the plan has to be decided again, if nothing else happens.

    `decisions` reach at least `LONGEST` days beyond the horizon. Days on which nothing changes may be named too.
    """
    days = [today + timedelta(days=LONGEST)]
    for decision in decisions:
        due_on = decision.due_on
        if due_on is None:
            continue
        days += [due_on - timedelta(days=plan.horizon_days), due_on, due_on + DAY]
        days += [plan.window(due_on)[0], plan.window(due_on)[1] + DAY]
        days += [day for day in (decision.window_from, decision.target_on) if day is not None]
        days += [decision.window_to + DAY] if decision.window_to is not None else []
    days += _stale(plan.triggers, facts)
    return min(day for day in days if day > today)


def _stale(triggers: Iterable[Trigger], facts: AssetFacts) -> list[date]:
    """Days on which a meter has not been read for too long; each reading may be the last that counts."""
    found: list[date] = []
    for trigger in triggers:
        if isinstance(trigger, Combined):
            found += _stale(trigger.members, facts)
        if isinstance(trigger, MeterTrigger):
            mine = (each.on for each in facts.readings if each.meter == trigger.meter)
            found += [on + timedelta(days=trigger.stale_days + 1) for on in mine]
    return found
