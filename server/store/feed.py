"""The write path's one door: what any writer changed becomes versions, scopes and feed rows before the commit.

1. Flush, and bring every touched object into its wire form; a writer may also `lay` down a document's new body, and
its table follows. 2. Compare with the stored body; new version, field versions and history for what changed. 3. Take
the company's next feed number: from here to the commit its writers go one after another. 4. Work out which documents
enter and leave which scopes, and move the feed rows forward.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import orjson
from sqlalchemy import Select, Table, and_, bindparam, inspect, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.unitofwork import UOWTransaction

from schemas.entities import COLLECTIONS
from server.store import locks, rows
from server.store.author import author
from server.store.models import SYNCED, Document, DocumentVersion, FileReference, ScopeFeed, SyncClock, Synced
from server.store.standing import Scopes
from sync.change import Body
from sync.scope import Moves, Placement, place

TOUCHED = "touched"
LAID = "laid"
NUMBERED = "numbered"
"""Where a session keeps the feed numbers that its transaction took, by company."""
Each = TypeVar("Each")
CHUNK = 1000
ABSENT = object()

FIRST = ""
"""The name under which `field_versions` keeps what holds for every field that it does not name."""

DOCUMENT_NAMES = (
    "company_id", "id", "collection", "version", "body", "field_versions", "refs", "deleted", "changed_at",
)  # fmt: skip
VERSION_NAMES = (
    "company_id", "document_id", "version", "body", "changed", "author_id", "author_name", "device_id", "mutation_id",
    "at",
)  # fmt: skip
FILE_NAMES = ("company_id", "sha256", "document_id")
FEED_NAMES = ("company_id", "scope", "document_id", "collection", "seq", "live", "reason")


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What the document table holds of one document. `field_versions`: field -> [version, device or null]."""

    collection: str
    version: int
    body: Body
    field_versions: dict[str, list[Any]]
    refs: frozenset[str]
    deleted: bool


@dataclass(frozen=True, kw_only=True)
class Change:
    """A document's new body; `old` is what it was, locked, None for a new one. `table`: its own is yet to follow."""

    collection: str
    id: str
    old: Stored | None
    body: Body
    gone: bool = False
    table: bool = False
    mutation_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """What a document's own table is to have: the body, and columns `beside` it that no body has; nothing if `gone`."""

    collection: str
    id: str
    before: Body | None
    body: Body
    beside: rows.Row = field(default_factory=dict)
    gone: bool = False


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


def write_tables(session: Session, company_id: str, changes: Iterable[TableRow]) -> None:
    """Bring documents' bodies into their own tables now, one statement for each table and set of columns.

    Raises what the database has against a value or a reference.
    """
    new: dict[tuple[str, tuple[str, ...]], list[rows.Row]] = {}
    changed: dict[tuple[str, tuple[str, ...]], list[rows.Row]] = {}
    gone: dict[str, list[rows.Row]] = {}
    for change in changes:
        schema, key = COLLECTIONS[change.collection], {"company_id": company_id, "id": change.id}
        if change.gone:
            gone.setdefault(change.collection, []).append(key)
            continue
        if change.before is None:
            row = schema.lean(change.body) | change.beside | key
            new.setdefault((change.collection, tuple(change.beside)), []).append(row)
            continue
        values = {name: value for name, value in change.body.items() if value != change.before.get(name, ABSENT)}
        values |= change.beside
        if values:
            changed.setdefault((change.collection, tuple(values)), []).append(values | key)
    for (collection, beside), found in new.items():
        schema = COLLECTIONS[collection]
        rows.insert(
            session,
            _table(SYNCED[collection]),
            found,
            names=("company_id", *schema.fields, *beside),
            twice="keep" if schema.fixed else "refuse",
            otherwise=schema.usual,
        )
    for (collection, names), found in changed.items():
        rows.update(session, _table(SYNCED[collection]), found, names=names)
    for collection, found in gone.items():
        rows.delete(session, _table(SYNCED[collection]), found)


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
    for noted in (TOUCHED, LAID, NUMBERED, locks.LOCKED):
        session.info.pop(noted, None)


@functools.cache
def _counting() -> Any:
    clock = _table(SyncClock)
    mine = clock.c.company_id == bindparam("company")
    return update(clock).where(mine).values(n=clock.c.n + 1).returning(clock.c.n)


def next_number(session: Session, company_id: str) -> int:
    """Take the company's next feed number; the row stays locked until the commit, so take it late."""
    number = int(session.connection().execute(_counting(), {"company": company_id}).scalar_one())
    session.info.setdefault(NUMBERED, {})[company_id] = number
    return number


@functools.cache
def _locking(postgresql: bool) -> Select[Any]:
    own = _table(Document).c
    columns = (own.id, own.collection, own.version, own.body, own.field_versions, own.refs, own.deleted)
    mine = and_(own.company_id == bindparam("company_id"), rows.listed(own.id, "ids", postgresql))
    return select(*columns).where(mine).order_by(own.id).with_for_update()


def lock_documents(session: Session, company_id: str, ids: Iterable[str]) -> dict[str, Stored]:
    """Documents by id, locked in id order until the commit; ids that are not there are left out."""
    every = set(ids)
    if not every:
        return {}
    given = {"company_id": company_id, "ids": rows.many(session, sorted(every))}
    found = session.connection().execute(_locking(rows.is_postgresql(session)), given)
    locks.note(session, company_id, every)
    return {row.id: stored(row) for row in found}


def stored(row: Any) -> Stored:
    """A row of the document table, read."""
    schema = COLLECTIONS[row.collection]
    versions = orjson.loads(row.field_versions)
    if FIRST in versions:
        versions = dict.fromkeys(schema.fields, versions.pop(FIRST)) | versions
    return Stored(
        collection=row.collection,
        version=row.version,
        body=schema.whole(orjson.loads(row.body)),
        field_versions=versions,
        refs=frozenset(orjson.loads(row.refs)),
        deleted=row.deleted,
    )


def chunks(ids: Iterable[Each], size: int = CHUNK) -> Iterator[list[Each]]:
    """Ids or other things in portions, by default as many as a statement can carry."""
    every = list(ids)
    for start in range(0, len(every), size):
        yield every[start : start + size]


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
    own = _table(Document).c
    mine = and_(own.company_id == bindparam("company_id"), rows.listed(own.id, "ids", postgresql))
    return select(own.id, own.collection).where(mine)


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
    writing = _Writing(session, company_id)
    for change in changes:
        writing.take(change)
    if writing.placements:
        writing.write()


class _Writing:
    """The rows that the changes of one company come to, in one transaction."""

    def __init__(self, session: Session, company_id: str) -> None:
        self.session = session
        self.company_id = company_id
        self.now = datetime.now(UTC)
        self.author = author.get()
        self.tables: list[TableRow] = []
        self.new: list[rows.Row] = []
        self.changed: list[rows.Row] = []
        self.fixed: list[rows.Row] = []
        self.versions: list[rows.Row] = []
        self.fixed_versions: list[rows.Row] = []
        self.placements: dict[str, Placement] = {}
        self.left_because: dict[str, str] = {}
        self.collections: dict[str, str] = {}
        self.files: list[rows.Row] = []

    def take(self, change: Change) -> None:
        """Add the rows of one change, if it is one."""
        schema, old, body = COLLECTIONS[change.collection], change.old, change.body
        lean = schema.lean(body)
        if old is None:
            changed = list(lean)
            version, versions = 1, {FIRST: [1, self.author.device_id]}
        else:
            before = old.body
            changed = [name for name in body if name not in before or body[name] != before[name]]
            if not changed and change.gone == old.deleted:
                return
            version = old.version + 1
            versions = old.field_versions | {name: [version, self.author.device_id] for name in changed}
        refs = frozenset() if change.gone else schema.references(body)
        text = orjson.dumps(lean).decode()
        row = {
            "company_id": self.company_id,
            "id": change.id,
            "collection": change.collection,
            "version": version,
            "body": text,
            "field_versions": orjson.dumps(_compact(versions)).decode(),
            "refs": orjson.dumps(sorted(refs)).decode(),
            "deleted": change.gone,
            "changed_at": self.now,
        }
        (self.fixed if schema.fixed and old is None else self.new if old is None else self.changed).append(row)
        (self.fixed_versions if schema.fixed and old is None else self.versions).append(
            {
                "company_id": self.company_id,
                "document_id": change.id,
                "version": version,
                "body": text,
                "changed": orjson.dumps(changed).decode(),
                "author_id": self.author.user_id,
                "author_name": self.author.name,
                "device_id": self.author.device_id,
                "mutation_id": change.mutation_id or self.author.mutation_id,
                "at": self.now,
            }
        )
        if change.table:
            stood = old.body if old else None
            self.tables.append(TableRow(collection=change.collection, id=change.id, before=stood, body=body))
        self.placements[change.id] = Placement(
            scopes=frozenset() if change.gone else schema.scopes(body),
            refs=refs,
            refs_before=old.refs if old else frozenset(),
        )
        self.collections[change.id] = change.collection
        fresh = schema.files(body) - schema.files(old.body if old else {})
        self.files += [
            {"company_id": self.company_id, "sha256": one, "document_id": change.id} for one in sorted(fresh)
        ]
        self.left_because[change.id] = "deleted" if change.gone else schema.why_left(body)

    def write(self) -> None:
        """Write all rows; the feed number is taken in between, and what follows it is seen by one writer at a time.

        What two writers may write at once goes in by its ids, so that neither waits for the other in a circle.
        """
        session = self.session
        self.tables.sort(key=lambda row: row.id)
        self.fixed.sort(key=lambda row: row["id"])
        self.fixed_versions.sort(key=lambda row: row["document_id"])
        write_tables(session, self.company_id, self.tables)
        document, version = _table(Document), _table(DocumentVersion)
        rows.insert(session, document, self.fixed, names=DOCUMENT_NAMES, twice="keep")
        rows.insert(session, version, self.fixed_versions, names=VERSION_NAMES, twice="keep")
        rows.insert(session, document, self.new, names=DOCUMENT_NAMES)
        rows.update(session, document, self.changed, names=DOCUMENT_NAMES[3:])
        rows.insert(session, version, self.versions, names=VERSION_NAMES)
        rows.insert(session, _table(FileReference), self.files, names=FILE_NAMES, twice="keep")
        number = next_number(session, self.company_id)
        scopes = Scopes(session, self.company_id)
        moves = place(self.placements, scopes)
        scopes.write(moves)
        feed = [row | {"seq": number} for row in self._feed_rows(moves, scopes.collections | self.collections)]
        rows.insert(session, _table(ScopeFeed), feed, names=FEED_NAMES, twice="replace")

    def _feed_rows(self, moves: Moves, collections: Mapping[str, str]) -> list[rows.Row]:
        live = {(scope, doc) for doc in self.placements for scope in moves.members[doc]} | moves.entered
        reasons: dict[tuple[str, str], str | None] = dict.fromkeys(sorted(live))
        reasons |= {(scope, doc): self.left_because.get(doc, "not-needed") for scope, doc in sorted(moves.left)}
        return [
            {
                "company_id": self.company_id,
                "scope": scope,
                "document_id": doc,
                "collection": collections.get(doc),
                "live": reason is None,
                "reason": reason,
            }
            for (scope, doc), reason in reasons.items()
        ]


def _compact(versions: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
    """Field versions with what most fields have said once; which fields there are, the schema knows."""
    if FIRST in versions:
        return dict(versions)
    values = list(versions.values())
    first = min(values, default=None, key=lambda one: (one[0], one[1] or ""))
    if first is None:
        return {}
    return {FIRST: first} | {name: one for name, one in versions.items() if one != first}


def _table(model: Any) -> Table:
    table: Table = model.__table__
    return table
