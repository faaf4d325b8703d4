"""Windows of scopes: which stretch of time a scope reaches, and what enters and leaves it when that moves.

Documents stay as they are; only where they are changes. A window moves under the company's feed number like everything
in the feed, so that whoever writes a document at the same moment places it by the new one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from schemas.entities import COLLECTIONS
from schemas.entities.base import iso
from server.store import rows
from server.store.models import Document, ScopeWindow
from server.store.standing import Scopes
from sync.scope import Moves, Placement, place

OUT_OF_WINDOW = "out-of-window"
"""Why a document leaves a scope that it would be in at another time (S-14, S-221)."""

Span = tuple[str, str]
"""First and last moment that something is about, as the wire has them."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """From `since` on, and before `until`."""

    since: datetime
    until: datetime

    def reaches(self, span: Span | None) -> bool:
        """Whether something that is about this span belongs in it."""
        return span is None or (span[0] < iso(self.until) and span[1] >= iso(self.since))


def windows_of(session: Session, company_id: str, scopes: Iterable[str]) -> dict[str, Window]:
    """The windows of scopes; one without is left out."""
    own = ScopeWindow.__table__.c
    statement = select(own.scope, own.since, own.until).where(
        own.company_id == company_id, own.scope.in_(sorted(set(scopes)))
    )
    found = session.connection().execute(statement)
    return {row.scope: Window(since=row.since, until=row.until) for row in found}


def outside(
    session: Session, company_id: str, placed: Mapping[str, tuple[frozenset[str], Span]]
) -> set[tuple[str, str]]:
    """Of documents with their scopes and spans those pairs (scope, document) that the scope's window does not reach."""
    windows = windows_of(session, company_id, {scope for scopes, _ in placed.values() for scope in scopes})
    return {
        (scope, doc)
        for doc, (scopes, span) in placed.items()
        for scope in scopes & windows.keys()
        if not windows[scope].reaches(span)
    }


def move(session: Session, company_id: str, number: int, scope: str, window: Window, docs: Iterable[str]) -> Moves:
    """Set a scope's window, and see which of these documents enter or leave it.

    `number` is the feed's, taken in this transaction before the documents were looked for: nobody else moves scopes
    from there to the commit. No document is written.
    """
    own = ScopeWindow.__table__
    row = {"company_id": company_id, "scope": scope, "since": window.since, "until": window.until}
    rows.insert(session, own, [row], names=tuple(row), twice="replace")  # type: ignore[arg-type]
    placements: dict[str, Placement] = {}
    dated: dict[str, tuple[frozenset[str], Span]] = {}
    collections: dict[str, str] = {}
    statement = select(Document.id, Document.collection, Document.body, Document.refs).where(
        Document.company_id == company_id, Document.deleted.is_(False), rows.among(session, Document.id, docs)
    )
    for doc, collection, body, refs in session.execute(statement):
        schema = COLLECTIONS[collection]
        whole = schema.whole(orjson.loads(body))
        held = frozenset(orjson.loads(refs))
        placements[doc] = Placement(scopes=schema.scopes(whole), refs=held, refs_before=held)
        collections[doc] = collection
        if (span := schema.about(whole)) is not None:
            dated[doc] = (placements[doc].scopes, span)
    beyond = outside(session, company_id, dated)
    for one, doc in beyond:
        placements[doc] = replace(placements[doc], scopes=placements[doc].scopes - {one})
    standing = Scopes(session, company_id)
    moves = place(placements, standing)
    because = dict.fromkeys(beyond & moves.left, OUT_OF_WINDOW)
    standing.write(moves, number, changed=(), because=because, known=collections)
    return moves
