from __future__ import annotations

from marshmallow import Schema, fields, validate

from schemas.entities.base import EVERYONE, Distinct, EntitySchema, Stored, Text, Translated, office
from sync.change import Body


class MeterSchema(Schema):
    """A counter that the model carries."""

    code = Text(40, required=True, shortest=1)
    unit = Text(20, required=True, shortest=1)
    name = Translated(required=True)


class ProductModelSchema(EntitySchema):
    """A model of the goods that are sold and serviced."""

    collection = "product_model"

    code = office(Text(60, shortest=1, required=True))
    name = office(Text(200, shortest=1, required=True))
    family = office(Text(80, allow_none=True))
    maker = office(Text(120, allow_none=True))
    meters = office(Stored(fields.Nested(MeterSchema), validate=[validate.Length(max=50), Distinct("code")]))

    def scopes(self, body: Body) -> frozenset[str]:
        return frozenset({EVERYONE})
