"""The in-memory server's one door: changed bodies become versions, scopes and feed rows, and one number for all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

from sync.change import Body, FieldVersion, same
from sync.scope import SELF, Moves, Pair, Placement, Reason, place
from sync.simulator.facts import Document, Entities, Entity, FeedRow, Version
from sync.simulator.memory.work import Work

NO_REASONS: frozenset[Reason] = frozenset()


class Stood:
    """How the scopes stand before a commit; a document whose scopes matter is locked until then."""

    def __init__(self, work: Work) -> None:
        self.work = work

    def held(self, document_id: str) -> frozenset[Reason]:
        """Why a document is where it is."""
        found: frozenset[Reason] = self.work.tx.get("reason", document_id) or NO_REASONS
        return found

    def members(self, docs: Iterable[str]) -> dict[str, dict[str, bool]]:
        """For each document the scopes that it is in -> whether by its own rule."""
        asked = list(docs)
        self.work.lock(asked)
        return {doc: {scope: (scope, SELF) in self.held(doc) for scope, _ in self.held(doc)} for doc in asked}

    def refs(self, docs: Iterable[str]) -> dict[str, frozenset[str]]:
        """What each document refers to."""
        found = {doc: self.work.stored(doc) for doc in docs}
        return {doc: document.refs for doc, document in found.items() if document is not None}

    def holds(self, pairs: Iterable[Pair], lost: Set[tuple[str, Reason]]) -> dict[Pair, str]:
        """For each pair that is held without the lost reasons the first that holds it."""
        found: dict[Pair, str] = {}
        for scope, doc in pairs:
            left = [via for each, via in self.held(doc) if each == scope and (doc, (each, via)) not in lost]
            if left:
                found[scope, doc] = min(left)
        return found

    def reasons(self, scope: str, docs: Iterable[str]) -> dict[str, set[str]]:
        """All that holds each document in a scope."""
        return {doc: {via for each, via in self.held(doc) if each == scope} for doc in docs}


class Feed:
    """The steps of `server/store/feed.py` over rows in memory."""

    def __init__(self, entities: Entities) -> None:
        self.entities = entities

    def begin(self, work: Work) -> None:
        """A transaction opens; nothing is to be done."""

    def record(self, work: Work) -> None:
        """Write versions, scopes and feed rows of all that the work changed; the number is taken last."""
        placements: dict[str, Placement] = {}
        left_because: dict[str, str] = {}
        for document_id in sorted(work.bodies):
            collection, body = work.bodies[document_id]
            entity = self.entities[collection]
            old = work.stored(document_id)
            document = self.next_version(work, document_id, collection, body, old)
            if document is None:
                continue
            work.step(f"write {collection}")
            work.tx.put("document", document_id, document)
            placements[document_id] = self.placement(entity, document, old)
            left_because[document_id] = "deleted" if document.deleted else entity.why_left(document.body)
        if not placements:
            return
        moves = self.move(work, placements)
        work.step("write scopes")
        self.write_reasons(work, moves)
        number = self.take_number(work)
        for row in self.feed_rows(placements, moves, left_because, number):
            work.tx.put("feed", (row.scope, row.document_id), row)
        work.step("write feed")

    def next_version(
        self, work: Work, document_id: str, collection: str, body: Body | None, old: Document | None
    ) -> Document | None:
        """The document's new version, written to its history too; None when nothing changed."""
        gone = body is None
        new: Body = (old.body if old else {}) if body is None else body
        changed = [name for name in new if old is None or name not in old.body or not same(new[name], old.body[name])]
        if old is not None and not changed and gone == old.deleted:
            return None
        version = self.version_after(work, old)
        fields = dict(old.field_versions) if old else {}
        for name in changed:
            fields[name] = FieldVersion(version=version, device_id=work.device_id)
        refs = frozenset() if gone else self.entities[collection].references(new)
        history: tuple[Version, ...] = work.tx.get("version", document_id) or ()
        line = Version(version=version, body=new, changed=frozenset(changed), device_id=work.device_id, at=work.at)
        work.tx.put("version", document_id, (*history, line))
        return Document(
            collection=collection,
            id=document_id,
            version=version,
            body=new,
            field_versions=fields,
            refs=refs,
            deleted=gone,
        )

    def version_after(self, work: Work, old: Document | None) -> int:
        """The number of the next version: after a restore far past all that the other history may have given."""
        return max((old.version if old else 0) + 1, work.tx.get("meta", "version_floor") or 0)

    def placement(self, entity: Entity, document: Document, old: Document | None) -> Placement:
        """Where the document belongs by its own rule, and what it refers to."""
        return Placement(
            scopes=frozenset() if document.deleted else entity.scopes(document.body),
            refs=document.refs,
            refs_before=old.refs if old else frozenset(),
        )

    def move(self, work: Work, placements: Mapping[str, Placement]) -> Moves:
        """Which documents enter and leave which scopes."""
        return place(placements, Stood(work))

    def write_reasons(self, work: Work, moves: Moves) -> None:
        """Keep why each document is where it is."""
        for doc in sorted({doc for doc, _ in moves.lost | moves.gained}):
            held: frozenset[Reason] = work.tx.get("reason", doc) or NO_REASONS
            lost = {reason for each, reason in moves.lost if each == doc}
            gained = {reason for each, reason in moves.gained if each == doc}
            work.tx.put("reason", doc, (held - lost) | gained or None)

    def feed_rows(
        self, placements: Mapping[str, Placement], moves: Moves, left_because: Mapping[str, str], number: int
    ) -> list[FeedRow]:
        """What mattered to which scope with this commit."""
        live = {(scope, doc) for doc in placements for scope in moves.members[doc]} | moves.entered
        rows = [FeedRow(scope=scope, document_id=doc, seq=number, live=True) for scope, doc in sorted(live)]
        rows += [
            FeedRow(scope=scope, document_id=doc, seq=number, live=False, reason=left_because.get(doc, "not-needed"))
            for scope, doc in sorted(moves.left)
        ]
        return rows

    def take_number(self, work: Work) -> int:
        """The company's next feed number, taken as the last thing before the commit."""
        work.step("take number")
        number: int = (work.tx.get("meta", "n") or 0) + 1
        work.tx.put("meta", "n", number)
        return number
