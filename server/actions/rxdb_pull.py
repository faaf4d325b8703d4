"""A collection as RxDB replicates it: full pages of documents, and a checkpoint with the same keys every time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson

from schemas.whole import document_text, tombstone_text
from server.actions.contact import note_address, note_seen
from server.actions.history import note_ahead
from server.actions.pull_changes import contact_is_old
from server.extensions import db
from server.problems import Problem
from server.store import pull, view
from server.store.models import ViewPlace
from server.store.queries import devices, stock
from server.store.queries.people import Holder
from server.store.transaction import snapshot, transactional
from server.store.view import Place
from sync.feed import Cursor

UNHEARD = timedelta(minutes=10)
"""The answer to a push that is older than this has arrived, or the push is sent again."""

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_INSIDE = re.compile(rf"(?:(?:(\d{{1,18}})\.)?({_UUID}))?")
_AGAIN = re.compile(rf"(?:{_UUID}(?:,{_UUID}){{0,999}})?")


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """How far a client has read a collection. `again`: documents whose removal it is to be told of once more.

    `epoch` is the server's history. A client that began anew for another reason than a new history has `~` and where
    the feed stood then after it: of what was gone by then it never knew.
    """

    epoch: str = ""
    place: Place = field(default_factory=Place)
    again: tuple[str, ...] = ()

    @property
    def history(self) -> str:
        """The server's history that it belongs to; empty when it does not say."""
        return self.epoch.partition("~")[0]

    @property
    def read(self) -> Cursor:
        """The same as a cursor of the whole feed."""
        since = self.epoch.partition("~")[2]
        return Cursor(
            seq=self.place.effective,
            document_id=self.place.document_id,
            since=int(since) if since.isdecimal() and len(since) <= 18 else 0,
        )

    def as_json(self) -> dict[str, Any]:
        """Always the same keys: a client lays a new checkpoint over its old one."""
        place = self.place
        inside = f"{place.seq}." if place.document_id and place.seq != place.effective else ""
        return {
            "epoch": self.epoch,
            "seq": place.effective,
            "lwt": place.effective,
            "id": inside + place.document_id,
            "again": ",".join(self.again),
        }


@dataclass(frozen=True, kw_only=True)
class RxPage:
    """Documents as ready JSON text, and the checkpoint after them."""

    documents: list[str]
    checkpoint: Checkpoint
    more: bool

    @property
    def text(self) -> str:
        """The page as a client reads it."""
        checkpoint = orjson.dumps(self.checkpoint.as_json()).decode()
        return f'{{"documents":[{",".join(self.documents)}],"checkpoint":{checkpoint}}}'


def read_checkpoint(*, seq: int, inside: str, epoch: str, again: str) -> Checkpoint:
    """A checkpoint from what a client sends back of it; raises Problem `bad-cursor`."""
    found = _INSIDE.fullmatch(inside)
    if found is None or not _AGAIN.fullmatch(again):
        raise Problem(400, "bad-cursor", field="id" if found is None else "again")
    own, document_id = found.groups()
    place = Place(effective=seq, seq=int(own) if own else seq, document_id=document_id or "")
    return Checkpoint(epoch=epoch, place=place, again=tuple(again.split(",")) if again else ())


def rxdb_page(
    company_id: str, device_id: str, collection: str, schema_version: int, asked: Checkpoint, limit: int, now: datetime
) -> RxPage:
    """What changed in a collection after a checkpoint.

    A checkpoint of another history, or one from which removals may be gone from the feed, begins anew under another
    epoch.

    A client passes over a removal while a push of the document is under way. If the answer to that push may not have
    arrived yet, the checkpoint names the document, and the next page tells of its removal once more.
    """
    with snapshot():
        here = devices.history(company_id)
        held = pull.subscriptions(company_id, device_id)
        ahead = asked.history in ("", here.epoch) and asked.place.effective > here.n
        ours = asked.history in ("", here.epoch) and not ahead and not is_too_old(held, asked)
        start = asked.place if ours else Place()
        epoch = asked.epoch if ours and asked.epoch else here.epoch
        if start == Place() and any(one.floor > one.granted for one in held):
            epoch = f"{here.epoch}~{here.n}"
        page = view.read_view(company_id, held, [collection], start, limit, here.n)
        named = {row.id for row in page.rows}
        live = {row.id for row in view.rows(company_id, held, asked.again) if row.body is not None}
        gone = {row.id for row in page.rows if row.body is None}
        unheard = gone & stock.pushed_since(company_id, device_id, now - UNHEARD) if gone else set()
    if ahead:
        note_ahead(company_id, device_id, now)
    again = [each for each in asked.again if each not in live | named]
    documents = [tombstone_text(collection, schema_version, each, 0) for each in again]
    for row in page.rows:
        documents.append(
            document_text(collection, schema_version, row.version, row.body)
            if row.body is not None
            else tombstone_text(collection, schema_version, row.id, row.version)
        )
    place = page.place if page.rows or not ours else start
    checkpoint = Checkpoint(epoch=epoch, place=place, again=tuple(sorted(unheard)))
    return RxPage(documents=documents, checkpoint=checkpoint, more=page.more)


def is_too_old(held: Sequence[pull.Subscription], asked: Checkpoint) -> bool:
    """Whether removals that this client has not heard of may be gone from the feed."""
    return asked.place != Place() and pull.is_too_old(held, asked.read)


def is_news(holder: Holder, collection: str, asked: Checkpoint, address: str, now: datetime) -> bool:
    """Whether the request says more of the device than what is noted."""
    if asked.place > stock.view_place(holder.company_id, holder.device_id, collection):
        return True
    return contact_is_old(holder, None, address, now)


@transactional
def note_place(
    company_id: str, device_id: str, collection: str, asked: Checkpoint, address: str, now: datetime
) -> None:
    """Remember how far a device has read a collection, and that it was heard of."""
    device = devices.lock_device(company_id, device_id)
    note_seen(device, now)
    note_address(device, address, now)
    if asked.history:
        device.epoch = asked.history
    row = db.session.get(ViewPlace, (company_id, device_id, collection))
    if row is None:
        row = ViewPlace(company_id=company_id, device_id=device_id, collection=collection)
        db.session.add(row)
    row.effective, row.seq, row.document_id = asked.place.effective, asked.place.seq, asked.place.document_id
