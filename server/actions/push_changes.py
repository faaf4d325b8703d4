"""A tablet's push: everything it sends is kept, each mutation has its effect once, a bad one blocks no other.

1. Read each mutation on its own, before anything is locked. 2. Lock the device, measure its clock; what was seen before
gets its stored result. 3. Judge the fresh ones in the device's order, in memory: what is refused leaves nothing behind.
4. Write all that came of them behind one savepoint; when the database refuses any of it, each (or each group) again by
itself behind its own. 5. Store every mutation with its result, what could not be read too. All of it commits together
with the documents and the feed.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from marshmallow import ValidationError

from schemas import contract, newer
from schemas.entities.base import iso
from schemas.json_limits import json_text, unstorable
from schemas.push import quick_mutation, read_mutation
from server.actions.contact import Contact, note_contact, note_numbers
from server.actions.device_notices import for_tablet, note, numbers_of
from server.actions.drafts import Drafts, Sender
from server.actions.judge_push import Result, in_groups, rejected, take_in
from server.actions.renew_token import is_due, refuse_ended
from server.extensions import db
from server.problems import FieldError, Problem, invalid
from server.store import documents, news
from server.store.queries import devices, fleet
from server.store.transaction import transactional
from sync import change
from sync.change import same
from sync.clock import uncertainty
from sync.ordering import Sorted, sort_push

MOST_ERRORS = 20
"""So many wrong fields of one mutation are named."""

MOST_GAPS = 1000
"""So many missing numbers are named at once; a wild number must not make the list as long as itself."""


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """Results in the order of the push, the mutation numbers that never came, and what the tablet must be told."""

    results: list[Result]
    gaps: tuple[int, ...]
    notices: list[dict[str, Any]]
    renew_token: bool


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One mutation as it came: `id` is its own, or one made of the device and the content when it has none that
    can be used; `problem` says why it cannot be read, `aside` what of it only a newer server knows."""

    id: str
    raw: Any
    mutation: change.Mutation | None = None
    problem: Problem | None = None
    aside: newer.Aside = field(default_factory=dict)

    @property
    def held(self) -> bool:
        """Whether all of it waits for a newer server."""
        return self.mutation is None and self.problem is None


def push_changes(
    sender: Sender,
    raw: Sequence[Any],
    *,
    contact: Contact,
    now: datetime,
    locale: str,
    master_wins: bool = False,
    salvaged: bool = False,
) -> Pushed:
    """Take a push, however long; never raises for the content of a mutation. One transaction takes one push.

    Raises AccessEnded when the tablet's access has ended meanwhile, unless the push is `salvaged`: a person let it in.
    With `master_wins` a value that both sides changed stays as the server has it, and a person decides.
    """
    newer_app = (contact.schema_version or sender.schema_version) > contract.SCHEMA_VERSION
    sent = _hold_together([_read(item, sender.device_id, newer_app=newer_app) for item in raw])
    return _take(sender, sent, contact=contact, now=now, locale=locale, master_wins=master_wins, salvaged=salvaged)


@transactional
def _take(
    sender: Sender,
    sent: list[Sent],
    *,
    contact: Contact,
    now: datetime,
    locale: str,
    master_wins: bool,
    salvaged: bool,
) -> Pushed:
    device = devices.lock_device(sender.company_id, sender.device_id)
    if not salvaged:
        refuse_ended(device)
    contacts = [at for at in (device.silent_since, device.last_seen_at) if at is not None]
    offset = note_contact(device, contact, now)

    sent, results = _known(sender, sent)
    first: dict[str, Sent] = {}
    for one in sent:
        first.setdefault(one.id, one)
    fresh = [one.mutation for one in first.values() if one.mutation is not None and one.id not in results]
    broken = [one for one in first.values() if one.mutation is None and one.id not in results]
    used = numbers_of(device)
    again = [m.n for m in fresh if not used.is_new(m.n)]
    numbers = devices.numbers_of(sender.company_id, sender.device_id, again) if again else {}
    order = sort_push(fresh, seen_ids=(), numbers=numbers)
    if order.forks:
        note(sender.company_id, sender.device_id, "fork", {"numbers": _forked(order)}, now)

    spoilt = {_group_of(one.raw) for one in broken if not one.held} - {None}
    ruled_out = dict.fromkeys(order.forks, Problem(409, "number-taken", field="n"))
    for mutation in order.fresh:
        if mutation.group in spoilt:
            ruled_out.setdefault(mutation.id, Problem(409, "group-rejected"))

    def start() -> Drafts:
        push = Drafts(sender=sender, offset=offset, now=now, master_wins=master_wins, contacts=contacts)
        push.look_up(order.fresh)
        return push

    judged, push = take_in(start, in_groups(order.fresh), ruled_out, locale)
    journal = []
    for mutation, result in judged:
        row = _row(mutation, result, push)
        if (aside := first[mutation.id].aside) and result["status"] != "rejected":
            result["kept_aside"] = newer.names(aside)
            row["aside"] = aside
        journal.append(row)
        results[mutation.id] = result
    for one in broken:
        results[one.id] = _unread(one, locale)
        journal.append(_quarantined(one, results[one.id], push))
    devices.keep_mutations(journal)
    if journal:
        news.note_for_office(sender.company_id)
    # A push that came late and says nothing new says nothing new of the tablet either.
    fresh_told = contact.told if fresh or broken or not sent else None
    used = note_numbers(device, [_number(one) for one in sent], fresh_told, now)
    db.session.flush()
    told: set[str] = set()
    answers = []
    for one in sent:
        answers.append(results[one.id] | ({"status": "duplicate"} if one.id in told else {}))
        told.add(one.id)
    notices = fleet.open_notices_of(sender.company_id, sender.device_id)
    return Pushed(
        results=answers,
        gaps=used.named(MOST_GAPS),
        notices=for_tablet(notices, locale),
        renew_token=is_due(device, now),
    )


def _read(raw: Any, device_id: str, *, newer_app: bool) -> Sent:
    mutation = quick_mutation(raw, device_id)
    if mutation is not None:
        return Sent(id=mutation.id, raw=raw, mutation=mutation)
    own = _own_id(raw)
    mutation_id = own or _made_id(raw, device_id)
    if unstorable(raw):
        wrong = FieldError(field="mutation", code=str(unstorable(raw)))
        return Sent(id=mutation_id, raw=raw, problem=Problem(422, "invalid-fields", errors=(wrong,)))
    known, aside = newer.take_apart(raw) if newer_app else (raw, {})
    if own and aside and ("whole" in aside or newer.says_nothing(known)):
        return Sent(id=mutation_id, raw=raw, aside={"whole": raw})
    try:
        return Sent(id=mutation_id, raw=raw, mutation=read_mutation(known, device_id), aside=aside)
    except ValidationError as error:
        return Sent(id=mutation_id, raw=raw, problem=_problem(error))


def _hold_together(sent: list[Sent]) -> list[Sent]:
    """A group takes effect whole or not at all: when one of its members waits for a newer server all of them do."""
    held = {_group_of(one.raw) for one in sent if one.held} - {None}
    if not held:
        return sent
    return [
        replace(one, mutation=None, problem=None, aside={"whole": one.raw}) if _group_of(one.raw) in held else one
        for one in sent
    ]


def _known(sender: Sender, sent: list[Sent]) -> tuple[list[Sent], dict[str, Result]]:
    """What was sent, with the stored results of what came before; an id that is another's is refused.

    What the same technician sent from a tablet that was enrolled before is theirs: sent again, it is known.
    """
    known = devices.mutations(sender.company_id, [one.id for one in sent])
    elsewhere = {mutation_id: row for mutation_id, row in known.items() if row.device_id != sender.device_id}
    if elsewhere:
        holders = devices.technicians_of(sender.company_id, {row.device_id for row in elsewhere.values()})
        foreign = {
            one.id
            for one in sent
            if (row := elsewhere.get(one.id)) is not None
            and (holders[row.device_id] != sender.technician_id or not same(_kept(one), row.payload))
        }
        taken = Problem(409, "id-taken", field="id")
        sent = [
            Sent(id=_made_id(one.raw, sender.device_id), raw=one.raw, problem=taken) if one.id in foreign else one
            for one in sent
        ]
        known = devices.mutations(sender.company_id, [one.id for one in sent])
    return sent, {one.id: known[one.id].result | {"repeated": True} for one in sent if one.id in known}


def _row(mutation: change.Mutation, result: Result, push: Drafts) -> devices.JournalRow:
    payload = payload_of(mutation)
    return {
        "company_id": push.sender.company_id,
        "id": mutation.id,
        "device_id": push.sender.device_id,
        "n": mutation.n,
        "user_id": push.sender.user_id,
        "collection": mutation.collection,
        "document_id": mutation.document_id,
        "payload": payload,
        "status": result["status"],
        "result": result,
        "made_at": payload["made_at"],
        "made_at_corrected": iso(push.moments[mutation.id]),
        "uncertainty_s": uncertainty(mutation.made_at, push.offset, push.now),
        "received_at": push.now,
    }


def payload_of(mutation: change.Mutation) -> dict[str, Any]:
    """What the journal keeps of a mutation that could be read."""
    return {
        "op": mutation.op,
        "base_version": mutation.base_version,
        "set": mutation.set,
        "add": mutation.add,
        "remove": mutation.remove,
        "group": mutation.group,
        "made_at": iso(mutation.made_at),
    } | ({"resolves": mutation.resolves} if mutation.resolves else {})


def _kept(one: Sent) -> dict[str, Any]:
    """What the journal keeps of a mutation: its patch, or as it came when it cannot be read."""
    if one.mutation is not None:
        return payload_of(one.mutation)
    return {"raw_text": json_text(one.raw)} if unstorable(one.raw) else {"raw": one.raw}


def _number(one: Sent) -> int:
    """The number of a mutation, readable or not; 0 when it has none that can be used."""
    n = one.raw.get("n") if isinstance(one.raw, dict) else None
    return n if isinstance(n, int) and not isinstance(n, bool) and 0 < n < 2**31 else 0


def _forked(order: Sorted) -> list[int]:
    return [m.n for m in order.fresh if m.id in order.forks][:10]


def _quarantined(one: Sent, result: Result, push: Drafts) -> devices.JournalRow:
    """What could not be read, as it came: for the office to look at, or until a server comes that knows it."""
    collection = one.raw.get("collection") if isinstance(one.raw, dict) else None
    named = isinstance(collection, str) and not unstorable(collection)
    return {
        "company_id": push.sender.company_id,
        "id": one.id,
        "device_id": push.sender.device_id,
        "n": _number(one),
        "user_id": push.sender.user_id,
        "collection": str(collection)[:40] if named else "",
        "payload": _kept(one),
        "status": result["status"],
        "result": result,
        "aside": one.aside or None,
        "received_at": push.now,
    }


def _unread(one: Sent, locale: str) -> Result:
    """The result of what could not be read: rejected, or held until a server comes that knows it."""
    problem = one.problem or Problem(422, "newer-than-server")
    result = rejected(_own_id(one.raw), _number(one) or None, problem, locale)
    return result | ({"status": "held"} if one.held else {})


def _problem(error: ValidationError) -> Problem:
    messages = error.normalized_messages()
    if "unknown-collection" in messages.get("collection", []):
        return Problem(422, "unknown-collection", field="collection")
    return invalid(dict(list(messages.items())[:MOST_ERRORS]))


def _own_id(raw: Any) -> str | None:
    """The mutation's id in its one form, None when it has none."""
    sent = raw.get("id") if isinstance(raw, dict) else None
    try:
        return documents.canonical_id(sent) if isinstance(sent, str) else None
    except ValueError:
        return None


def _made_id(raw: Any, device_id: str) -> str:
    """An id of the device and the content, so that what has no id of its own is kept once however often it comes."""
    return str(uuid.uuid5(uuid.UUID(device_id), json_text(raw)))


def _group_of(raw: Any) -> str | None:
    group = raw.get("group") if isinstance(raw, dict) else None
    try:
        return documents.canonical_id(group) if isinstance(group, str) else None
    except ValueError:
        return None
