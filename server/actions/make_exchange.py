"""A file for a tablet: what became of its edits and photos, and what it would pull, sealed for it alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from schemas import contract
from schemas.entities.base import iso
from server.actions.device_notices import for_tablet
from server.actions.exchange_keys import new_scalar, office_keys, public_of
from server.actions.file_states import receipts
from server.actions.history import stand
from server.actions.pull_changes import MOST, pull_changes
from server.actions.renew_token import ended
from server.actions.tablet_conflicts import own_conflicts
from server.extensions import db
from server.problems import Problem, not_found
from server.store.files import Files
from server.store.marks import marks
from server.store.models import Device, DeviceExchange
from server.store.queries import devices, fleet, people
from server.store.queries import exchange as rows
from server.store.transaction import let_go, snapshot, transactional
from sync import carried
from sync.feed import BadCursor, Cursor, decode

MOST_RESULTS = 2000
MOST_CHANGES_BYTES = 24 * 1024 * 1024
"""Of documents as JSON in one file; the tablet's next file asks for the rest."""

MOST_CONFLICTS = 100


@dataclass(frozen=True, kw_only=True)
class Made:
    """A sealed file and what is in it; `whole` is false when more changes wait for the next one, or none could be
    given because the tablet knows another history."""

    device_id: str
    n: int
    data: bytes
    answers: int
    changes: int
    whole: bool


@dataclass(frozen=True, kw_only=True)
class Standing:
    """From where a tablet reads on: the cursor, and the feed number of which it has everything at the least."""

    cursor: str | None
    seq: int


def make_exchange(company_id: str, device_id: str, *, files: Files, now: datetime, locale: str) -> Made:
    """The next file for a tablet.

    Raises Problem `not-found`, `exchange-ended` (409) for one without access, to which nothing more is sent,
    `exchange-no-keys` (409) for one that has not shown its keys, `update-needed` (426) for one whose app is too old.
    """
    from sync import sealed

    holder = people.device_with_holder(company_id, device_id)
    if holder is None:
        raise not_found()
    if ended(holder, now) is not None:
        raise Problem(409, "exchange-ended")
    keys = rows.keys_of(company_id, device_id)
    if not keys:
        raise Problem(409, "exchange-no-keys")
    if holder.schema_version < contract.OLDEST_VERSION:
        raise Problem(426, "update-needed")
    recipient, office = public_of(keys[0]), office_keys(company_id, now)
    stand(company_id, marks().known(company_id), now)
    n = _next(company_id, device_id, now)
    told = _contents(company_id, device_id, holder.technician_id, holder.schema_version, locale, now)
    let_go()
    awaited = _awaited(company_id, device_id)
    told |= {"n": n, "receipts": receipts(files, company_id, device_id, awaited, locale=locale, now=now)}
    plain = carried.pack(told)
    data = sealed.seal(plain, direction=sealed.TO_TABLET, sender=office, recipient=recipient, ephemeral=new_scalar())
    page = told["pull"]
    return Made(
        device_id=device_id,
        n=n,
        data=data,
        answers=len(told["results"]),
        changes=len(page["changes"]) if page else 0,
        whole=page is not None and not page["more"],
    )


@transactional
def _next(company_id: str, device_id: str, now: datetime) -> int:
    device = devices.lock_device(company_id, device_id)
    there = rows.exchange_of(company_id, device_id)
    if there is None:
        # Of a tablet that no file came from: all that may not have been answered.
        first = max(1, device.last_n - MOST_RESULTS + 1)
        there = DeviceExchange(company_id=company_id, device_id=device_id, taken_n=0, made_n=0)
        there.first_unanswered, there.sent, there.awaiting = first, [], []
        db.session.add(there)
    there.made_n += 1
    there.made_at = now
    return there.made_n


def _contents(
    company_id: str, device_id: str, technician_id: str, schema_version: int, locale: str, now: datetime
) -> dict[str, Any]:
    with snapshot():
        there = rows.exchange_of(company_id, device_id)
        assert there is not None
        device = devices.device(company_id, device_id)
        assert device is not None
        results = _results(company_id, device, there)
        conflicts = own_conflicts(company_id, technician_id, device_id, now=now, most=MOST_CONFLICTS)
        notices = for_tablet(fleet.open_notices(company_id, [device_id]), locale)
        page = _pulled(company_id, device, there, schema_version)
        here = devices.history(company_id)
    return {
        "device_id": device_id,
        "server_time": iso(now),
        "epoch": here.epoch,
        "seq": here.n,
        "backed_up_through": here.backed_up_through,
        "results": results,
        "conflicts": conflicts,
        "notices": notices,
        "pull": page,
    }


def _results(company_id: str, device: Device, there: DeviceExchange) -> list[dict[str, Any]]:
    """What became of the edits that the tablet may have no answer to; what it sent under a former registration too."""
    rows_of_it = devices.mutations_of_device(company_id, device.id, there.first_unanswered - 1, MOST_RESULTS)
    results = [row.result for row in rows_of_it]
    known = {result["id"] for result in results}
    elsewhere = devices.mutations(company_id, [each for each in there.sent if each not in known])
    holders = devices.technicians_of(company_id, {row.device_id for row in elsewhere.values()})
    return results + [row.result for row in elsewhere.values() if holders[row.device_id] == device.technician_id]


def _awaited(company_id: str, device_id: str) -> list[str]:
    there = rows.exchange_of(company_id, device_id)
    return list(there.awaiting) if there is not None else []


def standing(device: Device, there: DeviceExchange) -> Standing:
    """From where a tablet reads on, by its last file and by what it pulled itself, whichever says more (S-208)."""
    pulled = Cursor(seq=max(0, device.cursor_seq - 1), epoch=device.epoch or "")
    by_network = Standing(cursor=pulled.encode(), seq=pulled.seq) if device.epoch and pulled.seq else None
    if there.taken_n == 0:
        return by_network or Standing(cursor=None, seq=0)
    if there.cursor is None:
        return Standing(cursor=None, seq=0)
    try:
        told = decode(there.cursor)
    except BadCursor:
        return Standing(cursor=None, seq=0)
    if by_network is not None and (device.epoch != told.epoch or pulled.seq > told.seq):
        return by_network
    return Standing(cursor=there.cursor, seq=told.seq)


def _pulled(company_id: str, device: Device, there: DeviceExchange, schema_version: int) -> dict[str, Any] | None:
    """What a pull brings, page after page as one; None for a tablet that knows another history (S-212)."""
    start = standing(device, there)
    try:
        return _read_on(company_id, device.id, start, schema_version)
    except Problem as problem:
        if problem.code == "epoch-changed":
            return None
        if problem.code not in ("cursor-too-old", "bad-cursor"):
            raise
        return _read_on(company_id, device.id, Standing(cursor=None, seq=0), schema_version)


def _read_on(company_id: str, device_id: str, start: Standing, schema_version: int) -> dict[str, Any]:
    changes: list[Any] = []
    size, cursor, today = 0, start.cursor, False
    while True:
        body, cursor, more = pull_changes(company_id, device_id, cursor, MOST, schema_version=schema_version)
        page: dict[str, Any] = orjson.loads(body)
        changes += page["changes"]
        size += len(body)
        today = today or page["today_complete"]
        if not more or size > MOST_CHANGES_BYTES:
            return page | {"changes": changes, "today_complete": today, "from": start.cursor, "from_seq": start.seq}
