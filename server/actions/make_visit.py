"""A new visit, whoever asks for it: number, defaults of its kind, customer of its site, what it will cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.entities import COLLECTIONS
from server.actions.decide_coverage import Agreements, decide
from server.extensions import db
from server.problems import FieldError, Problem
from server.store.models import Branch, Site, Visit
from server.store.queries import visits
from server.store.types import new_id
from sync.change import Body

SCHEMA = COLLECTIONS["visit"]


@dataclass(frozen=True, kw_only=True)
class NewVisit:
    """A visit that is not stored yet: its whole wire form without a number, and the columns beside it."""

    body: Body
    beside: dict[str, Any]


def new_visit(
    agreed: Agreements,
    values: dict[str, Any],
    *,
    origin: str,
    now: datetime,
    visit_id: str | None = None,
    occurrence_id: str | None = None,
    plan_id: str | None = None,
) -> NewVisit:
    """Work out a visit of wire values of office and shared fields; its coverage is laid down.

    Raises Problem `unknown-reference` when site, kind or an asset is not there.
    """
    site: Site | None = agreed.site(values["site_id"])
    if site is None:
        raise _unknown("site_id")
    branch: Branch | None = agreed.branch(site.branch_id)
    assert branch is not None
    kind = agreed.kind(values["kind"])
    if kind is None or not kind.active:
        raise _unknown("kind")
    asset_ids = values.get("asset_ids") or []
    if asset_ids and len(agreed.assets(asset_ids)) != len(set(asset_ids)):
        raise _unknown("asset_ids")
    body = SCHEMA.whole(
        {
            "id": visit_id or new_id(),
            "origin": origin,
            "occurrence_id": occurrence_id,
            "plan_id": plan_id,
            "plan_state": "due",
            "title": kind.name[branch.locale],
            "skills": list(kind.skills),
            "service_minutes": kind.minutes,
            "checklist_id": kind.checklist_id,
        }
        | {name: value for name, value in values.items() if value is not None}
    )
    decided = decide(body, site.customer_id, agreed, now)
    body["coverage_id"] = decided.coverage_id
    return NewVisit(body=body, beside={"customer_id": site.customer_id, "coverage_basis": decided.basis})


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
    number: int | None = None,
) -> Visit:
    """Add a visit inside the open transaction; raises Problem as `new_visit` does.

    `agreed` is shared by visits that are made in one transaction, so that nothing is asked for twice. A `number` that
    was taken before lets many visits be written together, at the end of the transaction.
    """
    made = new_visit(
        agreed or Agreements(company_id),
        values,
        origin=origin,
        now=now,
        visit_id=visit_id,
        occurrence_id=occurrence_id,
        plan_id=plan_id,
    )
    taken = next(iter(visits.next_visit_numbers(company_id))) if number is None else number
    body = made.body | {"number": f"V-{taken}"}
    visit = Visit(company_id=company_id, **made.beside, **SCHEMA.python_values(body, body))
    db.session.add(visit)
    if number is None:
        db.session.flush()
    return visit


def _unknown(name: str) -> Problem:
    return Problem(422, "unknown-reference", errors=(FieldError(field=name, code="unknown-reference"),))
