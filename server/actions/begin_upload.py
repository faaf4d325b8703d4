"""A tablet announces a file: its length and hash are known before its first byte, and whether there is room for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from server.extensions import db
from server.problems import Problem
from server.store.files import Files
from server.store.models import Upload
from server.store.queries import devices
from server.store.queries import files as rows
from server.store.transaction import transactional
from server.store.types import new_id

LARGEST = 25_000_000
"""Bytes of one file."""

LARGEST_PREVIEW = 100_000
"""Bytes of the small picture that goes ahead of a photo."""

MOST_A_DAY = 300
"""Files that one tablet may announce in 24 hours; previews are not counted."""

MOST_WAITING = 2_000_000_000
"""Bytes that one tablet may have announced and not finished."""

KEPT_FOR = timedelta(days=30)
"""How long an unfinished upload is kept. A tablet may be without contact for weeks; it begins again after that."""


@dataclass(frozen=True, kw_only=True)
class Room:
    """How much may be kept: `free_share` of the disk stays free, `company_bytes` bound a company (0: nothing does)."""

    free_share: float
    company_bytes: int


@transactional
def begin_upload(
    files: Files,
    company_id: str,
    device_id: str,
    *,
    sha256: str,
    size: int,
    media_type: str | None,
    name: str | None,
    ahead_of: str | None,
    told: str,
    room: Room,
    now: datetime,
) -> Upload:
    """The upload to send to; one that this device has sent whole before comes back as it is.

    Another's bytes do not count: whoever knows a hash would be taken for somebody who has the file. Raises Problem
    `upload-size`, `too-many-files`, `too-much-waiting`, `storage-full`, `files-quota`, and `not-found` for a preview
    of what no document in the device's scopes names.
    """
    most = LARGEST_PREVIEW if ahead_of else LARGEST
    if not 0 < size <= most:
        raise Problem(413, "upload-size", most=most)
    devices.lock_device(company_id, device_id)
    there = rows.latest(company_id, device_id, sha256)
    if there is not None and there.size == size and there.ahead_of == ahead_of and _is_whole(there):
        return there
    if ahead_of and not rows.in_scope(company_id, device_id, [ahead_of]):
        raise Problem(404, "not-found")
    refuse_when_full(files, room)
    _refuse_over_quota(company_id, device_id, size, room, now, counted=ahead_of is None)
    upload = Upload(
        company_id=company_id,
        id=new_id(),
        device_id=device_id,
        sha256=sha256,
        size=size,
        media_type=media_type,
        name=name,
        ahead_of=ahead_of,
        told=told,
        state="waiting",
        created_at=now,
        expires_at=now + KEPT_FOR,
    )
    db.session.add(upload)
    return upload


def refuse_when_full(files: Files, room: Room) -> None:
    """Raise Problem `storage-full` (507) while the disk has less free than it must keep: documents need it more."""
    free = files.free_share()
    if free is not None and free < room.free_share:
        raise Problem(507, "storage-full", headers={"Retry-After": "600"})


def _is_whole(upload: Upload) -> bool:
    """All its promised bytes are here; sending them again would change nothing."""
    return upload.state == "verified" or (upload.state == "quarantined" and upload.fault != "hash")


def _refuse_over_quota(company_id: str, device_id: str, size: int, room: Room, now: datetime, *, counted: bool) -> None:
    day = timedelta(days=1)
    count, first = rows.begun_since(company_id, device_id, now - day)
    if counted and count >= MOST_A_DAY and first is not None:
        wait = max(60, min(3600, int((first + day - now).total_seconds())))
        raise Problem(429, "too-many-files", most=MOST_A_DAY, headers={"Retry-After": str(wait)})
    if rows.waiting_bytes(company_id, device_id) + size > MOST_WAITING:
        raise Problem(429, "too-much-waiting", most=MOST_WAITING // 10**9, headers={"Retry-After": "600"})
    if room.company_bytes and rows.company_bytes(company_id) + size > room.company_bytes:
        raise Problem(507, "files-quota", headers={"Retry-After": "3600"})
