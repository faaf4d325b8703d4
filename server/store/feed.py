"""The write path's one door: what any writer changed becomes versions, scopes and feed rows before the commit.

1. Flush, and dump every touched object once with its schema. 2. Compare with the stored body; new version, field
versions and history for what changed. 3. Work out which documents enter and leave which scopes. 4. As the last
statements before the commit, take the company's next feed number and move the feed rows forward.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import delete, inspect, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.orm.unitofwork import UOWTransaction

from schemas.entities import COLLECTIONS
from server.store.author import author
from server.store.models import Document, DocumentVersion, FileReference, ScopeFeed, ScopeReason, SyncClock, Synced
from sync.change import Body
from sync.scope import Moves, Placement, Reason, place

TOUCHED = "touched"
NUMBERED = "numbered"
"""Where a session keeps the feed numbers that its transaction took, by company."""
CHUNK = 1000

Rows = list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What the document table holds of one document."""

    version: int
    body: Body
    field_versions: dict[str, list[Any]]
    refs: frozenset[str]
    deleted: bool


def collect(session: Session, context: UOWTransaction) -> None:
    """Remember the synced objects of a flush."""
    touched = session.info.setdefault(TOUCHED, {})
    for objects, gone in ((session.new, False), (session.dirty, False), (session.deleted, True)):
        for item in objects:
            if isinstance(item, Synced):
                touched[item.company_id, item.id] = (item, gone)


def record(session: Session) -> None:
    """Write versions, scopes and feed for all that was touched; nothing to do for a savepoint."""
    if session.in_nested_transaction():
        return
    session.flush()
    touched = session.info.pop(TOUCHED, {})
    companies: dict[str, list[tuple[Synced, bool]]] = {}
    for (company_id, _), (item, gone) in touched.items():
        if gone or inspect(item).persistent:
            companies.setdefault(company_id, []).append((item, gone))
    for company_id in sorted(companies):
        _record(session, company_id, companies[company_id])


def next_number(session: Session, company_id: str) -> int:
    """Take the company's next feed number; the row stays locked until the commit, so take it last."""
    statement = (
        update(SyncClock).where(SyncClock.company_id == company_id).values(n=SyncClock.n + 1).returning(SyncClock.n)
    )
    number = int(session.execute(statement).scalar_one())
    session.info.setdefault(NUMBERED, {})[company_id] = number
    return number


def lock_documents(session: Session, company_id: str, ids: Iterable[str]) -> dict[str, Stored]:
    """Documents by id, locked in id order until the commit; ids that are not there are left out."""
    return {row[0]: _stored(row) for row in _document_rows(session, company_id, ids, lock=True)}


def _record(session: Session, company_id: str, items: Sequence[tuple[Synced, bool]]) -> None:
    now = datetime.now(UTC)
    who = author.get()
    stored = lock_documents(session, company_id, [item.id for item, _ in items])
    _read_anew(session, company_id, [item for item, gone in items if not gone and item.id in stored])
    versions: Rows = []
    documents: Rows = []
    placements: dict[str, Placement] = {}
    collections: dict[str, str] = {}
    left_because: dict[str, str] = {}
    files: Rows = []
    for item, gone in items:
        schema = COLLECTIONS[item.collection]
        old = stored.get(item.id)
        body: Body = old.body if gone and old else schema.dump(item)
        changed = [name for name in body if old is None or name not in old.body or body[name] != old.body[name]]
        if old is not None and not changed and gone == old.deleted:
            continue
        version = old.version + 1 if old else 1
        fields = (old.field_versions if old else {}) | {name: [version, who.device_id] for name in changed}
        refs = frozenset() if gone else schema.references(body)
        text = orjson.dumps(body).decode()
        documents.append(
            {
                "company_id": company_id,
                "id": item.id,
                "collection": item.collection,
                "version": version,
                "body": text,
                "field_versions": orjson.dumps(fields).decode(),
                "refs": orjson.dumps(sorted(refs)).decode(),
                "deleted": gone,
                "changed_at": now,
            }
        )
        versions.append(
            {
                "company_id": company_id,
                "document_id": item.id,
                "version": version,
                "body": text,
                "changed": orjson.dumps(changed).decode(),
                "author_id": who.user_id,
                "author_name": who.name,
                "device_id": who.device_id,
                "mutation_id": who.mutation_id,
                "at": now,
            }
        )
        placements[item.id] = Placement(
            scopes=frozenset() if gone else schema.scopes(body),
            refs=refs,
            refs_before=old.refs if old else frozenset(),
        )
        collections[item.id] = item.collection
        fresh = schema.files(body) - schema.files(old.body if old else {})
        files += [{"company_id": company_id, "sha256": one, "document_id": item.id} for one in sorted(fresh)]
        left_because[item.id] = "deleted" if gone else schema.why_left(body)
    if not documents:
        return
    _upsert(session, Document, documents, keys=("company_id", "id"))
    _insert(session, DocumentVersion, versions)
    if files:
        _upsert(session, FileReference, files, keys=("company_id", "sha256", "document_id"))
    moves = place(placements, _reason_loader(session, company_id, collections), _ref_loader(session, company_id))
    _write_reasons(session, company_id, moves)
    rows = _feed_rows(company_id, collections, placements, moves, left_because)
    number = next_number(session, company_id)
    if rows:
        _upsert(
            session, ScopeFeed, [row | {"seq": number} for row in rows], keys=("company_id", "scope", "document_id")
        )


def _read_anew(session: Session, company_id: str, items: Iterable[Synced]) -> None:
    """What others committed in these rows before the documents were locked, beside what was just flushed.

    A writer may have loaded an object long before it changed one field of it; its other fields must not go back in the
    feed to what they were then. On SQLite a write transaction sees nobody else's commits.
    """
    if session.get_bind().dialect.name == "sqlite":
        return
    kinds: dict[type[Synced], list[str]] = {}
    for item in items:
        kinds.setdefault(type(item), []).append(item.id)
    for kind, ids in kinds.items():
        for part in chunks(ids):
            statement = select(kind).where(kind.company_id == company_id, kind.id.in_(part))
            session.execute(statement.execution_options(populate_existing=True)).all()


def _feed_rows(
    company_id: str,
    collections: Mapping[str, str],
    placements: Mapping[str, Placement],
    moves: Moves,
    left_because: Mapping[str, str],
) -> Rows:
    live = {(scope, doc) for doc in placements for scope in moves.members[doc]} | moves.entered
    reasons: dict[tuple[str, str], str | None] = dict.fromkeys(sorted(live))
    reasons |= {(scope, doc): left_because.get(doc, "not-needed") for scope, doc in sorted(moves.left)}
    return [
        {
            "company_id": company_id,
            "scope": scope,
            "document_id": doc,
            "collection": collections.get(doc),
            "live": reason is None,
            "reason": reason,
        }
        for (scope, doc), reason in reasons.items()
    ]


def _write_reasons(session: Session, company_id: str, moves: Moves) -> None:
    for doc, (scope, via) in sorted(moves.lost):
        session.execute(
            delete(ScopeReason).where(
                ScopeReason.company_id == company_id,
                ScopeReason.scope == scope,
                ScopeReason.document_id == doc,
                ScopeReason.via == via,
            )
        )
    gained = [
        {"company_id": company_id, "scope": scope, "document_id": doc, "via": via}
        for doc, (scope, via) in sorted(moves.gained)
    ]
    if gained:
        _insert(session, ScopeReason, gained)


def _reason_loader(session: Session, company_id: str, collections: dict[str, str]) -> Any:
    """Loads reasons; whatever it is asked for may move, so `collections` learns the collection of each."""

    def load(docs: Iterable[str]) -> Mapping[str, set[Reason]]:
        found: dict[str, set[Reason]] = {}
        docs = list(docs)
        # Two transactions that move two visits of one site must see each other's reasons for it: the second waits.
        collections.update(_lock(session, company_id, docs))
        for part in chunks(docs):
            statement = select(ScopeReason.document_id, ScopeReason.scope, ScopeReason.via).where(
                ScopeReason.company_id == company_id, ScopeReason.document_id.in_(part)
            )
            for doc, scope, via in session.execute(statement):
                found.setdefault(doc, set()).add((scope, via))
        return found

    return load


def _lock(session: Session, company_id: str, docs: Iterable[str]) -> dict[str, str]:
    """Lock documents in id order; the collection of each."""
    found: dict[str, str] = {}
    for part in chunks(sorted(docs)):
        statement = select(Document.id, Document.collection).where(
            Document.company_id == company_id, Document.id.in_(part)
        )
        found |= {row.id: row.collection for row in session.execute(statement.order_by(Document.id).with_for_update())}
    return found


def _ref_loader(session: Session, company_id: str) -> Any:
    def load(docs: Iterable[str]) -> Mapping[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for part in chunks(docs):
            statement = select(Document.id, Document.refs).where(
                Document.company_id == company_id, Document.id.in_(part)
            )
            found |= {doc: frozenset(orjson.loads(refs)) for doc, refs in session.execute(statement)}
        return found

    return load


def _document_rows(session: Session, company_id: str, ids: Iterable[str], *, lock: bool) -> Iterator[Any]:
    for part in chunks(sorted(set(ids))):
        statement = (
            select(
                Document.id,
                Document.version,
                Document.body,
                Document.field_versions,
                Document.refs,
                Document.deleted,
            )
            .where(Document.company_id == company_id, Document.id.in_(part))
            .order_by(Document.id)
        )
        yield from session.execute(statement.with_for_update() if lock else statement)


def _stored(row: Any) -> Stored:
    return Stored(
        version=row.version,
        body=orjson.loads(row.body),
        field_versions=orjson.loads(row.field_versions),
        refs=frozenset(orjson.loads(row.refs)),
        deleted=row.deleted,
    )


def chunks(ids: Iterable[str]) -> Iterator[list[str]]:
    """Ids in portions that a statement can carry."""
    every = list(ids)
    for start in range(0, len(every), CHUNK):
        yield every[start : start + CHUNK]


def _insert(session: Session, model: Any, rows: Rows) -> None:
    session.execute(model.__table__.insert(), rows)


def _upsert(session: Session, model: Any, rows: Rows, *, keys: tuple[str, ...]) -> None:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(model.__table__)
    changed = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    if changed:
        statement = statement.on_conflict_do_update(index_elements=list(keys), set_=changed)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=list(keys))
    session.execute(statement, rows)
