from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from server.extensions import db
from server.store.models import Company, Device, EnrolmentCode, Mutation, SyncClock


def device(company_id: str, device_id: str) -> Device | None:
    return db.session.get(Device, (company_id, device_id))


def lock_device(company_id: str, device_id: str) -> Device:
    """The device, locked until the commit, so that its pushes come one after another."""
    statement = select(Device).where(Device.company_id == company_id, Device.id == device_id).with_for_update()
    return db.session.scalars(statement.execution_options(populate_existing=True)).one()


def enrolment_code(code_hash: str) -> EnrolmentCode | None:
    """A code by its hash, locked until the commit, so that it works once."""
    return db.session.scalar(select(EnrolmentCode).where(EnrolmentCode.code_hash == code_hash).with_for_update())


def mutations(company_id: str, ids: Iterable[str]) -> dict[str, Mutation]:
    """Journal rows by mutation id."""
    statement = select(Mutation).where(Mutation.company_id == company_id, Mutation.id.in_(list(ids)))
    return {row.id: row for row in db.session.scalars(statement)}


def numbers_of(company_id: str, device_id: str, numbers: Iterable[int]) -> dict[int, str]:
    """Which mutation has which of these numbers on a device."""
    statement = select(Mutation.n, Mutation.id).where(
        Mutation.company_id == company_id, Mutation.device_id == device_id, Mutation.n.in_(list(numbers))
    )
    return {row.n: row.id for row in db.session.execute(statement)}


def mutations_of_device(company_id: str, device_id: str, after: int, limit: int) -> list[Mutation]:
    """What became of a device's mutations after a number, in its own order."""
    statement = (
        select(Mutation)
        .where(Mutation.company_id == company_id, Mutation.device_id == device_id, Mutation.n > after)
        .order_by(Mutation.n, Mutation.id)
        .limit(limit)
    )
    return list(db.session.scalars(statement))


def epoch(company_id: str) -> str:
    """The history that the company's cursors belong to."""
    company = db.session.get(Company, company_id)
    assert company is not None
    return company.epoch


def clock(company_id: str) -> int:
    """The company's newest feed number."""
    return int(db.session.scalar(select(SyncClock.n).where(SyncClock.company_id == company_id)) or 0)
