"""Conditions that lists can be filtered by, and what they can be sorted by."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, false, or_, select

from server.extensions import db
from server.store.listing import Sort
from server.store.models import Branch, Site, Visit

FAR = datetime(9999, 1, 1, tzinfo=UTC)
FAR_DAY = date(9999, 1, 1)


def equals(column: Any) -> Any:
    """A condition that the column has the value."""
    return lambda value: column == value


def contains(*columns: Any) -> Any:
    """A condition that one of the columns has the text in it, whatever the case."""

    def condition(text: str) -> ColumnElement[bool]:
        escaped = text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
        return or_(*(column.ilike(f"%{escaped}%", escape="\\") for column in columns))

    return condition


def at_least(column: Any) -> Any:
    return lambda value: column >= value


def at_most(column: Any) -> Any:
    return lambda value: column <= value


def day_bounds(day: date, tz: str) -> tuple[datetime, datetime]:
    """The first moment of a local day and of the one after, so that days of 23 and 25 hours are whole."""
    zone = ZoneInfo(tz)
    return datetime.combine(day, time(), zone), datetime.combine(day + timedelta(days=1), time(), zone)


def visits_of_branch(branch_id: str) -> ColumnElement[bool]:
    """Visits at the sites of a branch."""
    sites = select(Site.id).where(Site.company_id == Visit.company_id, Site.branch_id == branch_id)
    return Visit.site_id.in_(sites)


def visits_of_technician(technician_id: str | None) -> ColumnElement[bool]:
    """What a technician may see: published to them, or done by them; nothing for an account that is nobody's."""
    if technician_id is None:
        return false()
    published = and_(Visit.plan_state == "published", Visit.assignee_id == technician_id)
    return or_(published, Visit.performed_by_id == technician_id)


def visits_on(company_id: str) -> Any:
    """Visits planned on a local day, in the zone of each one's branch."""

    def condition(day: date) -> ColumnElement[bool]:
        parts = []
        for branch in db.session.scalars(select(Branch).where(Branch.company_id == company_id)):
            start, end = day_bounds(day, branch.tz)
            parts.append(and_(visits_of_branch(branch.id), Visit.planned_start >= start, Visit.planned_start < end))
        return or_(*parts) if parts else Visit.id.is_(None)

    return condition


def by(column: Any, when_null: Any = None) -> Sort:
    """A sort order over a column."""
    return Sort(column=column, when_null=when_null)
