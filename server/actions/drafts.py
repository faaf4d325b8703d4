"""Documents as a push leaves them, worked out in memory: nothing is written before everything is judged.

A mutation that is refused half-way leaves nothing behind: `mark` and `back` do for what is in memory what a savepoint
does for the database. `write` then brings all of it there in a few statements.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from schemas.entities import COLLECTIONS
from schemas.entities.base import EntitySchema
from server.actions.decide_coverage import Agreements
from server.extensions import db
from server.store import changes, documents, feed, rows
from server.store.changes import Change, TableRow
from server.store.models import Conflict
from server.store.queries import conflicts, visits
from server.store.stored import Stored
from sync.change import Body, FieldRule, Json, Mutation
from sync.clock import ClockOffset, in_order
from sync.merge import conservative
from sync.states import PERFORMED, REVIEWED

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Sender:
    """The tablet that pushes, the technician who holds it, and the schema version that it last said to know."""

    company_id: str
    device_id: str
    technician_id: str
    name: str
    user_id: str | None
    schema_version: int = 1


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A document in the making: its whole body now, and what was stored, locked; `beside`: columns no body has.

    It is `new` when nothing stood there, or what stood there was deleted, and `gone` when this push deletes it.
    """

    collection: str
    id: str
    kept: Stored | None
    body: Body
    beside: rows.Row = field(default_factory=dict)
    mutation_id: str | None = None
    new: bool = False
    gone: bool = False

    @property
    def before(self) -> Stored | None:
        """What was stored of it, None for a new document."""
        return None if self.new else self.kept

    @property
    def changed(self) -> bool:
        """Whether it is other than what is stored."""
        return self.kept is None or self.gone != self.kept.deleted or self.body != self.kept.body

    @property
    def version(self) -> int:
        """The version that the document gets by this commit: one more if anything in it changed."""
        return (self.kept.version if self.kept else 0) + self.changed


@dataclass(frozen=True, kw_only=True)
class Mark:
    """How things stood before some mutations of some documents."""

    drafts: dict[str, Draft | None]
    written: dict[str, Body | None]
    conflicts: int
    revised: int
    readings: int


@dataclass
class Drafts:
    """What all mutations of one push share: who and when, the documents, and what is to be written of them."""

    sender: Sender
    offset: ClockOffset
    now: datetime
    master_wins: bool = False
    """Where both sides changed a value the server's stays and a person decides, whatever the field's policy."""
    contacts: Sequence[datetime] = ()
    """Earlier contacts of the tablet, as far as they are known."""
    kept: dict[str, Stored] = field(default_factory=dict)
    reached: dict[str, str] = field(default_factory=dict)
    beside: dict[str, rows.Row] = field(default_factory=dict)
    """What the rows of these documents have beside their bodies."""
    decided: dict[str, str | None] = field(default_factory=dict)
    """Visit -> the decision that its row refers to."""
    moments: dict[str, datetime] = field(default_factory=dict)
    """Mutation -> when it was made, by the server's clock."""
    drafts: dict[str, Draft] = field(default_factory=dict)
    written: dict[str, Body] = field(default_factory=dict)
    """Document -> the values that this device gave its fields in this push."""
    conflicts: list[Conflict] = field(default_factory=list)
    revised: list[tuple[Conflict, dict[str, Any]]] = field(default_factory=list)
    """Entries that were there and go on, each with what it said before."""
    readings: list[tuple[str, Json]] = field(default_factory=list)
    """Meter readings that came, each with its visit."""
    in_table: dict[str, Body | None] = field(default_factory=dict)
    """What the documents' own tables have of the drafts by now; None for what is deleted there."""
    decisions: dict[str, Body] = field(default_factory=dict)
    """What was decided of coverage, laid down when a visit that stands in the end refers to it."""
    laid: bool = False

    def apart_since(self, made_at: datetime) -> datetime | None:
        """The tablet's last contact before it wrote something, if that is known."""
        return max((at for at in self.contacts if at <= made_at), default=None)

    def __post_init__(self) -> None:
        making, lay = self._visits_in_the_making, self.decisions.__setitem__
        self.agreed = Agreements(self.sender.company_id, lay=lay, making=making)

    def _visits_in_the_making(self) -> Iterator[tuple[Body, str]]:
        for draft in self.drafts.values():
            if draft.collection == "visit":
                yield draft.body, draft.beside["customer_id"]

    def look_up(self, mutations: Sequence[Mutation]) -> None:
        """Lock the documents of these mutations in id order, and see how the device stands to all that they name.

        The mutations come in the device's own order.
        """
        sender = self.sender
        times = in_order([mutation.made_at for mutation in mutations], self.offset, self.now)
        self.moments = {mutation.id: moment for mutation, moment in zip(mutations, times, strict=True)}
        self.kept |= documents.lock_all(sender.company_id, {mutation.document_id for mutation in mutations})
        named = {mutation.document_id for mutation in mutations}
        for mutation in mutations:
            named.update(document_id for _, document_id in named_by(mutation))
            if mutation.op == "create":
                named.update(_ids_in(mutation.set.get("site_id")))
        self.reached |= documents.reach_all(sender.company_id, sender.device_id, named)
        if strange := named - self.reached.keys():
            self.reached |= documents.once_reached(sender.company_id, sender.device_id, strange)
        there = [doc for doc, kept in self.kept.items() if kept.collection == "visit"]
        beside, decided = visits.beside(sender.company_id, there)
        self.beside |= beside
        self.decided |= decided
        self._hold_contracts(mutations)

    def _hold_contracts(self, mutations: Sequence[Mutation]) -> None:
        """Hold the contracts that visits may be taken from, so that two pushes do not wait for each other."""
        taking: set[str] = set()
        places: set[str] = set()
        for one in mutations:
            kept = self.kept.get(one.document_id)
            over = kept is not None and kept.body.get("exec_state") in PERFORMED | REVIEWED
            if one.collection == "visit" and (over or "events" in one.add):
                taking.add(one.document_id)
        for one in mutations:
            if one.document_id in taking:
                places.update(_ids_in(one.set.get("site_id")))
        if taking:
            self.agreed.hold_limited(taking, places)

    def rules(self, schema: EntitySchema) -> Mapping[str, FieldRule]:
        """The rules that this push is merged by."""
        return conservative(schema.rules) if self.master_wins else schema.rules

    def reach(self, document_id: str) -> str:
        """How the device stood to a document before this push: `live`, `late` or `never`."""
        return self.reached.get(document_id, "never")

    def find(self, collection: str, document_id: str) -> Draft | None:
        """A document as it stands in this push, None when there is none of this collection."""
        draft = self.drafts.get(document_id)
        if draft is None:
            kept = self.kept.get(document_id)
            if kept is None or kept.deleted:
                return None
            beside = self.beside.get(document_id, {})
            body = kept.body
            if (decision := self.decided.get(document_id)) and body["coverage_id"] is None:
                # The document is older than the reference, and was not brought to its new form yet.
                body = body | {"coverage_id": decision}
            draft = Draft(collection=kept.collection, id=document_id, kept=kept, body=body, beside=beside)
        return draft if draft.collection == collection and not draft.gone else None

    def put(self, draft: Draft, body: Body, mutation: Mutation) -> None:
        """This is what the document is now."""
        self.drafts[draft.id] = replace(draft, body=body, mutation_id=mutation.id)

    def open_situation(self, mutation: Mutation, kind: str, name: str) -> Conflict | None:
        """The open entry of this kind that the same tablet has caused on the document before."""
        for one in self.conflicts:
            if (one.document_id, one.kind, one.field, one.state) == (mutation.document_id, kind, name, "open"):
                return one
        company_id = self.sender.company_id
        return conflicts.open_situation(company_id, mutation.document_id, mutation.device_id, kind, name)

    def revise(self, conflict: Conflict, **values: Any) -> Conflict:
        """An entry goes on: it says something else now."""
        self.revised.append((conflict, {name: getattr(conflict, name) for name in values}))
        for name, value in values.items():
            setattr(conflict, name, value)
        return conflict

    def mark(self, document_ids: Iterable[str]) -> Mark:
        """Where to come back to when mutations of these documents are refused."""
        ids = list(document_ids)
        return Mark(
            drafts={doc: self.drafts.get(doc) for doc in ids},
            written={doc: dict(self.written[doc]) if doc in self.written else None for doc in ids},
            conflicts=len(self.conflicts),
            revised=len(self.revised),
            readings=len(self.readings),
        )

    def back(self, mark: Mark) -> None:
        """Undo all since a mark."""
        _restore(self.drafts, mark.drafts)
        _restore(self.written, mark.written)
        for conflict, values in reversed(self.revised[mark.revised :]):
            for name, value in values.items():
                setattr(conflict, name, value)
        del self.conflicts[mark.conflicts :], self.revised[mark.revised :], self.readings[mark.readings :]

    def write(self) -> None:
        """Write what has not been written yet into the documents' own tables; versions and feed follow at the commit.

        Raises what the database has against it; then only a savepoint helps.
        """
        company_id = self.sender.company_id
        self._number()
        found = []
        for draft in self.drafts.values():
            stood = draft.before.body if draft.before else None
            before = self.in_table.get(draft.id, stood)
            if draft.gone if before is None else draft.body == before and not draft.gone:
                continue
            beside = draft.beside if before is None or draft.beside != self.beside.get(draft.id) else {}
            found.append(
                TableRow(
                    collection=draft.collection,
                    id=draft.id,
                    before=before,
                    body=draft.body,
                    beside=beside,
                    gone=draft.gone,
                )
            )
        changes.write_tables(db.session(), company_id, found)
        conflicts.keep(self.conflicts)
        self.conflicts = []
        visits.keep_readings(company_id, self.readings)
        self.in_table |= {change.id: None if change.gone else change.body for change in found}
        self.readings.clear()

    def lay(self) -> None:
        """Have the feed take the documents as they are now."""
        for draft in self.drafts.values():
            if draft.changed:
                change = Change(
                    collection=draft.collection,
                    id=draft.id,
                    old=draft.kept,
                    body=draft.body,
                    gone=draft.gone,
                    mutation_id=draft.mutation_id,
                )
                feed.lay(db.session(), self.sender.company_id, change, again=self.laid)
            decision = self.decisions.get(draft.body.get("coverage_id") or "")
            if decision is not None:
                documents.lay(self.sender.company_id, "coverage", decision["id"], decision)
        self.laid = True

    def _number(self) -> None:
        """Give new visits their numbers, which are gone if this push is not stored: other tablets need not wait."""
        new = [draft for draft in self.drafts.values() if draft.collection == "visit" and draft.body["number"] is None]
        if new:
            numbers = visits.next_visit_numbers(self.sender.company_id, len(new), apart=True)
            for number, draft in zip(numbers, new, strict=True):
                self.drafts[draft.id] = replace(draft, body=draft.body | {"number": f"V-{number}"})


def _restore(held: dict[str, T], before: dict[str, T | None]) -> None:
    for doc, value in before.items():
        if value is None:
            held.pop(doc, None)
        else:
            held[doc] = value


def named_by(mutation: Mutation) -> list[tuple[str, str]]:
    """Where a mutation refers to documents by what a tablet may say, in values and in entries: path and id."""
    schema = COLLECTIONS[mutation.collection]
    named: list[tuple[str, str]] = []
    for values in (mutation.set, mutation.add):
        for name in sorted(schema.shared_refs & values.keys()):
            named += [(name, one) for one in _ids_in(values[name])]
        for name in sorted(schema.entry_refs.keys() & values.keys()):
            for at, entry in enumerate(values[name] or ()):
                named += [(f"{name}.{at}.{ref}", entry[ref]) for ref in schema.entry_refs[name] if entry.get(ref)]
    return named


def _ids_in(value: Json) -> list[str]:
    """The ids that a reference field's value names."""
    if isinstance(value, list):
        return [each for each in value if isinstance(each, str)]
    return [value] if isinstance(value, str) else []
