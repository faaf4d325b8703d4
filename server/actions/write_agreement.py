"""The office writes what is agreed: a warranty term, a contract, a price.

Visits that were decided before keep their decision until something of their own changes.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from marshmallow import ValidationError

from schemas.agreements import AGREEMENTS
from server.extensions import db
from server.problems import FieldError, Problem, invalid, not_found
from server.store.models import Branch, Contract, Customer, PriceItem, WarrantyTerm
from server.store.queries import coverage, visits
from server.store.transaction import transactional
from server.store.types import new_id

MODELS: dict[str, Any] = {"warranty_term": WarrantyTerm, "contract": Contract, "price_item": PriceItem}
REFERENCES: dict[str, Any] = {"customer_id": Customer, "branch_id": Branch}
ANY_KIND = "*"


@transactional
def create_agreement(company_id: str, sort: str, values: dict[str, Any]) -> Any:
    """Make one from wire values. Raises Problem: `invalid-fields`, `unknown-reference`."""
    checked = _checked(company_id, sort, values, {})
    if sort == "price_item":
        _refuse_twin(company_id, checked)
    item = MODELS[sort](company_id=company_id, id=new_id(), **checked)
    db.session.add(item)
    db.session.flush()
    return item


@transactional
def edit_agreement(company_id: str, sort: str, item_id: str, values: dict[str, Any]) -> Any:
    """Set wire values on one. Raises Problem: `not-found`, `invalid-fields`, `unknown-reference`."""
    item = db.session.get(MODELS[sort], (company_id, item_id), with_for_update=True)
    if item is None:
        raise not_found()
    whole = AGREEMENTS[sort]().dump(item)
    del whole["id"]
    checked = _checked(company_id, sort, values, whole)
    if sort == "price_item":
        _refuse_twin(company_id, checked, but=item_id)
    for name, value in checked.items():
        setattr(item, name, value)
    db.session.flush()
    return item


def _checked(company_id: str, sort: str, values: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    try:
        checked: dict[str, Any] = AGREEMENTS[sort]().load(before | values)
    except ValidationError as error:
        raise invalid(error.normalized_messages()) from error
    for name, model in REFERENCES.items():
        if checked.get(name) and db.session.get(model, (company_id, checked[name])) is None:
            raise _unknown(name)
    for name, codes in (("included_kinds", checked.get("included_kinds") or []), ("kind", [checked.get("kind")])):
        if any(code not in (None, ANY_KIND) and visits.service_kind(company_id, code) is None for code in codes):
            raise _unknown(name)
    return checked | ({"amount": Decimal(checked["amount"])} if "amount" in checked else {})


def _refuse_twin(company_id: str, price: dict[str, Any], *, but: str | None = None) -> None:
    """Raise Problem `conflict` where another price has the same key: nobody could say which of the two counts.

    The database itself refuses it for a branch; a base price has none, and no database takes two absent branches for
    one. Two who write the same base price at once wait for each other here.
    """
    coverage.lock_prices(company_id)
    if any(twin != but for twin in coverage.prices_with_key(company_id, price)):
        raise Problem(409, "conflict", errors=(FieldError(field="valid_from", code="price-twice"),))


def _unknown(name: str) -> Problem:
    return Problem(422, "unknown-reference", errors=(FieldError(field=name, code="unknown-reference"),))
