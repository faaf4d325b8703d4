from __future__ import annotations

from marshmallow import fields, validate

from schemas.entities.base import EVERYONE, EntitySchema, Id, Stored, Text, Translated, Truth, office
from sync.change import Body


class ServiceKindSchema(EntitySchema):
    """One kind of work of the catalogue, with what it needs by default."""

    collection = "service_kind"

    code = office(Text(60, shortest=1, required=True))
    name = office(Translated(required=True))
    minutes = office(fields.Integer(strict=True, validate=validate.Range(5, 1440)))
    skills = office(Stored(Text(60, shortest=1), validate=validate.Length(max=20)))
    checklist_id = office(Id(allow_none=True), ref="checklist", closure=False)
    included_in_warranty = office(Truth())
    preventive = office(Truth())
    active = office(Truth())

    def scopes(self, body: Body) -> frozenset[str]:
        return frozenset({EVERYONE})
