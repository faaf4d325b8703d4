"""What the things that maintenance plans count from are called."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from server.extensions import db
from server.store.models import Asset, Checklist, MaintenancePlan, ProductModel
from server.store.rows import chunks


def meter_names(company_id: str, asset_ids: Iterable[str]) -> dict[str, dict[str, dict[str, str]]]:
    """Names of the meters of some machines: machine -> code -> name in each language."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for part in chunks(sorted(set(asset_ids))):
        same = (ProductModel.company_id == Asset.company_id) & (ProductModel.id == Asset.model_id)
        statement = (
            select(Asset.id, ProductModel.meters)
            .outerjoin(ProductModel, same)
            .where(Asset.company_id == company_id, Asset.id.in_(part))
        )
        for row in db.session.execute(statement):
            found[row.id] = {meter["code"]: meter["name"] for meter in row.meters or ()}
    return found


def item_names(company_id: str) -> dict[str, dict[str, str]]:
    """Texts of all checklist items by key, in each language; the latest revision is believed."""
    statement = select(Checklist.items).where(Checklist.company_id == company_id)
    lists = db.session.scalars(statement.order_by(Checklist.revision, Checklist.id))
    return {item["key"]: item["text"] for items in lists for item in items}


def assets_of(company_id: str, plan_ids: Iterable[str]) -> dict[str, str]:
    """The machine of each plan by the plan's id."""
    found: dict[str, str] = {}
    for part in chunks(sorted(set(plan_ids))):
        statement = select(MaintenancePlan.id, MaintenancePlan.asset_id).where(
            MaintenancePlan.company_id == company_id, MaintenancePlan.id.in_(part)
        )
        found |= {row.id: row.asset_id for row in db.session.execute(statement)}
    return found
