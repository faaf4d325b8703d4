from __future__ import annotations

from marshmallow import Schema, fields, validate

from schemas.entities.base import (
    Day,
    Distinct,
    EntitySchema,
    Id,
    Phone,
    Stored,
    Text,
    Truth,
    Whole,
    office,
    technician_scope,
)
from sync.change import Body

Clock = Whole("^([01][0-9]|2[0-3]):[0-5][0-9]$")


class SkillSchema(Schema):
    """What a person may do, how well, and until when the certificate holds."""

    code = Text(60, required=True, shortest=1)
    level = fields.Integer(required=True, strict=True, validate=validate.Range(1, 3))
    expires_on = Day(required=True, allow_none=True)


class ShiftSchema(Schema):
    """One weekday's working time in the branch's wall time; a shift that ends before it starts ends the next day."""

    weekday = fields.Integer(required=True, strict=True, validate=validate.Range(0, 6))
    start = fields.String(required=True, validate=Clock)
    end = fields.String(required=True, validate=Clock)
    break_start = fields.String(required=True, allow_none=True, validate=Clock)
    break_minutes = fields.Integer(required=True, strict=True, validate=validate.Range(0, 240))


class TechnicianSchema(EntitySchema):
    """A person who does the work; only their own tablets get this document, for it says where they live."""

    collection = "technician"

    branch_id = office(Id(required=True), ref="branch", closure=False)
    name = office(Text(120, shortest=1, required=True))
    phone = office(Phone(allow_none=True))
    skills = office(Stored(fields.Nested(SkillSchema), validate=[validate.Length(max=50), Distinct("code")]))
    shifts = office(Stored(fields.Nested(ShiftSchema), validate=validate.Length(max=14)))
    home_lat = office(fields.Float(required=True, allow_nan=False, validate=validate.Range(-90, 90)))
    home_lon = office(fields.Float(required=True, allow_nan=False, validate=validate.Range(-180, 180)))
    start_from = office(fields.String(validate=validate.OneOf(["home", "depot"])))
    van = office(Text(60, allow_none=True))
    max_overtime_minutes = office(fields.Integer(strict=True, validate=validate.Range(0, 480)))
    active = office(Truth())

    def scopes(self, body: Body) -> frozenset[str]:
        return frozenset({technician_scope(body["id"])})
