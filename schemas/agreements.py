"""What a company agrees with its customers: warranty terms, contracts, prices. Not synced: decisions are."""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from schemas.entities.base import CURRENCY, Day, Id, Stored, Text, Truth, Whole
from schemas.entities.visit import CAUSES

LINES = ["labour", "travel", "parts"]
UNITS = ["visit", "hour", "km", "piece"]
STARTS = ["installation", "commissioning"]


class Money(fields.String):
    """An amount above zero with at most two decimals, as text: `120.00`."""

    FORM = Whole("^[0-9]{1,11}([.][0-9]{1,2})?$")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=[self.FORM, _above_zero], **kwargs)


def _above_zero(value: str) -> None:
    if not value.strip("0."):
        raise ValidationError("What is free is said by a warranty or a contract, not by a price of zero.")


class Agreement(Schema):
    """What the three have in common: an id, and a period that does not end before it starts."""

    class Meta:
        unknown = RAISE

    period: tuple[str, str] | None = None

    id = Id(dump_only=True)

    @validates_schema(skip_on_field_errors=False)
    def _check_period(self, data: dict[str, Any], **kwargs: Any) -> None:
        if self.period is not None:
            first, last = data.get(self.period[0]), data.get(self.period[1])
            if first and last and last < first:
                raise ValidationError({self.period[1]: ["order"]})


class WarrantyTermSchema(Agreement):
    """What the maker promises: for how many months from which day, what it pays for, and which causes it does not.

    With a `meter` and its `meter_limit` it ends with the months or beyond that reading, whichever comes first.
    """

    code = Text(60, required=True, shortest=1)
    months = fields.Integer(required=True, strict=True, validate=validate.Range(1, 600))
    starts_at = fields.String(load_default="installation", validate=validate.OneOf(STARTS))
    covers_labour = Truth(load_default=True)
    covers_parts = Truth(load_default=True)
    covers_travel = Truth(load_default=True)
    excluded_causes = fields.List(fields.String(validate=validate.OneOf(CAUSES)), load_default=list)
    meter = Text(40, load_default=None, allow_none=True, shortest=1)
    meter_limit = fields.Integer(load_default=None, allow_none=True, strict=True, validate=validate.Range(1, 10**9))

    @validates_schema(skip_on_field_errors=False)
    def _check_meter(self, data: dict[str, Any], **kwargs: Any) -> None:
        missing = [name for name in ("meter", "meter_limit") if data.get(name) is None]
        if len(missing) == 1:
            raise ValidationError({missing[0]: ["needed-together"]})


class ContractPrice(Schema):
    """A price that one contract agrees; without a kind for all of them."""

    class Meta:
        unknown = RAISE

    line = fields.String(required=True, validate=validate.OneOf(LINES))
    unit = fields.String(required=True, validate=validate.OneOf(UNITS))
    amount = Money(required=True)
    kind = Text(60, allow_none=True)


class ContractSchema(Agreement):
    """A service contract of one customer: first and last day, kinds that it includes, prices of its own."""

    period = ("starts_on", "ends_on")

    number = Text(60, required=True, shortest=1)
    customer_id = Id(required=True)
    starts_on = Day(required=True)
    ends_on = Day(required=True)
    included_kinds = fields.List(Text(60, shortest=1), load_default=list, validate=validate.Length(max=100))
    included_visits = fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=validate.Range(0, 1_000_000)
    )
    currency = fields.String(required=True, validate=CURRENCY)
    price_list = Text(60, load_default=None, allow_none=True)
    items = Stored(fields.Nested(ContractPrice), load_default=list, validate=validate.Length(max=200))


class PriceItemSchema(Agreement):
    """One price of a list, from its first to its last day: for a branch or for all, for a kind of work or `*`."""

    period = ("valid_from", "valid_to")

    list_code = Text(60, load_default="base", shortest=1)
    branch_id = Id(load_default=None, allow_none=True)
    kind = Text(60, load_default="*", shortest=1)
    line = fields.String(required=True, validate=validate.OneOf(LINES))
    unit = fields.String(required=True, validate=validate.OneOf(UNITS))
    amount = Money(required=True)
    currency = fields.String(required=True, validate=CURRENCY)
    valid_from = Day(required=True)
    valid_to = Day(load_default=None, allow_none=True)


AGREEMENTS: dict[str, type[Agreement]] = {
    "warranty_term": WarrantyTermSchema,
    "contract": ContractSchema,
    "price_item": PriceItemSchema,
}
