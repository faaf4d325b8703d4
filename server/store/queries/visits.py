from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select, update

from server.extensions import db
from server.store.models import Asset, Company, MeterReading, ServiceKind, Site, Technician, Visit


def site(company_id: str, site_id: str) -> Site | None:
    return db.session.get(Site, (company_id, site_id))


def visit(company_id: str, visit_id: str) -> Visit | None:
    return db.session.get(Visit, (company_id, visit_id))


def technician(company_id: str, technician_id: str) -> Technician | None:
    return db.session.get(Technician, (company_id, technician_id))


def assets(company_id: str, asset_ids: Iterable[str]) -> list[Asset]:
    """Assets by id; those that are not there are left out."""
    ids = list(asset_ids)
    return (
        list(db.session.scalars(select(Asset).where(Asset.company_id == company_id, Asset.id.in_(ids)))) if ids else []
    )


def readings_there(company_id: str, ids: Iterable[str]) -> set[str]:
    """Which of these entries are rows already, in whichever visit."""
    statement = select(MeterReading.id).where(MeterReading.company_id == company_id, MeterReading.id.in_(list(ids)))
    return set(db.session.scalars(statement))


def service_kind(company_id: str, code: str) -> ServiceKind | None:
    """A kind of work by its code."""
    return db.session.scalar(select(ServiceKind).where(ServiceKind.company_id == company_id, ServiceKind.code == code))


def next_visit_numbers(company_id: str, count: int = 1) -> range:
    """Take the next human numbers; the company's row is locked until the commit."""
    statement = (
        update(Company)
        .where(Company.id == company_id)
        .values(visit_number=Company.visit_number + count)
        .returning(Company.visit_number)
    )
    last = int(db.session.execute(statement).scalar_one())
    return range(last - count + 1, last + 1)
