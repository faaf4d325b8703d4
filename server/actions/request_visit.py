"""The office takes a request: a new visit, not yet planned."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from server.actions.edit_document import (
    check_order,
    check_placement,
    check_references,
    check_wishes,
    edit_document,
    office_values,
)
from server.actions.make_visit import make_visit
from server.problems import Problem
from server.store.models import Visit
from server.store.transaction import transactional
from sync.states import PLAN_MOVES


@transactional
def request_visit(company_id: str, values: dict[str, Any], *, now: datetime) -> Visit:
    """Make a visit of any kind from wire values; raises Problem for fields that are missing or wrong."""
    checked = office_values("visit", values, required=True)
    state = checked.get("plan_state", "due")
    if state != "due" and state not in PLAN_MOVES["due"]:
        raise Problem(409, "state-move", field="plan_state", current="due", target=state, exec_state="not_started")
    check_references(company_id, "visit", checked)
    check_order(checked)
    check_placement(checked)
    check_wishes(company_id, checked, {}, now=now)
    return make_visit(company_id, checked, origin="request", now=now)


@transactional
def cancel_visit(company_id: str, visit_id: str, reason: str, *, now: datetime) -> Visit:
    """Cancel a visit with its reason; what may already have been done on site stays."""
    item = edit_document(company_id, "visit", visit_id, {"plan_state": "cancelled", "cancel_reason": reason}, now=now)
    assert isinstance(item, Visit)
    return item
