"""A tablet's push: everything it sends is kept, each mutation has its effect once, a bad one blocks no other.

1. Read each mutation on its own, before anything is locked. 2. Lock the device, measure its clock; what was seen before
gets its stored result. 3. Judge the fresh ones in the device's order, in memory: what is refused leaves nothing behind.
4. Write all that came of them behind one savepoint; when the database refuses any of it, each (or each group) again by
itself behind its own. 5. Store every mutation with its result, what could not be read too. All of it commits together
with the documents and the feed.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marshmallow import ValidationError

from schemas.entities.base import iso
from schemas.json_limits import json_text, unstorable
from schemas.push import quick_mutation, read_mutation
from server.actions import apply_mutation
from server.actions.apply_mutation import Applied
from server.actions.contact import Contact, note_contact, note_numbers
from server.actions.device_notices import for_tablet, note, numbers_of
from server.actions.drafts import Drafts, Sender
from server.actions.renew_token import is_due
from server.extensions import db
from server.problems import FieldError, Problem, invalid
from server.store import documents, failures, news
from server.store.models import Conflict
from server.store.queries import devices, fleet
from server.store.transaction import transactional
from sync import change
from sync.change import same
from sync.clock import corrected, uncertainty
from sync.ordering import Sorted, sort_push

Result = dict[str, Any]
Judged = tuple[change.Mutation, Result]

MOST_ERRORS = 20
"""So many wrong fields of one mutation are named."""

MOST_GAPS = 1000
"""So many missing numbers are named at once; a wild number must not make the list as long as itself."""

log = logging.getLogger(__name__)


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
    can be used; `problem` says why it cannot be read."""

    id: str
    raw: Any
    mutation: change.Mutation | None = None
    problem: Problem | None = None


def push_changes(
    sender: Sender,
    raw: Sequence[Any],
    *,
    contact: Contact,
    now: datetime,
    locale: str,
    master_wins: bool = False,
) -> Pushed:
    """Take a push of at most `MOST_MUTATIONS`; never raises for the content of a mutation.

    With `master_wins` a value that both sides changed stays as the server has it, and a person decides.
    """
    sent = [_read(item, sender.device_id) for item in raw]
    return _take(sender, sent, contact=contact, now=now, locale=locale, master_wins=master_wins)


@transactional
def _take(
    sender: Sender, sent: list[Sent], *, contact: Contact, now: datetime, locale: str, master_wins: bool
) -> Pushed:
    device = devices.lock_device(sender.company_id, sender.device_id)
    offset = note_contact(device, contact, now)

    sent, results = _known(sender, sent)
    first: dict[str, Sent] = {}
    for one in sent:
        first.setdefault(one.id, one)
    fresh = [one.mutation for one in first.values() if one.mutation is not None and one.id not in results]
    broken = [one for one in first.values() if one.problem is not None and one.id not in results]
    used = numbers_of(device)
    again = [m.n for m in fresh if not used.is_new(m.n)]
    numbers = devices.numbers_of(sender.company_id, sender.device_id, again) if again else {}
    order = sort_push(fresh, seen_ids=(), numbers=numbers)
    if order.forks:
        note(sender.company_id, sender.device_id, "fork", {"numbers": _forked(order)}, now)

    spoilt = {_group_of(one.raw) for one in broken} - {None}
    ruled_out = dict.fromkeys(order.forks, Problem(409, "number-taken", field="n"))
    for mutation in order.fresh:
        if mutation.group in spoilt:
            ruled_out.setdefault(mutation.id, Problem(409, "group-rejected"))

    def start() -> Drafts:
        push = Drafts(sender=sender, offset=offset, now=now, master_wins=master_wins)
        push.look_up(order.fresh)
        return push

    judged, push = _take_in(start, _groups(order.fresh), ruled_out, locale)
    journal = [_row(mutation, result, push) for mutation, result in judged]
    results |= {mutation.id: result for mutation, result in judged}
    for one in broken:
        results[one.id] = _rejected(_own_id(one.raw), _number(one) or None, _why(one), locale)
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
    notices = fleet.open_notices(sender.company_id, [sender.device_id])
    return Pushed(
        results=answers,
        gaps=used.named(MOST_GAPS),
        notices=for_tablet(notices, locale),
        renew_token=is_due(device, now),
    )


def _read(raw: Any, device_id: str) -> Sent:
    mutation = quick_mutation(raw, device_id)
    if mutation is not None:
        return Sent(id=mutation.id, raw=raw, mutation=mutation)
    mutation_id = _own_id(raw) or _made_id(raw, device_id)
    why = unstorable(raw)
    try:
        if why is not None:
            raise Problem(422, "invalid-fields", errors=(FieldError(field="mutation", code=why),))
        return Sent(id=mutation_id, raw=raw, mutation=read_mutation(raw, device_id))
    except ValidationError as error:
        return Sent(id=mutation_id, raw=raw, problem=_problem(error))
    except Problem as problem:
        return Sent(id=mutation_id, raw=raw, problem=problem)


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


def _groups(fresh: Sequence[change.Mutation]) -> list[list[change.Mutation]]:
    """Mutations in their order, the members of a group together where its first one stands."""
    groups: dict[str, list[change.Mutation]] = {}
    for mutation in fresh:
        groups.setdefault(f"group {mutation.group}" if mutation.group else mutation.id, []).append(mutation)
    return list(groups.values())


def _take_in(
    start: Callable[[], Drafts], groups: list[list[change.Mutation]], ruled_out: Mapping[str, Problem], locale: str
) -> tuple[list[Judged], Drafts]:
    """Judge and write all fresh mutations: at once, or one group after the other when the database refuses any."""
    push = start()
    judged = [one for members in groups for one in _judge(members, push, ruled_out, locale)]
    # What objects of the session say goes first: the savepoint is the connection's alone.
    db.session.flush()
    savepoint = db.session.connection().begin_nested()
    try:
        push.write()
        savepoint.commit()
    except failures.Refused as error:
        log.warning("the database refused something of a push, now one by one: %s", error)
        savepoint.rollback()
        push = start()
        judged = [one for members in groups for one in _judge_and_write(members, push, ruled_out, locale)]
    push.lay()
    return _with_versions(judged, push), push


def _judge(members: list[change.Mutation], push: Drafts, ruled_out: Mapping[str, Problem], locale: str) -> list[Judged]:
    """All members go into the drafts, or none: on a problem of one the others are taken back too."""
    answers: list[Judged] = []
    mark = push.mark(mutation.document_id for mutation in members)
    for mutation in members:
        try:
            if mutation.id in ruled_out:
                raise ruled_out[mutation.id]
            applied = apply_mutation.apply(mutation, push)
        except Problem as problem:
            found = problem
        except failures.Database:
            raise
        except Exception:
            log.exception("mutation %s could not be judged", mutation.id)
            found = Problem(500, "server-error")
        else:
            answers.append((mutation, _result(mutation, applied)))
            continue
        push.back(mark)
        return _all_rejected(members, mutation, found, locale)
    return answers


def _judge_and_write(
    members: list[change.Mutation], push: Drafts, ruled_out: Mapping[str, Problem], locale: str
) -> list[Judged]:
    """The same, and into the documents' tables behind a savepoint."""
    mark = push.mark(mutation.document_id for mutation in members)
    savepoint = db.session.connection().begin_nested()
    answers = _judge(members, push, ruled_out, locale)
    try:
        push.write()
        savepoint.commit()
    except failures.Refused as error:
        log.warning("the database refused mutation %s: %s", members[0].id, error)
        savepoint.rollback()
        push.back(mark)
        return _all_rejected(members, members[0], Problem(409, "conflict"), locale)
    return answers


def _all_rejected(
    members: list[change.Mutation], guilty: change.Mutation, problem: Problem, locale: str
) -> list[Judged]:
    others = Problem(409, "group-rejected")
    return [(m, _rejected(m.id, m.n, problem if m is guilty else others, locale)) for m in members]


def _result(mutation: change.Mutation, applied: Applied) -> Result:
    return {
        "id": mutation.id,
        "n": mutation.n,
        "status": applied.status,
        "version": None,
        "conflicts": [conflict_brief(conflict) for conflict in applied.conflicts],
        "problem": None,
    }


def _is_late(conflict: Conflict) -> bool:
    """Whether the document had left the tablet: then what others wrote in it since is not for the tablet to read."""
    return bool(conflict.reason and conflict.reason["params"].get("late"))


def conflict_brief(conflict: Conflict) -> dict[str, Any]:
    """A clash as the tablet that caused it hears of it."""
    return {
        "id": conflict.id,
        "field": conflict.field,
        "kind": conflict.kind,
        "class": conflict.clash_class,
        "base": conflict.base,
        "mine": conflict.mine,
        "theirs": None if _is_late(conflict) else conflict.theirs,
        "chosen": conflict.chosen,
        "code": conflict.reason["code"] if conflict.reason else None,
    }


def _rejected(mutation_id: str | None, n: int | None, problem: Problem, locale: str) -> Result:
    return {
        "id": mutation_id,
        "n": n,
        "status": "rejected",
        "version": None,
        "conflicts": [],
        "problem": problem.body(locale),
    }


def _with_versions(judged: list[Judged], push: Drafts) -> list[Judged]:
    """The results with the version that each document has after this commit."""
    for mutation, result in judged:
        if result["status"] != "rejected":
            result["version"] = push.drafts[mutation.document_id].version
    return judged


def _row(mutation: change.Mutation, result: Result, push: Drafts) -> devices.JournalRow:
    payload = _payload(mutation)
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
        "made_at_corrected": iso(corrected(mutation.made_at, push.offset, push.now)),
        "uncertainty_s": uncertainty(mutation.made_at, push.offset, push.now),
        "received_at": push.now,
    }


def _payload(mutation: change.Mutation) -> dict[str, Any]:
    return {
        "op": mutation.op,
        "base_version": mutation.base_version,
        "set": mutation.set,
        "add": mutation.add,
        "remove": mutation.remove,
        "group": mutation.group,
        "made_at": iso(mutation.made_at),
    }


def _kept(one: Sent) -> dict[str, Any]:
    """What the journal keeps of a mutation: its patch, or as it came when it cannot be read."""
    if one.mutation is not None:
        return _payload(one.mutation)
    return {"raw_text": json_text(one.raw)} if unstorable(one.raw) else {"raw": one.raw}


def _number(one: Sent) -> int:
    """The number of a mutation, readable or not; 0 when it has none that can be used."""
    n = one.raw.get("n") if isinstance(one.raw, dict) else None
    return n if isinstance(n, int) and not isinstance(n, bool) and 0 < n < 2**31 else 0


def _forked(order: Sorted) -> list[int]:
    return [m.n for m in order.fresh if m.id in order.forks][:10]


def _quarantined(one: Sent, result: Result, push: Drafts) -> devices.JournalRow:
    """What could not be read, as it came, so that the office can look at it."""
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
        "status": "rejected",
        "result": result,
        "received_at": push.now,
    }


def _why(one: Sent) -> Problem:
    assert one.problem is not None
    return one.problem


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
