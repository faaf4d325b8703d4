"""The office changes a document: checked by its schema, guarded by its version, written like any other change."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from marshmallow import ValidationError

from schemas.entities import COLLECTIONS
from schemas.entities.base import parse_instant
from server.actions.decide_coverage import decide_coverage
from server.problems import FieldError, Problem, invalid, not_found
from server.store import documents
from server.store.models import Asset, Synced, Visit
from server.store.queries import office, visits
from server.store.transaction import transactional
from sync.states import OVER, may_move_plan

COVERAGE_FIELDS = frozenset({"kind", "asset_ids", "site_id", "planned_start", "service_minutes", "due_from"})
PLACEMENT = ("plan_state", "assignee_id", "planned_start")
PLACE = ("assignee_id", "planned_start", "planned_end", "route_position")
HOURS = frozenset({"promised_by", "window_start", "window_end", "planned_start", "planned_end"})
LONGEST_PAST = timedelta(days=31)
LONGEST_AHEAD = timedelta(days=5 * 365)
"""How far from today a person may mean it: work is written down afterwards, and promised for a contract's years."""
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
    wishes: bool = True,
) -> Synced:
    """Set wire values on a document. Fields written on site, and those that the server makes, are refused.

    Without `wishes` they are values that were there before, which are not asked whether anybody could still meet them.
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
    before = documents.current_body(item)
    if isinstance(item, Visit):
        if wishes:
            check_wishes(company_id, checked, before, now=now)
        _check_visit(item, before, checked)
        _follow(item, checked)
    check_whole(collection, before | checked, before, touched=checked)
    if isinstance(item, Asset) and checked.keys() & {"serial", "model_id"}:
        check_serial(company_id, before | checked)
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
    """Raise Problem `unknown-reference` for the first field that names what is not there, by id or by code."""
    check_codes(company_id, collection, values)
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


def check_codes(company_id: str, collection: str, values: dict[str, Any]) -> None:
    """Raise Problem `unknown-reference` for the first field that holds the code of nothing."""
    for name, value in values.items():
        sort = COLLECTIONS[collection].fields[name].metadata.get("code_of")
        if sort and value and not office.has_code(company_id, sort, value):
            raise unknown(name)


def check_whole(
    collection: str, body: dict[str, Any], before: dict[str, Any] | None = None, *, touched: Iterable[str] = ()
) -> None:
    """Raise Problem `invalid-fields` for values of a whole document that do not go together.

    What did not go together `before` holds up no edit of something else.
    """
    schema = COLLECTIONS[collection]
    known = schema.contradictions(before) if before else {}
    found = {name: code for name, code in schema.contradictions(body).items() if name not in known or name in touched}
    if found:
        errors = tuple(FieldError(field=name, code=code) for name, code in found.items())
        raise Problem(422, "invalid-fields", errors=errors)


def check_order(values: dict[str, Any]) -> None:
    """Raise Problem `invalid-fields` for values of a visit that do not go together."""
    check_whole("visit", values)


def check_wishes(company_id: str, values: dict[str, Any], before: dict[str, Any], *, now: datetime) -> None:
    """Raise Problem `invalid-fields` for new values of a visit that nobody could ever meet.

    That are hours of another age, and skills that neither a technician nor a kind of work has.
    """
    errors = []
    for name in HOURS & values.keys():
        at = parse_instant(values[name])
        if at is None or values[name] == before.get(name):
            continue
        if at < now - LONGEST_PAST:
            errors.append(FieldError(field=name, code="long-past", params={"days": LONGEST_PAST.days}))
        elif at > now + LONGEST_AHEAD:
            errors.append(FieldError(field=name, code="far-ahead", params={"years": LONGEST_AHEAD.days // 365}))
    added = set(values.get("skills") or ()) - set(before.get("skills") or ())
    if added:
        known = office.skills(company_id)
        if not added <= known:
            params = {"skill": sorted(added - known)[0], "known": sorted(known)[:12] or ["–"]}
            errors.append(FieldError(field="skills", code="unknown-skill", params=params))
    if errors:
        raise Problem(422, "invalid-fields", errors=tuple(sorted(errors, key=lambda one: one.field)))


def check_serial(company_id: str, asset: dict[str, Any]) -> None:
    """Raise Problem `invalid-fields` when another machine of the model has the serial number.

    Only the office is asked this: what a technician reads off a machine is never refused.
    """
    if office.has_serial(company_id, asset["model_id"], asset["serial"], but=asset.get("id")):
        raise Problem(422, "invalid-fields", errors=(FieldError(field="serial", code="serial-taken"),))


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


def _check_visit(visit: Visit, before: dict[str, Any], values: dict[str, Any]) -> None:
    target = values.get("plan_state", visit.plan_state)
    if not may_move_plan(visit.plan_state, target, visit.exec_state):  # type: ignore[arg-type]
        raise Problem(
            409, "state-move", field="plan_state", current=visit.plan_state, target=target, exec_state=visit.exec_state
        )
    if visit.exec_state in OVER and values.keys() & DONE_FIXES:
        raise Problem(409, "visit-finished", field=sorted(values.keys() & DONE_FIXES)[0])
    if values.keys() & PLACEMENT:
        check_placement(before | values)


def _follow(visit: Visit, values: dict[str, Any]) -> None:
    """What changes along with the values: the customer with the site, the place in a route with the state."""
    if values.get("site_id"):
        site = visits.site(visit.company_id, values["site_id"])
        assert site is not None
        visit.customer_id = site.customer_id
    if values.get("plan_state") not in (None, "cancelled") and visit.cancel_reason:
        values.setdefault("cancel_reason", None)
    if values.get("plan_state") == "due" and visit.plan_state != "due":
        # Nobody's again: a time left behind would hide it from every plan of a later day.
        values |= {name: None for name in PLACE if name not in values}
        visit.travel_s = visit.travel_m = visit.why = None
