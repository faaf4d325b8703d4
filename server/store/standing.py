"""How scopes stand, asked of the database for `sync.scope`, and its moves written down."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Set
from typing import Any

import orjson
from sqlalchemy import Select, and_, bindparam, select
from sqlalchemy.orm import Session

from server.store import rows
from server.store.models import Document, ScopeFeed, ScopeReason
from sync.scope import SELF, Moves, Pair, Reason

REASON_NAMES = ("company_id", "scope", "document_id", "via")
FEED_NAMES = ("company_id", "scope", "document_id", "collection", "seq", "live", "reason")


@functools.cache
def _members(postgresql: bool) -> Select[Any]:
    feed, own = ScopeFeed.__table__, ScopeReason.__table__.alias()
    by_itself = and_(
        own.c.company_id == feed.c.company_id,
        own.c.scope == feed.c.scope,
        own.c.document_id == feed.c.document_id,
        own.c.via == SELF,
    )
    return (
        select(feed.c.document_id, feed.c.scope, own.c.via)
        .select_from(feed.outerjoin(own, by_itself))
        .where(
            feed.c.company_id == bindparam("company_id"),
            feed.c.live,
            rows.listed(feed.c.document_id, "ids", postgresql),
        )
    )


class Scopes:
    """The scopes of one company, in the open transaction that has the company's feed number: nobody else moves them."""

    def __init__(self, session: Session, company_id: str) -> None:
        self.session = session
        self.company_id = company_id
        self.forgotten: set[tuple[str, Reason]] = set()
        self.collections: dict[str, str] = {}
        """The collection of each document that was asked for by its references: of all that enter or leave along."""

    def members(self, docs: Iterable[str]) -> Mapping[str, Mapping[str, bool]]:
        """For each document the scopes that it is in -> whether by its own rule."""
        given = {"company_id": self.company_id, "ids": rows.many(self.session, docs)}
        found: dict[str, dict[str, bool]] = {}
        for doc, scope, via in self.session.connection().execute(_members(rows.is_postgresql(self.session)), given):
            found.setdefault(doc, {})[scope] = via is not None
        return found

    def refs(self, docs: Iterable[str]) -> Mapping[str, frozenset[str]]:
        """What each document refers to."""
        statement = select(Document.id, Document.collection, Document.refs).where(
            Document.company_id == self.company_id, rows.among(self.session, Document.id, docs)
        )
        found: dict[str, frozenset[str]] = {}
        for doc, collection, refs in self.session.execute(statement):
            found[doc] = frozenset(orjson.loads(refs))
            self.collections[doc] = collection
        return found

    def holds(self, pairs: Iterable[Pair], lost: Set[tuple[str, Reason]]) -> Mapping[Pair, str]:
        """For each pair that is still held its first reason. What is lost is deleted first: it is on its way out."""
        self._forget(lost)
        connection = self.session.connection()
        asked = orjson.dumps(sorted(pairs)).decode()
        if connection.dialect.name == "postgresql":
            statement = (
                "SELECT p->>0, p->>1, (SELECT min(via) FROM scope_reason WHERE company_id = %s::uuid"
                " AND scope = p->>0 AND document_id = (p->>1)::uuid) FROM json_array_elements(%s::json) p"
            )
            found = connection.exec_driver_sql(statement, (self.company_id, asked))
        else:
            statement = (
                "SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), (SELECT min(via) FROM scope_reason"
                " WHERE company_id = ? AND scope = json_extract(value, '$[0]')"
                " AND document_id = replace(json_extract(value, '$[1]'), '-', '')) FROM json_each(?)"
            )
            found = connection.exec_driver_sql(statement, (self.company_id.replace("-", ""), asked))
        return {(scope, doc): via for scope, doc, via in found if via is not None}

    def reasons(self, scope: str, docs: Iterable[str]) -> Mapping[str, set[str]]:
        """All that holds each document in a scope."""
        statement = select(ScopeReason.document_id, ScopeReason.via).where(
            ScopeReason.company_id == self.company_id,
            ScopeReason.scope == scope,
            rows.among(self.session, ScopeReason.document_id, docs),
        )
        found: dict[str, set[str]] = {}
        for doc, via in self.session.execute(statement):
            found.setdefault(doc, set()).add(via)
        return found

    def write(
        self,
        moves: Moves,
        number: int,
        *,
        changed: Iterable[str],
        because: Mapping[Pair, str],
        known: Mapping[str, str],
    ) -> None:
        """Keep the reasons as the moves leave them, and move the feed rows forward to a number.

        Rows of what is `changed` move wherever it is. `because`: why a document is not in a scope, where there is more
        to say than that nothing needs it there; told also of what was not in it before. `known`: collections.
        """
        self._keep_reasons(moves)
        live = {(scope, doc) for doc in changed for scope in moves.members[doc]} | moves.entered
        told: dict[Pair, str | None] = dict.fromkeys(sorted(live))
        told |= {pair: because.get(pair, "not-needed") for pair in sorted(moves.left | because.keys())}
        collections = self.collections | dict(known)
        feed = [
            {
                "company_id": self.company_id,
                "scope": scope,
                "document_id": doc,
                "collection": collections.get(doc),
                "seq": number,
                "live": reason is None,
                "reason": reason,
            }
            for (scope, doc), reason in told.items()
        ]
        rows.insert(self.session, ScopeFeed.__table__, feed, names=FEED_NAMES, twice="replace")  # type: ignore[arg-type]

    def _keep_reasons(self, moves: Moves) -> None:
        self._forget(moves.lost)
        rows.insert(
            self.session,
            ScopeReason.__table__,  # type: ignore[arg-type]
            [self._row(reason) for reason in sorted(moves.gained)],
            names=REASON_NAMES,
            twice="keep",
        )

    def _forget(self, lost: Set[tuple[str, Reason]]) -> None:
        fresh = lost - self.forgotten
        rows.delete(
            self.session,
            ScopeReason.__table__,  # type: ignore[arg-type]
            [self._row(reason) for reason in sorted(fresh)],
        )
        self.forgotten |= fresh

    def _row(self, given: tuple[str, Reason]) -> dict[str, Any]:
        doc, (scope, via) = given
        return {"company_id": self.company_id, "scope": scope, "document_id": doc, "via": via}
