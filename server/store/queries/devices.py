from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, delete, or_, select, update

from server.extensions import db
from server.store import rows
from server.store.engine import read_alone
from server.store.models import Company, Device, EnrolmentCode, EnrolmentMiss, Mutation, SyncClock


def device(company_id: str, device_id: str) -> Device | None:
    return db.session.get(Device, (company_id, device_id))


_LOCKING_DEVICE = (
    select(Device)
    .where(Device.company_id == bindparam("company_id"), Device.id == bindparam("device_id"))
    .with_for_update()
)


def lock_device(company_id: str, device_id: str) -> Device:
    """The device, locked until the commit, so that its pushes come one after another."""
    given = {"company_id": company_id, "device_id": device_id}
    return db.session.scalars(_LOCKING_DEVICE, given, execution_options={"populate_existing": True}).one()


def code_by_lookup(lookup: str, *, lock: bool = False) -> EnrolmentCode | None:
    """An enrolment code by its first half."""
    statement = select(EnrolmentCode).where(EnrolmentCode.lookup == lookup)
    return db.session.scalar(statement.with_for_update() if lock else statement)


def code_by_qr(qr_hash: str) -> EnrolmentCode | None:
    """An enrolment code by the hash of the one in its picture."""
    return db.session.scalar(select(EnrolmentCode).where(EnrolmentCode.qr_hash == qr_hash))


def lock_code(code_id: str) -> EnrolmentCode:
    """An enrolment code, locked until the commit, so that it works once."""
    statement = select(EnrolmentCode).where(EnrolmentCode.id == code_id).with_for_update()
    return db.session.scalars(statement.execution_options(populate_existing=True)).one()


def forget_codes(lookup: str, before: datetime) -> None:
    """Delete codes that ended long ago, and one that begins like a new one."""
    db.session.execute(
        delete(EnrolmentCode).where((EnrolmentCode.expires_at < before) | (EnrolmentCode.lookup == lookup))
    )


def misses_of_address(address: str, since: datetime) -> list[datetime]:
    """When codes from an address were wrong, newest first."""
    statement = select(EnrolmentMiss.at).where(EnrolmentMiss.address == address, EnrolmentMiss.at > since)
    return list(db.session.scalars(statement.order_by(EnrolmentMiss.at.desc()).limit(1000)))


def forget_misses(before: datetime) -> None:
    """Delete wrong codes that have stopped to count."""
    db.session.execute(delete(EnrolmentMiss).where(EnrolmentMiss.at < before))


def forget_miss(miss_id: str) -> None:
    """Delete the try that turned out to be right."""
    db.session.execute(delete(EnrolmentMiss).where(EnrolmentMiss.id == miss_id))


def settle_miss(miss_id: str) -> None:
    """The try was wrong: it counts for its address until it is old."""
    db.session.execute(update(EnrolmentMiss).where(EnrolmentMiss.id == miss_id).values(settled=True))


JournalRow = dict[str, Any]
"""A row of the journal with its columns' names; what it does not name is null."""

JOURNAL_NAMES = tuple(column.name for column in Mutation.__table__.columns)


@dataclass(frozen=True, kw_only=True)
class Journaled:
    """A mutation that came before: its number, from which tablet, as it was kept, and what became of it."""

    n: int
    device_id: str
    payload: dict[str, Any]
    result: dict[str, Any]


@functools.cache
def _journaled(postgresql: bool) -> Select[Any]:
    own = Mutation.__table__.c
    mine = and_(own.company_id == bindparam("company_id"), rows.listed(own.id, "ids", postgresql))
    return select(own.id, own.n, own.device_id, own.payload, own.result).where(mine)


def mutations(company_id: str, ids: Sequence[str]) -> dict[str, Journaled]:
    """What the journal has of these mutations, by id."""
    session = db.session()
    given = {"company_id": company_id, "ids": rows.many(session, ids)}
    found = session.connection().execute(_journaled(rows.is_postgresql(session)), given)
    return {row[0]: Journaled(n=row[1], device_id=row[2], payload=row[3], result=row[4]) for row in found}


def keep_mutations(journal: Sequence[JournalRow]) -> None:
    """Write mutations with their results into the journal."""
    rows.insert(db.session(), Mutation.__table__, journal, names=JOURNAL_NAMES)  # type: ignore[arg-type]


def numbers_of(company_id: str, device_id: str, numbers: Iterable[int]) -> dict[int, str]:
    """Which mutation has which of these numbers on a device."""
    statement = select(Mutation.n, Mutation.id).where(
        Mutation.company_id == company_id,
        Mutation.device_id == device_id,
        rows.among(db.session(), Mutation.n, numbers),
    )
    return {row.n: row.id for row in db.session.execute(statement)}


def _further(after: int, after_id: str | None) -> ColumnElement[bool]:
    # What came without a usable number has 0, however many they are: they are told apart by their ids.
    further: ColumnElement[bool] = Mutation.n > after
    return further if after_id is None else further | ((Mutation.n == after) & (Mutation.id > after_id))


def mutations_of_device(
    company_id: str, device_id: str, after: int, limit: int, after_id: str | None = None
) -> list[Mutation]:
    """What became of a device's mutations after a number, in its own order; with `after_id` after that one of it."""
    statement = (
        select(Mutation)
        .where(Mutation.company_id == company_id, Mutation.device_id == device_id, _further(after, after_id))
        .order_by(Mutation.n, Mutation.id)
        .limit(limit)
    )
    return list(db.session.scalars(statement))


@dataclass(frozen=True, kw_only=True)
class Aside:
    """A mutation of which something is kept aside, and where it stands in its device's order."""

    id: str
    device_id: str
    n: int
    user_id: str | None


def with_aside(company_id: str, after: Aside | None, limit: int) -> list[Aside]:
    """Mutations of which something is kept aside, each device's in its own order, after one of them."""
    own = Mutation
    statement = select(own.id, own.device_id, own.n, own.user_id).where(
        own.company_id == company_id, own.aside.is_not(None)
    )
    if after is not None:
        same = and_(own.device_id == after.device_id, or_(own.n > after.n, and_(own.n == after.n, own.id > after.id)))
        statement = statement.where(or_(own.device_id > after.device_id, same))
    found = db.session.execute(statement.order_by(own.device_id, own.n, own.id).limit(limit))
    return [Aside(id=row.id, device_id=row.device_id, n=row.n, user_id=row.user_id) for row in found]


def aside_together(company_id: str, one: Aside) -> list[Mutation]:
    """A mutation that waits whole with the others of its group, in their order; one that waits in part by itself."""
    own = Mutation
    statement = select(own).where(own.company_id == company_id, own.id == one.id, own.aside.is_not(None))
    row = db.session.scalar(statement.execution_options(populate_existing=True))
    group = (row.aside or {}).get("whole", {}).get("group") if row is not None else None
    if row is None or group is None:
        return [row] if row is not None else []
    # A group is sent in one push.
    together = select(own).where(
        own.company_id == company_id,
        own.device_id == one.device_id,
        own.received_at == row.received_at,
        own.aside.is_not(None),
    )
    rows = db.session.scalars(together.order_by(own.n, own.id).execution_options(populate_existing=True))
    return [each for each in rows if (each.aside or {}).get("whole", {}).get("group") == group]


@dataclass(frozen=True, kw_only=True)
class History:
    """The history that a company's cursors belong to, its newest feed number, and up to which it is backed up."""

    epoch: str
    n: int
    backed_up_through: int
    backed_up_at: datetime | None


@functools.cache
def _history() -> Select[Any]:
    company, clock = Company.__table__, SyncClock.__table__
    return (
        select(company.c.epoch, clock.c.n, clock.c.backed_up_through, clock.c.backed_up_at)
        .select_from(company.join(clock, clock.c.company_id == company.c.id))
        .where(company.c.id == bindparam("company_id"))
    )


def history(company_id: str) -> History:
    """Where a company's feed stands."""
    row = db.session.connection().execute(_history(), {"company_id": company_id}).one()
    return History(epoch=row[0], n=row[1], backed_up_through=row[2], backed_up_at=row[3])


def history_now(company_id: str) -> History:
    """The same outside of any transaction."""
    row = read_alone(_history(), {"company_id": company_id})
    return History(epoch=row[0], n=row[1], backed_up_through=row[2], backed_up_at=row[3])


def lock_company(company_id: str) -> tuple[Company, SyncClock]:
    """A company with its counter, locked until the commit."""
    statement = (
        select(Company, SyncClock).join(SyncClock, SyncClock.company_id == Company.id).where(Company.id == company_id)
    )
    # Only the counter is locked: whoever adds a row of the company holds a share of the company's own.
    statement = statement.with_for_update(of=SyncClock).execution_options(populate_existing=True)
    row = db.session.execute(statement).one()
    return row[0], row[1]


def technicians_of(company_id: str, device_ids: Iterable[str]) -> dict[str, str]:
    """Whose each of these tablets is."""
    statement = select(Device.id, Device.technician_id).where(
        Device.company_id == company_id, Device.id.in_(list(device_ids))
    )
    return {row.id: row.technician_id for row in db.session.execute(statement)}
