"""A photo arrives in pieces: each is on disk before it is answered, the whole is checked against its promised hash."""

from __future__ import annotations

from datetime import datetime

from server.extensions import db
from server.problems import Problem, not_found
from server.store.files import Busy, Files, Readable
from server.store.models import Upload
from server.store.queries import uploads
from server.store.transaction import transactional
from server.store.types import new_id

LARGEST = 25_000_000
"""Bytes of one file."""


@transactional
def begin_upload(
    company_id: str,
    device_id: str,
    *,
    sha256: str,
    size: int,
    media_type: str | None,
    name: str | None,
    now: datetime,
) -> Upload:
    """Announce a file; one that this device has sent whole before is complete at once.

    Another's bytes do not count: whoever knows a hash would be taken for somebody who has the file.
    """
    if not 0 < size <= LARGEST:
        raise Problem(413, "upload-size", most=LARGEST)
    there = uploads.latest(company_id, device_id, sha256)
    upload = Upload(
        company_id=company_id,
        id=new_id(),
        device_id=device_id,
        sha256=sha256,
        size=size,
        media_type=media_type,
        name=name,
        state="verified" if there is not None and (there.state, there.size) == ("verified", size) else "waiting",
        created_at=now,
    )
    db.session.add(upload)
    return upload


def offset_of(files: Files, upload: Upload) -> int:
    """From which byte the upload goes on; one whose last byte came just before a crash is finished first."""
    if upload.state == "waiting" and files.received(upload.id) == upload.size:
        _finish(files, upload)
    return upload.size if upload.state != "waiting" else files.received(upload.id)


def receive(files: Files, upload: Upload, offset: int, source: Readable) -> int:
    """Take bytes from `offset` on; the new offset. Raises Problem `upload-offset` when it goes on elsewhere.

    The last byte checks the whole: what has another hash than promised is put aside and the upload starts again.
    """
    if upload.state != "waiting":
        return upload.size
    try:
        reached = files.append(upload.id, source, offset, upload.size - offset)
    except ValueError as error:
        raise Problem(409, "upload-offset", offset=files.received(upload.id)) from error
    except Busy as error:
        raise Problem(423, "busy", seconds=1, headers={"Retry-After": "1"}) from error
    if reached == upload.size:
        _finish(files, upload)
    return reached


def _finish(files: Files, upload: Upload) -> None:
    if files.hash_of(upload.id) == upload.sha256:
        files.keep(upload.id, upload.company_id, upload.sha256)
        _set_state(upload.company_id, upload.id, "verified")
    else:
        files.put_aside(upload.id)
        _set_state(upload.company_id, upload.id, "quarantined")
        raise Problem(460, "upload-hash", field="sha256")


@transactional
def _set_state(company_id: str, upload_id: str, state: str) -> None:
    upload = uploads.lock_upload(company_id, upload_id)
    if upload is None:
        raise not_found()
    upload.state = state
