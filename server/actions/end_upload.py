"""Uploads that come to nothing: taken back by the sender, or never finished."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from server.problems import not_found
from server.store.files import Files
from server.store.queries import files as rows
from server.store.transaction import transactional

BATCH = 200


def end_upload(files: Files, company_id: str, upload_id: str) -> None:
    """The sender takes an unfinished upload back, and its bytes go. What is finished stays: documents may name it."""
    if _end(company_id, upload_id):
        files.forget(upload_id)


def end_unfinished(files: Files, company_id: str, now: datetime) -> dict[str, Any]:
    """Drop the uploads that were to be finished before now; their tablets begin again. Returns how many."""
    ended = 0
    while batch := rows.unfinished_before(company_id, now, BATCH):
        for upload_id in batch:
            end_upload(files, company_id, upload_id)
        ended += len(batch)
    return {"uploads_ended": ended}


@transactional
def _end(company_id: str, upload_id: str) -> bool:
    upload = rows.lock_upload(company_id, upload_id)
    if upload is None:
        raise not_found()
    if upload.state == "waiting":
        upload.state = "ended"
    return upload.state == "ended"
