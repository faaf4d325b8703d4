from __future__ import annotations

from marshmallow import fields, validate

from schemas.entities.base import Email, EntitySchema, Phone, Text, office, shared


class CustomerSchema(EntitySchema):
    """Who the goods were sold to; comes to a tablet with the visits at their sites."""

    collection = "customer"

    name = office(Text(200, shortest=1, required=True))
    kind = office(Text(80, allow_none=True))
    locale = office(fields.String(required=True, validate=validate.OneOf(["en", "ru"])))
    phone = shared(Phone(allow_none=True), "office")
    email = office(Email(allow_none=True))
    note = shared(Text(2000, allow_none=True), "text")
    external_ref = office(Text(80, allow_none=True))
