"""A new visit, whoever asks for it: number, defaults of its kind, customer of its site, what it will cost."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from server.actions.decide_coverage import Agreements, decide_coverage
from server.extensions import db
from server.problems import FieldError, Problem
from server.store import documents
from server.store.models import Branch, Visit
from server.store.queries import visits
from server.store.types import new_id


def make_visit(
    company_id: str,
    values: dict[str, Any],
    *,
    origin: str,
    now: datetime,
    visit_id: str | None = None,
    occurrence_id: str | None = None,
    plan_id: str | None = None,
    agreed: Agreements | None = None,
) -> Visit:
    """Add a visit inside the open transaction; `values` are wire values of office and shared fields.

    `agreed` is shared by visits that are made in one transaction, so that nothing is asked for twice.

    Raises Problem `unknown-reference` when site, kind or an asset is not there.
    """
    site = visits.site(company_id, values["site_id"])
    if site is None:
        raise _unknown("site_id")
    branch = db.session.get(Branch, (company_id, site.branch_id))
    assert branch is not None
    agreed = agreed or Agreements(company_id)
    kind = agreed.kind(values["kind"])
    if kind is None or not kind.active:
        raise _unknown("kind")
    asset_ids = values.get("asset_ids") or []
    if len({asset.id for asset in agreed.assets(asset_ids)}) != len(set(asset_ids)):
        raise _unknown("asset_ids")
    number = next(iter(visits.next_visit_numbers(company_id)))
    visit = Visit(
        company_id=company_id,
        id=visit_id or new_id(),
        number=f"V-{number}",
        origin=origin,
        occurrence_id=occurrence_id,
        plan_id=plan_id,
        customer_id=site.customer_id,
        exec_state="not_started",
        plan_state="due",
        title=kind.name[branch.locale],
        priority=1,
        hard_due=False,
        locked=False,
        archived=False,
        asset_ids=[],
        skills=list(kind.skills),
        service_minutes=kind.minutes,
        checklist_id=kind.checklist_id,
        events=[], answers=[], readings=[], notes=[], findings=[], attachments=[], flags=[],
    )  # fmt: skip
    given = {name: value for name, value in values.items() if value is not None}
    documents.set_values(visit, given, given)
    db.session.add(visit)
    db.session.flush()
    decide_coverage(visit, now=now, agreed=agreed)
    return visit


def _unknown(name: str) -> Problem:
    return Problem(422, "unknown-reference", errors=(FieldError(field=name, code="unknown-reference"),))
