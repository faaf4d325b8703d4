"""Hand moves on the board."""

from __future__ import annotations

from marshmallow import RAISE, Schema, fields, validate

from schemas.entities.base import Day, Id, Instant, Text


class MoveSchema(Schema):
    """One visit to a technician and time; both null take it off the routes."""

    class Meta:
        unknown = RAISE

    visit_id = Id(required=True)
    technician_id = Id(load_default=None, allow_none=True)
    start_at = Instant(load_default=None, allow_none=True)
    end_at = Instant(load_default=None, allow_none=True)


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
