from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from server.extensions import db
from server.store.models import Asset, Branch, Checklist, Document, ProductModel, ServiceKind, Technician, WarrantyTerm

CODED: dict[str, Any] = {"service_kind": ServiceKind, "warranty_term": WarrantyTerm}


def branches(company_id: str) -> list[Branch]:
    """All branches by name."""
    return list(db.session.scalars(select(Branch).where(Branch.company_id == company_id).order_by(Branch.name)))


def technician_names(company_id: str) -> dict[str, str]:
    """Names of all technicians by id."""
    statement = select(Technician.id, Technician.name).where(Technician.company_id == company_id)
    return {row.id: row.name for row in db.session.execute(statement)}


def kind_names(company_id: str) -> dict[str, dict[str, str]]:
    """Names of all kinds of work by code, in each language."""
    statement = select(ServiceKind.code, ServiceKind.name).where(ServiceKind.company_id == company_id)
    return {row.code: row.name for row in db.session.execute(statement)}


def collections_of(company_id: str, ids: Iterable[str]) -> dict[str, str]:
    """The collection of each document by id; those that are not there, or deleted, are left out."""
    statement = select(Document.id, Document.collection).where(
        Document.company_id == company_id, Document.id.in_(list(ids)), Document.deleted.is_(False)
    )
    return {row.id: row.collection for row in db.session.execute(statement)}


def has_code(company_id: str, sort: str, code: str) -> bool:
    """Whether a `service_kind` or `warranty_term` has this code."""
    table = CODED[sort]
    statement = select(table.id).where(table.company_id == company_id, table.code == code)
    return db.session.scalar(statement.limit(1)) is not None


def skills(company_id: str) -> set[str]:
    """Codes of the skills that a technician has or a kind of work asks for."""
    held = db.session.scalars(select(Technician.skills).where(Technician.company_id == company_id))
    asked = db.session.scalars(select(ServiceKind.skills).where(ServiceKind.company_id == company_id))
    return {one["code"] for each in held for one in each} | {code for each in asked for code in each}


def has_serial(company_id: str, model_id: str, serial: str, *, but: str | None) -> bool:
    """Whether a piece of equipment but the one with id `but` is of this model and has this serial number."""
    statement = select(Asset.id).where(
        Asset.company_id == company_id, Asset.serial == serial, Asset.model_id == model_id
    )
    return any(found != but for found in db.session.scalars(statement.limit(2)))


def checklist(company_id: str, checklist_id: str) -> Checklist | None:
    return db.session.get(Checklist, (company_id, checklist_id))


def models(company_id: str, ids: Iterable[str]) -> list[ProductModel]:
    """Product models by id."""
    statement = select(ProductModel).where(ProductModel.company_id == company_id, ProductModel.id.in_(list(ids)))
    return list(db.session.scalars(statement))
