"""A push of WatermelonDB: rows as the device has them, with the names of the columns that a person changed.

The base of each is what the device had under the stamp that it sends. Nothing is refused: what is not taken is kept,
and the device's next pull brings the row as it is here.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from schemas.columns import OWN_COLUMNS, from_row, kinds
from schemas.entities import COLLECTIONS
from schemas.json_limits import json_text, unstorable
from server.actions.apply_mutation import Sender
from server.actions.conflict_log import note_clash
from server.actions.contact import Contact
from server.actions.judge_push import Result
from server.actions.whole_edits import Edit, as_mutations, push_edits
from server.store import documents, pull, view
from server.store.models import Conflict
from server.store.queries import conflicts, devices, stock
from server.store.queries.stock import Copy
from server.store.transaction import transactional
from sync.change import Body, Clash, Mutation, canonical, same
from sync.patches import Patch, first_state, patch, row_id

SAME_ROUND = timedelta(seconds=60)
"""A push that comes so soon after the pull that gave it its stamp is taken for one of the same round."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One row of a push: `row` is None for a deletion, and anything at all for what is none."""

    table: str
    kind: str
    client_id: str
    document_id: str
    row: Any


@transactional
def push_tables(
    sender: Sender,
    last: int | None,
    changes: Mapping[str, Any],
    *,
    contact: Contact,
    push_first: bool,
    now: datetime,
    locale: str,
    master_wins: bool,
) -> list[dict[str, Any]]:
    """Take a push in one transaction; what became of each row. `push_first`: the client did not pull just before."""
    devices.lock_device(sender.company_id, sender.device_id)
    ids = [one.document_id for one in _sent(sender.device_id, changes) if one.document_id]
    at = stock.stamps(sender.company_id, sender.device_id).get(last or 0)
    before = stock.copies(sender.company_id, sender.device_id, ids)
    if at is not None:
        stock.confirm(sender.company_id, sender.device_id, at.stamp)
    copies = stock.copies(sender.company_id, sender.device_id, ids)
    edits = edits_of(sender, last, changes)
    if at is not None and not push_first and now - at.made_at <= SAME_ROUND:
        _note_overwritten(sender, edits, before, at.stamp, now=now)
    results = push_edits(
        sender,
        list({edit.id: edit for _, edit in edits}.values()),
        contact=contact,
        now=now,
        locale=locale,
        master_wins=master_wins,
    )
    stock.keep_copies(
        sender.company_id,
        sender.device_id,
        {
            one.document_id: copy
            for one, edit in edits
            if one.document_id and (copy := _after(one, results[edit.id], copies.get(one.document_id))) is not None
        }.values(),
    )
    return [_told(one, results[edit.id]) for one, edit in edits]


def edits_of(sender: Sender, last: int | None, changes: Mapping[str, Any]) -> list[tuple[Sent, Edit]]:
    """The rows of a push that change something, each with the edit that it is."""
    sent = list(_sent(sender.device_id, changes))
    ids = [one.document_id for one in sent if one.document_id]
    copies = stock.copies(sender.company_id, sender.device_id, ids)
    return [(one, edit) for one in sent if (edit := _edit(sender, one, last, copies.get(one.document_id)))]


def _sent(device_id: str, changes: Mapping[str, Any]) -> Iterator[Sent]:
    """All rows, created before updated before deleted."""
    for kind in ("created", "updated", "deleted"):
        for table, sets in changes.items():
            rows = sets.get(kind) if isinstance(sets, dict) else None
            for row in rows if isinstance(rows, list) else []:
                called = row if kind == "deleted" else row.get("id") if isinstance(row, dict) else None
                if not isinstance(called, str) or len(called) > 100 or unstorable(called):
                    called = ""
                known = bool(called) and table in COLLECTIONS
                document_id = _document_id(device_id, table, called) if known else ""
                yield Sent(table=table, kind=kind, client_id=called, document_id=document_id, row=row)


def _document_id(device_id: str, table: str, called: str) -> str:
    """The document that a device calls so: ids that are no UUIDs belong to the device that made them."""
    return called if documents.is_id(called) else str(uuid.uuid5(uuid.UUID(device_id), f"{table} {called}"))


def _edit(sender: Sender, one: Sent, last: int | None, copy: Copy | None) -> Edit:
    edit_id = row_id(sender.device_id, one.document_id, one.table if _fits(one.table) else "", last, _hash(one.row))
    edit = Edit(id=edit_id, collection=one.table, document_id=one.document_id, base_version=_base(copy))
    if not one.document_id:
        return replace(edit, patch=Patch(set={"row": one.row}))
    if one.kind == "deleted":
        # Of what the device does not have and never had, there is nothing to delete.
        return replace(edit, deleted=copy is not None or _is_live(sender, one))
    rules = COLLECTIONS[one.table].rules
    columns = set(one.row) - OWN_COLUMNS
    spoilt = {name for name in columns if unstorable({name: one.row[name]})}
    there = copy is not None or documents.stored(sender.company_id, one.document_id) is not None
    if one.kind == "created" or not there:
        made = first_state(from_row(one.table, one.row, columns - spoilt), rules)
        known = {name: value for name, value in made.set.items() if name in rules or value not in (None, "", 0, False)}
        return replace(edit, created=True, base_version=None, patch=Patch(set=known | _raw(one.row, spoilt)))
    changed = one.row.get("_changed")
    names = {name for name in changed.split(",") if name} - OWN_COLUMNS if isinstance(changed, str) else set()
    names = (names or columns & kinds(one.table).keys()) & columns
    new = from_row(one.table, one.row, names - spoilt)
    base = _seen(sender, one, edit.base_version)
    made = patch(base, new, rules, names=new)
    made.set.update(_raw(one.row, names & spoilt))
    return replace(edit, patch=made)


def _base(copy: Copy | None) -> int | None:
    return copy.version if copy is not None else None


def _seen(sender: Sender, one: Sent, version: int | None) -> Body:
    if version is None:
        return {}
    return documents.seen_by_device(sender.company_id, one.table, one.document_id, version, sender.device_id)


def _is_live(sender: Sender, one: Sent) -> bool:
    held = pull.subscriptions(sender.company_id, sender.device_id)
    return any(row.body is not None for row in view.rows(sender.company_id, held, [one.document_id]))


def _after(one: Sent, results: list[Result], copy: Copy | None) -> Copy | None:
    """What the device has of the document now; `again` where that is not what is here."""
    whole = all(result["status"] == "applied" for result in results)
    kept = copy or Copy(document_id=one.document_id, collection=one.table)
    if not documents.is_id(one.client_id):
        kept = replace(kept, client_id=one.client_id)
    if one.kind == "deleted":
        return replace(kept, version=None, again=True)
    version = kept.version
    if version is None:
        version = max((result["version"] or 0 for result in results), default=0)
    return replace(kept, version=version, again=kept.again or not whole or (copy is None and one.kind != "created"))


def _told(one: Sent, results: list[Result]) -> dict[str, Any]:
    """What became of a row: of all its parts the one that a person should look at first."""
    order = ["rejected", "overridden", "held", "merged", "applied", "duplicate"]
    worst = min(results, key=lambda result: order.index(result["status"]))
    return {"table": one.table, "id": one.client_id, "status": worst["status"], "problem": worst["problem"]}


def _note_overwritten(
    sender: Sender, edits: list[tuple[Sent, Edit]], before: Mapping[str, Copy], stamp: int, *, now: datetime
) -> None:
    """Record what a client settled by itself: it pulled a value that somebody else had written, kept the person's own,
    and pushes that as if it led on from there."""
    found: list[Conflict] = []
    for one, edit in edits:
        copy = before.get(one.document_id)
        if one.kind != "updated" or copy is None or copy.sent_stamp != stamp:
            continue
        if copy.version is None or copy.sent_version is None or copy.version >= copy.sent_version:
            continue
        mutations = as_mutations(edit, now)
        if not mutations or devices.mutations(sender.company_id, [each["id"] for each in mutations]):
            continue
        old = stock.version_body(sender.company_id, one.table, one.document_id, copy.version)
        pulled = stock.version_body(sender.company_id, one.table, one.document_id, copy.sent_version)
        stored = documents.stored(sender.company_id, one.document_id)
        assert stored is not None
        for name, mine in edit.patch.set.items():
            rule = COLLECTIONS[one.table].rules.get(name)
            version, writer = stored[1].field_versions.get(name, [0, None])
            if rule is None or rule.owner not in ("shared", "field") or same(old.get(name), pulled.get(name)):
                continue
            if version <= copy.version or writer == sender.device_id:
                continue
            clash = Clash(
                field=name,
                kind="value",
                clash_class="hard",
                policy=rule.policy,
                base=old.get(name),
                mine=mine,
                theirs=pulled.get(name),
                chosen="mine",
                value=mine,
                needs_person=False,
            )
            found.append(
                note_clash(
                    clash,
                    Mutation(
                        id=mutations[0]["id"],
                        n=0,
                        device_id=sender.device_id,
                        collection=one.table,
                        document_id=one.document_id,
                        op="update",
                        base_version=copy.version,
                        made_at=now,
                    ),
                    company_id=sender.company_id,
                    who=(sender.user_id, sender.name),
                    theirs=documents.writing(sender.company_id, one.document_id, version),
                    made_at=now,
                    uncertainty_s=0.0,
                    apart_since=None,
                    now=now,
                    late=False,
                )
            )
    conflicts.keep(found)


def _raw(row: Mapping[str, Any], names: set[str]) -> Body:
    return {name: row[name] for name in names}


def _fits(text: str) -> bool:
    return not unstorable(text)


def _hash(value: Any) -> str:
    text = json_text(value) if unstorable(value) else canonical(value)
    return hashlib.sha256(text.encode()).hexdigest()
