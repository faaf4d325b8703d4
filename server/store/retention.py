"""Removing what the feed need not remember any more: rows of documents that left a scope long ago.

A removal is told to a device under its effective number: the row's own, or that of the scope's end for the device. It
may go when every device that could still be told has read beyond that number.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import case, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from server.extensions import db
from server.store.feed import chunks
from server.store.models import Company, Device, DeviceScope, FeedMark, ScopeFeed, ScopeFloor, SyncClock, ViewPlace
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
    """Take removals of numbers up to this one out of a scope's feed, and note that they are gone; how many."""
    where = (ScopeFeed.company_id == company_id, ScopeFeed.scope == scope, ScopeFeed.live.is_(False))
    statement = select(ScopeFeed.document_id, ScopeFeed.seq).where(*where, ScopeFeed.seq <= up_to)
    # Oldest first: what is left has higher numbers than what is gone.
    rows = list(db.session.execute(statement.order_by(ScopeFeed.seq).limit(MOST_ROWS)))
    if not rows:
        return 0
    _note_floor(company_id, scope, max(row.seq for row in rows))
    gone = 0
    for part in chunks(row.document_id for row in rows):
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
