"""What is done with a copy before it takes the database's place, whatever version its tables are of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Engine, column, table, update

from server.store.types import IdType, Moment

_company = table("company", column("id", IdType), column("epoch"))
_device = table("device", column("company_id", IdType), column("id", IdType), column("revoked_at", Moment))


def prepare(engine: Engine, epochs: Mapping[str, str], revoked: Mapping[str, Mapping[str, datetime]]) -> None:
    """Give each company another history, and end the access of all tablets whose access had ended since."""
    with engine.begin() as connection:
        for company_id, epoch in epochs.items():
            connection.execute(update(_company).where(_company.c.id == company_id).values(epoch=epoch))
        for company_id, gone in revoked.items():
            for device_id, at in gone.items():
                one = (_device.c.company_id == company_id) & (_device.c.id == device_id)
                connection.execute(update(_device).where(one, _device.c.revoked_at.is_(None)).values(revoked_at=at))
