"""The journal of a document: what changed in each version, from what to what, by whom."""

from __future__ import annotations

from typing import Any

import orjson

from schemas.entities import COLLECTIONS
from schemas.entities.base import iso
from server.problems import not_found
from server.store import documents


def read_history(company_id: str, document_id: str) -> list[dict[str, Any]]:
    """Newest first; raises Problem `not-found` for a document that is not there."""
    versions = documents.history(company_id, document_id)
    if not versions:
        raise not_found()
    kept = documents.stored(company_id, document_id)
    schema = COLLECTIONS[kept[0]] if kept else None
    bodies = {row.version: schema.whole(orjson.loads(row.body)) if schema else {} for row in versions}
    items = []
    for row in versions:
        before = bodies.get(row.version - 1, {})
        items.append(
            {
                "version": row.version,
                "at": iso(row.at),
                "by": {"id": row.author_id, "name": row.author_name},
                "device_id": row.device_id,
                "changes": [
                    {"field": name, "old": before.get(name), "new": bodies[row.version].get(name)}
                    for name in orjson.loads(row.changed)
                ],
            }
        )
    return items
