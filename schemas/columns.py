"""Documents as rows of tables, for clients whose columns hold text, numbers and booleans only.

A field that is a list or an object is JSON text in its column; moments, days and ids are text; `version` is a number.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, Literal

from marshmallow import fields

from schemas.entities import COLLECTIONS
from sync.change import Body

Kind = Literal["text", "string", "number", "boolean", "json"]
"""`text` is what people write; `string` is a moment, a day or an id, which is never empty."""

OWN_COLUMNS = frozenset({"id", "_status", "_changed", "version"})
"""Columns of a row that are no fields."""


@lru_cache
def kinds(collection: str) -> dict[str, Kind]:
    """Column name -> what it holds, for all fields of a collection."""
    return {name: _kind(field) for name, field in COLLECTIONS[collection].fields.items() if name != "id"}


def as_row(collection: str, document_id: str, version: int, body: Body) -> dict[str, Any]:
    """A document as a row, under the id by which the client knows it."""
    held = kinds(collection)
    values = {
        name: json.dumps(value, ensure_ascii=False) if held[name] == "json" and value is not None else value
        for name, value in body.items()
        if name in held
    }
    return {"id": document_id, "version": version, **values}


def from_row(collection: str, row: dict[str, Any], names: set[str]) -> Body:
    """The wire values of these columns; one that cannot be read stays as it came, for the server to refuse."""
    held = kinds(collection)
    return {name: _read(held.get(name), row[name]) for name in sorted(names & row.keys())}


def is_default(value: Any) -> bool:
    """Whether a value is what a new column holds before anything is known of it."""
    return value is None or value == "" or value == [] or value is False or (value == 0 and value is not True)


def _read(kind: Kind | None, value: Any) -> Any:
    if value == "" and kind in ("string", "json"):
        return None
    if kind == "json" and isinstance(value, str):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _kind(field: fields.Field[Any]) -> Kind:
    if isinstance(field, fields.Boolean):
        return "boolean"
    if isinstance(field, fields.Number):
        return "number"
    if isinstance(field, fields.List | fields.Nested | fields.Dict) or type(field) is fields.Raw:
        return "json"
    if isinstance(field, fields.String) and not isinstance(field, fields.UUID):
        return "text"
    return "string"
