from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, and_, bindparam, select, update

from server.extensions import db
from server.store import feed, rows
from server.store.engine import write_apart
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


@functools.cache
def _beside(postgresql: bool) -> Select[Any]:
    own = Visit.__table__.c
    mine = and_(own.company_id == bindparam("company_id"), rows.listed(own.id, "ids", postgresql))
    return select(own.id, own.customer_id, own.coverage_basis, own.coverage_id).where(mine)


def beside(company_id: str, ids: Iterable[str]) -> tuple[dict[str, rows.Row], dict[str, str | None]]:
    """What visits' rows have beside their bodies, as far as mutations need it; and which decision each refers to."""
    every = list(ids)
    if not every:
        return {}, {}
    session = db.session()
    given = {"company_id": company_id, "ids": rows.many(session, every)}
    found = session.connection().execute(_beside(rows.is_postgresql(session)), given).all()
    columns = {row[0]: {"customer_id": row[1], "coverage_basis": row[2]} for row in found}
    return columns, {row[0]: row[3] for row in found}


def keep_readings(company_id: str, readings: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Keep entries of visits' `readings` as rows that plans can ask for, once, and only of assets that are there."""
    every = list(readings)
    if not every:
        return
    ids = {entry["asset_id"] for _, entry in every}
    there = {asset.id for asset in assets(company_id, ids)}
    names = ("company_id", "id", "asset_id", "visit_id", "meter", "value", "unit", "taken_at")
    found = [
        {
            "company_id": company_id,
            "id": entry["id"],
            "asset_id": entry["asset_id"],
            "visit_id": visit_id,
            "meter": entry["meter"],
            "value": entry["value"],
            "unit": entry.get("unit"),
            "taken_at": entry.get("at_corrected") or entry["at"],
        }
        for visit_id, entry in every
        if entry["asset_id"] in there
    ]
    rows.insert(db.session(), MeterReading.__table__, found, names=names, twice="keep")  # type: ignore[arg-type]


@functools.cache
def _numbering() -> Any:
    company: Any = Company.__table__
    statement = update(company).where(company.c.id == bindparam("company_id"))
    return statement.values(visit_number=company.c.visit_number + bindparam("count")).returning(company.c.visit_number)


def next_visit_numbers(company_id: str, count: int = 1, *, apart: bool = False) -> range:
    """Take the next human numbers; the company's row is locked until the commit.

    Numbers that are taken `apart`, where the database can, are committed at once: others need not wait for this
    transaction to end, and what it does not come to use is not given again.
    """
    given = {"company_id": company_id, "count": count}
    session = db.session()
    last = None
    if apart and company_id not in session.info.get(feed.VISITS_NUMBERED, ()):
        last = write_apart(_numbering(), given)
    if last is None:
        session.info.setdefault(feed.VISITS_NUMBERED, set()).add(company_id)
        last = session.connection().execute(_numbering(), given).scalar_one()
    return range(last - count + 1, last + 1)
