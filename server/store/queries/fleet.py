from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select

from server.extensions import db
from server.store.models import Company, Conflict, Device, DeviceNotice, Mutation, Salvage, Site, SyncClock, Visit

Pending = tuple[Visit, str]
"""A visit, and the name of its site."""

LOOKED_BACK = timedelta(days=7)
"""Visits that were planned longer ago and never begun are the planner's business, not the tablet's."""


@dataclass(frozen=True, kw_only=True)
class Stand:
    """A company's history, the last verified backup of it, and the last restore."""

    epoch: str
    backed_up_at: datetime | None
    restored_at: datetime | None
    restored_to: datetime | None


def open_notice(company_id: str, device_id: str | None, kind: str) -> DeviceNotice | None:
    """The open notice of a kind about a tablet, or about none in particular."""
    statement = select(DeviceNotice).where(
        DeviceNotice.company_id == company_id,
        DeviceNotice.device_id == device_id if device_id else DeviceNotice.device_id.is_(None),
        DeviceNotice.kind == kind,
        DeviceNotice.closed_at.is_(None),
    )
    return db.session.scalar(statement.limit(1))


_NOTICES_OF_DEVICE = (
    select(DeviceNotice)
    .where(
        DeviceNotice.company_id == bindparam("company_id"),
        DeviceNotice.closed_at.is_(None),
        DeviceNotice.device_id == bindparam("device_id"),
    )
    .order_by(DeviceNotice.first_at, DeviceNotice.id)
)


def open_notices_of(company_id: str, device_id: str) -> list[DeviceNotice]:
    """The open notices about one tablet, oldest first: asked at each push."""
    return list(db.session.scalars(_NOTICES_OF_DEVICE, {"company_id": company_id, "device_id": device_id}))


def open_notices(company_id: str, device_ids: Iterable[str] | None = None) -> list[DeviceNotice]:
    """All open notices, or those about some tablets, oldest first."""
    statement = select(DeviceNotice).where(DeviceNotice.company_id == company_id, DeviceNotice.closed_at.is_(None))
    if device_ids is not None:
        statement = statement.where(DeviceNotice.device_id.in_(list(device_ids)))
    return list(db.session.scalars(statement.order_by(DeviceNotice.first_at, DeviceNotice.id)))


def notice(company_id: str, notice_id: str) -> DeviceNotice | None:
    return db.session.get(DeviceNotice, (company_id, notice_id))


def epoch(company_id: str) -> str:
    """The history that the company's cursors belong to."""
    return str(db.session.scalar(select(Company.epoch).where(Company.id == company_id)))


def stand(company_id: str) -> Stand:
    """Where a company's history stands, for people."""
    statement = select(Company.epoch, SyncClock.backed_up_at, Company.restored_at, Company.restored_to)
    joined = statement.join(SyncClock, SyncClock.company_id == Company.id).where(Company.id == company_id)
    row = db.session.execute(joined).one()
    return Stand(epoch=row[0], backed_up_at=row[1], restored_at=row[2], restored_to=row[3])


def in_use(company_id: str) -> list[Device]:
    """All tablets whose access was not ended."""
    return list(db.session.scalars(select(Device).where(Device.company_id == company_id, Device.revoked_at.is_(None))))


def open_conflicts(company_id: str, device_ids: Iterable[str]) -> dict[str, int]:
    """How many clashes that each tablet caused wait for a person."""
    statement = select(Conflict.device_id, func.count()).where(
        Conflict.company_id == company_id, Conflict.device_id.in_(list(device_ids)), Conflict.state == "open"
    )
    return {str(row[0]): row[1] for row in db.session.execute(statement.group_by(Conflict.device_id))}


def refused(company_id: str, device_ids: Iterable[str]) -> dict[str, int]:
    """How many edits of each tablet could not be taken and are kept as they came."""
    statement = select(Mutation.device_id, func.count()).where(
        Mutation.company_id == company_id, Mutation.status == "rejected", Mutation.device_id.in_(list(device_ids))
    )
    return {row[0]: row[1] for row in db.session.execute(statement.group_by(Mutation.device_id))}


def salvage_waiting(company_id: str) -> int:
    """How many pieces of salvage wait for a decision."""
    statement = select(func.count()).select_from(Salvage)
    return int(db.session.scalar(statement.where(Salvage.company_id == company_id, Salvage.state == "waiting")) or 0)


def pending_visits(company_id: str, technician_ids: Iterable[str], now: datetime) -> list[Pending]:
    """Published visits of these technicians whose hour has come and that nobody has heard of, by their hour."""
    statement = (
        select(Visit, Site.name)
        .join(Site, (Site.company_id == Visit.company_id) & (Site.id == Visit.site_id))
        .where(
            Visit.company_id == company_id,
            Visit.assignee_id.in_(list(technician_ids)),
            Visit.plan_state == "published",
            Visit.exec_state.in_(("not_started", "accepted")),
            Visit.planned_start <= now,
            Visit.planned_start > now - LOOKED_BACK,
        )
        .order_by(Visit.planned_start, Visit.id)
    )
    return [(row[0], row[1]) for row in db.session.execute(statement)]
