"""Hand moves on the board."""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from schemas.entities.base import Day, Id, Instant, Text


class MoveSchema(Schema):
    """One visit to a technician and time; both null take it off the routes."""

    class Meta:
        unknown = RAISE

    visit_id = Id(required=True)
    technician_id = Id(load_default=None, allow_none=True)
    start_at = Instant(load_default=None, allow_none=True)
    end_at = Instant(load_default=None, allow_none=True)

    @validates_schema
    def ends_after_it_starts(self, data: dict[str, Any], **kwargs: Any) -> None:
        """Refuse an end that is not after the start."""
        if data.get("start_at") and data.get("end_at") and data["end_at"] <= data["start_at"]:
            raise ValidationError("out-of-range", "end_at")


class MovesSchema(Schema):
    """Moves of one branch and day."""

    class Meta:
        unknown = RAISE

    date = Day(required=True)
    branch_id = Id(required=True)
    moves = fields.List(fields.Nested(MoveSchema), required=True, validate=validate.Length(1, 100))


class MovedSchema(Schema):
    """The draft that holds the moves, null when nothing differs from what is published; and how to undo."""

    plan_id = Id(required=True, allow_none=True)
    undo = fields.List(fields.Nested(MoveSchema), required=True)


class PublishSchema(Schema):
    """Tokens of the broken rules that the person has seen and publishes all the same."""

    class Meta:
        unknown = RAISE

    accepted = fields.List(Text(400), load_default=list, validate=validate.Length(max=2000))


class PublishDaySchema(PublishSchema):
    """Which day of which branch is published."""

    date = Day(required=True)
    branch_id = Id(required=True)


class TrialSchema(Schema):
    """Several lists of moves of one branch and day, each tried by itself."""

    class Meta:
        unknown = RAISE

    date = Day(required=True)
    branch_id = Id(required=True)
    alternatives = fields.List(
        fields.List(fields.Nested(MoveSchema), validate=validate.Length(1, 100)),
        required=True,
        validate=validate.Length(1, 100),
    )
