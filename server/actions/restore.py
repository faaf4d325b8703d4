"""A backup takes the database's place: another history, so that every tablet starts anew and sends what it lacks."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from schemas.entities.base import parse_instant
from server.actions.history import renew_epoch
from server.extensions import db
from server.store import restored
from server.store.backup import CannotCopy, copies
from server.store.marks import marks
from server.store.queries import devices, people


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What was put back: as of when, for how many companies, and where what was there before is kept."""

    made_at: datetime | None
    companies: int
    kept: str


def put_back(copy: Path, aside: Path) -> Restored:
    """Put a backup in the database's place; its tables may still be those of an older version.

    Nobody ever sees it under the history that it was made in. Raises CannotCopy; then the database is as it was.
    """
    manifest = _manifest(copy)
    maker = copies()
    found = maker.read(copy)
    revoked = {company_id: marks().revoked(company_id) for company_id in found}
    aside.mkdir(parents=True, exist_ok=True)
    db.session.remove()
    db.engine.dispose()
    kept = maker.put_back(
        copy, lambda engine: restored.prepare(engine, {one: secrets.token_hex(8) for one in found}, revoked), aside
    )
    db.engine.dispose()
    return Restored(made_at=parse_instant(manifest.get("made_at")), companies=len(found), kept=kept)


def begin_histories(made_at: datetime | None, now: datetime) -> None:
    """Begin the histories of a database that was put back, once its tables are of this version."""
    for company in people.companies():
        renew_epoch(company.id, devices.history(company.id).epoch, now, restored_to=made_at)


def _manifest(copy: Path) -> dict[str, Any]:
    """What was written down about a backup; raises CannotCopy when the file is not the one that was made."""
    path = copy.with_suffix(".json")
    if not copy.is_file():
        raise CannotCopy(f"There is no file {copy}.")
    if not path.exists():
        return {}
    manifest: dict[str, Any] = json.loads(path.read_text("utf-8"))
    with copy.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != manifest["sha256"]:
            raise CannotCopy(f"{copy.name} is not what was written: its hash differs from the one in {path.name}.")
    return manifest
