"""In which order documents are locked: a writer's own, by their ids, before it changes any of their tables."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, and_, bindparam, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.unitofwork import UOWTransaction

from server.store import rows
from server.store.models import Document, Synced

LOCKED = "locked"
"""Where a session keeps whose documents its transaction has locked: company and id."""


def lock_changed(session: Session, context: UOWTransaction, instances: object) -> None:
    """Before a flush: lock the documents of what it will change, as everybody does who locks them first.

    A writer that has changed a document's table, and then waits for the document, waits in a circle with one that has
    the document and is about to write that table. On SQLite there is one writer.
    """
    if not rows.is_postgresql(session):
        return
    locked = session.info.get(LOCKED, set())
    wanted: dict[str, set[str]] = {}
    for item in (*session.deleted, *filter(session.is_modified, session.dirty)):
        if isinstance(item, Synced) and (item.company_id, item.id) not in locked:
            wanted.setdefault(item.company_id, set()).add(item.id)
    for company_id in sorted(wanted):
        session.connection().execute(_locking(), {"company_id": company_id, "ids": sorted(wanted[company_id])})
        note(session, company_id, wanted[company_id])


def note(session: Session, company_id: str, ids: Iterable[str]) -> None:
    """Remember that the transaction has locked these documents."""
    session.info.setdefault(LOCKED, set()).update((company_id, each) for each in ids)


@functools.cache
def _locking() -> Select[Any]:
    own = Document.__table__.c
    mine = and_(own.company_id == bindparam("company_id"), rows.listed(own.id, "ids", postgresql=True))
    return select(own.id).where(mine).order_by(own.id).with_for_update()
