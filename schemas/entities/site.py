from __future__ import annotations

from marshmallow import fields, validate

from schemas.entities.base import EntitySchema, Id, OpeningHours, Phone, Text, Zone, office, shared
from sync.change import Body


class SiteSchema(EntitySchema):
    """A place where equipment stands. What is seen there (access, dangers, the entrance) is the technician's word."""

    collection = "site"

    customer_id = office(Id(required=True), ref="customer")
    branch_id = office(Id(required=True), ref="branch", closure=False)
    name = office(Text(200, shortest=1, required=True))
    address = office(Text(300, allow_none=True))
    city = office(Text(120, allow_none=True))
    lat = shared(fields.Float(required=True, allow_nan=False, validate=validate.Range(-90, 90)), "technician")
    lon = shared(fields.Float(required=True, allow_nan=False, validate=validate.Range(-180, 180)), "technician")
    tz = office(Zone(required=True))
    opening_hours = office(OpeningHours(allow_none=True))
    contact_name = shared(Text(120, allow_none=True), "office")
    contact_phone = shared(Phone(allow_none=True), "office")
    access_note = shared(Text(2000, allow_none=True), "technician")
    danger_note = shared(Text(2000, allow_none=True), "technician")
    tags = shared(fields.List(Text(60, shortest=1), validate=validate.Length(max=50)), "union")
    external_ref = office(Text(80, allow_none=True))

    def contradictions(self, body: Body) -> dict[str, str]:
        """Latitude 0 with longitude 0 is the sea off Africa; it mostly means that the place is not known."""
        nowhere = body.get("lat") == 0 and body.get("lon") == 0
        return super().contradictions(body) | ({"lat": "nowhere"} if nowhere else {})
