"""A person decides about a file in quarantine: it may stand after all, or it goes, with the reason."""

from __future__ import annotations

from datetime import datetime

from server.actions.look_at_file import Look, look_at
from server.actions.receive_file import keep_pictures, note_stored
from server.extensions import db
from server.problems import Problem, not_found
from server.store.files import Files, places
from server.store.models import Upload
from server.store.queries import files as rows
from server.store.transaction import let_go, transactional


def release(files: Files, company_id: str, upload_id: str, *, reason: str, user_id: str | None, now: datetime) -> None:
    """Let a file stand as what was promised. What can be drawn of it is drawn; else it is only ever a download.

    Raises Problem `not-quarantined`, and `not-the-promised` for bytes with another hash: no document names those.
    """
    upload = _open(company_id, upload_id)
    if upload.fault == "hash" or upload.ahead_of:
        raise Problem(409, "not-the-promised")
    aside, key = places.aside(company_id, upload_id), places.original(company_id, upload.sha256)
    let_go()
    with files.local(aside) as path:
        look = look_at(path, None, released=True)
    keep_pictures(files, company_id, upload.sha256, look)
    files.copy(aside, key)
    _decide(company_id, upload_id, "verified", reason, user_id, now, look)
    files.remove(aside)


def discard(files: Files, company_id: str, upload_id: str, *, reason: str, user_id: str | None, now: datetime) -> None:
    """Delete the bytes; who sent them is told the reason. Raises Problem `not-quarantined`."""
    _open(company_id, upload_id)
    _decide(company_id, upload_id, "discarded", reason, user_id, now, None)
    files.remove(places.aside(company_id, upload_id))


def _open(company_id: str, upload_id: str) -> Upload:
    upload = rows.upload(company_id, upload_id)
    if upload is None or upload.fault is None:
        raise not_found()
    if upload.state != "quarantined":
        raise Problem(409, "not-quarantined")
    return upload


@transactional
def _decide(
    company_id: str, upload_id: str, state: str, reason: str, user_id: str | None, now: datetime, look: Look | None
) -> None:
    upload = rows.lock_upload(company_id, upload_id)
    if upload is None:
        raise not_found()
    if upload.state != "quarantined":
        raise Problem(409, "not-quarantined")
    upload.state, upload.decision = state, reason
    upload.decided_at, upload.decided_by = now, user_id
    if look is not None:
        note_stored(company_id, upload.sha256, upload.size, look, now)
    db.session.flush()
