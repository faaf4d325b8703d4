"""Removing what the feed need not remember any more: rows of documents that left a scope long ago.

A removal is told to a device under its effective number: the row's own, or that of the scope's end for the device. It
may go when every device that could still be told has read beyond that number.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, delete, exists, func, select
from sqlalchemy.dialects import postgresql, sqlite

from server.extensions import db
from server.store import rows
from server.store.models import (
    Company,
    Coverage,
    Device,
    DeviceScope,
    Document,
    DocumentDigest,
    DocumentVersion,
    FeedMark,
    ScopeFeed,
    ScopeFloor,
    ScopePast,
    SyncClock,
    ViewPlace,
    Visit,
)
from sync.feed import removals_told

MARKS_KEPT = 400
MOST_ROWS = 5000
"""Rows that one transaction removes."""


def note_mark(company_id: str, now: datetime) -> None:
    """Remember where the feed stands now; at most one mark for each number."""
    seq = db.session.scalar(select(SyncClock.n).where(SyncClock.company_id == company_id)) or 0
    if db.session.get(FeedMark, (company_id, seq)) is None:
        db.session.add(FeedMark(company_id=company_id, seq=seq, at=now))
        db.session.flush()
    oldest = select(FeedMark.seq).where(FeedMark.company_id == company_id).order_by(FeedMark.seq.desc())
    last = db.session.scalar(oldest.offset(MARKS_KEPT).limit(1))
    if last is not None:
        db.session.execute(delete(FeedMark).where(FeedMark.company_id == company_id, FeedMark.seq <= last))


def number_at(company_id: str, moment: datetime) -> int:
    """A number that the feed had reached by then; 0 when nobody noted it."""
    statement = select(func.max(FeedMark.seq)).where(FeedMark.company_id == company_id, FeedMark.at <= moment)
    return int(db.session.scalar(statement) or 0)


def limits(company_id: str, spoken_to_since: datetime) -> dict[str, int]:
    """Scope -> the number up to which none of its devices still has to hear of a removal.

    Devices whose access has ended, or that were not heard of since, do not count; a scope that nobody holds is left
    out.
    """
    # Who replicates collections one by one has read as far as in the one in which that is least.
    views = select(func.min(ViewPlace.effective)).where(
        ViewPlace.company_id == Device.company_id, ViewPlace.device_id == Device.id
    )
    read = func.coalesce(views.correlate(Device).scalar_subquery(), Device.cursor_seq)
    statement = (
        select(
            DeviceScope.scope,
            DeviceScope.granted,
            DeviceScope.revoked,
            case((func.coalesce(Device.epoch, Company.epoch) == Company.epoch, read), else_=0),
        )
        .join(Device, (Device.company_id == DeviceScope.company_id) & (Device.id == DeviceScope.device_id))
        .join(Company, Company.id == DeviceScope.company_id)
        .where(
            DeviceScope.company_id == company_id,
            Device.revoked_at.is_(None),
            func.coalesce(Device.last_seen_at, Device.enrolled_at) >= spoken_to_since,
        )
    )
    found: dict[str, int] = {}
    for scope, granted, revoked, read in db.session.execute(statement):
        limit = removals_told(granted, revoked, read)
        found[scope] = min(limit, found.get(scope, limit))
    return found


def scopes_with_removals(company_id: str, up_to: int) -> list[str]:
    """Scopes that hold removals of numbers up to this one."""
    statement = select(ScopeFeed.scope).where(
        ScopeFeed.company_id == company_id, ScopeFeed.live.is_(False), ScopeFeed.seq <= up_to
    )
    return sorted(set(db.session.scalars(statement.distinct())))


def remove(company_id: str, scope: str, up_to: int) -> int:
    """Take removals of numbers up to this one out of a scope's feed, and note which are gone; how many."""
    where = (ScopeFeed.company_id == company_id, ScopeFeed.scope == scope, ScopeFeed.live.is_(False))
    statement = select(ScopeFeed.document_id, ScopeFeed.seq).where(*where, ScopeFeed.seq <= up_to)
    # Oldest first: what is left has higher numbers than what is gone.
    old = list(db.session.execute(statement.order_by(ScopeFeed.seq).limit(MOST_ROWS)))
    if not old:
        return 0
    _note_floor(company_id, scope, max(found.seq for found in old))
    past = [{"company_id": company_id, "scope": scope, "document_id": found.document_id} for found in old]
    rows.insert(db.session(), ScopePast.__table__, past, names=tuple(past[0]), twice="keep")  # type: ignore[arg-type]
    gone = 0
    for part in rows.chunks(found.document_id for found in old):
        removal = delete(ScopeFeed).where(*where, ScopeFeed.document_id.in_(part), ScopeFeed.seq <= up_to)
        gone += int(getattr(db.session.execute(removal), "rowcount", 0))
    return gone


def _note_floor(company_id: str, scope: str, seq: int) -> None:
    dialect = postgresql if db.engine.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(ScopeFloor).values(company_id=company_id, scope=scope, seq=seq)
    db.session.execute(
        statement.on_conflict_do_update(
            index_elements=["company_id", "scope"],
            set_={"seq": statement.excluded.seq},
            where=statement.excluded.seq > ScopeFloor.seq,
        )
    )


def remove_unused_decisions(company_id: str, before: datetime, limit: int) -> int:
    """Take away decisions of before a moment that no visit refers to and no feed tells of any more; how many.

    No removal is written: every tablet that had one has heard of it. Who writes a visit that refers to one at this
    moment has it locked (`feed.lay`), and it stays.
    """
    own = Document
    free = (
        select(own.id)
        .where(own.company_id == company_id, own.collection == Coverage.collection, own.changed_at < before)
        .where(own.id.not_in(_used_decisions(company_id)))
        .where(~exists().where(ScopeFeed.company_id == company_id, ScopeFeed.document_id == own.id))
        .order_by(own.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    locked = list(db.session.scalars(free))
    # Whoever had one locked until just now has committed a visit by now.
    used = set(db.session.scalars(_used_decisions(company_id)).all()) if locked else set()
    gone = [one for one in locked if one not in used]
    for table, name in (
        (Coverage, "id"), (DocumentVersion, "document_id"), (DocumentDigest, "document_id"), (Document, "id"),
    ):  # fmt: skip
        columns = table.__table__.c
        where = (columns.company_id == company_id, rows.among(db.session(), columns[name], gone))
        db.session.connection().execute(delete(table.__table__).where(*where))  # type: ignore[arg-type]
    return len(gone)


def _used_decisions(company_id: str) -> Select[Any]:
    return select(Visit.coverage_id).where(Visit.company_id == company_id, Visit.coverage_id.is_not(None))
