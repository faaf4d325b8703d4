"""Maintenance plans, calendars of sites and meter readings, as the office writes them. Not synced: visits are."""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from schemas.entities.base import Day, Id, Instant, Stored, Text, Translated
from schemas.office import ReasonSchema

OPEN_PREVIOUS = ["hold", "stack", "supersede", "merge_tasks"]
CATCH_UP = ["coalesce", "each", "skip"]
EFFECTS = ["made", "withdrawn", "changed", "said", "forgotten"]
SHIFTS = ["none", "forward", "backward", "nearest", "skip"]


def whole(low: int, high: int, **kwargs: Any) -> fields.Integer:
    """A whole number between two others."""
    return fields.Integer(strict=True, validate=validate.Range(low, high), **kwargs)


class TaskSchema(Schema):
    """A task of a plan: the key of a checklist item, its name, in each k-th cycle of some of the triggers."""

    class Meta:
        unknown = RAISE

    code = Text(60, required=True, shortest=1)
    name = Translated(required=True)
    every_k_cycles = whole(1, 1000, load_default=1)
    triggers = fields.List(Text(60, shortest=1), load_default=list, validate=validate.Length(max=20))


class MaintenancePlanSchema(Schema):
    """When a kind of work is expected at one machine. Triggers are read by the maintenance core, each by its kind."""

    class Meta:
        unknown = RAISE

    id = Id(dump_only=True)
    asset_id = Id(required=True)
    name = Text(200, required=True, shortest=1)
    kind = Text(60, required=True, shortest=1)
    triggers = fields.List(fields.Dict(keys=fields.String()), required=True, validate=validate.Length(1, 20))
    starts_on = Day(required=True)
    ends_on = Day(load_default=None, allow_none=True)
    early_days = whole(0, 366, load_default=0)
    late_days = whole(0, 366, load_default=0)
    hard_due = fields.Boolean(load_default=False)
    horizon_days = whole(1, 730, load_default=60)
    service_minutes = whole(5, 1440, load_default=None, allow_none=True)
    active = fields.Boolean(load_default=True)
    open_previous = fields.String(load_default="hold", validate=validate.OneOf(OPEN_PREVIOUS))
    catch_up = fields.String(load_default="coalesce", validate=validate.OneOf(CATCH_UP))
    shift = fields.String(load_default="none", validate=validate.OneOf(SHIFTS))
    season = fields.List(whole(1, 12), load_default=list, validate=validate.Length(max=12))
    tasks = Stored(fields.Nested(TaskSchema), load_default=list, validate=validate.Length(max=200))
    nesting = fields.Dict(
        keys=Text(60, shortest=1),
        values=fields.List(Text(60, shortest=1), validate=validate.Length(max=20)),
        load_default=dict,
        validate=validate.Length(max=20),
    )
    absorb_days = whole(0, 366, load_default=None, allow_none=True)
    credit_kinds = fields.List(Text(60, shortest=1), load_default=list, validate=validate.Length(max=50))
    credit_percent = whole(1, 100, load_default=80)
    external_ref = Text(80, load_default=None, allow_none=True, shortest=1)
    version = fields.Integer(dump_only=True)


class LedgerQuery(Schema):
    """Which due dates."""

    date_from = Day(data_key="from")
    date_to = Day(data_key="to")

    @validates_schema(skip_on_field_errors=True)
    def _check(self, data: dict[str, Any], **kwargs: Any) -> None:
        first, last = data.get("date_from"), data.get("date_to")
        if first and last and last < first:
            raise ValidationError({"to": ["order"]})


class ExplainedItem(Schema):
    """One expected date: what becomes of it, why, why this date, and the tasks of its visit."""

    occurrence_id = Id(required=True)
    trigger_id = fields.String(required=True)
    cycle_key = fields.String(required=True)
    due_on = fields.Date(required=True, allow_none=True)
    target_on = fields.Date(required=True, allow_none=True)
    window_from = fields.Date(required=True, allow_none=True)
    window_to = fields.Date(required=True, allow_none=True)
    state = fields.String(required=True)
    reason = fields.Nested(ReasonSchema, required=True)
    basis = fields.Nested(ReasonSchema, required=True, allow_none=True)
    tasks = fields.List(fields.Dict(), required=True)


class LedgerAnswer(Schema):
    """The ledger of a plan between two dates, the forecast included."""

    items = fields.List(fields.Nested(ExplainedItem), required=True)


class StatedItem(Schema):
    """What the ledger says of a date."""

    due_on = fields.Date(required=True, allow_none=True)
    window_from = fields.Date(required=True, allow_none=True)
    window_to = fields.Date(required=True, allow_none=True)
    state = fields.String(required=True)
    reason = fields.Nested(ReasonSchema, required=True)


class ChangeItem(Schema):
    """A date of which an edit changes something: `made`, `withdrawn` or `changed` visits, or only what is `said`."""

    effect = fields.String(required=True, validate=validate.OneOf(EFFECTS))
    occurrence_id = Id(required=True)
    before = fields.Nested(StatedItem, required=True, allow_none=True)
    after = fields.Nested(StatedItem, required=True, allow_none=True)


class PreviewAnswer(Schema):
    """All that an edit would change; what people have touched is not in it, for it stays."""

    items = fields.List(fields.Nested(ChangeItem), required=True)


class ClosureSchema(Schema):
    """Days on which a site is closed, both included."""

    class Meta:
        unknown = RAISE

    first = Day(required=True)
    last = Day(required=True)
    name = Text(120, load_default="")

    @validates_schema(skip_on_field_errors=True)
    def _check(self, data: dict[str, Any], **kwargs: Any) -> None:
        if data["last"] < data["first"]:
            raise ValidationError({"last": ["order"]})


class SiteCalendarSchema(Schema):
    """The days on which a site works. Weekdays count from Monday, 0; `country` is an ISO 3166 code."""

    class Meta:
        unknown = RAISE

    weekend = fields.List(whole(0, 6), load_default=list, validate=validate.Length(max=6))
    country = Text(2, load_default=None, allow_none=True, shortest=2)
    region = Text(20, load_default=None, allow_none=True, shortest=1)
    closed = Stored(fields.Nested(ClosureSchema), load_default=list, validate=validate.Length(max=200))
    open = fields.List(Day(), load_default=list, validate=validate.Length(max=400))


class NewReadingSchema(Schema):
    """A meter's value as somebody told it to the office; `replaced` marks the first value of a new meter."""

    class Meta:
        unknown = RAISE

    meter = Text(40, required=True, shortest=1)
    value = fields.Float(required=True, allow_nan=False, validate=validate.Range(-1e12, 1e12))
    unit = Text(20, load_default=None, allow_none=True)
    taken_at = Instant(required=True)
    replaced = fields.Boolean(load_default=False)


class JudgeReadingSchema(Schema):
    """What a person says of a doubtful value."""

    class Meta:
        unknown = RAISE

    judged = fields.String(required=True, allow_none=True, validate=validate.OneOf(["accepted", "rejected"]))


class ReadingItem(Schema):
    """A meter's value. `held`: it contradicts the ones before and waits for a person; plans leave it out until then."""

    id = Id(required=True)
    asset_id = Id(required=True)
    visit_id = Id(required=True, allow_none=True)
    meter = fields.String(required=True)
    value = fields.Float(required=True)
    unit = fields.String(required=True, allow_none=True)
    taken_at = Instant(required=True)
    replaced = fields.Boolean(required=True)
    judged = fields.String(required=True, allow_none=True)
    held = fields.Boolean(required=True)


class MeterItem(Schema):
    """A meter of a machine: what it has run altogether, its use of a day, and its readings, the latest first."""

    meter = fields.String(required=True)
    total = fields.Float(required=True, allow_none=True)
    read_on = fields.Date(required=True, allow_none=True)
    per_day = fields.Float(required=True, allow_none=True)
    spread = fields.Float(required=True, allow_none=True)
    readings = fields.List(fields.Nested(ReadingItem), required=True)


class MetersAnswer(Schema):
    """The meters of a machine."""

    items = fields.List(fields.Nested(MeterItem), required=True)
