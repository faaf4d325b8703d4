"""A new company with its administrator, its feed counter, and the catalogue of service kinds."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from server.actions.passwords import hash_password
from server.extensions import db
from server.problems import Problem
from server.store.models import Company, SyncClock, User
from server.store.queries import people
from server.store.transaction import transactional
from server.store.types import new_id


@transactional
def found_company(
    name: str, *, email: str, password: str, locale: str = "en", demo: bool = False
) -> tuple[Company, User]:
    """Make a company and its administrator; raises Problem `conflict` when the address is taken."""
    email = email.strip().lower()
    if people.user_by_email(email) is not None:
        raise Problem(409, "conflict", field="email")
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
