"""What the changes of one transaction come to: rows of the documents' own tables, documents, versions, and the feed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import orjson
from sqlalchemy.orm import Session

from schemas.entities import COLLECTIONS
from server.store import rows, windows
from server.store.author import author
from server.store.models import SYNCED, Document, DocumentVersion, FileReference
from server.store.standing import Scopes
from server.store.stored import FIRST, Stored, compact, table_of
from sync.change import Body
from sync.scope import Placement, place

ABSENT = object()

DOCUMENT_NAMES = (
    "company_id", "id", "collection", "version", "body", "field_versions", "refs", "deleted", "changed_at",
)  # fmt: skip
VERSION_NAMES = (
    "company_id", "document_id", "version", "body", "changed", "author_id", "author_name", "device_id", "mutation_id",
    "at",
)  # fmt: skip
FILE_NAMES = ("company_id", "sha256", "document_id")


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
            table_of(SYNCED[collection]),
            found,
            names=("company_id", *schema.fields, *beside),
            twice="keep" if schema.fixed else "refuse",
            otherwise=schema.usual,
        )
    for (collection, names), found in changed.items():
        rows.update(session, table_of(SYNCED[collection]), found, names=names)
    for collection, found in gone.items():
        rows.delete(session, table_of(SYNCED[collection]), found)


class Changes:
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
        self.dated: dict[str, tuple[frozenset[str], windows.Span]] = {}
        """What is about a stretch of time: its scopes, and that."""
        self.made_on_tablets: set[str] = set()

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
            "field_versions": orjson.dumps(compact(versions)).decode(),
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
        scopes = frozenset() if change.gone else schema.scopes(body)
        self.placements[change.id] = Placement(scopes=scopes, refs=refs, refs_before=old.refs if old else frozenset())
        if scopes and (span := schema.about(body)) is not None:
            self.dated[change.id] = (scopes, span)
        if old is None and self.author.device_id is not None:
            self.made_on_tablets.add(change.id)
        self.collections[change.id] = change.collection
        fresh = schema.files(body) - schema.files(old.body if old else {})
        self.files += [
            {"company_id": self.company_id, "sha256": one, "document_id": change.id} for one in sorted(fresh)
        ]
        self.left_because[change.id] = "deleted" if change.gone else schema.why_left(body)

    def write_documents(self) -> None:
        """Write tables, documents and versions.

        What two writers may write at once goes in by its ids, so that neither waits for the other in a circle.
        """
        session = self.session
        self.tables.sort(key=lambda row: row.id)
        self.fixed.sort(key=lambda row: row["id"])
        self.fixed_versions.sort(key=lambda row: row["document_id"])
        write_tables(session, self.company_id, self.tables)
        document, version = table_of(Document), table_of(DocumentVersion)
        rows.insert(session, document, self.fixed, names=DOCUMENT_NAMES, twice="keep")
        rows.insert(session, version, self.fixed_versions, names=VERSION_NAMES, twice="keep")
        rows.insert(session, document, self.new, names=DOCUMENT_NAMES)
        rows.update(session, document, self.changed, names=DOCUMENT_NAMES[3:])
        rows.insert(session, version, self.versions, names=VERSION_NAMES)
        rows.insert(session, table_of(FileReference), self.files, names=FILE_NAMES, twice="keep")

    def write_feed(self, number: int) -> None:
        """Move scopes and feed rows under the feed number, which was taken just now: nobody else moves any."""
        outside = windows.outside(self.session, self.company_id, self.dated) if self.dated else set()
        for scope, doc in outside:
            self.placements[doc] = replace(self.placements[doc], scopes=self.placements[doc].scopes - {scope})
        scopes = Scopes(self.session, self.company_id)
        moves = place(self.placements, scopes)
        because = {
            (scope, doc): windows.OUT_OF_WINDOW if (scope, doc) in outside else self.left_because[doc]
            for scope, doc in moves.left
            if doc in self.left_because
        }
        # A tablet that makes what it is not to hold has it until it hears so, and its edits of it are its own.
        because |= {pair: windows.OUT_OF_WINDOW for pair in outside if pair[1] in self.made_on_tablets}
        scopes.write(moves, number, changed=self.placements, because=because, known=self.collections)
