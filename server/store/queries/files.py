from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Select, case, func, select

from server.extensions import db
from server.store.models import Device, DeviceScope, Document, FileReference, ScopeFeed, StoredFile, Technician, Upload
from server.store.rows import chunks


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What is known of one hash: the stored file, the newest upload of it, whether a preview has come."""

    stored: StoredFile | None = None
    upload: Upload | None = None
    preview: bool = False


def upload(company_id: str, upload_id: str) -> Upload | None:
    return db.session.get(Upload, (company_id, upload_id))


def lock_upload(company_id: str, upload_id: str) -> Upload | None:
    """An upload as it stands now, locked until the commit."""
    statement = select(Upload).where(Upload.company_id == company_id, Upload.id == upload_id)
    return db.session.scalar(statement.with_for_update().execution_options(populate_existing=True))


def stored(company_id: str, sha256: str) -> StoredFile | None:
    """The verified file with this hash, None when there is none yet."""
    return db.session.get(StoredFile, (company_id, sha256))


def latest(company_id: str, device_id: str, sha256: str) -> Upload | None:
    """The upload of a hash from a device that says most: the verified one, else the newest that was not ended."""
    statement = (
        _uploads(company_id)
        .where(Upload.device_id == device_id, Upload.sha256 == sha256, Upload.state != "ended")
        .order_by((Upload.state == "verified").desc(), Upload.id.desc())
    )
    return db.session.scalar(statement.limit(1))


def of_device(company_id: str, device_id: str, hashes: Iterable[str]) -> dict[str, Upload]:
    """Hash -> what `latest` says of it, for those that the device has announced."""
    found: dict[str, Upload] = {}
    for part in chunks(sorted(set(hashes))):
        statement = (
            _uploads(company_id)
            .where(Upload.device_id == device_id, Upload.sha256.in_(part), Upload.state != "ended")
            .order_by(Upload.state == "verified", Upload.id)
        )
        found |= {row.sha256: row for row in db.session.scalars(statement)}
    return found


def has_preview(company_id: str, sha256: str) -> bool:
    """Whether a small picture of this photo came ahead of it."""
    statement = _uploads(company_id).where(Upload.ahead_of == sha256, Upload.state == "verified")
    return db.session.scalar(statement.limit(1)) is not None


def standings(company_id: str, hashes: Iterable[str]) -> dict[str, Standing]:
    """What is known of each of these hashes, whoever sent it; previews of photos count under the photo's hash."""
    every = sorted(set(hashes))
    files: dict[str, StoredFile] = {}
    sent: dict[str, Upload] = {}
    ahead: set[str] = set()
    for part in chunks(every):
        of_part = select(StoredFile).where(StoredFile.company_id == company_id, StoredFile.sha256.in_(part))
        files |= {row.sha256: row for row in db.session.scalars(of_part)}
        uploads = _uploads(company_id).where(Upload.sha256.in_(part), Upload.state != "ended").order_by(Upload.id)
        sent |= {row.sha256: row for row in db.session.scalars(uploads)}
        previews = select(Upload.ahead_of).where(
            Upload.company_id == company_id, Upload.ahead_of.in_(part), Upload.state == "verified"
        )
        ahead |= {row for row in db.session.scalars(previews) if row}
    return {one: Standing(stored=files.get(one), upload=sent.get(one), preview=one in ahead) for one in every}


def here(company_id: str, hashes: Iterable[str]) -> set[str]:
    """Those of the hashes whose files are here and verified."""
    found: set[str] = set()
    for part in chunks(sorted(set(hashes))):
        statement = select(StoredFile.sha256).where(StoredFile.company_id == company_id, StoredFile.sha256.in_(part))
        found |= set(db.session.scalars(statement))
    return found


def in_scope(company_id: str, device_id: str, hashes: Iterable[str]) -> set[str]:
    """Those of the hashes that a document in the device's scopes names; who may have the file says `vouched`."""
    return {sha256 for sha256, _ in _named_in_scope(company_id, device_id, hashes)}


def vouched(company_id: str, device_id: str, hashes: Iterable[str], *, preview: bool = False) -> set[str]:
    """Those of the hashes that a document in the device's scopes names, in an entry of somebody who has sent the file.

    Whoever knows a hash can write it into a visit of their own; that brings nothing. It is asked of the person, not of
    the tablet: a photo may follow under a new registration. What bears nobody's stamp the office has put there. With
    `preview`, having sent the small picture that goes ahead of the file counts too.
    """
    pairs = _named_in_scope(company_id, device_id, hashes)
    if not pairs:
        return set()
    named: set[tuple[str, str | None]] = set()
    wanted = {sha256 for sha256, _ in pairs}
    for part in chunks(sorted({document_id for _, document_id in pairs})):
        bodies = select(Document.body).where(Document.company_id == company_id, Document.id.in_(part))
        for body in db.session.scalars(bodies):
            entries = orjson.loads(body).get("attachments") or ()
            named |= {(entry["sha256"], entry.get("by")) for entry in entries if entry["sha256"] in wanted}
    senders = _senders(company_id, wanted, preview=preview)
    return {sha256 for sha256, by in named if by is None or (sha256, by) in senders}


def _senders(company_id: str, hashes: Iterable[str], *, preview: bool) -> set[tuple[str, str | None]]:
    """(hash, technician) of everybody whose bytes of it were verified."""
    of_file = case((Upload.ahead_of.is_not(None), Upload.ahead_of), else_=Upload.sha256) if preview else Upload.sha256
    found: set[tuple[str, str | None]] = set()
    for part in chunks(sorted(set(hashes))):
        statement = (
            select(of_file, Device.technician_id)
            .join(Device, (Device.company_id == Upload.company_id) & (Device.id == Upload.device_id))
            .where(Upload.company_id == company_id, Upload.state == "verified", of_file.in_(part))
        )
        if not preview:
            statement = statement.where(Upload.ahead_of.is_(None))
        found |= {(sha256, technician) for sha256, technician in db.session.execute(statement)}
    return found


def _named_in_scope(company_id: str, device_id: str, hashes: Iterable[str]) -> set[tuple[str, str]]:
    """(hash, document) for each document in the device's scopes that names one of the hashes."""
    found: set[tuple[str, str]] = set()
    for part in chunks(sorted(set(hashes))):
        statement = (
            select(FileReference.sha256, FileReference.document_id)
            .join(
                ScopeFeed,
                (ScopeFeed.company_id == FileReference.company_id)
                & (ScopeFeed.document_id == FileReference.document_id)
                & ScopeFeed.live,
            )
            .join(
                DeviceScope,
                (DeviceScope.company_id == ScopeFeed.company_id)
                & (DeviceScope.scope == ScopeFeed.scope)
                & DeviceScope.revoked.is_(None),
            )
            .where(
                FileReference.company_id == company_id,
                FileReference.sha256.in_(part),
                DeviceScope.device_id == device_id,
            )
        )
        found |= {(sha256, document_id) for sha256, document_id in db.session.execute(statement)}
    return found


def documents_naming(company_id: str, hashes: Iterable[str]) -> dict[str, list[str]]:
    """Hash -> ids of the documents that name it."""
    found: dict[str, list[str]] = {}
    for part in chunks(sorted(set(hashes))):
        statement = select(FileReference.sha256, FileReference.document_id).where(
            FileReference.company_id == company_id, FileReference.sha256.in_(part)
        )
        for sha256, document_id in db.session.execute(statement):
            found.setdefault(sha256, []).append(document_id)
    return found


def begun_since(company_id: str, device_id: str, since: datetime) -> tuple[int, datetime | None]:
    """How many files a device has announced since a moment, previews not counted, and when the first of them."""
    statement = select(func.count(), func.min(Upload.created_at)).where(
        Upload.company_id == company_id,
        Upload.device_id == device_id,
        Upload.created_at > since,
        Upload.ahead_of.is_(None),
    )
    count, first = db.session.execute(statement).one()
    return int(count), first


def waiting_bytes(company_id: str, device_id: str) -> int:
    """Bytes that a device has announced and not finished; a file that was announced twice counts once."""
    largest = (
        select(func.max(Upload.size).label("size"))
        .where(Upload.company_id == company_id, Upload.device_id == device_id, Upload.state == "waiting")
        .group_by(Upload.sha256)
        .subquery()
    )
    return int(db.session.scalar(select(func.coalesce(func.sum(largest.c.size), 0))) or 0)


def company_bytes(company_id: str) -> int:
    """Bytes of all files that are kept for a company, those in quarantine too."""
    kept = select(func.coalesce(func.sum(StoredFile.size), 0)).where(StoredFile.company_id == company_id)
    aside = select(func.coalesce(func.sum(Upload.size), 0)).where(
        Upload.company_id == company_id, Upload.state == "quarantined"
    )
    return int(db.session.scalar(kept) or 0) + int(db.session.scalar(aside) or 0)


def unfinished_before(company_id: str, moment: datetime, most: int) -> list[str]:
    """Ids of uploads that were to be finished before a moment."""
    statement = select(Upload.id).where(
        Upload.company_id == company_id, Upload.state == "waiting", Upload.expires_at < moment
    )
    return list(db.session.scalars(statement.order_by(Upload.created_at).limit(most)))


def others_of(company_id: str, device_id: str, sha256: str, but: str) -> list[Upload]:
    """Other uploads of a hash by a device that are unfinished, or were put aside because other bytes came."""
    statement = _uploads(company_id).where(
        Upload.device_id == device_id,
        Upload.sha256 == sha256,
        Upload.id != but,
        (Upload.state == "waiting") | ((Upload.state == "quarantined") & (Upload.fault == "hash")),
    )
    return list(db.session.scalars(statement.with_for_update()))


def all_kept() -> list[tuple[str, str]]:
    """Company and hash of every verified file of the installation."""
    statement = select(StoredFile.company_id, StoredFile.sha256)
    return [(row[0], row[1]) for row in db.session.execute(statement.order_by(*statement.selected_columns))]


def without_pictures(company_id: str, types: Iterable[str], after: str, most: int) -> list[StoredFile]:
    """Stored files of these media types of which nothing is drawn yet, by hash."""
    statement = (
        select(StoredFile)
        .where(
            StoredFile.company_id == company_id,
            StoredFile.media_type.in_(list(types)),
            StoredFile.pictures.is_(False),
            StoredFile.sha256 > after,
        )
        .order_by(StoredFile.sha256)
    )
    return list(db.session.scalars(statement.limit(most)))


def quarantined(company_id: str) -> int:
    """How many files wait for a person."""
    statement = select(func.count()).where(Upload.company_id == company_id, Upload.state == "quarantined")
    return int(db.session.scalar(statement) or 0)


def senders(company_id: str, device_ids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Device id -> its name and its technician's."""
    statement = (
        select(Device.id, Device.name, Technician.name)
        .join(Technician, (Technician.company_id == Device.company_id) & (Technician.id == Device.technician_id))
        .where(Device.company_id == company_id, Device.id.in_(list(device_ids)))
    )
    return {device_id: (name, technician) for device_id, name, technician in db.session.execute(statement)}


def needs_decision() -> list[ColumnElement[bool]]:
    """The condition of the quarantine's list: what waits for a person, and what one has decided."""
    return [Upload.fault.is_not(None), Upload.state.in_(["quarantined", "verified", "discarded"])]


def _uploads(company_id: str) -> Select[Any]:
    return select(Upload).where(Upload.company_id == company_id)
