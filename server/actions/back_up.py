"""A backup that may be believed: a copy that was read back, and all files that it names, each by its hash.

1. Each company takes a feed number: all that was answered before it is older than the copy. 2. The copy is made, read
back whole, and compared with what was there. 3. The files that it names are copied and checked. 4. Only then is it
named, and `backed_up_through` moves.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from schemas.entities.base import iso
from server.extensions import db
from server.store.backup import CannotCopy, Stand, copies
from server.store.backup.copies import keep, stands
from server.store.feed import next_number
from server.store.files import Files, FilesAway, places, sync_folder
from server.store.models import SyncClock
from server.store.queries import devices, people
from server.store.queries import files as rows
from server.store.transaction import transactional

PREFIX = "rounds-"


@dataclass(frozen=True, kw_only=True)
class Backup:
    """What was made."""

    path: Path
    companies: int
    size: int
    files: int


def back_up(folder: Path, files: Files, *, now: datetime, with_files: bool = True) -> Backup:
    """Make a backup in `folder`. Raises CannotCopy; then nothing has moved, and nothing half-made has a name."""
    folder.mkdir(parents=True, exist_ok=True)
    reached = _take_numbers()
    before = stands(db.engine)
    maker = copies()
    target = folder / f"{PREFIX}{now:%Y%m%dT%H%M%S.%fZ}{maker.suffix}"
    written = target.with_suffix(".part")
    try:
        maker.make(written)
        found = maker.read(written)
        _compare(before, found)
        copied = _copy_files(folder / "files", files) if with_files else 0
        manifest = _manifest(written, found, now)
        _write(target.with_suffix(".json"), json.dumps(manifest, indent=1))
        keep(written, target)
    finally:
        written.unlink(missing_ok=True)
    _move(reached, now)
    return Backup(path=target, companies=len(found), size=target.stat().st_size, files=copied)


def _take_numbers() -> dict[str, int]:
    """For each company the number up to which all answers are older than now."""
    return {company.id: _take_number(company.id) - 1 for company in people.companies()}


@transactional
def _take_number(company_id: str) -> int:
    return next_number(db.session(), company_id)


def _compare(before: dict[str, Stand], found: dict[str, Stand]) -> None:
    """A copy that was made later has all that was there, and may have more."""
    for company_id, was in before.items():
        here = found.get(company_id)
        if (
            here is None
            or here.epoch != was.epoch
            or (here.seq, here.versions, here.mutations) < (was.seq, was.versions, was.mutations)
            or here.versions < was.versions
            or here.mutations < was.mutations
        ):
            raise CannotCopy(f"The copy has {here} of company {company_id}, but {was} was there before.")


def _copy_files(target: Path, files: Files) -> int:
    """Copy what is not there yet; a file that is gone or altered is named, and the backup is none."""
    copied, wrong = 0, []
    for company_id, sha256 in rows.all_kept():
        there = target / company_id / sha256[:2] / sha256
        if there.exists():
            continue
        there.parent.mkdir(parents=True, exist_ok=True)
        part = there.with_suffix(".part")
        try:
            with files.open(places.original(company_id, sha256)).file as kept, part.open("wb") as copy:
                shutil.copyfileobj(kept, copy)
            with part.open("rb") as file:
                whole = hashlib.file_digest(file, "sha256").hexdigest() == sha256
        except (OSError, FilesAway):
            whole = False
        if whole:
            keep(part, there)
            copied += 1
        else:
            part.unlink(missing_ok=True)
            wrong.append(sha256)
    if wrong:
        shown = ", ".join(wrong[:5]) + (" …" if len(wrong) > 5 else "")
        raise CannotCopy(f"{len(wrong)} files are gone or altered: {shown}. Bring them back, or leave files out.")
    return copied


def _manifest(written: Path, found: dict[str, Stand], now: datetime) -> dict[str, Any]:
    with written.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "made_at": iso(now),
        "sha256": digest,
        "companies": {company_id: {"epoch": one.epoch, "seq": one.seq} for company_id, one in found.items()},
    }


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


@transactional
def _move(reached: dict[str, int], now: datetime) -> None:
    for company_id, through in reached.items():
        _, clock = devices.lock_company(company_id)
        _move_one(clock, through, now)


def _move_one(clock: SyncClock, through: int, now: datetime) -> None:
    clock.backed_up_through = max(clock.backed_up_through, through)
    clock.backed_up_at = now


def forget_old(folder: Path, most: int) -> list[Path]:
    """Delete the oldest backups until `most` are left; those that went."""
    every = sorted(path for path in folder.glob(f"{PREFIX}*") if path.suffix in (".db", ".dump"))
    gone = every[: max(len(every) - most, 0)]
    for path in gone:
        path.unlink()
        path.with_suffix(".json").unlink(missing_ok=True)
    return gone
