"""What a technician's tablets hold, and what they might."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select

from schemas.entities.base import TECHNICIAN, technician_scope
from server.extensions import db
from server.store.models import Branch, Company, ScopeWindow, Technician, Visit
from server.store.windows import Window
from sync.states import OVER


@dataclass(frozen=True, kw_only=True)
class Reach:
    """How far a technician's scope reaches, and what that is reckoned from: the branch's zone, the company's days."""

    scope: str
    tz: str
    days: int
    window: Window | None


def reaches(company_id: str, scope: str | None = None) -> list[Reach]:
    """Of all technicians, or of the one of a scope."""
    statement = (
        select(Technician.id, Branch.tz, Company.package_days)
        .join(Branch, (Branch.company_id == Technician.company_id) & (Branch.id == Technician.branch_id))
        .join(Company, Company.id == Technician.company_id)
        .where(Technician.company_id == company_id)
    )
    if scope is not None:
        statement = statement.where(Technician.id == technician_of(scope))
    own = select(ScopeWindow.scope, ScopeWindow.since, ScopeWindow.until).where(ScopeWindow.company_id == company_id)
    if scope is not None:
        own = own.where(ScopeWindow.scope == scope)
    known = {name: Window(since=since, until=until) for name, since, until in db.session.execute(own)}
    return [
        Reach(scope=name, tz=tz, days=days, window=known.get(name))
        for technician, tz, days in db.session.execute(statement)
        for name in [technician_scope(technician)]
    ]


def reach(company_id: str, scope: str) -> Reach:
    """Of one technician's scope."""
    return reaches(company_id, scope)[0]


def technician_of(scope: str) -> str:
    """Whose scope it is."""
    return scope.removeprefix(TECHNICIAN)


def is_technicians(scope: str) -> bool:
    """Whether it is the scope of a technician's tablets."""
    return scope.startswith(TECHNICIAN)


def open_before(company_id: str, scope: str, until: datetime, limit: int) -> list[str]:
    """Published visits of a technician that are to begin before a moment and are not over, the first one first."""
    statement = select(Visit.id).where(*_open(company_id, scope), Visit.planned_start < until)
    return list(db.session.scalars(statement.order_by(Visit.planned_start, Visit.id).limit(limit)))


def dated_visits(company_id: str, scope: str) -> list[str]:
    """Published visits of a technician that nobody has finished: those that a window can take in or leave out."""
    return list(db.session.scalars(select(Visit.id).where(*_open(company_id, scope))))


def _open(company_id: str, scope: str) -> tuple[ColumnElement[bool], ...]:
    return (
        Visit.company_id == company_id,
        Visit.assignee_id == technician_of(scope),
        Visit.plan_state == "published",
        Visit.exec_state.not_in(OVER),
        Visit.archived.is_(False),
    )
