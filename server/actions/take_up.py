"""After an update of the server: what newer apps had sent, and was kept aside, takes effect.

Each piece goes through the same judgement as a push, with the version that the device had seen and the moment at which
it was made: what others wrote meanwhile is merged, clashes are recorded. What is still not known stays aside.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from marshmallow import ValidationError

from schemas import newer
from schemas.entities import COLLECTIONS
from schemas.push import read_mutation
from server.actions.drafts import Drafts, Sender
from server.actions.judge_push import Result, rejected, take_in
from server.actions.push_changes import payload_of
from server.problems import Problem, invalid
from server.store import failures
from server.store.author import Author, acting
from server.store.models import Mutation
from server.store.queries import devices, people
from server.store.transaction import transactional
from sync.change import Mutation as Change
from sync.clock import ClockOffset
from sync.merge import STAMPS

MOST = 500

log = logging.getLogger(__name__)


def take_up_aside(company_id: str, now: datetime) -> dict[str, Any]:
    """Take up all of a company that is known by now; how many mutations, and how many still wait."""
    seen: set[str] = set()
    taken = 0
    after: devices.Aside | None = None
    while waiting := devices.with_aside(company_id, after, MOST):
        for one in waiting:
            if one.id not in seen:
                members, known = _take_up_one(company_id, one, now)
                seen |= {one.id, *members}
                taken += len(members) if known else 0
        after = waiting[-1]
    return {"taken": taken, "waiting": len(seen) - taken}


def _take_up_one(company_id: str, one: devices.Aside, now: datetime) -> tuple[list[str], bool]:
    """A mutation, or all of its group; their ids, and whether anything of them took effect or was refused for good."""
    holder = people.device_with_holder(company_id, one.device_id)
    assert holder is not None
    sender = Sender(
        company_id=company_id,
        device_id=one.device_id,
        technician_id=holder.technician_id,
        name=holder.name,
        user_id=one.user_id,
    )
    try:
        with acting(Author(user_id=one.user_id, name=holder.name, device_id=one.device_id)):
            return _take_up(sender, one, holder.locale or "en", now)
    except failures.Database:
        raise
    except Exception:
        log.exception("what was kept aside of mutation %s could not be taken up", one.id)
        return [one.id], False


@transactional
def _take_up(sender: Sender, one: devices.Aside, locale: str, now: datetime) -> tuple[list[str], bool]:
    device = devices.lock_device(sender.company_id, sender.device_id)
    rows = devices.aside_together(sender.company_id, one)
    if not rows:
        return [], False
    # The clock of then: what was made is as certain as it was when it came.
    made, corrected = rows[0].made_at, rows[0].made_at_corrected
    seconds = (corrected - made).total_seconds() if made and corrected else device.clock_offset_s or 0.0
    offset = ClockOffset(seconds=seconds, uncertainty_s=rows[0].uncertainty_s or device.clock_uncertainty_s or 0.0)
    turn = _Turn(sender, offset, locale, now)
    known = turn.whole(rows) if "whole" in (rows[0].aside or {}) else turn.rest(rows[0])
    return [row.id for row in rows], known


class _Turn:
    """One mutation's, or one group's, turn: by whom, by which clock, in which language its problems are said."""

    def __init__(self, sender: Sender, offset: ClockOffset, locale: str, now: datetime) -> None:
        self.sender = sender
        self.offset = offset
        self.locale = locale
        self.now = now

    def whole(self, rows: list[Mutation]) -> bool:
        """Mutations of which nothing was known, all together or none."""
        parts = [newer.take_apart((row.aside or {})["whole"]) for row in rows]
        if any("whole" in left or (left and newer.says_nothing(known)) for known, left in parts):
            return False
        changes: list[Change] = []
        wrong: dict[str, Problem] = {}
        for row, (known, _) in zip(rows, parts, strict=True):
            try:
                changes.append(read_mutation(known, row.device_id))
            except ValidationError as error:
                wrong[row.id] = invalid(error.normalized_messages())
        if wrong:
            for row in rows:
                problem = wrong.get(row.id) or Problem(409, "group-rejected")
                self._refuse(row, rejected(row.id, row.n or None, problem, self.locale))
            return True
        found, _ = self._judged(changes)
        for row, change, (_, left) in zip(rows, changes, parts, strict=True):
            result = found[row.id]
            if result["status"] == "rejected":
                self._refuse(row, result)
                continue
            row.collection, row.document_id, row.payload = change.collection, change.document_id, payload_of(change)
            row.made_at = change.made_at
            row.status, row.aside = result["status"], left or None
            row.result = _naming(result, row.aside)
        return True

    def rest(self, row: Mutation) -> bool:
        """Fields, and keys of entries, of a mutation whose other parts took effect when it came."""
        schema = COLLECTIONS[row.collection]
        aside = {name: dict(part) for name, part in (row.aside or {}).items()}
        patch: dict[str, Any] = {part: {} for part in ("set", "add", "remove")}
        for part, fields in patch.items():
            for name in [name for name in aside.get(part, {}) if name in schema.fields]:
                fields[name] = aside[part].pop(name)
        keys = [each for each in newer.each_key(aside) if each[2] in newer.entry_keys(schema, each[0])]
        if not keys and not any(patch.values()):
            return False
        raw = {"id": row.id, "n": max(row.n, 1), "collection": row.collection, "document_id": row.document_id}
        raw |= {"op": "update", "base_version": row.payload["base_version"], "made_at": row.payload["made_at"]} | patch
        try:
            change = read_mutation(raw, row.device_id)
        except ValidationError as error:
            log.warning("what was kept aside of %s cannot be read: %s", row.id, error)
            return False
        found, push = self._judged([change])
        result = found[row.id]
        if result["status"] == "rejected":
            return False
        if keys:
            _complete_entries(push, change, aside, keys)
            result["version"] = push.drafts[change.document_id].version
        if result["status"] != "applied":
            row.status = result["status"]
        row.payload = row.payload | {part: row.payload[part] | patch[part] for part in patch}
        row.aside = {name: part for name, part in aside.items() if part} or None
        conflicts = row.result["conflicts"] + result["conflicts"]
        row.result = _naming(row.result | result | {"status": row.status, "conflicts": conflicts}, row.aside)
        return True

    def _judged(self, changes: list[Change]) -> tuple[dict[str, Result], Drafts]:
        """What came of changes that are judged as a push would be, by their ids."""

        def start() -> Drafts:
            push = Drafts(sender=self.sender, offset=self.offset, now=self.now)
            push.look_up(changes)
            return push

        judged, push = take_in(start, [changes], {}, self.locale)
        return {change.id: result for change, result in judged}, push

    def _refuse(self, row: Mutation, result: Result) -> None:
        """What was held turns out not to be acceptable: it is kept as it came, and the tablet hears why."""
        row.status, row.result, row.aside = "rejected", result, None


def _naming(result: Result, aside: newer.Aside | None) -> Result:
    """A result that names what is still kept aside."""
    known = {name: value for name, value in result.items() if name != "kept_aside"}
    return known | ({"kept_aside": newer.names(aside)} if aside else {})


def _complete_entries(push: Drafts, change: Change, aside: dict[str, Any], keys: list[tuple[str, str, str]]) -> None:
    """Give entries that are there the keys that were kept aside; an entry is never changed otherwise."""
    draft = push.find(change.collection, change.document_id)
    if draft is None:
        return
    schema = COLLECTIONS[change.collection]
    body = dict(draft.body)
    for name in {name for name, _, _ in keys}:
        known = newer.entry_keys(schema, name)
        more = {
            entry_id: {key: value for key, value in each.items() if key in known}
            for entry_id, each in aside["entries"][name].items()
        }
        body[name] = [_completed(schema, name, entry, more.get(entry["id"], {})) for entry in body.get(name) or []]
        for entry_id in more:
            aside["entries"][name][entry_id] = {
                key: value for key, value in aside["entries"][name][entry_id].items() if key not in known
            }
    aside["entries"] = {
        name: left for name, each in aside["entries"].items() if (left := {k: v for k, v in each.items() if v})
    }
    push.put(draft, body, change)
    push.write()
    push.lay()


def _completed(schema: Any, name: str, entry: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    missing = {key: value for key, value in more.items() if entry.get(key) is None}
    if not missing:
        return entry
    plain = {key: value for key, value in entry.items() if key not in STAMPS and value is not None}
    try:
        checked = schema.validated({name: [plain | missing]})[name][0]
    except ValidationError as error:
        log.warning("keys of entry %s that were kept aside cannot be read: %s", entry["id"], error)
        return entry
    return entry | {key: checked[key] for key in missing if key in checked}
