"""What a device may make or delete by itself, apart from visits: collections whose schema allows it."""

from __future__ import annotations

from dataclasses import replace

from marshmallow import ValidationError

from schemas.entities import COLLECTIONS
from server.actions.drafts import Draft, Drafts
from server.problems import Problem, invalid
from sync.change import Mutation


def make(mutation: Mutation, push: Drafts) -> None:
    """Make a document of a mutation's values. Raises Problem `invalid-fields`; whether it may is the caller's."""
    schema = COLLECTIONS[mutation.collection]
    values = {**mutation.set, **mutation.add}
    try:
        schema.validated(values, required=True)
    except ValidationError as error:
        raise invalid(error.normalized_messages()) from error
    kept = push.kept.get(mutation.document_id)
    body = schema.whole({"id": mutation.document_id} | values)
    draft = Draft(collection=mutation.collection, id=mutation.document_id, kept=kept, body=body, new=True)
    push.put(draft, body, mutation)


def delete(mutation: Mutation, push: Drafts, draft: Draft) -> None:
    """Delete a document. Raises Problem: `not-allowed-from-device`; `conflict` if others changed it meanwhile."""
    if not COLLECTIONS[mutation.collection].device_may_delete:
        raise Problem(403, "not-allowed-from-device", collection=mutation.collection)
    seen = mutation.base_version or 0
    written = draft.before.field_versions.values() if draft.before else ()
    if any(version > seen and device != mutation.device_id for version, device in written):
        raise Problem(409, "conflict")
    push.put(replace(draft, gone=True), draft.body, mutation)
