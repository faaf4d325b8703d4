"""One mutation of a tablet, judged and merged into the drafts of its push; raises Problem for what cannot be taken."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from marshmallow import ValidationError

from schemas.entities import COLLECTIONS
from schemas.entities.base import iso, parse_instant
from server.actions import device_documents
from server.actions.conflict_log import note_clash, note_situation
from server.actions.decide_coverage import decide_again
from server.actions.drafts import Draft, Drafts, Sender, named_by
from server.actions.edit_document import check_order
from server.actions.make_visit import new_visit
from server.actions.tablet_conflicts import settle_by_edit
from server.actions.visit_work import settled
from server.problems import FieldError, Problem, invalid, not_found
from server.store import documents
from server.store.documents import Writing
from server.store.models import Conflict
from server.store.queries import visits
from sync.change import Body, Json, Mutation, Status
from sync.clock import corrected
from sync.merge import ENTRY_POLICIES, STAMPS, merge
from sync.states import PERFORMED, UNDER_WAY, fold

__all__ = ["Applied", "Sender", "apply"]

VISIT = "visit"


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What came of one mutation."""

    status: Status
    conflicts: list[Conflict] = field(default_factory=list)


def apply(mutation: Mutation, push: Drafts) -> Applied:
    """Merge one checked mutation into the drafts. Raises Problem; then the caller takes the drafts back."""
    draft = push.find(mutation.collection, mutation.document_id)
    kept = push.kept.get(mutation.document_id)
    reach = push.reach(mutation.document_id) if kept is not None else "never"
    again = kept is None or (kept.deleted and reach != "never")
    if mutation.op == "create" and again and mutation.document_id not in push.drafts:
        return _create(mutation, push)
    created_here = draft is not None and kept is None
    if draft is None or (reach == "never" and not created_here):
        if mutation.op == "create":
            raise Problem(409, "id-taken", field="document_id")
        raise not_found()
    if mutation.op == "delete":
        if reach == "late":
            raise not_found()
        device_documents.delete(mutation, push, draft)
        return Applied(status="applied")
    done = _update(mutation, push, draft, late=reach == "late")
    if mutation.resolves is not None:
        settle_by_edit(mutation, push)
    return done


def _create(mutation: Mutation, push: Drafts) -> Applied:
    schema = COLLECTIONS[mutation.collection]
    if not schema.device_may_create:
        raise Problem(403, "not-allowed-from-device", collection=mutation.collection)
    if documents.is_content_id(mutation.document_id):
        raise Problem(409, "id-taken", field="document_id")
    if mutation.collection != VISIT:
        _refuse_unknown_references(mutation, push)
        device_documents.make(mutation, push)
        return Applied(status="applied")
    facts = {name: value for name, value in mutation.set.items() if schema.rules[name].owner == "field"}
    values = {name: value for name, value in mutation.set.items() if name not in facts}
    try:
        schema.complete(values)
        check_order(values)
    except ValidationError as error:
        raise invalid(error.normalized_messages()) from error
    if push.reach(str(values["site_id"])) == "never":
        raise Problem(422, "unknown-reference", field="site_id")
    _refuse_unknown_references(mutation, push)
    made = new_visit(
        push.agreed,
        values | {"assignee_id": push.sender.technician_id, "plan_state": "published"},
        visit_id=mutation.document_id,
        origin="technician",
        now=push.now,
    )
    # Neither the board nor a plan shows a visit without a time.
    start = parse_instant(made.body["planned_start"]) or push.moments[mutation.id]
    end = parse_instant(made.body["planned_end"]) or start + timedelta(minutes=made.body["service_minutes"])
    body = made.body | {"planned_start": iso(start), "planned_end": iso(end)}
    kept = push.kept.get(mutation.document_id)
    draft = Draft(collection=VISIT, id=mutation.document_id, kept=kept, body=body, beside=made.beside, new=True)
    return _update(replace(mutation, set=facts), push, draft, late=False)


def _update(mutation: Mutation, push: Drafts, draft: Draft, *, late: bool) -> Applied:
    schema = COLLECTIONS[mutation.collection]
    _refuse_unknown_references(mutation, push)
    record = documents.record(draft.id, draft.body, draft.before, draft.collection)
    seen = _seen(mutation, push, draft)
    made_at = push.moments[mutation.id]

    def their_writing(name: str) -> Writing | None:
        last = record.field_versions.get(name)
        return documents.writing(push.sender.company_id, record.id, last.version) if last else None

    def theirs_at(name: str) -> datetime | None:
        last = record.field_versions.get(name)
        return documents.made_at(push.sender.company_id, record.id, last.version, name) if last else None

    merged = merge(
        record,
        mutation,
        push.rules(schema),
        base=seen,
        mine_at=made_at,
        theirs_at=theirs_at,
        stamp=lambda entry: _stamped(entry, mutation, push),
    )
    push.written.setdefault(draft.id, {}).update(
        {name: value for name, value in mutation.set.items() if schema.rules[name].policy not in ENTRY_POLICIES}
    )
    found = [
        note_clash(
            clash,
            mutation,
            company_id=push.sender.company_id,
            who=(push.sender.user_id, push.sender.name),
            theirs=their_writing(clash.field),
            made_at=made_at,
            uncertainty_s=push.offset.uncertainty_s,
            apart_since=push.apart_since(made_at),
            now=push.now,
            late=late,
        )
        for clash in merged.clashes
    ]
    push.conflicts += found
    body = merged.body
    move = _Move(mutation, push, draft, body, made_at, late, seen)
    if draft.collection == VISIT:
        body |= settled(body)
        draft = _decided_again(push, draft, body)
        _keep_readings(push, draft, body)
        found += _situations(move)
    elif late and merged.changed and not merged.clashes:
        found.append(_late_edit(move, merged.changed))
    push.put(draft, body, mutation)
    return Applied(status=merged.status, conflicts=found)


def _decided_again(push: Drafts, draft: Draft, body: Body) -> Draft:
    """Decide the visit's coverage once more in its body when the work shows something else than it rests on."""
    again = decide_again(body, draft.beside["customer_id"], draft.beside["coverage_basis"], push.agreed)
    if again is None:
        return draft
    body["coverage_id"] = again.coverage_id
    return replace(draft, beside=draft.beside | {"coverage_basis": again.basis})


def _stamped(entry: Json, mutation: Mutation, push: Drafts) -> Json:
    """An entry with what the server knows of it."""
    at = datetime.fromisoformat(entry["at"])
    moment = push.moments[mutation.id] if at == mutation.made_at else corrected(at, push.offset, push.now)
    own = {name: value for name, value in entry.items() if name not in STAMPS}
    return own | {
        "by": push.sender.technician_id,
        "by_name": push.sender.name,
        "device_id": push.sender.device_id,
        "at_corrected": iso(moment),
    }


def _seen(mutation: Mutation, push: Drafts, draft: Draft) -> Body:
    """The document as the device had it before this edit, its own edits of before in it."""
    sender, kept = push.sender, draft.before
    if kept is None:
        seen: Body = {}
    elif mutation.base_version == kept.version:
        seen = kept.body
    else:
        seen = documents.seen_by_device(
            sender.company_id,
            mutation.collection,
            mutation.document_id,
            mutation.base_version,
            sender.device_id,
            mutation.n,
        )
    return seen | push.written.get(draft.id, {})


def _keep_readings(push: Drafts, draft: Draft, body: Body) -> None:
    there = {entry["id"] for entry in draft.body["readings"]}
    push.readings += [(draft.id, entry) for entry in body["readings"] if entry["id"] not in there]


@dataclass(frozen=True)
class _Move:
    """A visit before and after one mutation."""

    mutation: Mutation
    push: Drafts
    draft: Draft
    body: Body
    made_at: datetime
    late: bool
    seen: Body

    def note(self, name: str, kind: str, code: str, mine: Json, **values: Any) -> Conflict:
        """A situation; what goes on from one event to the next (begun, then done) is one entry, told as it stands."""
        push = self.push
        reason = {"code": code, "params": values.pop("params")}
        going_on = push.open_situation(self.mutation, kind, name)
        if going_on is not None:
            return push.revise(going_on, mine=mine, value=mine, reason=reason)
        kept = self.draft.before
        last = kept.field_versions.get(name) if kept else None
        found = note_situation(
            self.mutation,
            company_id=push.sender.company_id,
            who=(push.sender.user_id, push.sender.name),
            theirs_by=documents.writing(push.sender.company_id, self.draft.id, last[0]) if last else None,
            made_at=self.made_at,
            apart_since=push.apart_since(self.made_at),
            now=push.now,
            field=name,
            kind=kind,
            mine=mine,
            **reason,
            **values,
        )
        push.conflicts.append(found)
        return found


def _situations(move: _Move) -> list[Conflict]:
    """What the two state machines show that no field does."""
    push, before, after = move.push, move.draft.body, move.body
    sender = push.sender
    found: list[Conflict] = []
    moved = after["exec_state"] != before["exec_state"] and after["exec_state"] in PERFORMED | UNDER_WAY
    other = after["assignee_id"] if after["assignee_id"] != sender.technician_id else None
    if move.late and other and moved:
        named = visits.technician(sender.company_id, other)
        found.append(
            move.note(
                "assignee_id",
                kind="late",
                code="done-after-reassignment" if after["exec_state"] in PERFORMED else "started-after-reassignment",
                base=move.seen.get("assignee_id") or sender.technician_id,
                mine=sender.technician_id,
                theirs=other,
                needs_person=True,
                params={"by": sender.name, "to": named.name if named else other},
            )
        )
    fresh = set(after["flags"]) - set(before["flags"])
    if "done_on_cancelled" in fresh:
        found.append(
            move.note(
                "plan_state",
                kind="state",
                code="done-on-cancelled",
                base=move.seen.get("plan_state"),
                mine=after["exec_state"],
                theirs=after["plan_state"],
                needs_person=True,
                params={"by": sender.name},
            )
        )
    if "double_visit" in fresh:
        starters = fold(after["events"]).starters
        found.append(
            move.note(
                "events",
                kind="state",
                code="double-visit",
                base=None,
                mine=sender.technician_id,
                theirs=next((one for one in starters if one != sender.technician_id), None),
                needs_person=True,
                params={"by": sender.name},
            )
        )
    if before["exec_state"] == "closed":
        found += _amendments(move)
    return found


def _amendments(move: _Move) -> list[Conflict]:
    """What comes to a visit that the office has closed: it stands, and somebody looks whether the act holds still."""
    before, after, rules = move.draft.body, move.body, COLLECTIONS[VISIT].rules
    facts = [name for name, rule in rules.items() if rule.owner == "field" and name != "events"]
    return [
        move.note(
            name,
            kind="state",
            code="amended-after-close",
            base=None,
            mine=after[name],
            theirs=before[name],
            needs_person=True,
            params={"by": move.push.sender.name},
        )
        for name in facts
        if after[name] != before[name]
    ]


def _late_edit(move: _Move, changed: frozenset[str]) -> Conflict:
    """An edit of what had left the tablet by then: it stands, and the office can see that it came late."""
    name = sorted(changed)[0]
    before, after = move.draft.body.get(name), move.body.get(name)
    return move.note(
        name, kind="late", code="late-edit", base=before, mine=after, theirs=before, needs_person=False, params={}
    )


def _refuse_unknown_references(mutation: Mutation, push: Drafts) -> None:
    """Raise Problem `unknown-reference` when a value or an entry names what was never in the tablet's scopes."""
    for path, document_id in named_by(mutation):
        if push.reach(document_id) == "never":
            raise Problem(422, "unknown-reference", errors=(FieldError(field=path, code="unknown-reference"),))
