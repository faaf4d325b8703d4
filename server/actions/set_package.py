"""How many days before and after today a company's tablets hold."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from server.actions.move_windows import move_windows
from server.extensions import db
from server.store.models import Company
from server.store.transaction import transactional

MOST_DAYS = 366


def set_package_days(company_id: str, days: int, now: datetime) -> dict[str, Any]:
    """Set the days, 0 to `MOST_DAYS`, and move all windows; the report of that."""
    _set(company_id, days)
    return move_windows(company_id, now)


@transactional
def _set(company_id: str, days: int) -> None:
    db.session.get_one(Company, company_id).package_days = days
