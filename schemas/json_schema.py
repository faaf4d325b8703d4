"""JSON Schema (2020-12) of a schema's fields, and the smallest values that satisfy them."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from schemas.entities.base import Day, Id, Instant

JsonSchema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

NIL = "00000000-0000-0000-0000-000000000000"

_CANDIDATES: tuple[Any, ...] = (
    "", "-", "AAA", "UTC", "00:00", NIL, "1970-01-01T00:00:00.000Z", "1900-01-01", 0, 1, 5, False,
)  # fmt: skip
"""What a field that cannot be empty is blanked with: the first that it takes."""

_INSTANT = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$"


def of_field(field: fields.Field[Any]) -> JsonSchema:
    """The schema of a field's values as the server sends them."""
    schema = _typed(field)
    for check in field.validators:
        _bound(schema, check)
    if field.allow_none and schema:
        schema = _nullable(schema)
    if field.metadata.get("description"):
        schema["description"] = field.metadata["description"]
    return schema


def of_object(schema: Schema) -> JsonSchema:
    """The schema of a nested form; what the server alone adds may be missing."""
    return {
        "type": "object",
        "properties": {name: of_field(field) for name, field in schema.fields.items()},
        "required": sorted(name for name, field in schema.fields.items() if field.required),
        "additionalProperties": False,
    }


def blank(field: fields.Field[Any]) -> Any:
    """The smallest value that a field takes: nothing where it may be nothing."""
    if field.allow_none:
        return None
    if isinstance(field, fields.List):
        return []
    if isinstance(field, fields.Nested):
        return {name: blank(inner) for name, inner in field.schema.fields.items() if inner.required}
    for value in _CANDIDATES:
        # A number must not be blanked with a text that only looks like one.
        kind = fields.Boolean if isinstance(value, bool) else fields.Number if isinstance(value, int) else fields.Field
        plain = isinstance(field, fields.Number | fields.Boolean)
        if not isinstance(field, kind) or (isinstance(value, str) and plain):
            continue
        try:
            field.deserialize(value)
        except ValidationError:
            continue
        return value
    choices = (check.choices for check in field.validators if isinstance(check, validate.OneOf))
    return next(iter(next(choices)))


def _typed(field: fields.Field[Any]) -> JsonSchema:
    if isinstance(field, Instant):
        return {"type": "string", "format": "date-time", "pattern": _INSTANT}
    if isinstance(field, Id | fields.UUID):
        return {"type": "string", "format": "uuid", "minLength": 36, "maxLength": 36}
    if isinstance(field, Day | fields.Date):
        return {"type": "string", "format": "date", "minLength": 10, "maxLength": 10}
    if isinstance(field, fields.Boolean):
        return {"type": "boolean"}
    if isinstance(field, fields.Integer):
        return {"type": "integer"}
    if isinstance(field, fields.Number):
        return {"type": "number"}
    if isinstance(field, fields.List):
        return {"type": "array", "items": of_field(field.inner)}
    if isinstance(field, fields.Nested):
        return of_object(field.schema)
    if isinstance(field, fields.Dict):
        return {"type": "object"}
    if isinstance(field, fields.String):
        return {"type": "string"}
    return {}


def _bound(schema: JsonSchema, check: Any) -> None:
    if isinstance(check, validate.Length):
        low, high = ("minItems", "maxItems") if schema.get("type") == "array" else ("minLength", "maxLength")
        least, most = (check.equal, check.equal) if check.equal is not None else (check.min, check.max)
        schema |= {name: value for name, value in ((low, least), (high, most)) if value is not None}
    elif isinstance(check, validate.Range) and schema.get("type") in ("integer", "number"):
        schema |= {name: value for name, value in (("minimum", check.min), ("maximum", check.max)) if value is not None}
    elif isinstance(check, validate.OneOf):
        schema["enum"] = list(check.choices)
    elif isinstance(check, validate.Regexp):
        schema["pattern"] = check.regex.pattern


def _nullable(schema: JsonSchema) -> JsonSchema:
    made = schema | {"type": [schema["type"], "null"]}
    return made | {"enum": [*schema["enum"], None]} if "enum" in schema else made
