"""Why an expected date gets no visit. One function per rule, listed once, asked in that order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from server.domain.maintenance.shift import placed
from server.domain.maintenance.values import AssetFacts, Plan, Shift, Trigger
from server.domain.reason import Reason, reason

Rule = Callable[[Plan, AssetFacts, Trigger, date], Reason | None]


def plan_inactive(plan: Plan, facts: AssetFacts, trigger: Trigger, due_on: date) -> Reason | None:
    return None if plan.active else reason("plan-inactive")


def plan_ended(plan: Plan, facts: AssetFacts, trigger: Trigger, due_on: date) -> Reason | None:
    if plan.ends_on is not None and due_on > plan.ends_on:
        return reason("plan-ended", ended_on=plan.ends_on)
    return None


def asset_out_of_service(plan: Plan, facts: AssetFacts, trigger: Trigger, due_on: date) -> Reason | None:
    since = facts.out_of_service_from
    if facts.in_service or (since is not None and due_on < since):
        return None
    return reason("asset-out-of-service") if since is None else reason("asset-out-of-service-since", since=since)


def contract_ended(plan: Plan, facts: AssetFacts, trigger: Trigger, due_on: date) -> Reason | None:
    """A running warranty carries the work on when the contract has ended."""
    starts_on, ends_on = facts.warranty_starts_on, facts.warranty_ends_on
    if starts_on is not None and ends_on is not None and starts_on <= due_on <= ends_on:
        return None
    if facts.contract_ends_on is not None and due_on > facts.contract_ends_on:
        return reason("contract-ended", ended_on=facts.contract_ends_on)
    return None


def warranty_over(plan: Plan, facts: AssetFacts, trigger: Trigger, due_on: date) -> Reason | None:
    """Free proactive work ends with the last warranty day, which still counts."""
    if not (plan.only_in_warranty or trigger.follows_warranty):
        return None
    if facts.warranty_starts_on is None or facts.warranty_ends_on is None:
        return reason("no-warranty")
    if due_on > facts.warranty_ends_on:
        return reason("warranty-over", ended_on=facts.warranty_ends_on)
    return None


def out_of_season(plan: Plan, facts: AssetFacts, trigger: Trigger, due_on: date) -> Reason | None:
    if plan.season and due_on.month not in plan.season:
        return reason("out-of-season", due_on=due_on, months=", ".join(map(str, sorted(plan.season))))
    return None


def campaign_elsewhere(plan: Plan, facts: AssetFacts, trigger: Trigger, due_on: date) -> Reason | None:
    """One bulletin is carried out once for a machine, by whichever plan had it first."""
    campaign = getattr(trigger, "campaign", None)
    return reason("campaign-elsewhere", campaign=campaign) if campaign in facts.campaigns_elsewhere else None


def closed_day(plan: Plan, facts: AssetFacts, trigger: Trigger, due_on: date) -> Reason | None:
    """Days off leave a date out where the plan says so, or where no working day is near."""
    if plan.shift is Shift.NONE or plan.days.plain or plan.days.works(due_on):
        return None
    if plan.shift is not Shift.SKIP and placed(plan, due_on) is not None:
        return None
    closure = plan.days.closure(due_on)
    if closure is not None:
        return reason("site-closed", due_on=due_on, closed_from=closure.first, closed_to=closure.last)
    return reason("day-off", due_on=due_on)


RULES: tuple[Rule, ...] = (
    plan_inactive,
    plan_ended,
    asset_out_of_service,
    contract_ended,
    warranty_over,
    campaign_elsewhere,
    out_of_season,
    closed_day,
)


def suppression(plan: Plan, facts: AssetFacts, trigger: Trigger, due_on: date) -> Reason | None:
    """The first rule that speaks against a visit on `due_on`."""
    for rule in RULES:
        found = rule(plan, facts, trigger, due_on)
        if found is not None:
            return found
    return None
