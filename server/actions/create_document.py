"""The office makes what it has: branches, technicians, customers, sites, equipment, the catalogue; and accounts."""

from __future__ import annotations

from typing import Any

from schemas.entities import COLLECTIONS
from server.actions.edit_document import check_codes, check_serial, check_whole, office_values, unknown
from server.actions.passwords import SHORTEST, hash_password
from server.extensions import db
from server.problems import FieldError, Problem
from server.store import documents
from server.store.models import SYNCED, Asset, Synced, Technician, User
from server.store.queries import people
from server.store.transaction import transactional
from server.store.types import new_id


@transactional
def create_document(company_id: str, collection: str, values: dict[str, Any]) -> Synced:
    """Make a document from wire values. Raises Problem `invalid-fields` or `unknown-reference`."""
    checked = office_values(collection, values, required=True)
    _refuse_unknown(company_id, collection, checked)
    check_whole(collection, checked)
    if collection == Asset.collection:
        check_serial(company_id, checked)
    model: Any = SYNCED[collection]
    item: Synced = model(company_id=company_id, id=new_id(), **_defaults(collection))
    documents.set_values(item, checked, checked)
    db.session.add(item)
    db.session.flush()
    return item


@transactional
def create_user(
    company_id: str,
    *,
    email: str,
    name: str,
    role: str,
    password: str,
    locale: str,
    technician_id: str | None,
    branch_id: str | None,
) -> User:
    """Make an account. Raises Problem: `conflict` (address taken), `invalid-fields`, `unknown-reference`."""
    email = email.strip().lower()
    if len(password) < SHORTEST:
        raise Problem(422, "invalid-fields", errors=(FieldError(field="password", code="too-short"),))
    if people.user_by_email(email) is not None:
        raise Problem(409, "conflict", errors=(FieldError(field="email", code="taken"),))
    if (role == "technician") != (technician_id is not None):
        raise Problem(422, "invalid-fields", errors=(FieldError(field="technician_id", code="required"),))
    for field, model, item_id in (("technician_id", "technician", technician_id), ("branch_id", "branch", branch_id)):
        if item_id is not None and db.session.get(SYNCED[model], (company_id, item_id)) is None:
            raise Problem(422, "unknown-reference", errors=(FieldError(field=field, code="unknown-reference"),))
    user = User(
        company_id=company_id,
        id=new_id(),
        email=email,
        name=name,
        role=role,
        locale=locale,
        password_hash=hash_password(password),
        technician_id=technician_id,
        branch_id=branch_id,
        active=True,
    )
    db.session.add(user)
    return user


def _defaults(collection: str) -> dict[str, Any]:
    if SYNCED[collection] is Asset:
        return {"in_service": True, "recent_visits": []}
    if SYNCED[collection] is Technician:
        return {"active": True, "skills": [], "shifts": [], "start_from": "home", "max_overtime_minutes": 0}
    lists = {"site": ["tags"], "product_model": ["meters"], "service_kind": ["skills"], "checklist": ["items"]}
    return {name: [] for name in lists.get(collection, [])}


def _refuse_unknown(company_id: str, collection: str, values: dict[str, Any]) -> None:
    check_codes(company_id, collection, values)
    for name, value in values.items():
        target = COLLECTIONS[collection].fields[name].metadata.get("ref")
        if target and value and db.session.get(SYNCED[target], (company_id, value)) is None:
            raise unknown(name)
