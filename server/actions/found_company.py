"""A new company: its administrator and feed counter; for a real one also the catalogue and a first branch."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from marshmallow import Schema

from schemas.entities import COLLECTIONS
from schemas.office import CompanySchema
from server.actions.create_document import create_document
from server.actions.passwords import hash_password
from server.actions.stock_catalogue import stock_catalogue
from server.extensions import db
from server.problems import FieldError, Problem, field_errors
from server.store.models import Company, SyncClock, User
from server.store.queries import people
from server.store.transaction import transactional
from server.store.types import new_id


@transactional
def open_company(name: str, branch: dict[str, Any], *, email: str, password: str, locale: str = "en") -> Company:
    """Make a company that can work at once: administrator, all kinds of work, and a branch from wire values.

    Raises Problem: `conflict` when the address is taken, `invalid-fields` for all that is wrong with the company
    (`company.name`, `company.email`, `company.password`) and the branch.
    """
    bad = _wrong(CompanySchema(), {"name": name, "email": email.strip(), "password": password}, "company.")
    bad += _wrong(COLLECTIONS["branch"], branch | {"locale": locale})
    if bad:
        raise Problem(422, "invalid-fields", errors=tuple(bad))
    company, _ = found_company(name, email=email, password=password, locale=locale)
    stock_catalogue(company.id)
    create_document(company.id, "branch", branch | {"locale": locale})
    return company


def _wrong(schema: Schema, values: dict[str, Any], prefix: str = "") -> list[FieldError]:
    found = field_errors(schema.validate(values))
    return [replace(error, field=prefix + error.field) for error in found]


@transactional
def found_company(
    name: str, *, email: str, password: str, locale: str = "en", demo: bool = False
) -> tuple[Company, User]:
    """Make a company and its administrator; raises Problem `conflict` when the address is taken."""
    email = email.strip().lower()
    if people.user_by_email(email) is not None:
        raise Problem(409, "conflict", errors=(FieldError(field="email", code="taken"),))
    company = Company(
        id=new_id(), name=name, epoch=secrets.token_hex(8), demo=demo, created_at=datetime.now(UTC), visit_number=20000
    )
    db.session.add(company)
    db.session.flush()
    db.session.add(SyncClock(company_id=company.id, n=0))
    admin = User(
        company_id=company.id,
        id=new_id(),
        email=email,
        name=name,
        role="admin",
        locale=locale,
        password_hash=hash_password(password),
        active=True,
    )
    db.session.add(admin)
    return company, admin
