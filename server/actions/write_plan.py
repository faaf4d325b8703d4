"""The office writes a maintenance plan; the core says what is wrong with it, field by field, before it is saved.

Visits follow with the next run of the generator, or at once with `generate_visits` for this plan.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from marshmallow import ValidationError

from schemas.maintenance import MaintenancePlanSchema
from server.actions.plan_values import asset_facts, core_plan, including
from server.domain import maintenance
from server.domain.reason import Reason
from server.extensions import db
from server.problems import FieldError, Problem, invalid, not_found
from server.store.models import Asset, MaintenancePlan, Site
from server.store.queries import coverage, visits
from server.store.queries import maintenance as queries
from server.store.transaction import transactional
from server.store.types import new_id

SCHEMA = MaintenancePlanSchema


@transactional
def create_plan(company_id: str, values: dict[str, Any]) -> MaintenancePlan:
    """Make a plan from wire values. Raises Problem: `invalid-fields`, `unknown-reference`."""
    plan = MaintenancePlan(company_id=company_id, id=new_id(), version=1, **loaded(values, {}))
    judge(plan)
    db.session.add(plan)
    db.session.flush()
    return plan


@transactional
def edit_plan(company_id: str, plan_id: str, values: dict[str, Any]) -> MaintenancePlan:
    """Set wire values on a plan; an edit that changes something raises its version.

    Raises Problem: `not-found`, `invalid-fields`, `unknown-reference`.
    """
    found = queries.lock_plans(company_id, [plan_id])
    if not found:
        raise not_found()
    [plan] = found
    changed = changes(plan, values)
    for name, value in changed.items():
        setattr(plan, name, value)
    if changed:
        judge(plan)
        plan.version += 1
        db.session.flush()
    return plan


def changes(plan: MaintenancePlan, values: dict[str, Any]) -> dict[str, Any]:
    """The columns that wire values would change, with their new values. Raises Problem `invalid-fields`."""
    whole = SCHEMA().dump(plan)
    before = {name: value for name, value in whole.items() if name not in ("id", "version")}
    whole_new = loaded(values, before)
    return {name: value for name, value in whole_new.items() if getattr(plan, name) != value}


def loaded(values: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """Wire values over those of before, read by the schema. Raises Problem `invalid-fields`."""
    try:
        found: dict[str, Any] = SCHEMA().load(before | values)
    except ValidationError as error:
        raise invalid(error.normalized_messages()) from error
    return found


def judge(plan: MaintenancePlan) -> None:
    """Ask the core; raises Problem with every field that is wrong."""
    asset = db.session.get(Asset, (plan.company_id, plan.asset_id))
    if asset is None:
        raise unknown("asset_id")
    site = db.session.get(Site, (plan.company_id, asset.site_id))
    assert site is not None
    kind = visits.service_kind(plan.company_id, plan.kind)
    if kind is None:
        raise unknown("kind")
    for code in plan.credit_kinds:
        if visits.service_kind(plan.company_id, code) is None:
            raise unknown("credit_kinds")
    _, unreadable = maintenance.read_triggers(plan.triggers)
    if unreadable:
        raise refused(unreadable)
    contracts = including(plan, coverage.contracts(plan.company_id, site.customer_id))
    calendar = queries.site_calendar(plan.company_id, site.id)
    core = core_plan(plan, site, kind, contracts, calendar)
    found = maintenance.problems(core, asset_facts(asset, contracts, (), (), site.tz))
    if found:
        raise refused(found, kind.name)


def refused(problems: Iterable[maintenance.Problem], own_kind: dict[str, Any] | None = None) -> Problem:
    """The core's problems as one answer; `own_kind` is the name of the plan's kind of work in each language."""
    return Problem(
        422,
        "invalid-fields",
        errors=tuple(
            FieldError(field=each.field, code=each.reason.code, params=_named(each.reason, own_kind), area="plan")
            for each in problems
        ),
    )


def _named(why: Reason, own_kind: dict[str, Any] | None) -> dict[str, Any]:
    return {**why.params, "kind": own_kind} if own_kind and why.code == "event-of-own-kind" else dict(why.params)


def unknown(name: str) -> Problem:
    """A reference to what is not there."""
    return Problem(422, "unknown-reference", errors=(FieldError(field=name, code="unknown-reference"),))
