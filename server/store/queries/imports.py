from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from sqlalchemy import select

from server.extensions import db
from server.store.models import Asset, Branch, Contract, PriceItem, ProductModel, ServiceKind, Site, WarrantyTerm
from server.store.rows import chunks

Item = TypeVar("Item")


def by_ref(company_id: str, model: type[Item], refs: Iterable[str]) -> dict[str, Item]:
    """Objects by their external reference; those that are not there are left out."""
    found: dict[str, Item] = {}
    table: Any = model
    for part in chunks(sorted(set(refs))):
        statement = select(table).where(table.company_id == company_id, table.external_ref.in_(part))
        found |= {item.external_ref: item for item in db.session.scalars(statement)}
    return found


def by_id(company_id: str, model: type[Item], ids: Iterable[str]) -> dict[str, Item]:
    """Objects by id; those that are not there are left out."""
    found: dict[str, Item] = {}
    table: Any = model
    for part in chunks(sorted(set(ids))):
        statement = select(table).where(table.company_id == company_id, table.id.in_(part))
        found |= {item.id: item for item in db.session.scalars(statement)}
    return found


def branches(company_id: str) -> list[Branch]:
    """All branches of a company, by name."""
    return list(db.session.scalars(select(Branch).where(Branch.company_id == company_id).order_by(Branch.name)))


def models_by_code(company_id: str) -> dict[str, ProductModel]:
    """All product models by code."""
    rows = db.session.scalars(select(ProductModel).where(ProductModel.company_id == company_id))
    return {row.code: row for row in rows}


def terms_by_code(company_id: str) -> dict[str, WarrantyTerm]:
    """All warranty terms by code."""
    rows = db.session.scalars(select(WarrantyTerm).where(WarrantyTerm.company_id == company_id))
    return {row.code: row for row in rows}


def kinds_by_code(company_id: str) -> dict[str, ServiceKind]:
    """All kinds of work by code."""
    rows = db.session.scalars(select(ServiceKind).where(ServiceKind.company_id == company_id))
    return {row.code: row for row in rows}


def assets_by_serial(company_id: str, serials: Iterable[str]) -> list[tuple[Asset, str]]:
    """Equipment that has one of these serial numbers, each with the name of its site."""
    found: list[tuple[Asset, str]] = []
    for part in chunks(sorted(set(serials))):
        statement = (
            select(Asset, Site.name)
            .join(Site, (Site.company_id == Asset.company_id) & (Site.id == Asset.site_id))
            .where(Asset.company_id == company_id, Asset.serial.in_(part))
            .order_by(Asset.id)
        )
        found += [(asset, name) for asset, name in db.session.execute(statement)]
    return found


def contracts_by_number(company_id: str) -> dict[str, Contract]:
    """All contracts by number."""
    rows = db.session.scalars(select(Contract).where(Contract.company_id == company_id))
    return {row.number: row for row in rows}


def price_items(company_id: str) -> list[PriceItem]:
    """All prices of all lists."""
    return list(db.session.scalars(select(PriceItem).where(PriceItem.company_id == company_id).order_by(PriceItem.id)))
