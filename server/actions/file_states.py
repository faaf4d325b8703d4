"""Where the files are that documents name: receipts for a tablet, a visit's photos for the office. Nothing is written
down for it: what awaits its file is what names a hash that is not here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from server.actions.receive_file import offset_of
from server.problems import Problem, not_found
from server.store.files import Files
from server.store.models import Upload, Visit
from server.store.queries import files as rows
from server.store.queries import visits
from server.text import say

State = dict[str, Any]


def receipts(
    files: Files, company_id: str, device_id: str, hashes: Sequence[str], *, locale: str, now: datetime
) -> list[State]:
    """For each hash what the device may know of it, in the order given; see the rules S-51, S-91 and S-92."""
    standing = rows.standings(company_id, hashes)
    reachable = rows.in_scope(company_id, device_id, hashes)
    vouched = rows.vouched(company_id, device_id, hashes)
    sent = rows.of_device(company_id, device_id, hashes)
    found: dict[str, State] = {}
    for sha256 in dict.fromkeys(hashes):
        known = standing[sha256]
        own = sent.get(sha256)
        if known.stored is not None and (sha256 in vouched or (own is not None and own.state == "verified")):
            found[sha256] = _state(sha256, "verified", known.stored.size, known.stored.size)
        elif own is not None:
            found[sha256] = _own(files, own, locale, now)
        elif sha256 in reachable:
            found[sha256] = _state(sha256, "waiting", 0, None)
        else:
            found[sha256] = _state(sha256, "unknown", 0, None)
    return [found[sha256] for sha256 in hashes]


def of_visit(company_id: str, visit_id: str, *, locale: str) -> State:
    """The files that a visit names, each with where it is; raises Problem `not-found`."""
    visit = visits.visit(company_id, visit_id)
    if visit is None:
        raise not_found()
    items = describe(company_id, visit, locale)
    return {
        "items": items,
        "awaiting": sum(one["state"] != "verified" for one in items),
        "quarantined": sum(one["state"] == "quarantined" for one in items),
    }


def awaiting(company_id: str, visits_shown: Sequence[Visit]) -> dict[str, int]:
    """Visit id -> how many of the files that it names are not here; visits that await none are left out."""
    named = {visit.id: {entry["sha256"] for entry in visit.attachments or ()} for visit in visits_shown}
    every = set().union(*named.values())
    missing = every - rows.here(company_id, every) if every else set()
    return {visit_id: len(hashes & missing) for visit_id, hashes in named.items() if hashes & missing}


def describe(company_id: str, visit: Visit, locale: str) -> list[State]:
    """Each entry of a visit's attachments with the state of its file."""
    entries = visit.attachments or []
    standing = rows.standings(company_id, {entry["sha256"] for entry in entries})
    items = []
    for entry in entries:
        known = standing[entry["sha256"]]
        stored, upload = known.stored, known.upload
        fault = problem_of(upload, locale) if stored is None and upload is not None else None
        items.append(
            {name: entry.get(name) for name in ("id", "kind", "sha256", "name", "item", "by_name", "size")}
            | {
                "at": entry.get("at_corrected") or entry.get("at"),
                "media_type": stored.media_type if stored else entry.get("media_type"),
                "width": stored.width if stored else 0,
                "height": stored.height if stored else 0,
                "state": "verified" if stored else _shown_state(upload),
                "problem": fault,
                "shown": bool(stored and stored.pictures),
                "thumbnail": bool((stored and stored.pictures) or (stored is None and known.preview)),
            }
        )
    return items


def problem_of(upload: Upload, locale: str) -> State | None:
    """Why an upload does not stand, in words; None when nothing is wrong with it."""
    if upload.state == "discarded":
        problem = Problem(410, "file-discarded", reason=upload.decision or "…")
    elif upload.state == "quarantined" and upload.fault == "hash":
        problem = Problem(460, "upload-hash")
    elif upload.state == "quarantined":
        problem = Problem(409, "file-quarantined", why=say("problem", f"file.{upload.fault}", {}, locale))
    else:
        return None
    told = problem.body(locale)
    return {name: told[name] for name in ("code", "title", "detail")}


def _shown_state(upload: Upload | None) -> str:
    return upload.state if upload is not None and upload.state in ("quarantined", "discarded") else "waiting"


def _own(files: Files, own: Upload, locale: str, now: datetime) -> State:
    """What became of a device's own upload; one that is whole but was not looked at yet is finished first."""
    received = own.size
    if own.state == "waiting":
        company_id, upload_id = own.company_id, own.id
        try:
            received = offset_of(files, own, now)
        except Problem:
            received = 0
        own = rows.upload(company_id, upload_id) or own
    if own.state == "ended" or (own.state == "waiting" and own.expires_at is not None and own.expires_at < now):
        return _state(own.sha256, "waiting", 0, own.size)
    return _state(own.sha256, own.state, received, own.size, problem_of(own, locale))


def _state(sha256: str, state: str, received: int, size: int | None, problem: State | None = None) -> State:
    return {"sha256": sha256, "state": state, "received": received, "size": size, "problem": problem}
