"""A push of RxDB: each row is the document as the client has it now and as it believed the server to have it.

The row is merged by its base through the one door; the answer is the documents that are not as the client sent them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from schemas.entities import COLLECTIONS
from schemas.json_limits import json_text, unstorable
from schemas.whole import document_text, fields_of, known_fields, tombstone_text
from server.actions.apply_mutation import Sender
from server.actions.contact import Contact
from server.actions.whole_edits import Edit, as_mutations, push_edits
from server.extensions import db
from server.store import documents, pull, view
from server.store.models import WholeEdit
from server.store.queries import devices, stock
from server.store.transaction import snapshot, transactional
from sync.change import Body, canonical
from sync.patches import Patch, first_state, patch, row_id, same_document


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of a push. `base` is None for a document that the client believes to be new."""

    id: str
    new: Body
    base: Body | None

    @property
    def created(self) -> bool:
        """Whether the client makes the document, for the first time or again."""
        return self.base is None or bool(self.base.get("_deleted"))

    @property
    def deleted(self) -> bool:
        """Whether the client deletes it."""
        return bool(self.new.get("_deleted"))


def push_rows(
    sender: Sender,
    collection: str,
    schema_version: int,
    raw: Sequence[Any],
    *,
    contact: Contact,
    now: datetime,
    locale: str,
    master_wins: bool,
) -> list[str]:
    """Take a push; the documents, as JSON text, that the client must take instead of what it sent."""
    _take(sender, collection, raw, contact=contact, now=now, locale=locale, master_wins=master_wins)
    rows = [row for row in map(_row, raw) if row is not None]
    with snapshot():
        held = pull.subscriptions(sender.company_id, sender.device_id)
        ids = [row.id for row in rows if documents.is_id(row.id)]
        there = {
            each.id: each for each in view.whole_rows(sender.company_id, held, ids) if each.collection == collection
        }
    answers = {row.id: _answer(collection, schema_version, row, there.get(row.id)) for row in rows}
    return [answer for answer in answers.values() if answer is not None]


@transactional
def _take(
    sender: Sender,
    collection: str,
    raw: Sequence[Any],
    *,
    contact: Contact,
    now: datetime,
    locale: str,
    master_wins: bool,
) -> None:
    devices.lock_device(sender.company_id, sender.device_id)
    edits = [(edit, _row(each)) for each, edit in zip(raw, edits_of(sender, collection, raw), strict=True) if edit]
    firsts = {edit.id: as_mutations(edit, now)[0]["id"] for edit, _ in edits}
    journal = devices.mutations(sender.company_id, list(firsts.values()))
    last = stock.last_edits(
        sender.company_id, sender.device_id, [row.id for _, row in edits if row and documents.is_id(row.id)]
    )
    taken: dict[str, Edit] = {}
    for edit, row in edits:
        if row is not None and documents.is_id(row.id):
            edit = _same_or_new(edit, row, last.get(row.id), known=firsts[edit.id] in journal)
            last[row.id] = _remember(sender, edit, row, last.get(row.id))
        taken[edit.id] = edit
    push_edits(sender, list(taken.values()), contact=contact, now=now, locale=locale, master_wins=master_wins)


def edits_of(sender: Sender, collection: str, raw: Sequence[Any]) -> list[Edit]:
    """The edit that each row of a push is; one that is no row is kept for the office to look at."""
    rows = [(each, _row(each)) for each in raw]
    return [
        _edit(sender, collection, row) if row else _unread(sender.device_id, collection, each) for each, row in rows
    ]


def _same_or_new(edit: Edit, row: Row, last: WholeEdit | None, *, known: bool) -> Edit:
    """The edit under the id that tells a row that came again from an edit that a person made again.

    A person may go from A to B, back to A, and to B once more before the client hears of a newer version: the last
    row is the first one's twin, but it leads on from where the second one ended.
    """
    base, new = _hashes(row)
    if last is None or not known:
        return edit
    if (last.base_hash, last.new_hash) == (base, new):
        return replace(edit, id=last.edit_id)
    if last.new_hash == base:
        return replace(edit, id=row_id(edit.id, edit.document_id, last.edit_id))
    return edit


def _remember(sender: Sender, edit: Edit, row: Row, last: WholeEdit | None) -> WholeEdit:
    if last is None:
        last = WholeEdit(company_id=sender.company_id, device_id=sender.device_id, document_id=row.id)
        db.session.add(last)
    last.edit_id = edit.id
    last.base_hash, last.new_hash = _hashes(row)
    return last


def _row(raw: Any) -> Row | None:
    if not isinstance(raw, dict) or not isinstance(raw.get("newDocumentState"), dict):
        return None
    new, base = raw["newDocumentState"], raw.get("assumedMasterState")
    if not isinstance(new.get("id"), str):
        return None
    return Row(id=new["id"], new=new, base=base if isinstance(base, dict) else None)


def _unread(device_id: str, collection: str, raw: Any) -> Edit:
    """What is no row, for the office to look at."""
    return Edit(
        id=row_id(device_id, "", _hash(raw)), collection=collection, document_id="", patch=Patch(set={"row": raw})
    )


def _edit(sender: Sender, collection: str, row: Row) -> Edit:
    rules = COLLECTIONS[collection].rules
    edit_id = row_id(sender.device_id, row.id if not unstorable(row.id) else "", *_hashes(row))
    whole = fields_of(collection, row.new)
    new, spoilt = _storable(whole)
    base, _ = _storable(fields_of(collection, row.base or {}))
    if row.created and row.deleted:
        return Edit(id=edit_id, collection=collection, document_id=row.id)
    made = (
        first_state(new, rules) if row.created else patch(base, new, rules, names=(base.keys() | new.keys()) - spoilt)
    )
    made.set.update({name: whole[name] for name in spoilt})
    return Edit(
        id=edit_id,
        collection=collection,
        document_id=row.id,
        base_version=None if row.created else _base_version(sender.company_id, collection, row, base),
        created=row.created,
        patch=made,
        deleted=row.deleted,
    )


def _base_version(company_id: str, collection: str, row: Row, base: Body) -> int | None:
    """The version that the client had; found by its contents where the client keeps no number."""
    version = (row.base or {}).get("version")
    if isinstance(version, int) and not isinstance(version, bool) and 0 <= version < 2**31:
        return version
    if not documents.is_id(row.id):
        return None
    versions = stock.past_bodies(company_id, collection, row.id)
    return next((number for number, body in versions if same_document(base, body, base)), None)


def _answer(collection: str, schema_version: int, row: Row, there: view.Row | None) -> str | None:
    """The document as the client must take it; None where that is what it sent."""
    if there is None or there.body is None:
        return None if row.deleted else tombstone_text(collection, schema_version, row.id, 0)
    names = set(known_fields(collection, schema_version)) - {"id"}
    mine = fields_of(collection, row.new)
    if not row.created:
        names &= mine.keys() | fields_of(collection, row.base or {}).keys()
    as_sent = not row.deleted and not unstorable(mine) and same_document(orjson.loads(there.body), mine, names)
    return None if as_sent else document_text(collection, schema_version, there.version, there.body)


def _storable(fields: Body) -> tuple[Body, set[str]]:
    """Fields whose values can be stored, and the names of the others."""
    spoilt = {name for name, value in fields.items() if unstorable({name: value})}
    return {name: value for name, value in fields.items() if name not in spoilt}, spoilt


def _hashes(row: Row) -> tuple[str, str]:
    return _hash(row.base), _hash(row.new)


def _hash(value: Any) -> str:
    text = json_text(value) if unstorable(value) else canonical(value)
    return hashlib.sha256(text.encode()).hexdigest()
