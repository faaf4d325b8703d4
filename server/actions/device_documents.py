"""What a device may make or delete by itself, apart from visits: collections whose schema allows it."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError

from schemas.entities import COLLECTIONS
from server.extensions import db
from server.problems import Problem, invalid
from server.store import documents
from server.store.models import SYNCED, Synced
from sync.change import Mutation


def make(mutation: Mutation, company_id: str) -> Synced:
    """Add a document from a mutation's values. Raises Problem `invalid-fields`; whether it may is the caller's."""
    schema = COLLECTIONS[mutation.collection]
    try:
        schema.validated({**mutation.set, **mutation.add}, required=True)
    except ValidationError as error:
        raise invalid(error.normalized_messages()) from error
    model: Any = SYNCED[mutation.collection]
    item: Synced = model(company_id=company_id, id=mutation.document_id)
    values = {**mutation.set, **mutation.add}
    documents.set_values(item, values, values)
    db.session.add(item)
    db.session.flush()
    return item


def delete(mutation: Mutation, item: Synced, kept: documents.feed.Stored | None) -> None:
    """Delete a document. Raises Problem: `not-allowed-from-device`; `conflict` if others changed it meanwhile."""
    if not COLLECTIONS[mutation.collection].device_may_delete:
        raise Problem(403, "not-allowed-from-device", collection=mutation.collection)
    seen = mutation.base_version or 0
    written = kept.field_versions.values() if kept else ()
    if any(version > seen and device != mutation.device_id for version, device in written):
        raise Problem(409, "conflict")
    db.session.delete(item)
    db.session.flush()
