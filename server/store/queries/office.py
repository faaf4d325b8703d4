from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from server.extensions import db
from server.store.models import Branch, Document, Technician


def branches(company_id: str) -> list[Branch]:
    """All branches by name."""
    return list(db.session.scalars(select(Branch).where(Branch.company_id == company_id).order_by(Branch.name)))


def technician_names(company_id: str) -> dict[str, str]:
    """Names of all technicians by id."""
    statement = select(Technician.id, Technician.name).where(Technician.company_id == company_id)
    return {row.id: row.name for row in db.session.execute(statement)}


def collections_of(company_id: str, ids: Iterable[str]) -> dict[str, str]:
    """The collection of each document by id; those that are not there, or deleted, are left out."""
    statement = select(Document.id, Document.collection).where(
        Document.company_id == company_id, Document.id.in_(list(ids)), Document.deleted.is_(False)
    )
    return {row.id: row.collection for row in db.session.execute(statement)}
