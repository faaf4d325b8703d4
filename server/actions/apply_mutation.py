"""One mutation of a tablet, judged and merged; raises Problem for what cannot be taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from marshmallow import ValidationError

from schemas.entities import COLLECTIONS
from schemas.entities.base import EntitySchema, EntryList, iso
from server.actions import device_documents
from server.actions.conflict_log import note_clash, note_situation
from server.actions.edit_document import check_order
from server.actions.make_visit import make_visit
from server.actions.visit_work import settle
from server.extensions import db
from server.problems import FieldError, Problem, invalid, not_found
from server.store import documents
from server.store.models import Conflict, Synced, Visit
from server.store.queries import visits
from sync.change import Body, FieldRule, Json, Mutation, Status
from sync.clock import ClockOffset, corrected
from sync.merge import ENTRY_POLICIES, STAMPS, conservative, merge
from sync.states import PERFORMED, UNDER_WAY, fold


@dataclass(frozen=True, kw_only=True)
class Sender:
    """The tablet that pushes, and the technician who holds it."""

    company_id: str
    device_id: str
    technician_id: str
    name: str
    user_id: str | None


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What came of one mutation."""

    status: Status
    conflicts: list[Conflict] = field(default_factory=list)


@dataclass
class Push:
    """What all mutations of one push share: the clock, and what the device wrote before in the same push."""

    sender: Sender
    offset: ClockOffset
    now: datetime
    written: dict[str, Body] = field(default_factory=dict)
    kept: dict[str, documents.feed.Stored] = field(default_factory=dict)
    items: list[Synced] = field(default_factory=list)
    reached: dict[str, str] = field(default_factory=dict)
    master_wins: bool = False
    """Where both sides changed a value the server's stays and a person decides, whatever the field's policy."""

    def rules(self, schema: EntitySchema) -> Mapping[str, FieldRule]:
        """The rules that this push is merged by."""
        return conservative(schema.rules) if self.master_wins else schema.rules

    def look_up(self, mutations: Iterable[Mutation]) -> None:
        """Lock the documents of these mutations in id order, and read them, all at once."""
        ids: dict[str, set[str]] = {}
        for mutation in mutations:
            ids.setdefault(mutation.collection, set()).add(mutation.document_id)
        self.kept = documents.lock_all(self.sender.company_id, {one for some in ids.values() for one in some})
        for collection, some in ids.items():
            self.items += documents.load_all(self.sender.company_id, collection, some & self.kept.keys())

    def reach(self, document_id: str) -> str:
        """How the device stands to a document; scopes move at the commit, so it is asked for once in a push."""
        if document_id not in self.reached:
            sender = self.sender
            self.reached[document_id] = documents.reach(sender.company_id, sender.device_id, document_id)
        return self.reached[document_id]

    def version_after(self, mutation: Mutation) -> int:
        """The version that the mutation's document gets by this commit: one more if anything in it changed."""
        kept = self.kept.get(mutation.document_id)
        if kept is None:
            return 1
        item = documents.held(self.sender.company_id, mutation.collection, mutation.document_id)
        if item is None:
            return kept.version + (not kept.deleted)
        return kept.version + (kept.deleted or documents.current_body(item) != kept.body)


def apply(mutation: Mutation, push: Push) -> Applied:
    """Apply one checked mutation inside the open transaction. Raises Problem; then nothing of it has effect."""
    company_id = push.sender.company_id
    kept = push.kept.get(mutation.document_id)
    item = documents.held(company_id, mutation.collection, mutation.document_id)
    reach = push.reach(mutation.document_id) if kept is not None else "never"
    if mutation.op == "create" and item is None and (kept is None or (kept.deleted and reach != "never")):
        return _create(mutation, push)
    created_here = item is not None and kept is None
    if item is None or (reach == "never" and not created_here):
        if mutation.op == "create":
            raise Problem(409, "id-taken", field="document_id")
        raise not_found()
    if mutation.op == "delete":
        if reach == "late":
            raise not_found()
        device_documents.delete(mutation, item, kept)
        return Applied(status="applied")
    if kept is None:
        kept = documents.feed.Stored(version=0, body={}, field_versions={}, refs=frozenset(), deleted=False)
    return _update(mutation, push, item, kept, late=reach == "late")


def _create(mutation: Mutation, push: Push) -> Applied:
    schema = COLLECTIONS[mutation.collection]
    if not schema.device_may_create:
        raise Problem(403, "not-allowed-from-device", collection=mutation.collection)
    sender = push.sender
    if mutation.collection != Visit.collection:
        _refuse_unknown_references(mutation, push)
        device_documents.make(mutation, sender.company_id)
        return Applied(status="applied")
    facts = {name for name, rule in schema.rules.items() if rule.owner == "field"}
    values = {name: value for name, value in mutation.set.items() if name not in facts}
    try:
        check_order(schema.validated(values, required=True))
    except ValidationError as error:
        raise invalid(error.normalized_messages()) from error
    if push.reach(str(values["site_id"])) == "never":
        raise Problem(422, "unknown-reference", field="site_id")
    _refuse_unknown_references(mutation, push)
    item = make_visit(
        sender.company_id,
        values | {"assignee_id": sender.technician_id, "plan_state": "published"},
        visit_id=mutation.document_id,
        origin="technician",
        now=push.now,
    )
    # Neither the board nor a plan shows a visit without a time.
    item.planned_start = item.planned_start or corrected(mutation.made_at, push.offset, push.now)
    item.planned_end = item.planned_end or item.planned_start + timedelta(minutes=item.service_minutes)
    rest = Mutation(
        **(mutation.__dict__ | {"set": {name: value for name, value in mutation.set.items() if name in facts}})
    )
    empty = documents.feed.Stored(version=0, body={}, field_versions={}, refs=frozenset(), deleted=False)
    return _update(rest, push, item, empty, late=False)


def _update(mutation: Mutation, push: Push, item: Any, kept: documents.feed.Stored, *, late: bool) -> Applied:
    sender = push.sender
    schema = COLLECTIONS[mutation.collection]
    record = documents.record(item, kept)
    _refuse_unknown_references(mutation, push)
    seen = _seen(mutation, kept, sender)
    seen |= push.written.get(mutation.document_id, {})
    made_at = corrected(mutation.made_at, push.offset, push.now)

    def stamp(entry: Json) -> Json:
        moment = corrected(_moment(entry["at"]), push.offset, push.now)
        own = {name: value for name, value in entry.items() if name not in STAMPS}
        return own | {
            "by": sender.technician_id,
            "by_name": sender.name,
            "device_id": sender.device_id,
            "at_corrected": iso(moment),
        }

    def theirs_at(name: str) -> datetime | None:
        last = record.field_versions.get(name)
        writing = documents.writing(sender.company_id, record.id, last.version) if last else None
        return writing.at if writing else None

    merged = merge(record, mutation, push.rules(schema), base=seen, mine_at=made_at, theirs_at=theirs_at, stamp=stamp)
    documents.set_values(item, merged.body, merged.changed)
    push.written.setdefault(mutation.document_id, {}).update(
        {name: value for name, value in mutation.set.items() if schema.rules[name].policy not in ENTRY_POLICIES}
    )
    who = (sender.user_id, sender.name)
    conflicts = [
        note_clash(
            clash,
            mutation,
            record,
            company_id=sender.company_id,
            who=who,
            made_at=made_at,
            uncertainty_s=push.offset.uncertainty_s,
            now=push.now,
            late=late,
        )
        for clash in merged.clashes
    ]
    if isinstance(item, Visit):
        before = (item.exec_state, tuple(item.flags or ()))
        settle(item)
        conflicts += _situations(item, before, mutation, push, made_at, late=late, seen=seen)
    elif late and merged.changed and not merged.clashes:
        conflicts.append(_late_edit(mutation, push, made_at, record.body, merged.body, merged.changed))
    db.session.flush()
    return Applied(status=merged.status, conflicts=conflicts)


def _seen(mutation: Mutation, kept: documents.feed.Stored, sender: Sender) -> Body:
    if mutation.base_version == kept.version:
        return dict(kept.body)
    return documents.seen_by_device(
        sender.company_id, mutation.document_id, mutation.base_version, sender.device_id, mutation.n
    )


def _situations(
    visit: Visit,
    before: tuple[str, tuple[str, ...]],
    mutation: Mutation,
    push: Push,
    made_at: datetime,
    *,
    late: bool,
    seen: Body,
) -> list[Conflict]:
    common: dict[str, Any] = {
        "company_id": push.sender.company_id,
        "who": (push.sender.user_id, push.sender.name),
        "made_at": made_at,
        "now": push.now,
    }
    found: list[Conflict] = []
    moved = visit.exec_state != before[0] and visit.exec_state in PERFORMED | UNDER_WAY
    other = visit.assignee_id if visit.assignee_id != push.sender.technician_id else None
    if late and other and moved:
        name = visits.technician(visit.company_id, other)
        found.append(
            note_situation(
                mutation,
                kind="late",
                code="done-after-reassignment" if visit.exec_state in PERFORMED else "started-after-reassignment",
                field="assignee_id",
                base=seen.get("assignee_id") or push.sender.technician_id,
                mine=push.sender.technician_id,
                theirs=other,
                needs_person=True,
                params={"by": push.sender.name, "to": name.name if name else other},
                **common,
            )
        )
    fresh = set(visit.flags) - set(before[1])
    if "done_on_cancelled" in fresh:
        found.append(
            note_situation(
                mutation,
                kind="state",
                code="done-on-cancelled",
                field="plan_state",
                base=seen.get("plan_state"),
                mine=visit.exec_state,
                theirs=visit.plan_state,
                needs_person=True,
                params={"by": push.sender.name},
                **common,
            )
        )
    if "double_visit" in fresh:
        found.append(
            note_situation(
                mutation,
                kind="state",
                code="double-visit",
                field="events",
                base=None,
                mine=push.sender.technician_id,
                theirs=next((one for one in fold(visit.events).starters if one != push.sender.technician_id), None),
                needs_person=True,
                params={"by": push.sender.name},
                **common,
            )
        )
    return found


def _late_edit(
    mutation: Mutation, push: Push, made_at: datetime, before: Body, after: Body, changed: frozenset[str]
) -> Conflict:
    name = sorted(changed)[0]
    return note_situation(
        mutation,
        company_id=push.sender.company_id,
        who=(push.sender.user_id, push.sender.name),
        made_at=made_at,
        now=push.now,
        kind="late",
        code="late-edit",
        field=name,
        base=before.get(name),
        mine=after.get(name),
        theirs=before.get(name),
        needs_person=False,
    )


def _refuse_unknown_references(mutation: Mutation, push: Push) -> None:
    """Raise Problem `unknown-reference` when a value or an entry names what was never in the tablet's scopes."""
    schema = COLLECTIONS[mutation.collection]
    named: list[tuple[str, Json]] = []
    for name, value in [*mutation.set.items(), *mutation.add.items()]:
        field = schema.fields[name]
        if isinstance(field, EntryList):
            named += [
                (f"{name}.{at}.{ref}", entry.get(ref)) for at, entry in enumerate(value or ()) for ref in field.refs
            ]
        elif field.metadata.get("ref") and schema.rules[name].owner == "shared":
            named += [(name, one) for one in (value if isinstance(value, list) else [value])]
    for path, document_id in named:
        if document_id and push.reach(document_id) == "never":
            raise Problem(422, "unknown-reference", errors=(FieldError(field=path, code="unknown-reference"),))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
