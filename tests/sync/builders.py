"""Valid mutations and records; a test says only what matters to it."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from sync.change import FieldRule, FieldVersion, Mutation, Record

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ME = "tablet-a"
OTHER = "tablet-b"

RULES = {
    name: FieldRule(name=name, owner=owner, policy=policy)  # type: ignore[arg-type]
    for name, owner, policy in (
        ("assignee", "office", "office"),
        ("number", "server", "server"),
        ("serial", "shared", "technician"),
        ("phone", "shared", "office"),
        ("summary", "field", "text"),
        ("mileage", "field", "max"),
        ("first_seen", "field", "min"),
        ("colour", "shared", "latest"),
        ("level", "shared", "ask"),
        ("tags", "shared", "union"),
        ("skills", "office", "union"),
        ("notes", "field", "append"),
        ("events", "field", "state"),
    )
}


def mutation(**values: Any) -> Mutation:
    given: dict[str, Any] = {
        "id": str(uuid.uuid4()), "n": 1, "device_id": ME, "collection": "visit", "document_id": "d", "op": "update",
        "base_version": 1, "made_at": AT,
    }  # fmt: skip
    return Mutation(**(given | values))


def record(
    body: dict[str, Any], *, version: int = 1, changed: dict[str, tuple[int, str | None]] | None = None
) -> Record:
    """A record whose fields all date from version 1 by the office, but those in `changed`: (version, device)."""
    versions = {name: FieldVersion(version=1) for name in body}
    versions |= {name: FieldVersion(version=v, device_id=device) for name, (v, device) in (changed or {}).items()}
    return Record(collection="visit", id="d", version=version, body=body, field_versions=versions)
