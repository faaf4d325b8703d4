from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import false, func, or_, select

from server.extensions import db
from server.store import rows
from server.store.models import Branch, Company, Contract, MeterReading, PriceItem, Site, Visit, WarrantyTerm
from sync.states import PERFORMED, REVIEWED


def contracts(company_id: str, customer_id: str) -> list[Contract]:
    """All contracts of a customer, by number."""
    statement = select(Contract).where(Contract.company_id == company_id, Contract.customer_id == customer_id)
    return list(db.session.scalars(statement.order_by(Contract.number)))


def hold(contract: Contract) -> None:
    """Have others wait, until the commit, who count this contract's visits to take one: two must not take its last.

    On SQLite there is one writer. What was counted before may be old by now.
    """
    mine = (Contract.company_id == contract.company_id, Contract.id == contract.id)
    # What only refers to the contract does not wait.
    db.session.execute(select(Contract.id).where(*mine).with_for_update(key_share=True))


def hold_of(company_id: str, visit_ids: Iterable[str], site_ids: Iterable[str]) -> list[str]:
    """The same at once for all limited contracts of the customers of these visits and sites, in id order; which.

    On SQLite there is one writer, and nothing is held.
    """
    session = db.session()
    if not rows.is_postgresql(session):
        return []
    visit = select(Visit.customer_id).where(Visit.company_id == company_id, rows.among(session, Visit.id, visit_ids))
    site = select(Site.customer_id).where(Site.company_id == company_id, rows.among(session, Site.id, site_ids))
    statement = (
        select(Contract.id)
        .where(Contract.company_id == company_id, Contract.included_visits.is_not(None))
        .where(Contract.customer_id.in_(visit) | Contract.customer_id.in_(site))
        .order_by(Contract.id)
    )
    return list(db.session.scalars(statement.with_for_update(key_share=True)))


def zones(company_id: str, customer_id: str) -> list[str]:
    """The time zones of a customer's sites."""
    statement = select(Site.tz).where(Site.company_id == company_id, Site.customer_id == customer_id).distinct()
    return sorted(db.session.scalars(statement))


def visits_done(contract: Contract, tzs: Iterable[str]) -> frozenset[str]:
    """Ids of the visits of a contract's kinds that were done on its days, first to last, as each site counts days."""
    done_at = func.coalesce(Visit.finished_at, Visit.started_at)
    periods = [
        (Site.tz == tz)
        & (done_at >= datetime.combine(contract.starts_on, time(), ZoneInfo(tz)))
        & (done_at < datetime.combine(contract.ends_on + timedelta(days=1), time(), ZoneInfo(tz)))
        for tz in tzs
    ]
    statement = (
        select(Visit.id)
        .join(Site, (Site.company_id == Visit.company_id) & (Site.id == Visit.site_id))
        .where(
            Visit.company_id == contract.company_id,
            Visit.customer_id == contract.customer_id,
            Visit.kind.in_(contract.included_kinds),
            Visit.exec_state.in_(PERFORMED | REVIEWED),
            Visit.performed_by_id.is_not(None),
            or_(false(), *periods),
        )
    )
    return frozenset(db.session.scalars(statement))


def places(company_id: str, site_ids: Iterable[str]) -> list[Site | Branch]:
    """Sites by id, and their branches."""
    statement = (
        select(Site, Branch)
        .join(Branch, (Branch.company_id == Site.company_id) & (Branch.id == Site.branch_id))
        .where(Site.company_id == company_id, Site.id.in_(list(site_ids)))
    )
    return [each for row in db.session.execute(statement) for each in row]


def term(company_id: str, code: str | None) -> WarrantyTerm | None:
    """A warranty term by its code."""
    if code is None:
        return None
    statement = select(WarrantyTerm).where(WarrantyTerm.company_id == company_id, WarrantyTerm.code == code)
    return db.session.scalar(statement)


def last_reading(company_id: str, asset_id: str, meter: str, until: datetime) -> float | None:
    """The last value of a meter that was read at a machine up to a moment."""
    statement = (
        select(MeterReading.value)
        .where(
            MeterReading.company_id == company_id,
            MeterReading.asset_id == asset_id,
            MeterReading.meter == meter,
            MeterReading.taken_at <= until,
        )
        .order_by(MeterReading.taken_at.desc(), MeterReading.id.desc())
        .limit(1)
    )
    return db.session.scalar(statement)


def lock_prices(company_id: str) -> None:
    """Let no other transaction of the company that asks for this lock go on before this one has ended."""
    db.session.execute(select(Company.id).where(Company.id == company_id).with_for_update())


def prices_with_key(company_id: str, price: dict[str, Any]) -> list[str]:
    """Ids of the prices of the same list, branch, kind, line and first day."""
    same = [getattr(PriceItem, name) == price[name] for name in ("list_code", "kind", "line", "valid_from")]
    branch = PriceItem.branch_id.is_(None) if price["branch_id"] is None else PriceItem.branch_id == price["branch_id"]
    return list(db.session.scalars(select(PriceItem.id).where(PriceItem.company_id == company_id, branch, *same)))


def prices(company_id: str, kind: str, branch_id: str, lists: list[str]) -> list[PriceItem]:
    """Prices that may matter for a kind of work: base, the branch's, and the named lists; also those not in force."""
    statement = select(PriceItem).where(
        PriceItem.company_id == company_id,
        PriceItem.kind.in_([kind, "*"]),
        or_(PriceItem.branch_id.is_(None), PriceItem.branch_id == branch_id, PriceItem.list_code.in_(lists)),
    )
    return list(db.session.scalars(statement.order_by(PriceItem.id)))
