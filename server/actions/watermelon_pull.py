"""A pull of WatermelonDB: rows by table, as created, updated or deleted from the device's point of view.

The whole number that a device reads on with is a stamp of its own, which stands for a place in the feed. What each
device has is written down, so that it is told of what is gone and of what was not taken as sent, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson

from schemas.columns import as_row, is_default, kinds
from schemas.entities import COLLECTIONS
from server.actions.contact import note_address, note_seen
from server.extensions import db
from server.store import pull, view
from server.store.models import DeviceStamp
from server.store.queries import devices, stock
from server.store.queries.stock import Copy
from server.store.transaction import transactional
from server.store.view import Place
from sync.feed import Cursor

MOST = 20_000
"""Documents in one answer: the client holds all of it in memory."""

Answer = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a device asks for. `last` is the stamp of its last pull, None for the first; the two migration fields name
    tables and columns that it has only now."""

    last: int | None
    tables: tuple[str, ...] = ()
    new_tables: tuple[str, ...] = ()
    new_columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    limit: int = MOST


@transactional
def pull_tables(company_id: str, device_id: str, asked: Asked, *, address: str, now: datetime) -> Answer:
    """The changes since the device's stamp, the next stamp, and whether there is more to fetch."""
    device = devices.lock_device(company_id, device_id)
    note_seen(device, now)
    note_address(device, address, now)
    here = devices.history(company_id)
    epoch, newest = here.epoch, here.n
    stamps = stock.stamps(company_id, device_id)
    at = stamps.get(asked.last) if asked.last is not None else None
    held = pull.subscriptions(company_id, device_id)
    if at is not None and (at.epoch != epoch or _is_too_old(held, at)):
        at = None
    replaced = asked.last is not None and at is None
    if asked.last is None:
        stock.forget_copies(company_id, device_id)
    elif at is None:
        stock.owe_all(company_id, device_id)
    else:
        stock.confirm(company_id, device_id, at.stamp)
        device.cursor_seq, device.epoch = at.effective, epoch
    tables = asked.tables or tuple(sorted(COLLECTIONS))
    _mark_new(company_id, device_id, asked, held)
    start = Place(effective=at.effective, seq=at.seq, document_id=at.document_id) if at else Place()
    # A replica that is replaced must get all that it is to keep at once.
    limit = 2**31 if replaced else asked.limit
    page = view.read_view(company_id, held, tables, start, limit, newest)
    owed = stock.owed(company_id, device_id, tables, None if replaced else limit + 1)
    named = {row.id for row in page.rows}
    extra = [each for each in list(owed)[:limit] if each not in named]
    if at is not None and not page.rows and not extra:
        return {"changes": {}, "timestamp": asked.last, "more": False}
    stamp = max([*stamps, asked.last or 0]) + 1
    rows = [*page.rows, *view.whole_rows(company_id, held, extra)]
    changes = _changes(company_id, device_id, tables, rows, extra, stamp, all_tables=replaced)
    _keep_stamp(company_id, device_id, DeviceStamp(
        company_id=company_id, device_id=device_id, stamp=stamp, epoch=epoch, effective=page.place.effective,
        seq=page.place.seq, document_id=page.place.document_id, made_at=now,
    ), stamps, asked.last)  # fmt: skip
    answer: Answer = {"changes": changes, "timestamp": stamp, "more": page.more or len(owed) > limit}
    return answer | ({"experimentalStrategy": "replacement"} if replaced else {})


def _is_too_old(held: Sequence[pull.Subscription], at: DeviceStamp) -> bool:
    """Whether removals that the device has not heard of may be gone from the feed."""
    return pull.is_too_old(held, Cursor(seq=at.effective, document_id=at.document_id))


def _changes(
    company_id: str,
    device_id: str,
    tables: Sequence[str],
    rows: Iterable[view.Row],
    extra: Sequence[str],
    stamp: int,
    *,
    all_tables: bool,
) -> dict[str, dict[str, list[Any]]]:
    there = {row.id: row for row in rows}
    copies = stock.copies(company_id, device_id, [*there, *extra])
    changes: dict[str, dict[str, list[Any]]] = {}
    kept: list[Copy] = []

    def table(name: str) -> dict[str, list[Any]]:
        return changes.setdefault(name, {"created": [], "updated": [], "deleted": []})

    if all_tables:
        for name in tables:
            table(name)
    for document_id in [*there, *(each for each in extra if each not in there)]:
        row, copy = there.get(document_id), copies.get(document_id)
        if row is not None and row.body is not None:
            copy = copy or Copy(document_id=document_id, collection=row.collection)
            bucket = "created" if copy.version is None else "updated"
            table(row.collection)[bucket].append(
                as_row(row.collection, copy.called, row.version, orjson.loads(row.body))
            )
            kept.append(replace(copy, sent_version=row.version, sent_stamp=stamp))
        elif copy is not None:
            if copy.version is not None:
                table(copy.collection)["deleted"].append(copy.called)
            kept.append(replace(copy, sent_version=None, sent_stamp=stamp))
    stock.keep_copies(company_id, device_id, kept)
    return changes


def _mark_new(company_id: str, device_id: str, asked: Asked, held: Sequence[pull.Subscription]) -> None:
    """Owe the device all documents of its new tables, and of its new columns those that have something there."""
    if asked.last is None:
        return
    wanted: list[str] = []
    tables = [name for name in asked.new_tables if name in COLLECTIONS]
    wanted += view.all_live(company_id, held, tables)
    whole = set(wanted)
    for name, columns in asked.new_columns.items():
        known = set(columns) & kinds(name).keys() if name in COLLECTIONS and name not in tables else set()
        if known:
            rows = view.whole_rows(company_id, held, view.all_live(company_id, held, [name]))
            wanted += [row.id for row in rows if row.body is not None and _holds(orjson.loads(row.body), known)]
    if not wanted:
        return
    copies = stock.copies(company_id, device_id, wanted)
    collections = {row.id: row.collection for row in view.rows(company_id, held, [*dict.fromkeys(wanted)])}
    stock.keep_copies(
        company_id,
        device_id,
        [
            replace(copy, again=True, version=None if each in whole else copy.version)
            for each in dict.fromkeys(wanted)
            for copy in [copies.get(each) or Copy(document_id=each, collection=collections[each])]
        ],
    )


def _holds(body: dict[str, Any], columns: set[str]) -> bool:
    return any(not is_default(body.get(name)) for name in columns)


def _keep_stamp(
    company_id: str, device_id: str, made: DeviceStamp, stamps: dict[int, DeviceStamp], last: int | None
) -> None:
    for number, row in stamps.items():
        if last is None or number < last:
            db.session.delete(row)
    db.session.add(made)
    db.session.flush()
