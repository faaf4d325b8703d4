from __future__ import annotations

from sqlalchemy import delete, select

from server.extensions import db
from server.store.models import Device, DeviceExchange, DeviceKey, OfficeKey

MOST_KEYS = 20
"""Keys of one tablet that are kept: files that an older one signed may still be on their way."""


def office_key(company_id: str) -> OfficeKey | None:
    """The company's own keys, once it has any."""
    return db.session.get(OfficeKey, company_id, populate_existing=True)


def office_by_key(key_id: str) -> OfficeKey | None:
    """Whose keys these are, of all companies here."""
    return db.session.scalar(select(OfficeKey).where(OfficeKey.key_id == key_id).limit(1))


def device_key(company_id: str, key_id: str) -> DeviceKey | None:
    """A tablet's keys by their name."""
    return db.session.get(DeviceKey, (company_id, key_id))


def keys_of(company_id: str, device_id: str) -> list[DeviceKey]:
    """A tablet's keys, the newest first."""
    statement = select(DeviceKey).where(DeviceKey.company_id == company_id, DeviceKey.device_id == device_id)
    return list(db.session.scalars(statement.order_by(DeviceKey.made_at.desc(), DeviceKey.key_id)))


def forget_keys(company_id: str, key_ids: list[str]) -> None:
    """Delete keys of tablets."""
    db.session.execute(delete(DeviceKey).where(DeviceKey.company_id == company_id, DeviceKey.key_id.in_(key_ids)))


def with_keys(company_id: str) -> set[str]:
    """The tablets that files can be made for."""
    return set(db.session.scalars(select(DeviceKey.device_id).where(DeviceKey.company_id == company_id).distinct()))


def exchange_of(company_id: str, device_id: str) -> DeviceExchange | None:
    """How far a tablet's files have come; None before the first."""
    return db.session.get(DeviceExchange, (company_id, device_id), populate_existing=True)


def exchanges(company_id: str) -> dict[str, DeviceExchange]:
    """How far the files of all tablets have come, by tablet."""
    found = db.session.scalars(select(DeviceExchange).where(DeviceExchange.company_id == company_id))
    return {one.device_id: one for one in found}


def company_of(device_id: str) -> str | None:
    """In which of all companies here a tablet is; None when it is in none."""
    return db.session.scalar(select(Device.company_id).where(Device.id == device_id))
