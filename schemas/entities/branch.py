from __future__ import annotations

from marshmallow import fields, validate

from schemas.entities.base import CURRENCY, EVERYONE, EntitySchema, Text, Zone, office
from sync.change import Body


class BranchSchema(EntitySchema):
    """A part of the company with its own territory, depot, language and money."""

    collection = "branch"

    name = office(Text(120, shortest=1, required=True))
    city = office(Text(120, allow_none=True))
    locale = office(fields.String(required=True, validate=validate.OneOf(["en", "ru"])))
    tz = office(Zone(required=True))
    currency = office(fields.String(required=True, validate=CURRENCY))
    lat = office(fields.Float(required=True, validate=validate.Range(-90, 90)))
    lon = office(fields.Float(required=True, validate=validate.Range(-180, 180)))

    def scopes(self, body: Body) -> frozenset[str]:
        return frozenset({EVERYONE})
