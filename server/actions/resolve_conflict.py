"""A person settles a clash, or takes that back. Both are ordinary writes: they sync like any other."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import uuid4

from marshmallow import ValidationError

from schemas.entities import COLLECTIONS
from server.actions.edit_document import edit_document
from server.actions.visit_work import settle
from server.extensions import db
from server.problems import FieldError, Problem, invalid, not_found
from server.store import documents
from server.store.models import Conflict, Synced, Visit
from server.store.queries import conflicts, visits
from server.store.transaction import transactional
from sync.change import Json, same
from sync.merge import ENTRY_POLICIES


@transactional
def resolve(
    company_id: str, conflict_id: str, choice: str, value: Json, *, user_id: str | None, now: datetime
) -> Conflict:
    """Let `mine`, `theirs` or a third `value` stand. Raises Problem: `not-found`, `already-resolved`, `invalid-fields`.

    Of work on a visit that had gone to somebody else it is settled whose visit it is: `mine` gives it to who did it. A
    clash that is no value of a field (work on a cancelled visit, two who started) is acknowledged.
    """
    conflict = _locked(company_id, conflict_id)
    if conflict.state == "resolved":
        raise Problem(409, "already-resolved")
    item = documents.load(company_id, conflict.collection, conflict.document_id)
    if item is None:
        raise not_found()
    before = documents.current_body(item)
    wanted = {"mine": conflict.mine, "theirs": conflict.theirs, "value": value}[choice]
    written = _write(item, conflict, wanted, choice, now)
    after = documents.current_body(item)
    conflict.resolution = {
        "choice": choice,
        "value": wanted,
        "before": before.get(conflict.field),
        "written": written,
        "changed": {
            name: [before.get(name), after[name]]
            for name, rule in COLLECTIONS[conflict.collection].rules.items()
            if rule.owner != "server" and not same(before.get(name), after[name])
        },
        "was": conflict.state,
    }
    conflict.state = "resolved"
    conflict.resolved_by = user_id
    conflict.resolved_at = now
    return conflict


@transactional
def undo(company_id: str, conflict_id: str, *, now: datetime) -> Conflict:
    """Take a resolution back: all that it changed stands as before and the clash is as open as it was.

    Raises Problem: `not-found`, `not-resolved`, `conflict` when somebody has changed one of the fields since, whose
    work an undo would erase, and what `edit_document` raises when the values of before are not legal any more.
    """
    conflict = _locked(company_id, conflict_id)
    if conflict.state != "resolved" or conflict.resolution is None:
        raise Problem(409, "not-resolved")
    item = documents.load(company_id, conflict.collection, conflict.document_id)
    if item is None:
        raise not_found()
    facts = ("assignee_id",) if _is_whose_work(conflict) else ()
    _take_back(item, conflict.resolution["changed"], now, facts=facts)
    conflict.state = conflict.resolution["was"]
    conflict.resolution = None
    conflict.resolved_by = None
    conflict.resolved_at = None
    return conflict


@transactional
def accept_defaults(company_id: str, ids: list[str], *, user_id: str | None, now: datetime) -> list[Conflict]:
    """Leave each of these open clashes as its rule decided; those that are settled already are left out."""
    lock_clashes(company_id, ids)
    done = []
    for conflict_id in sorted(set(ids)):
        conflict = conflicts.lock(company_id, conflict_id)
        if conflict is None or conflict.state != "open":
            continue
        if _is_whose_work(conflict):
            resolve(company_id, conflict_id, conflict.chosen, conflict.value, user_id=user_id, now=now)
            done.append(conflict)
            continue
        conflict.resolution = {
            "choice": conflict.chosen,
            "value": conflict.value,
            "before": conflict.value,
            "written": False,
            "changed": {},
            "was": "open",
        }
        conflict.state = "resolved"
        conflict.resolved_by = user_id
        conflict.resolved_at = now
        done.append(conflict)
    return done


def lock_clashes(company_id: str, ids: Collection[str]) -> dict[str, int]:
    """Lock clashes and then their documents until the commit, each in id order; the documents' versions by id.

    Who settles several at once does it before the first, so that two who do never wait in a circle.
    """
    about = {one.document_id for one in conflicts.lock_all(company_id, ids).values()}
    return {document_id: kept.version for document_id, kept in documents.lock_all(company_id, about).items()}


def _locked(company_id: str, conflict_id: str) -> Conflict:
    conflict = conflicts.lock(company_id, conflict_id)
    if conflict is None:
        raise not_found()
    documents.lock(company_id, conflict.document_id)
    return conflict


def _write(item: Synced, conflict: Conflict, wanted: Json, choice: str, now: datetime) -> bool:
    """Put the wanted value on the document if that is a change; whether it was written."""
    schema = COLLECTIONS[item.collection]
    rule = schema.rules[conflict.field]
    if _is_whose_work(conflict) and isinstance(item, Visit):
        return _give_to_performer(item, wanted)
    if rule.owner == "server" or conflict.kind in ("late", "state"):
        return False
    if rule.policy in ENTRY_POLICIES:
        return choice == "mine" and _restore_entry(item, conflict)
    try:
        checked = schema.validated({conflict.field: wanted})
    except ValidationError as error:
        raise invalid(error.normalized_messages()) from error
    if same(documents.current_body(item).get(conflict.field), checked[conflict.field]):
        return False
    if rule.owner == "field":
        documents.set_values(item, checked, checked)
    else:
        # What one side wrote, or the rule made of both, was meant once; only a third value is a new wish.
        new = choice == "value" and not same(wanted, conflict.value)
        edit_document(item.company_id, conflict.collection, item.id, {conflict.field: wanted}, now=now, wishes=new)
    _settle(item)
    return True


def _is_whose_work(conflict: Conflict) -> bool:
    """Whether it is about work on a visit that had gone to somebody else: then what is settled is whose visit it is."""
    return conflict.kind == "late" and conflict.field == "assignee_id"


def _give_to_performer(visit: Visit, wanted: Json) -> bool:
    """The visit is his who works or has worked on it, begun or finished as it is; whether that was a change."""
    if not isinstance(wanted, str) or wanted == visit.assignee_id:
        return False
    if visits.technician(visit.company_id, wanted) is None:
        raise Problem(422, "unknown-reference", errors=(FieldError(field="value", code="unknown-reference"),))
    visit.assignee_id = wanted
    _settle(visit)
    return True


def _take_back(item: Synced, changed: dict[str, list[Json]], now: datetime, *, facts: Collection[str] = ()) -> None:
    """Set what a resolution changed to what it was, the office's fields through the office's checks."""
    body = documents.current_body(item)
    for name, (_, after) in changed.items():
        if not same(body.get(name), after):
            raise Problem(409, "conflict", field=name)
    rules = COLLECTIONS[item.collection].rules
    own = {name: before for name, (before, _) in changed.items() if rules[name].owner == "field" or name in facts}
    others = {name: before for name, (before, _) in changed.items() if name not in own}
    documents.set_values(item, own, own)
    if others:
        edit_document(item.company_id, item.collection, item.id, others, now=now, wishes=False)
    _settle(item)


def _restore_entry(item: Synced, conflict: Conflict) -> bool:
    """An entry is never changed: the refused one comes in beside the other under an id of its own."""
    if not isinstance(conflict.mine, dict):
        return False
    entry: dict[str, Any] = conflict.mine | {"id": str(uuid4()), "by_name": conflict.mine_by}
    setattr(item, conflict.field, [*getattr(item, conflict.field), entry])
    _settle(item)
    return True


def _settle(item: Synced) -> None:
    if isinstance(item, Visit):
        settle(item)
    db.session.flush()
