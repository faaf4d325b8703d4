"""A tablet's file comes to the office: opened, judged by the door of a push, its photos by the door of uploads.

1. Open and read all of it: what is not whole and true is refused before anything is touched. 2. The push, and where the
tablet stands by it, in one transaction; of a tablet without access it is kept as salvage instead. 3. The photos, each
by itself. Taken twice it has its effect once: mutations and files are known by their ids and hashes.
"""

from __future__ import annotations

import base64
import io
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from marshmallow import ValidationError

from schemas.entities.base import iso
from schemas.exchange import Carried
from schemas.json_limits import has_too_many_parts, json_text, read_leniently
from schemas.push import read_told
from server.actions.begin_upload import Room, begin_upload, refuse_when_full
from server.actions.contact import Contact
from server.actions.drafts import Sender
from server.actions.exchange_keys import keys_of, public_of
from server.actions.file_states import receipts
from server.actions.history import stand
from server.actions.push_changes import Pushed, push_changes
from server.actions.receive_file import offset_of, receive
from server.actions.renew_token import AccessEnded, Ended, ended
from server.actions.salvage import brief, keep_salvage
from server.extensions import db
from server.problems import Problem, invalid
from server.store.author import Author, acting
from server.store.files import Files
from server.store.marks import marks
from server.store.models import Device, DeviceExchange
from server.store.queries import devices, people
from server.store.queries import exchange as rows
from server.store.queries.people import Holder
from server.store.transaction import let_go, transactional
from sync import carried
from sync.clock import DRIFT, ClockOffset, carried_offset, corrected
from sync.feed import BadCursor, decode

MOST_UNCERTAIN_S = 300
"""Half of the longest round trip that a push may tell of."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A tablet's file, read: whose it is, what it says, and the bytes of the files that it brings."""

    company_id: str
    holder: Holder
    told: dict[str, Any]
    raw_push: dict[str, Any]
    files: list[bytes]


@dataclass(kw_only=True)
class Came:
    """What a file brought. `salvaged` is whether it is kept for a decision, None for a tablet that has access;
    `again` means that nothing of it was new."""

    device_id: str
    technician_id: str
    n: int
    made_at: datetime
    ended: Ended | None = None
    salvaged: bool | None = None
    results: list[dict[str, Any]] = field(default_factory=list)
    conflicts: int = 0
    files: list[dict[str, Any]] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """How many edits came to what."""
        return dict(Counter(one["status"] for one in self.results))

    @property
    def again(self) -> bool:
        return bool(self.results) and all(one["repeated"] for one in self.results)


def take_exchange(data: bytes, *, company_id: str | None, files: Files, room: Room, now: datetime, locale: str) -> Came:
    """Take in a tablet's file; `company_id` None takes one of any company here.

    Raises Problem `exchange-too-large` (413), and 422 `exchange-unreadable`, `exchange-newer`, `exchange-cut`,
    `exchange-altered`, `exchange-own`, `exchange-other-office`, `exchange-unknown-tablet`, `exchange-contents`.
    """
    opened = open_exchange(data, company_id, now)
    holder, told = opened.holder, opened.told
    came = Came(
        device_id=holder.device_id, technician_id=holder.technician_id, n=told["n"], made_at=told["push"]["device_time"]
    )
    known = devices.device(opened.company_id, holder.device_id)
    assert known is not None
    offset = _offset(known, told, now)
    why = ended(holder, now)
    if why is None:
        try:
            stand(opened.company_id, marks().known(opened.company_id), now)
            pushed = _take(opened, offset, now, locale)
            came.results = [brief(result) for result in pushed.results]
            came.conflicts = sum(len(result["conflicts"]) for result in pushed.results)
        except AccessEnded as error:
            why = error.why
    if why is not None:
        came.ended, came.salvaged = why, _keep(opened, offset, why, now)
        came.files = _leave_files(files, opened, now, locale)
        return came
    came.files = _take_files(files, room, opened, now, locale)
    return came


def open_exchange(data: bytes, company_id: str | None, now: datetime) -> Opened:
    """Read a tablet's file and believe nothing that its signature does not cover; raises as `take_exchange` does."""
    from sync import sealed

    if len(data) > carried.MOST_BYTES:
        raise Problem(413, "exchange-too-large", most=carried.MOST_BYTES // 2**20)
    try:
        envelope = sealed.read_envelope(data)
        office = rows.office_by_key(envelope.recipient.hex())
        if office is None or company_id not in (None, office.company_id):
            mine = rows.office_by_key(envelope.sender.hex())
            own = mine is not None and company_id in (None, mine.company_id)
            raise Problem(422, "exchange-own" if own else "exchange-other-office")
        key = rows.device_key(office.company_id, envelope.sender.hex())
        if key is None or envelope.direction != sealed.TO_OFFICE:
            raise Problem(422, "exchange-unknown-tablet")
        plain = sealed.unseal(envelope, sender=public_of(key), recipient=keys_of(office))
    except sealed.Broken as error:
        raise Problem(422, f"exchange-{error.fault}") from error
    told, raw, brought = _read(plain)
    holder = people.device_with_holder(office.company_id, key.device_id)
    assert holder is not None
    return Opened(company_id=office.company_id, holder=holder, told=told, raw_push=raw, files=brought)


def _read(plain: bytes) -> tuple[dict[str, Any], dict[str, Any], list[bytes]]:
    """What the contents say, the push as it came, and the files behind it."""
    try:
        text, behind = carried.unpack(plain)
        if has_too_many_parts(text):
            raise Problem(422, "exchange-contents")
        raw = read_leniently(text)
        told: dict[str, Any] = Carried().load(raw)
        return told, raw["push"], carried.parts(behind, [each["size"] for each in told["files"]])
    except ValidationError as error:
        raise Problem(422, "exchange-contents", errors=invalid(error.normalized_messages()).errors) from error
    except ValueError as error:
        raise Problem(422, "exchange-contents") from error


def _offset(device: Device, told: dict[str, Any], now: datetime) -> ClockOffset:
    known = None
    if device.clock_offset_s is not None and device.clock_measured_at is not None:
        age = abs((now - device.clock_measured_at).total_seconds())
        uncertain = (device.clock_uncertainty_s or 0) + DRIFT * age
        known = ClockOffset(seconds=device.clock_offset_s, uncertainty_s=uncertain)
    heard = told["heard"] and (told["heard"]["office"], told["heard"]["here"])
    return carried_offset(device_time=told["push"]["device_time"], received_at=now, known=known, heard=heard)


@transactional
def _take(opened: Opened, offset: ClockOffset, now: datetime, locale: str) -> Pushed:
    holder, told, push = opened.holder, opened.told, opened.told["push"]
    device = devices.lock_device(opened.company_id, holder.device_id)
    there = rows.exchange_of(opened.company_id, holder.device_id)
    newest = there is None or told["n"] > there.taken_n
    made_at = corrected(push["device_time"], offset, now)
    says_news = newest and (device.told_at is None or made_at >= device.told_at)
    contact = Contact(
        device_time=push["device_time"],
        app_version=push["app_version"] if newest else None,
        schema_version=push["schema_version"],
        told=read_told(push["told"]) if says_news else None,
        carried=offset,
    )
    sender = Sender(
        company_id=opened.company_id,
        device_id=holder.device_id,
        technician_id=holder.technician_id,
        name=holder.name,
        user_id=holder.user_id,
        schema_version=holder.schema_version,
    )
    before = device.last_seen_at, device.schema_version
    with acting(Author(user_id=holder.user_id, name=holder.name, device_id=holder.device_id)):
        pushed = push_changes(sender, push["mutations"], contact=contact, now=now, locale=locale)
    if not newest:
        # A file that anybody has kept says nothing of where the tablet is now.
        device.last_seen_at, device.schema_version = before
        return pushed
    if there is None:
        there = DeviceExchange(company_id=opened.company_id, device_id=holder.device_id, made_n=0)
        db.session.add(there)
    there.taken_n, there.taken_at = told["n"], now
    there.cursor = told["cursor"]
    there.first_unanswered, there.awaiting = told["first_unanswered"], told["awaiting"]
    there.sent = [str(result["id"]) for result in pushed.results if result["id"]]
    _note_reading(device, told["cursor"])
    return pushed


def _note_reading(device: Device, cursor_text: str | None) -> None:
    """Remember how far a tablet has read, as after a pull; a cursor that was never given out says nothing."""
    try:
        cursor = decode(cursor_text) if cursor_text else None
    except BadCursor:
        cursor = None
    if cursor is None:
        return
    here = devices.history(device.company_id)
    if cursor.epoch == here.epoch and cursor.seq <= here.n:
        before = device.cursor_seq if device.epoch in (None, cursor.epoch) else 0
        device.cursor_seq, device.epoch = max(before, cursor.seq), cursor.epoch


def _keep(opened: Opened, offset: ClockOffset, why: Ended, now: datetime) -> bool | None:
    """Keep the push of a tablet without access, with its clock as it is thought to stand now (S-80)."""
    holder = opened.holder
    # A push says how uncertain its clock is by its round trip, half of which it was on its way here.
    half = min(MOST_UNCERTAIN_S, offset.uncertainty_s)
    clock = {"device_time": iso(now - timedelta(seconds=offset.seconds + half)), "rtt_ms": round(half * 2000)}
    body = opened.raw_push | clock
    text = json_text(body).encode("utf-8", "surrogatepass")
    company, device = opened.company_id, holder.device_id
    return keep_salvage(company, device, holder.technician_id, holder.user_id, text, why=why, now=now)


def _take_files(files: Files, room: Room, opened: Opened, now: datetime, locale: str) -> list[dict[str, Any]]:
    """The photos by the door of uploads, each by itself; what is wrong with one is said of it alone."""
    told = opened.told["files"]
    refused: dict[str, dict[str, Any]] = {}
    for about, data in zip(told, opened.files, strict=True):
        try:
            _take_file(files, room, opened, about, data, now)
        except Problem as problem:
            refused[about["sha256"]] = _in_brief(problem, locale)
    return _standing(files, opened, refused, now, locale)


def _leave_files(files: Files, opened: Opened, now: datetime, locale: str) -> list[dict[str, Any]]:
    """The photos of a tablet without access: none is taken, and of each that is not here already it is said."""
    left = _in_brief(Problem(409, "exchange-photo-left"), locale)
    return _standing(files, opened, {about["sha256"]: left for about in opened.told["files"]}, now, locale)


def _in_brief(problem: Problem, locale: str) -> dict[str, Any]:
    wrong = problem.body(locale)
    return {name: wrong[name] for name in ("code", "title", "detail")}


def _standing(
    files: Files, opened: Opened, refused: dict[str, dict[str, Any]], now: datetime, locale: str
) -> list[dict[str, Any]]:
    """Where each photo of the file is now, and what was wrong with it."""
    let_go()
    told = opened.told["files"]
    hashes = [about["sha256"] for about in told]
    found = receipts(files, opened.company_id, opened.holder.device_id, hashes, locale=locale, now=now)
    return [
        {
            "sha256": about["sha256"],
            "name": about["name"],
            "state": receipt["state"],
            "problem": receipt["problem"] or (refused.get(about["sha256"]) if receipt["state"] != "verified" else None),
        }
        for about, receipt in zip(told, found, strict=True)
    ]


def _take_file(files: Files, room: Room, opened: Opened, about: dict[str, Any], data: bytes, now: datetime) -> None:
    named = {"sha256": about["sha256"], "filename": about["name"], "media_type": about["media_type"]}
    told = ",".join(f"{key} {base64.b64encode(text.encode()).decode()}" for key, text in named.items() if text)
    let_go()
    refuse_when_full(files, room)
    upload = begin_upload(
        files,
        opened.company_id,
        opened.holder.device_id,
        sha256=about["sha256"],
        size=about["size"],
        media_type=about["media_type"],
        name=about["name"],
        ahead_of=None,
        told=told,
        room=room,
        now=now,
    )
    let_go()
    offset = offset_of(files, upload, now)
    if offset < upload.size:
        receive(files, upload, offset, io.BytesIO(data[offset:]), now)
