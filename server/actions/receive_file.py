"""A file arrives in pieces: each is on disk before it is answered, the whole is checked and looked at.

What has another hash than promised is put aside and sent again; what is not what it says it is is put aside for a
person. Either way the documents that name it are not held up.
"""

from __future__ import annotations

import base64
import hashlib
import tempfile
from datetime import datetime
from pathlib import Path
from typing import IO

from server.actions.look_at_file import Look, look_at
from server.extensions import db
from server.problems import Problem, not_found
from server.store.files import BLOCK, Files, Readable, places
from server.store.models import StoredFile, Upload
from server.store.queries import files as rows
from server.store.transaction import let_go, transactional

SPOOLED = 1024 * 1024
ALGORITHMS = ("sha1", "sha256")
"""Of the checksums that a sender may put on a piece."""


def offset_of(files: Files, upload: Upload, now: datetime) -> int:
    """From which byte the upload goes on; one whose last byte came just before a crash is finished first.

    Raises Problem `upload-ended` for one that is no more, and what `receive` raises when it is finished here.
    """
    _refuse_ended(upload, now)
    if upload.state != "waiting":
        return upload.size
    reached = files.received(upload.id)
    if reached == upload.size:
        _finish(files, upload, now)
    return reached


def receive(
    files: Files, upload: Upload, offset: int, source: Readable, now: datetime, checksum: str | None = None
) -> int:
    """Take bytes from `offset` on; the new offset. Hold no transaction: a slow sender takes minutes.

    With a `checksum` (`sha1 <base64>`) the piece is kept whole or not at all. Raises Problem `upload-offset` when the
    upload goes on elsewhere, `upload-checksum` and `checksum-algorithm`, `upload-hash` when the whole is not what was
    promised, `upload-ended`.
    """
    _refuse_ended(upload, now)
    if upload.state != "waiting":
        return upload.size
    most = upload.size - offset
    try:
        if checksum is None:
            reached = files.append(upload.id, source, offset, most)
        else:
            with tempfile.SpooledTemporaryFile(SPOOLED) as piece:
                _copy_checked(source, piece, most, checksum)
                reached = files.append(upload.id, piece, offset, most)
    except ValueError as error:
        raise Problem(409, "upload-offset", offset=files.received(upload.id)) from error
    if reached == upload.size:
        _finish(files, upload, now)
    return reached


def _refuse_ended(upload: Upload, now: datetime) -> None:
    late = upload.state == "waiting" and upload.expires_at is not None and upload.expires_at < now
    if late or upload.state in ("ended", "discarded"):
        raise Problem(410, "upload-ended")


def _copy_checked(source: Readable, piece: IO[bytes], most: int, checksum: str) -> None:
    algorithm, _, wanted = checksum.partition(" ")
    if algorithm not in ALGORITHMS:
        raise Problem(400, "checksum-algorithm", expected=", ".join(ALGORITHMS))
    sum_of_piece = hashlib.new(algorithm)
    left = most
    while left > 0 and (block := source.read(min(BLOCK, left))):
        sum_of_piece.update(block)
        piece.write(block)
        left -= len(block)
    if base64.b64encode(sum_of_piece.digest()).decode() != wanted.strip():
        raise Problem(460, "upload-checksum")
    piece.seek(0)


def _finish(files: Files, upload: Upload, now: datetime) -> None:
    """1. Hash. 2. Look. 3. Keep the bytes. 4. Commit what they are. 5. Drop the upload's own copy.

    Each step may be the last before a crash: whoever asks next begins at the first again, and finds the same.
    """
    known = rows.stored(upload.company_id, upload.sha256)
    let_go()
    try:
        with files.whole(upload.id) as path:
            state, fault = _settle(files, upload, path, now, known)
    except FileNotFoundError:
        # Another request has finished it meanwhile.
        there = rows.upload(upload.company_id, upload.id)
        if there is None or there.state == "waiting":
            raise
        state, fault = there.state, there.fault
    files.forget(upload.id)
    if (state, fault) == ("quarantined", "hash"):
        raise Problem(460, "upload-hash", field="sha256")


def _settle(
    files: Files, upload: Upload, path: Path, now: datetime, known: StoredFile | None
) -> tuple[str, str | None]:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != upload.sha256:
        files.keep(upload.id, path, places.aside(upload.company_id, upload.id))
        return _put_aside(upload, "hash", None, found)
    if known is not None and not upload.ahead_of:
        # The same bytes have been looked at before; a copy that has rotten is replaced by this one.
        look = Look(media_type=known.media_type, width=known.width, height=known.height)
    else:
        look = look_at(path, upload.media_type)
    if look.fault is None and upload.ahead_of and look.thumbnail is None:
        look = Look(media_type=look.media_type, fault="not-what-it-says")
    if look.fault is not None:
        files.keep(upload.id, path, places.aside(upload.company_id, upload.id))
        return _put_aside(upload, look.fault, look.media_type, found)
    if upload.ahead_of and look.thumbnail is not None:
        files.write(places.preview(upload.company_id, upload.ahead_of), look.thumbnail)
    else:
        files.keep(upload.id, path, places.original(upload.company_id, upload.sha256))
        keep_pictures(files, upload.company_id, upload.sha256, look)
    dropped = _verify(upload, look, now)
    for upload_id in dropped:
        files.forget(upload_id)
        files.remove(places.aside(upload.company_id, upload_id))
    return "verified", None


def keep_pictures(files: Files, company_id: str, sha256: str, look: Look) -> None:
    """Keep what is shown of a file, where there is anything."""
    if look.shown is not None and look.thumbnail is not None:
        files.write(places.shown(company_id, sha256), look.shown)
        files.write(places.thumbnail(company_id, sha256), look.thumbnail)


@transactional
def _put_aside(upload: Upload, fault: str, found_type: str | None, found: str) -> tuple[str, str | None]:
    """The state of the upload as it stands after this, with its fault."""
    locked = _locked(upload)
    if locked.state == "waiting":
        locked.state, locked.fault = "quarantined", fault
        locked.found_type, locked.found_sha256 = found_type, found
    return locked.state, locked.fault


@transactional
def _verify(upload: Upload, look: Look, now: datetime) -> list[str]:
    """Note that a file is here; ids of the sender's other uploads of it, which are of no use any more."""
    locked = _locked(upload)
    if locked.state != "waiting":
        return []
    locked.state = "verified"
    locked.found_type, locked.found_sha256 = look.media_type, upload.sha256
    if locked.ahead_of is None and rows.stored(locked.company_id, locked.sha256) is None:
        note_stored(locked.company_id, locked.sha256, locked.size, look, now)
    others = rows.others_of(locked.company_id, locked.device_id, locked.sha256, locked.id)
    for other in others:
        other.state = "ended"
    return [other.id for other in others]


def note_stored(company_id: str, sha256: str, size: int, look: Look, now: datetime) -> None:
    """Write down that a file is here, inside the open transaction; does not commit."""
    known = rows.stored(company_id, sha256)
    if known is None:
        known = StoredFile(company_id=company_id, sha256=sha256, size=size, at=now)
        db.session.add(known)
    known.media_type, known.width, known.height = look.media_type, look.width, look.height
    known.pictures = look.shown is not None


def _locked(upload: Upload) -> Upload:
    locked = rows.lock_upload(upload.company_id, upload.id)
    if locked is None:
        raise not_found()
    return locked
