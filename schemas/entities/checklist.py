from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from schemas.entities.base import EVERYONE, Distinct, EntitySchema, Stored, Text, Translated, Truth, office
from sync.change import Body


class ItemSchema(Schema):
    """One step of a checklist; limits are in `unit`, both included."""

    key = Text(60, required=True, shortest=1)
    kind = fields.String(required=True, validate=validate.OneOf(["check", "measure", "reading", "text", "photo"]))
    text = Translated(required=True)
    unit = Text(20, allow_none=True)
    min = fields.Float(allow_none=True)
    max = fields.Float(allow_none=True)
    meter = Text(40, allow_none=True)
    mandatory = Truth(required=True)

    @validates_schema(skip_on_field_errors=False)
    def _check_limits(self, data: dict[str, Any], **kwargs: Any) -> None:
        low, high = data.get("min"), data.get("max")
        if low is not None and high is not None and high < low:
            raise ValidationError({"max": ["below-minimum"]})


class ChecklistSchema(EntitySchema):
    """The steps of one kind of work in one revision. A new revision is a new document: running visits keep theirs."""

    collection = "checklist"
    called_by = "title"

    code = office(Text(60, shortest=1, required=True))
    revision = office(fields.Integer(strict=True, validate=validate.Range(1, 1_000_000)))
    title = office(Translated(required=True))
    items = office(Stored(fields.Nested(ItemSchema), validate=[validate.Length(max=200), Distinct("key")]))

    def scopes(self, body: Body) -> frozenset[str]:
        return frozenset({EVERYONE})
