"""The journal of a document: what changed in each version, from what to what, by whom."""

from __future__ import annotations

from typing import Any

import orjson

from schemas.entities import COLLECTIONS
from schemas.entities.base import iso
from server.problems import not_found
from server.store import documents

MOST = 200


def read_history(
    company_id: str, document_id: str, *, before: int | None = None, limit: int = MOST
) -> tuple[list[dict[str, Any]], int | None]:
    """Versions, newest first, from the one before `before` on; and `before` of the next page, None at the end.

    Raises Problem `not-found` for a document that is not there.
    """
    kept = documents.stored(company_id, document_id)
    if kept is None:
        raise not_found()
    # One more than is shown: what the last of the page has changed is seen against it.
    versions = documents.history(company_id, document_id, limit + 1, before)
    schema = COLLECTIONS[kept[0]] if kept else None
    bodies = {row.version: schema.whole(orjson.loads(row.body)) if schema else {} for row in versions}
    items = []
    for row in versions[:limit]:
        former = bodies.get(row.version - 1, {})
        items.append(
            {
                "version": row.version,
                "at": iso(row.at),
                "by": {"id": row.author_id, "name": row.author_name},
                "device_id": row.device_id,
                "changes": [
                    {"field": name, "old": former.get(name), "new": bodies[row.version].get(name)}
                    for name in orjson.loads(row.changed)
                ],
            }
        )
    return items, versions[limit - 1].version if len(versions) > limit else None
