"""How many days before and after today a company's tablets hold, and of how many bytes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from server.actions.move_windows import move_windows
from server.extensions import db
from server.store.models import Company
from server.store.transaction import transactional

MOST_DAYS = 366


def set_package(company_id: str, now: datetime, *, days: int | None, size: int | None) -> dict[str, Any]:
    """Set the days, 0 to `MOST_DAYS`, and the bytes, each where it is given, and move all windows; the report."""
    _set(company_id, days, size)
    return move_windows(company_id, now)


@transactional
def _set(company_id: str, days: int | None, size: int | None) -> None:
    company = db.session.get_one(Company, company_id)
    if days is not None:
        company.package_days = days
    if size is not None:
        company.package_bytes = size
