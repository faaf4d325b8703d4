"""A document in the form of an older schema version: what came later is left out, and stays with the server."""

from __future__ import annotations

from functools import cache

import orjson

from schemas import contract
from schemas.entities import COLLECTIONS


def shaped(collection: str, text: str, version: int) -> str | None:
    """A document's JSON text as clients of a schema version know it; None if they do not know the collection."""
    if version >= contract.SCHEMA_VERSION:
        return text
    later = _later(collection, version)
    if later is None:
        return None
    if not later:
        return text
    body = orjson.loads(text)
    return orjson.dumps({name: value for name, value in body.items() if name not in later}).decode()


@cache
def _later(collection: str, version: int) -> frozenset[str] | None:
    """Fields that came after a version; None when the collection did."""
    schema = COLLECTIONS[collection]
    if schema.since > version:
        return None
    return frozenset(schema.fields) - frozenset(schema.known_at(version))
