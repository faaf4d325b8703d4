"""The contract for machines, made from the schemas: each collection with its fields, owners, policies and references,
who may create and delete, and a JSON Schema (2020-12) of its documents."""

from __future__ import annotations

import inspect
from typing import Any

from marshmallow import fields

from schemas import json_schema
from schemas.entities import COLLECTIONS
from schemas.entities.base import EntitySchema, Id, Instant

SCHEMA_VERSION = 1
"""Raised when a field or collection is added or changes its meaning; what is new says `since`."""

OLDEST_VERSION = 1
"""Clients of schemas before this one are told to update."""


def contract() -> dict[str, Any]:
    """All collections as plain JSON."""
    return {
        "schema_version": SCHEMA_VERSION,
        "oldest_version": OLDEST_VERSION,
        "collections": {name: _collection(schema) for name, schema in sorted(COLLECTIONS.items())},
    }


def document_schema(schema: EntitySchema) -> json_schema.JsonSchema:
    """The JSON Schema of a collection's documents. `required` is what a new one must have; the server sends all."""
    return {
        "$schema": json_schema.DIALECT,
        "$id": f"urn:rounds:schema:{schema.collection}:{SCHEMA_VERSION}",
        "title": schema.collection,
        "description": inspect.getdoc(type(schema)) or "",
        "type": "object",
        "properties": {name: json_schema.of_field(field) for name, field in schema.fields.items()},
        "required": ["id", *(name for name, field in schema.fields.items() if field.required)],
        "additionalProperties": False,
    }


def _collection(schema: EntitySchema) -> dict[str, Any]:
    may = {
        "create": {"office": schema.office_may_create, "device": schema.device_may_create},
        "delete": {"office": schema.office_may_delete, "device": schema.device_may_delete},
    }
    return {
        "since": schema.since,
        "device_may_create": schema.device_may_create,
        "device_may_delete": schema.device_may_delete,
        **{what: [who for who, allowed in each.items() if allowed] for what, each in may.items()},
        "fields": {
            name: {
                "type": _type(field),
                "required": field.required,
                "nullable": field.allow_none,
                "owner": field.metadata["owner"],
                "policy": field.metadata["policy"],
                "refers_to": field.metadata.get("ref"),
                "brings": bool(field.metadata.get("closure")),
                "since": field.metadata.get("since", schema.since),
                "usual": schema.usual[name],
            }
            for name, field in schema.fields.items()
            if "owner" in field.metadata
        },
        "schema": document_schema(schema),
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
        (fields.Dict, "object"),
        (fields.String, "text"),
    ]
    return next((name for kind, name in kinds if isinstance(field, kind)), "any")
