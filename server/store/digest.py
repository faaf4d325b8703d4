"""Checksums of what a device's scopes hold, kept from one asking to the next and worked out only for what changed.

Writers know nothing of them: a checksum is good as long as no feed row of its document is newer.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import orjson
from flask import current_app
from sqlalchemy import and_, func, select, text
from sqlalchemy.dialects import postgresql, sqlite

from schemas.entities import COLLECTIONS
from schemas.shape import shaped
from server.extensions import db
from server.store.models import DeviceScope, Document, DocumentDigest, ScopeFeed, ScopeFloor
from server.store.rows import CHUNK, chunks
from server.store.transaction import transactional
from sync.digest import WHOLE, Sum, bucket_of, value_of

Key = tuple[str, str]
"""(collection, bucket)"""
Sums = dict[Key, Sum]
Fresh = list[dict[str, Any]]

LARGE = 1000
"""Scopes of so many documents are summed up once for all who hold them, for as long as nothing in them changes."""
MOST_KEPT = 32


@dataclass(kw_only=True)
class Digest:
    """Of some scopes in one snapshot; `fresh` are checksums that were missing, worth keeping (`keep`)."""

    company_id: str
    epoch: str
    newest: int
    form: int
    fresh: Fresh = field(default_factory=list)

    @cached_property
    def known(self) -> list[str]:
        """Collections that clients of this form know."""
        return [name for name, schema in COLLECTIONS.items() if schema.since <= self.form]

    def sums(self, scopes: Sequence[str]) -> Sums:
        """By collection and bucket; a document that is in several of the scopes counts once."""
        found: Sums = {}
        sizes: dict[str, int] = {}
        for scope in scopes:
            of_scope = self._of_scope(scope)
            sizes[scope] = sum(one.count for one in of_scope.values())
            for key, one in of_scope.items():
                found[key] = found.get(key, Sum()) + one
        for key, value, times in self._in_several(sorted(scopes, key=lambda scope: sizes[scope])):
            for _ in range(times - 1):
                found[key] = found[key].without(value)
        return {key: one for key, one in found.items() if one.count}

    def documents(self, scopes: Sequence[str], collection: str, buckets: Iterable[str]) -> dict[str, tuple[int, int]]:
        """Version and value of each document of some buckets of a collection."""
        wanted = {int(bucket, 16) for bucket in buckets}
        found: dict[str, tuple[int, int]] = {}
        for scope in scopes:
            self._complete(scope)
            statement = (
                select(DocumentDigest.document_id, DocumentDigest.version, DocumentDigest.value)
                .join(ScopeFeed, self._good())
                .where(*_live(self.company_id, scope), ScopeFeed.collection == collection)
                .where(DocumentDigest.bucket.in_(wanted))
            )
            found |= {row.document_id: (row.version, row.value) for row in db.session.execute(statement)}
        here = {row["document_id"]: row for row in self.fresh if row["bucket"] in wanted}
        live = _collections(self.company_id, scopes, here)
        return found | {
            each: (row["version"], row["value"]) for each, row in here.items() if live.get(each) == collection
        }

    def complete_some(self, most: int) -> None:
        """Work out missing checksums of whatever scopes tablets hold."""
        held = select(DeviceScope.scope).where(DeviceScope.company_id == self.company_id, DeviceScope.revoked.is_(None))
        statement = (
            select(ScopeFeed.document_id)
            .outerjoin(DocumentDigest, self._good())
            .where(ScopeFeed.company_id == self.company_id, ScopeFeed.scope.in_(held.distinct()), ScopeFeed.live)
            .where(DocumentDigest.document_id.is_(None), ScopeFeed.collection.in_(self.known))
            .limit(most)
        )
        self.fresh += self._worked_out(list(dict.fromkeys(db.session.scalars(statement))))

    def _good(self) -> Any:
        table = DocumentDigest
        return and_(
            table.company_id == ScopeFeed.company_id,
            table.form == self.form,
            table.document_id == ScopeFeed.document_id,
            table.seq >= ScopeFeed.seq,
        )

    def _of_scope(self, scope: str) -> Sums:
        newest = select(ScopeFeed.seq).where(ScopeFeed.company_id == self.company_id, ScopeFeed.scope == scope)
        last = db.session.scalar(newest.order_by(ScopeFeed.seq.desc()).limit(1)) or 0
        # Removals that were forgotten are news too.
        gone = select(ScopeFloor.seq).where(ScopeFloor.company_id == self.company_id, ScopeFloor.scope == scope)
        last = max(last, db.session.scalar(gone) or 0)
        key = (self.company_id, self.epoch, scope, self.form)
        kept = _kept().get(key, last)
        if kept is not None:
            return kept
        statement = (
            select(ScopeFeed.collection, DocumentDigest.bucket, func.count(), func.sum(DocumentDigest.value))
            .outerjoin(DocumentDigest, self._good())
            .where(*_live(self.company_id, scope), ScopeFeed.collection.in_(self.known))
            .group_by(ScopeFeed.collection, DocumentDigest.bucket)
        )
        found: Sums = {}
        missing = 0
        for collection, bucket, count, total in db.session.execute(statement):
            if bucket is None:
                missing += count
            else:
                found[str(collection), f"{bucket:02x}"] = Sum(count=count, sum=int(total) % WHOLE)
        for row in self._complete(scope) if missing else ():
            at = (row["collection"], f"{row['bucket']:02x}")
            found[at] = found.get(at, Sum()).plus(row["value"])
        if sum(one.count for one in found.values()) >= LARGE:
            _kept().put(key, last, found)
        return found

    def _complete(self, scope: str) -> Fresh:
        """Work out the missing checksums of a scope."""
        statement = (
            select(ScopeFeed.document_id)
            .outerjoin(DocumentDigest, self._good())
            .where(*_live(self.company_id, scope), DocumentDigest.document_id.is_(None))
            .where(ScopeFeed.collection.in_(self.known))
        )
        known = {row["document_id"]: row for row in self.fresh}
        missing = list(db.session.scalars(statement))
        self.fresh += self._worked_out([each for each in missing if each not in known])
        known = {row["document_id"]: row for row in self.fresh}
        return [known[each] for each in missing if each in known]

    def _worked_out(self, ids: list[str]) -> Fresh:
        found: Fresh = []
        for part in chunks(ids):
            statement = select(Document.id, Document.collection, Document.version, Document.body).where(
                Document.company_id == self.company_id, Document.id.in_(part), Document.deleted.is_(False)
            )
            for row in db.session.execute(statement):
                text = shaped(row.collection, row.body, self.form)
                if text is not None:
                    found.append(
                        {
                            "company_id": self.company_id,
                            "form": self.form,
                            "document_id": row.id,
                            "collection": row.collection,
                            "version": row.version,
                            "bucket": int(bucket_of(row.id), 16),
                            "value": value_of(row.collection, row.id, row.version, orjson.loads(text)),
                            "seq": self.newest,
                        }
                    )
        return found

    def _in_several(self, scopes: Sequence[str]) -> Iterable[tuple[Key, int, int]]:
        """Documents that are in more than one of the scopes; the last one is the largest and is not gone through."""
        if len(scopes) < 2:
            return
        inside = select(ScopeFeed.document_id).where(
            ScopeFeed.company_id == self.company_id, ScopeFeed.scope.in_(scopes[:-1]), ScopeFeed.live
        )
        statement = (
            select(ScopeFeed.document_id, ScopeFeed.collection, func.count())
            .where(ScopeFeed.company_id == self.company_id, ScopeFeed.scope.in_(scopes), ScopeFeed.live)
            .where(ScopeFeed.document_id.in_(inside), ScopeFeed.collection.in_(self.known))
            .group_by(ScopeFeed.document_id, ScopeFeed.collection)
            .having(func.count() > 1)
        )
        twice = {row[0]: (row[1], row[2]) for row in db.session.execute(statement)}
        values = self._values(twice)
        for each, (collection, times) in twice.items():
            if each in values:
                yield (str(collection), bucket_of(each)), values[each], times

    def _values(self, ids: Iterable[str]) -> dict[str, int]:
        fresh = {row["document_id"]: row["value"] for row in self.fresh}
        found: dict[str, int] = {}
        for part in chunks(each for each in ids if each not in fresh):
            statement = select(DocumentDigest.document_id, DocumentDigest.value).where(
                DocumentDigest.company_id == self.company_id,
                DocumentDigest.form == self.form,
                DocumentDigest.document_id.in_(part),
            )
            found |= {row.document_id: row.value for row in db.session.execute(statement)}
        return found | fresh


def _live(company_id: str, scope: str) -> tuple[Any, ...]:
    return (ScopeFeed.company_id == company_id, ScopeFeed.scope == scope, ScopeFeed.live)


def _collections(company_id: str, scopes: Sequence[str], ids: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in chunks(ids):
        statement = select(ScopeFeed.document_id, ScopeFeed.collection).where(
            ScopeFeed.company_id == company_id,
            ScopeFeed.scope.in_(scopes),
            ScopeFeed.document_id.in_(part),
            ScopeFeed.live,
        )
        found |= {row.document_id: row.collection for row in db.session.execute(statement)}
    return found


@transactional
def keep(fresh: Fresh) -> None:
    """Keep checksums for whoever asks next; of two that were worked out at once the newer stands."""
    dialect = postgresql if db.session.get_bind().dialect.name == "postgresql" else sqlite
    table = DocumentDigest.__table__
    rows = [{name: row[name] for name in table.columns.keys()} for row in fresh]  # noqa: SIM118 - columns, not a dict
    for start in range(0, len(rows), CHUNK):
        statement = dialect.insert(table)
        db.session.execute(
            statement.on_conflict_do_update(
                index_elements=["company_id", "form", "document_id"],
                set_={name: statement.excluded[name] for name in ("version", "bucket", "value", "seq")},
                where=statement.excluded.seq > DocumentDigest.seq,
            ),
            rows[start : start + CHUNK],
        )
    if len(rows) >= LARGE and dialect is postgresql:
        # Until its own housekeeping has counted them, PostgreSQL would read all of them again for each one.
        db.session.execute(text("ANALYZE document_digest"))


class _Kept:
    """Sums of large scopes in this process: good for as long as the scope's newest number is the same."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: OrderedDict[tuple[str, str, str, int], tuple[int | None, Sums]] = OrderedDict()

    def get(self, key: tuple[str, str, str, int], last: int | None) -> Sums | None:
        with self._lock:
            known = self._found.get(key)
            if known is None or known[0] != last:
                return None
            self._found.move_to_end(key)
            return known[1]

    def put(self, key: tuple[str, str, str, int], last: int | None, sums: Sums) -> None:
        with self._lock:
            self._found[key] = (last, sums)
            self._found.move_to_end(key)
            while len(self._found) > MOST_KEPT:
                self._found.popitem(last=False)


def _kept() -> _Kept:
    found: _Kept = current_app.extensions.setdefault("rounds_digests", _Kept())
    return found
