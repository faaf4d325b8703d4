"""What a technician's tablets hold, and what they might."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import ColumnElement, LargeBinary, cast, func, select

from schemas.entities.base import TECHNICIAN, technician_scope
from server.extensions import db
from server.store import rows
from server.store.models import Branch, Company, Document, ScopeWindow, Technician, Visit
from server.store.windows import Window
from sync.states import OVER, UNDER_WAY


@dataclass(frozen=True, kw_only=True)
class Reach:
    """How far a technician's scope reaches, and what that is reckoned from: the branch's zone, days and bytes."""

    scope: str
    tz: str
    days: int
    budget: int
    window: Window | None


def reaches(company_id: str, scope: str | None = None) -> list[Reach]:
    """Of all technicians, or of the one of a scope."""
    statement = (
        select(Technician.id, Branch.tz, Company.package_days, Company.package_bytes)
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
        Reach(scope=name, tz=tz, days=days, budget=budget, window=known.get(name))
        for technician, tz, days, budget in db.session.execute(statement)
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


def open_between(company_id: str, scope: str, since: datetime | None, until: datetime, limit: int) -> list[str]:
    """Published visits of a technician that are to begin in a stretch of time and are not over, the first one first.

    Those that are under way are among them however long ago they were to begin.
    """
    statement = select(Visit.id).where(*_open(company_id, scope), Visit.planned_start < until)
    if since is not None:
        statement = statement.where((Visit.planned_start >= since) | Visit.exec_state.in_(UNDER_WAY))
    return list(db.session.scalars(statement.order_by(Visit.planned_start, Visit.id).limit(limit)))


def starts_between(company_id: str, scope: str, since: datetime, until: datetime) -> list[datetime]:
    """When the open visits of a technician in a stretch of time are planned to begin, the first one first."""
    statement = select(Visit.planned_start).where(
        *_open(company_id, scope), Visit.planned_start >= since, Visit.planned_start < until
    )
    return [each for each in db.session.scalars(statement.order_by(Visit.planned_start)) if each is not None]


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


@dataclass(frozen=True, kw_only=True)
class Weight:
    """What a visit weighs: bytes of its document and of all that it brings and no visit before it brought."""

    planned_start: datetime | None
    size: int


def weights(company_id: str, scope: str, window: Window) -> list[Weight]:
    """Of the open visits of a technician that a window reaches, the first one first; those without a time lead.

    What is under way is reached however long ago it was to begin.
    """
    reached = (Visit.planned_start >= window.since) | Visit.exec_state.in_(UNDER_WAY)
    own = select(Visit.id, Visit.planned_start).where(
        *_open(company_id, scope), Visit.planned_start.is_(None) | (reached & (Visit.planned_start < window.until))
    )
    session = db.session()
    # Bytes, not characters: a Cyrillic letter takes two.
    size_of = (
        func.octet_length(Document.body)
        if rows.is_postgresql(session)
        else func.length(cast(Document.body, LargeBinary))
    )
    dated = Visit.planned_start.is_not(None)
    visits = list(db.session.execute(own.order_by(dated, Visit.planned_start, Visit.id)))
    known: dict[str, tuple[int, list[str]]] = {}
    wanted = {row.id for row in visits}
    while wanted:
        statement = select(Document.id, size_of, Document.refs).where(
            Document.company_id == company_id, rows.among(session, Document.id, wanted)
        )
        found = {doc: (size, orjson.loads(refs)) for doc, size, refs in db.session.execute(statement)}
        known |= found
        wanted = {ref for _, refs in found.values() for ref in refs} - known.keys()
        if not found:
            break
    counted: set[str] = set()
    return [Weight(planned_start=row.planned_start, size=_weigh(row.id, known, counted)) for row in visits]


def _weigh(document_id: str, known: Mapping[str, tuple[int, list[str]]], counted: set[str]) -> int:
    total, waiting = 0, [document_id]
    while waiting:
        each = waiting.pop()
        if each not in counted and each in known:
            counted.add(each)
            size, refs = known[each]
            total += size
            waiting += refs
    return total
