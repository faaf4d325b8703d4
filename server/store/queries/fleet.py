from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from server.extensions import db
from server.store.models import DeviceNotice


def open_notice(company_id: str, device_id: str | None, kind: str) -> DeviceNotice | None:
    """The open notice of a kind about a tablet, or about none in particular."""
    statement = select(DeviceNotice).where(
        DeviceNotice.company_id == company_id,
        DeviceNotice.device_id == device_id if device_id else DeviceNotice.device_id.is_(None),
        DeviceNotice.kind == kind,
        DeviceNotice.closed_at.is_(None),
    )
    return db.session.scalar(statement.limit(1))


def open_notices(company_id: str, device_ids: Iterable[str] | None = None) -> list[DeviceNotice]:
    """All open notices, or those about some tablets, oldest first."""
    statement = select(DeviceNotice).where(DeviceNotice.company_id == company_id, DeviceNotice.closed_at.is_(None))
    if device_ids is not None:
        statement = statement.where(DeviceNotice.device_id.in_(list(device_ids)))
    return list(db.session.scalars(statement.order_by(DeviceNotice.first_at, DeviceNotice.id)))


def notice(company_id: str, notice_id: str) -> DeviceNotice | None:
    return db.session.get(DeviceNotice, (company_id, notice_id))
