from __future__ import annotations

from sqlalchemy import select

from server.extensions import db
from server.store.models import DeviceScope, Document, ScopeFeed, Upload


def upload(company_id: str, upload_id: str) -> Upload | None:
    return db.session.get(Upload, (company_id, upload_id))


def lock_upload(company_id: str, upload_id: str) -> Upload | None:
    """An upload, locked until the commit."""
    statement = select(Upload).where(Upload.company_id == company_id, Upload.id == upload_id)
    return db.session.scalar(statement.with_for_update())


def kept(company_id: str, sha256: str) -> Upload | None:
    """A verified file with this hash, None when there is none yet."""
    statement = select(Upload).where(
        Upload.company_id == company_id, Upload.sha256 == sha256, Upload.state == "verified"
    )
    return db.session.scalar(statement.limit(1))


def latest(company_id: str, device_id: str, sha256: str) -> Upload | None:
    """The newest upload of a hash from a device."""
    statement = (
        select(Upload)
        .where(Upload.company_id == company_id, Upload.device_id == device_id, Upload.sha256 == sha256)
        .order_by(Upload.id.desc())
    )
    return db.session.scalar(statement.limit(1))


def in_reach(company_id: str, device_id: str, sha256: str) -> bool:
    """Whether a document in the device's scopes refers to the file, or the device sent its bytes itself."""
    own = latest(company_id, device_id, sha256)
    if own is not None and own.state == "verified":
        return True
    statement = (
        select(Document.id)
        .join(
            ScopeFeed,
            (ScopeFeed.company_id == Document.company_id) & (ScopeFeed.document_id == Document.id) & ScopeFeed.live,
        )
        .join(
            DeviceScope,
            (DeviceScope.company_id == ScopeFeed.company_id)
            & (DeviceScope.scope == ScopeFeed.scope)
            & DeviceScope.revoked.is_(None),
        )
        .where(
            Document.company_id == company_id,
            Document.collection == "visit",
            DeviceScope.device_id == device_id,
            Document.body.contains(f'"sha256":"{sha256}"', autoescape=True),
        )
        .limit(1)
    )
    return db.session.scalar(statement) is not None


def all_kept() -> list[tuple[str, str]]:
    """Company and hash of every verified file of the installation."""
    statement = select(Upload.company_id, Upload.sha256).where(Upload.state == "verified").distinct()
    return [(row[0], row[1]) for row in db.session.execute(statement.order_by(Upload.company_id, Upload.sha256))]
