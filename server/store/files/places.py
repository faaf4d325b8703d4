"""Under which key each kind of file is kept. Keys are made of ids and hashes, which are checked here once more."""

from __future__ import annotations

import uuid

from schemas.entities.base import SHA256


def original(company_id: str, sha256: str) -> str:
    """A file as it was sent, under the hash of its bytes."""
    return f"attachments/{_id(company_id)}/{_hash(sha256)[:2]}/{sha256}"


def shown(company_id: str, sha256: str) -> str:
    """The picture that is shown of a photo."""
    return f"pictures/{_id(company_id)}/{_hash(sha256)[:2]}/{sha256}.jpg"


def thumbnail(company_id: str, sha256: str) -> str:
    """The small picture of a photo."""
    return f"pictures/{_id(company_id)}/{_hash(sha256)[:2]}/{sha256}.small.jpg"


def preview(company_id: str, sha256: str) -> str:
    """The small picture that a tablet sends ahead of a photo."""
    return f"pictures/{_id(company_id)}/{_hash(sha256)[:2]}/{sha256}.ahead.jpg"


def aside(company_id: str, upload_id: str) -> str:
    """An upload that waits for a person's decision."""
    return f"quarantine/{_id(company_id)}/{_id(upload_id)}"


def _id(text: str) -> str:
    return str(uuid.UUID(text))


def _hash(text: str) -> str:
    if not SHA256.fits(text):
        raise ValueError("not a SHA-256 in hex")
    return text
