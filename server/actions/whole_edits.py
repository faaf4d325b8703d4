"""Edits of clients that send documents whole: each becomes mutations and goes through the same door as a tablet's.

An edit is one mutation where that is possible. What the server may refuse is a mutation of its own, so that one wrong
value does not hold back what else the person did in the document: a value of a wrong form, one that only the server
makes, a reference, the deletion.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from marshmallow import ValidationError

from schemas.entities import COLLECTIONS
from schemas.entities.base import iso
from schemas.json_limits import json_text, unstorable
from schemas.push import read_mutation
from server.actions.apply_mutation import Sender
from server.actions.contact import Contact
from server.actions.device_notices import numbers_of
from server.actions.judge_push import Result
from server.actions.push_changes import push_changes
from server.actions.renew_token import Ended, refuse_ended
from server.actions.salvage import keep_salvage
from server.store import documents
from server.store.queries import devices
from server.store.transaction import transactional
from sync.patches import Patch

Mutation = dict[str, Any]

EMPTY: tuple[Any, ...] = (None, "", [], {}, 0, False)
"""Values of a field that a client fills in because its own schema wants something there."""


@dataclass(frozen=True, kw_only=True)
class Edit:
    """What a person did to one document. `id` is of the device, the document and both its states."""

    id: str
    collection: str
    document_id: str
    base_version: int | None = None
    created: bool = False
    patch: Patch = field(default_factory=Patch)
    deleted: bool = False

    def __bool__(self) -> bool:
        return bool(self.created or self.patch or self.deleted)


@transactional
def push_edits(
    sender: Sender,
    edits: Sequence[Edit],
    *,
    contact: Contact,
    now: datetime,
    locale: str,
    master_wins: bool = False,
) -> dict[str, list[Result]]:
    """Push edits; for each edit's id the results of its mutations. An edit that came before has no effect again."""
    device = devices.lock_device(sender.company_id, sender.device_id)
    refuse_ended(device)
    mutations = {edit.id: as_mutations(edit, contact.device_time or now) for edit in edits}
    ids = [mutation["id"] for each in mutations.values() for mutation in each]
    known = devices.mutations(sender.company_id, ids)
    n = numbers_of(device).highest
    for each in mutations.values():
        for mutation in each:
            if mutation["id"] in known:
                mutation["n"] = max(known[mutation["id"]].n, 1)
            else:
                n += 1
                mutation["n"] = n
    raw = [mutation for each in mutations.values() for mutation in each]
    pushed = push_changes(sender, raw, contact=contact, now=now, locale=locale, master_wins=master_wins)
    results = iter(pushed.results)
    return {edit_id: [next(results) for _ in each] for edit_id, each in mutations.items()}


def keep_edits(sender: Sender, edits: Iterable[Edit], *, why: Ended, now: datetime) -> None:
    """Keep the edits of a device without access, as the push that they would have been, for a person to decide."""
    device = devices.device(sender.company_id, sender.device_id)
    assert device is not None
    # Whatever comes again is the same piece: its numbers and times are not those of the moment.
    ended_at = device.revoked_at or device.last_seen_at or device.enrolled_at
    mutations = [mutation for edit in edits if edit for mutation in as_mutations(edit, ended_at)]
    numbered = [mutation | {"n": n} for n, mutation in enumerate(mutations, start=numbers_of(device).highest + 1)]
    body = json_text({"device_time": None, "mutations": numbered}).encode()
    keep_salvage(sender.company_id, sender.device_id, sender.technician_id, sender.user_id, body, why=why, now=now)


def as_mutations(edit: Edit, made_at: datetime) -> list[Mutation]:
    """The mutations of an edit, in the order in which they are to be applied, numbers left out."""
    main, apart = _parted(edit)
    made: list[Mutation] = []
    if edit.created or main:
        made.append(_mutation(edit, "edit", "create" if edit.created else "update", main, made_at))
    made += [_mutation(edit, f"field {name}", "update", edit.patch.only([name]), made_at) for name in apart]
    if edit.deleted:
        made.append(_mutation(edit, "delete", "delete", Patch(), made_at))
    return made


def mutation_id(edit_id: str, part: str) -> str:
    """The id of one part of an edit."""
    return str(uuid.uuid5(uuid.UUID(edit_id), part))


def _parted(edit: Edit) -> tuple[Patch, list[str]]:
    """What goes together, and the fields that go by themselves."""
    schema = COLLECTIONS.get(edit.collection)
    if schema is None or not documents.is_id(edit.document_id):
        return edit.patch, []
    together: list[str] = []
    apart: list[str] = []
    for name in edit.patch.names:
        rule = schema.rules.get(name)
        value = edit.patch.set.get(name)
        if edit.created and (value == "" or value is None):
            continue
        special = rule is not None and (
            rule.owner == "server" if edit.created else bool(schema.fields[name].metadata.get("ref"))
        )
        (apart if special or not _readable(edit, name) else together).append(name)
    if edit.created:
        # A new document has what its client's schema wants in each field, also where the server makes the value.
        apart = [name for name in apart if edit.patch.set.get(name) not in EMPTY]
    if not edit.created and len(together) + len(apart) == 1:
        together, apart = edit.patch.names, []
    return edit.patch.only(together), apart


def _readable(edit: Edit, name: str) -> bool:
    part = edit.patch.only([name])
    raw = _mutation(edit, "", "update", part, made_at=None)
    if unstorable(raw):
        return False
    try:
        read_mutation(raw | {"n": 1}, edit.id)
    except ValidationError:
        return False
    return True


def _mutation(edit: Edit, part: str, op: str, patch: Patch, made_at: datetime | None) -> Mutation:
    return {
        "id": mutation_id(edit.id, part),
        "collection": edit.collection,
        "document_id": edit.document_id,
        "op": op,
        "base_version": edit.base_version,
        "set": patch.set,
        "add": patch.add,
        "remove": patch.remove,
        "made_at": iso(made_at) if made_at else "1970-01-01T00:00:00Z",
    }
