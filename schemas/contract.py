"""The contract for machines, made from the schemas: each collection with its fields, owners and policies."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from schemas.entities import COLLECTIONS
from schemas.entities.base import EntitySchema, Id, Instant

SCHEMA_VERSION = 1
"""Raised when a field or collection is added or changes its meaning."""


def contract() -> dict[str, Any]:
    """All collections as plain JSON."""
    return {
        "schema_version": SCHEMA_VERSION,
        "collections": {name: _collection(schema) for name, schema in sorted(COLLECTIONS.items())},
    }


def _collection(schema: EntitySchema) -> dict[str, Any]:
    return {
        "device_may_create": schema.device_may_create,
        "device_may_delete": schema.device_may_delete,
        "fields": {
            name: {
                "type": _type(field),
                "required": field.required,
                "nullable": field.allow_none,
                "owner": field.metadata["owner"],
                "policy": field.metadata["policy"],
                "refers_to": field.metadata.get("ref"),
            }
            for name, field in schema.fields.items()
            if "owner" in field.metadata
        },
    }


def _type(field: fields.Field[Any]) -> str:
    kinds: list[tuple[type[fields.Field[Any]], str]] = [
        (Id, "id"),
        (Instant, "instant"),
        (fields.Date, "date"),
        (fields.Boolean, "boolean"),
        (fields.Integer, "integer"),
        (fields.Number, "number"),
        (fields.List, "list"),
        (fields.Nested, "object"),
        (fields.String, "text"),
    ]
    return next((name for kind, name in kinds if isinstance(field, kind)), "any")
