"""Documents in the form that RxDB replicates: with their version and a mark whether they are deleted."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson

from schemas.contract import SCHEMA_VERSION
from schemas.entities import COLLECTIONS
from schemas.json_limits import json_text
from schemas.json_schema import blank
from sync.change import Body

RESERVED = frozenset(
    {"collection", "primary", "revision", "deleted", "populate", "get", "update", "modify", "patch", "remove", "close",
     "synced"}
)  # fmt: skip
"""Names that a document of RxDB has itself; a field of such a name has `_field` after it there."""

OWN_KEYS = frozenset({"version", "_deleted", "_attachments", "_meta", "_rev"})
"""Keys of a replicated document that are no fields."""


def known_fields(collection: str, schema_version: int) -> list[str]:
    """The fields, with the id, that a client of this schema version knows."""
    return COLLECTIONS[collection].known_at(schema_version)


def rxdb_names(collection: str) -> dict[str, str]:
    """The fields that are called otherwise in RxDB, and how."""
    return {name: f"{name}_field" for name in COLLECTIONS[collection].fields if name in RESERVED}


def document_text(collection: str, schema_version: int, version: int, body: str) -> str:
    """A document as JSON text, made from its stored text; parsed only for a client that knows less than we do."""
    renamed = rxdb_names(collection)
    if renamed or schema_version < SCHEMA_VERSION:
        known = set(known_fields(collection, schema_version))
        kept = {renamed.get(name, name): value for name, value in orjson.loads(body).items() if name in known}
        body = orjson.dumps(kept).decode()
    return f'{{"version":{version},"_deleted":false,{body[1:]}'


def tombstone_text(collection: str, schema_version: int, document_id: str, version: int) -> str:
    """A document that is gone: its id, and in all fields the smallest that the schema takes, so that a client that
    checks what it is sent accepts it, and nothing of the document is told."""
    head = json_text({"version": version, "_deleted": True, "id": document_id})
    return head[:-1] + _blanks(collection, schema_version)


def fields_of(collection: str, document: dict[str, Any]) -> Body:
    """The fields of a replicated document under their own names, without what is no field of it."""
    own = {renamed: name for name, renamed in rxdb_names(collection).items()}
    return {own.get(name, name): value for name, value in document.items() if name not in OWN_KEYS and name != "id"}


@lru_cache
def _blanks(collection: str, schema_version: int) -> str:
    schema, renamed = COLLECTIONS[collection], rxdb_names(collection)
    known = [name for name in schema.known_at(schema_version) if name != "id"]
    values = {renamed.get(name, name): blank(schema.fields[name]) for name in known}
    return ("," + orjson.dumps(values).decode()[1:]) if values else "}"
