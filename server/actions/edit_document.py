"""The office changes a document: checked by its schema, guarded by its version, written like any other change."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from marshmallow import ValidationError

from schemas.entities import COLLECTIONS
from server.actions.decide_coverage import decide_coverage
from server.problems import FieldError, Problem, invalid, not_found
from server.store import documents
from server.store.models import Synced, Visit
from server.store.queries import office, visits
from server.store.transaction import transactional
from sync.states import OVER, may_move_plan

COVERAGE_FIELDS = frozenset({"kind", "asset_ids", "site_id", "planned_start", "service_minutes", "due_from"})
PLACEMENT = ("plan_state", "assignee_id", "planned_start")
PLACE = ("assignee_id", "planned_start", "planned_end", "route_position")
SPANS = (("window_start", "window_end"), ("planned_start", "planned_end"), ("due_from", "due_to"))
DONE_FIXES = frozenset({"assignee_id", "planned_start", "planned_end", "kind", "site_id"})


@transactional
def edit_document(
    company_id: str,
    collection: str,
    document_id: str,
    values: dict[str, Any],
    *,
    now: datetime,
    expected_version: int | None = None,
) -> Synced:
    """Set wire values on a document. Fields written on site, and those that the server makes, are refused.

    Raises Problem: `not-found`, `version-changed` (412), `invalid-fields`, `unknown-reference`, `state-move`,
    `visit-finished`.
    """
    kept = documents.lock(company_id, document_id)
    item = documents.load(company_id, collection, document_id) if kept else None
    if item is None or kept is None or kept.deleted:
        raise not_found()
    if expected_version is not None and kept.version != expected_version:
        raise Problem(412, "version-changed", version=kept.version)
    checked = office_values(collection, values)
    check_references(company_id, collection, checked)
    if isinstance(item, Visit):
        _check_visit(item, checked)
        _follow(item, checked)
    documents.set_values(item, checked, checked)
    if isinstance(item, Visit) and checked.keys() & COVERAGE_FIELDS and item.exec_state not in OVER:
        decide_coverage(item, now=now)
    return item


def office_values(collection: str, values: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    """Wire values that the office may write, in their one form; raises Problem `invalid-fields` for others."""
    schema = COLLECTIONS[collection]
    derived = [
        FieldError(field=name, code="derived")
        for name in values
        if name in schema.rules and schema.rules[name].owner in ("server", "field")
    ]
    if derived:
        raise Problem(422, "invalid-fields", errors=tuple(derived))
    try:
        return schema.validated(values, required=required)
    except ValidationError as error:
        raise invalid(error.normalized_messages()) from error


def check_references(company_id: str, collection: str, values: dict[str, Any]) -> None:
    """Raise Problem `unknown-reference` for the first field that names a document which is not there."""
    named = {
        name: {value} if isinstance(value, str) else set(value)
        for name, value in values.items()
        if value and COLLECTIONS[collection].fields[name].metadata.get("ref")
    }
    found = office.collections_of(company_id, set().union(*named.values())) if named else {}
    for name, ids in named.items():
        wanted = COLLECTIONS[collection].fields[name].metadata["ref"]
        if any(found.get(each) != wanted for each in ids):
            raise unknown(name)


def check_order(values: dict[str, Any]) -> None:
    """Raise Problem `invalid-fields` when a span of wire values ends before it starts."""
    for start, end in SPANS:
        first, last = values.get(start), values.get(end)
        if first and last and last < first:
            raise Problem(422, "invalid-fields", errors=(FieldError(field=end, code="order"),))


def check_placement(values: dict[str, Any]) -> None:
    """Raise Problem `invalid-fields` for a planned or published visit without somebody and a time.

    Neither the board nor a plan would ever show it again.
    """
    missing = [name for name in ("assignee_id", "planned_start") if not values.get(name)]
    if values.get("plan_state") in ("planned", "published") and missing:
        errors = tuple(FieldError(field=name, code="needed-when-planned") for name in missing)
        raise Problem(422, "invalid-fields", errors=errors)


def unknown(name: str) -> Problem:
    """The problem of a field that refers to nothing."""
    return Problem(422, "unknown-reference", errors=(FieldError(field=name, code="unknown-reference"),))


def _check_visit(visit: Visit, values: dict[str, Any]) -> None:
    target = values.get("plan_state", visit.plan_state)
    if not may_move_plan(visit.plan_state, target, visit.exec_state):  # type: ignore[arg-type]
        raise Problem(
            409, "state-move", field="plan_state", current=visit.plan_state, target=target, exec_state=visit.exec_state
        )
    if visit.exec_state in OVER and values.keys() & DONE_FIXES:
        raise Problem(409, "visit-finished", field=sorted(values.keys() & DONE_FIXES)[0])
    if values.get("kind") and visits.service_kind(visit.company_id, values["kind"]) is None:
        raise unknown("kind")
    whole = documents.current_body(visit) | values
    check_order(whole)
    if values.keys() & PLACEMENT:
        check_placement(whole)


def _follow(visit: Visit, values: dict[str, Any]) -> None:
    """What changes along with the values: the customer with the site, the place in a route with the state."""
    if values.get("site_id"):
        site = visits.site(visit.company_id, values["site_id"])
        assert site is not None
        visit.customer_id = site.customer_id
    if values.get("plan_state") == "due" and visit.plan_state != "due":
        # Nobody's again: a time left behind would hide it from every plan of a later day.
        values |= {name: None for name in PLACE if name not in values}
        visit.travel_s = visit.travel_m = visit.why = None
