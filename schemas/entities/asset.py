from __future__ import annotations

from marshmallow import fields

from schemas.entities.base import Day, EntitySchema, Id, Stored, Text, Truth, derived, office, shared


class AssetSchema(EntitySchema):
    """A piece of equipment at a site; comes to a tablet with the visits to it."""

    collection = "asset"
    called_by = "serial"
    spans = (
        ("installed_on", "commissioned_on", "before-installation"),
        ("warranty_starts_on", "warranty_ends_on", "order"),
    )

    site_id = office(Id(required=True), ref="site")
    model_id = office(Id(required=True), ref="product_model", closure=False)
    serial = shared(Text(80, shortest=1, required=True), "technician")
    position = shared(Text(200, allow_none=True), "technician")
    installed_on = office(Day(allow_none=True))
    commissioned_on = office(Day(allow_none=True))
    in_service = office(Truth())
    warranty_term = office(Text(60, allow_none=True), code_of="warranty_term")
    warranty_starts_on = office(Day(allow_none=True))
    warranty_ends_on = office(Day(allow_none=True))
    external_ref = office(Text(80, allow_none=True))
    recent_visits = derived(Stored(fields.Dict()))
