"""The write path's one door: what any writer changed becomes versions, scopes and feed rows before the commit.

1. Flush, and bring every touched object into its wire form; a writer may also `lay` down a document's new body, and
its table follows. 2. Compare with the stored body; new version, field versions and history for what changed. 3. Take
the company's next feed number: from here to the commit its writers go one after another. 4. Work out which documents
enter and leave which scopes, and move the feed rows forward.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Select, and_, bindparam, inspect, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.unitofwork import UOWTransaction

from schemas.entities import COLLECTIONS
from server.store import locks, rows
from server.store.changes import Change, Changes
from server.store.models import Document, SyncClock, Synced
from server.store.rows import chunks
from server.store.stored import lock_documents, table_of

TOUCHED = "touched"
LAID = "laid"
NUMBERED = "numbered"
"""Where a session keeps the feed numbers that its transaction took, by company."""
VISITS_NUMBERED = "visits-numbered"
"""The companies whose counter of visits this transaction has locked."""


def collect(session: Session, context: UOWTransaction) -> None:
    """Remember the synced objects of a flush."""
    touched = session.info.setdefault(TOUCHED, {})
    for objects, gone in ((session.new, False), (session.dirty, False), (session.deleted, True)):
        for item in objects:
            if isinstance(item, Synced):
                touched[item.company_id, item.id] = (item, gone)


def touch(session: Session, items: Iterable[Synced]) -> None:
    """Look at these objects at the commit as if they had been changed."""
    session.info.setdefault(TOUCHED, {}).update({(item.company_id, item.id): (item, False) for item in items})


def lay(session: Session, company_id: str, change: Change, *, again: bool = False) -> None:
    """Put down a document's new body; versions and feed follow at the commit, and its own table if it is to.

    For writers of hundreds at once: what is laid is not seen by queries before that. A document of a `fixed`
    collection that is there already stays as it is. Who lays a document `again` knows what was laid before; somebody
    else would have read what is stored, and take away what only the first one knew of.
    """
    laid = session.info.setdefault(LAID, {})
    if not again and (company_id, change.id) in laid and not COLLECTIONS[change.collection].fixed:
        raise RuntimeError(f"{change.collection} {change.id} is laid twice in one transaction")
    laid[company_id, change.id] = change


def record(session: Session) -> None:
    """Write versions, scopes and feed for all that was touched or laid; nothing to do for a savepoint."""
    if session.in_nested_transaction():
        return
    session.flush()
    touched = session.info.pop(TOUCHED, {})
    laid = session.info.pop(LAID, {})
    companies: dict[str, tuple[list[tuple[Synced, bool]], list[Change]]] = {}
    for (company_id, _), (item, gone) in touched.items():
        if gone or inspect(item).persistent:
            companies.setdefault(company_id, ([], []))[0].append((item, gone))
    for (company_id, _), change in laid.items():
        companies.setdefault(company_id, ([], []))[1].append(change)
    for company_id in sorted(companies):
        items, bodies = companies[company_id]
        _record(session, company_id, [*_of_items(session, company_id, items), *_not_there(session, company_id, bodies)])


def forget(session: Session) -> None:
    """Drop what was touched and laid in a transaction that is over, and the numbers that it took."""
    for noted in (TOUCHED, LAID, NUMBERED, VISITS_NUMBERED, locks.LOCKED):
        session.info.pop(noted, None)


@functools.cache
def _counting() -> Any:
    clock = table_of(SyncClock)
    mine = clock.c.company_id == bindparam("company")
    return update(clock).where(mine).values(n=clock.c.n + 1).returning(clock.c.n)


def next_number(session: Session, company_id: str) -> int:
    """Take the company's next feed number; the row stays locked until the commit, so take it late."""
    number = int(session.connection().execute(_counting(), {"company": company_id}).scalar_one())
    session.info.setdefault(NUMBERED, {})[company_id] = number
    return number


def _of_items(session: Session, company_id: str, items: Sequence[tuple[Synced, bool]]) -> Iterator[Change]:
    known = lock_documents(session, company_id, [item.id for item, _ in items])
    _read_anew(session, company_id, [item for item, gone in items if not gone and item.id in known])
    for item, gone in items:
        old = known.get(item.id)
        body = old.body if gone and old else COLLECTIONS[item.collection].wire(item)
        yield Change(collection=item.collection, id=item.id, old=old, body=body, gone=gone)


def _read_anew(session: Session, company_id: str, items: Iterable[Synced]) -> None:
    """What others committed in these rows before the documents were locked, beside what was just flushed.

    A writer may have loaded an object long before it changed one field of it; its other fields must not go back in the
    feed to what they were then. On SQLite a write transaction sees nobody else's commits.
    """
    if not rows.is_postgresql(session):
        return
    kinds: dict[type[Synced], list[str]] = {}
    for item in items:
        kinds.setdefault(type(item), []).append(item.id)
    for kind, ids in kinds.items():
        for part in chunks(ids):
            statement = select(kind).where(kind.company_id == company_id, kind.id.in_(part))
            session.execute(statement.execution_options(populate_existing=True)).all()


@functools.cache
def _finding(postgresql: bool) -> Select[Any]:
    own = table_of(Document).c
    mine = and_(own.company_id == bindparam("company_id"), rows.listed(own.id, "ids", postgresql))
    # What is there must be there still when this commits: an unused decision may be on its way out.
    return select(own.id, own.collection).where(mine).order_by(own.id).with_for_update(read=True, key_share=True)


def _not_there(session: Session, company_id: str, changes: Sequence[Change]) -> Iterator[Change]:
    """What was laid, without the documents of fixed collections that are there already.

    Raises RuntimeError when the id of one is another document's.
    """
    fixed = {change.id: change.collection for change in changes if COLLECTIONS[change.collection].fixed}
    if not fixed:
        return iter(changes)
    given = {"company_id": company_id, "ids": rows.many(session, fixed)}
    there = {
        row.id: row.collection for row in session.connection().execute(_finding(rows.is_postgresql(session)), given)
    }
    if taken := [doc for doc, collection in there.items() if collection != fixed[doc]]:
        raise RuntimeError(f"the id of a {fixed[taken[0]]} is that of the {there[taken[0]]} {taken[0]}")
    return (change for change in changes if change.id not in there)


def _record(session: Session, company_id: str, changes: Iterable[Change]) -> None:
    writing = Changes(session, company_id)
    for change in changes:
        writing.take(change)
    if writing.placements:
        writing.write_documents()
        writing.write_feed(next_number(session, company_id))
