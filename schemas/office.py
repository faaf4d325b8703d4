"""What the office API answers for things that are not synced to tablets."""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, fields, validate

from schemas.entities.base import Day, Distinct, Email, Id, Instant, Text, Truth

SHORTEST_PASSWORD = 12


class PlanItem(Schema):
    """A maintenance plan."""

    id = Id(required=True)
    asset_id = Id(required=True)
    name = fields.String(required=True)
    kind = fields.String(required=True)
    triggers = fields.List(fields.Dict(), required=True)
    early_days = fields.Integer(required=True)
    late_days = fields.Integer(required=True)
    hard_due = fields.Boolean(required=True)
    horizon_days = fields.Integer(required=True)
    service_minutes = fields.Integer(allow_none=True)
    starts_on = fields.Date(required=True)
    ends_on = fields.Date(allow_none=True)
    active = fields.Boolean(required=True)
    open_previous = fields.String(required=True)
    catch_up = fields.String(required=True)
    shift = fields.String(required=True)
    season = fields.List(fields.Integer(), required=True)
    tasks = fields.List(fields.Dict(), required=True)
    nesting = fields.Dict(required=True)
    absorb_days = fields.Integer(allow_none=True)
    credit_kinds = fields.List(fields.String(), required=True)
    credit_percent = fields.Integer(required=True)
    version = fields.Integer(required=True)
    external_ref = fields.String(allow_none=True)


class ReasonSchema(Schema):
    """Why: a code, the numbers, the sentence in the reader's language, and what would change it."""

    code = fields.String(required=True)
    params = fields.Dict(required=True)
    text = fields.String(required=True)
    remedy = fields.Nested(lambda: ReasonSchema(), allow_none=True)


class OccurrenceItem(Schema):
    """One row of the ledger: an expected date and what became of it."""

    id = Id(required=True)
    plan_id = Id(required=True)
    trigger_id = fields.String(required=True)
    cycle_key = fields.String(required=True)
    due_on = fields.Date(required=True)
    window_from = fields.Date(required=True)
    window_to = fields.Date(required=True)
    state = fields.String(required=True)
    reason = fields.Nested(ReasonSchema, required=True)
    basis = fields.Nested(ReasonSchema, allow_none=True)
    target_on = fields.Date(allow_none=True)
    tasks = fields.List(fields.Dict(), required=True)
    visit_id = Id(allow_none=True)
    decided_at = Instant(required=True)


class DeviceNoticeItem(Schema):
    """Something odd about a tablet, or about none in particular."""

    id = Id(required=True)
    device_id = Id(required=True, allow_none=True)
    code = fields.String(required=True)
    params = fields.Dict(required=True)
    text = fields.String(required=True)
    count = fields.Integer(required=True)
    first_at = fields.String(required=True)
    last_at = fields.String(required=True)


class PendingVisit(Schema):
    """A visit that may have begun on a tablet that is silent."""

    id = Id(required=True)
    number = fields.String(required=True)
    site_name = fields.String(required=True)
    planned_start = fields.String(required=True)


class DeviceItem(Schema):
    """A tablet as the office sees it.

    `unsent` are numbers that never came, `unsent_told` what it said was left at its last contact, `unsent_estimate`
    what is probably on it now. `refused` edits could not be taken. `has_restored` is false until it has sent again
    what a restored server lacks.
    """

    id = Id(required=True)
    technician_id = Id(required=True)
    technician_name = fields.String(required=True)
    name = fields.String(required=True)
    state = fields.String(
        required=True, validate=validate.OneOf(["fresh", "quiet", "silent", "expired", "revoked", "left"])
    )
    app_version = fields.String(required=True, allow_none=True)
    app_is_old = fields.Boolean(required=True)
    schema_version = fields.Integer(required=True)
    enrolled_at = fields.String(required=True)
    last_seen_at = fields.String(required=True, allow_none=True)
    clock_offset_s = fields.Float(required=True, allow_none=True)
    clock_uncertainty_s = fields.Float(required=True, allow_none=True)
    clock_is_wrong = fields.Boolean(required=True)
    last_n = fields.Integer(required=True)
    missing = fields.List(fields.List(fields.Integer()), required=True)
    unsent = fields.Integer(required=True)
    unsent_told = fields.Integer(required=True, allow_none=True)
    unsent_estimate = fields.Integer(required=True)
    unsent_since = fields.String(required=True, allow_none=True)
    needs_person = fields.Integer(required=True, allow_none=True)
    photos = fields.Integer(required=True, allow_none=True)
    photo_bytes = fields.Integer(required=True, allow_none=True)
    room_used = fields.Integer(required=True, allow_none=True)
    room_quota = fields.Integer(required=True, allow_none=True)
    told_at = fields.String(required=True, allow_none=True)
    conflicts_open = fields.Integer(required=True)
    refused = fields.Integer(required=True)
    salvage_waiting = fields.Integer(required=True)
    notices = fields.List(fields.Nested(DeviceNoticeItem), required=True)
    may_have_started = fields.List(fields.Nested(PendingVisit), required=True)
    has_restored = fields.Boolean(required=True)
    revoked_at = fields.String(required=True, allow_none=True)
    wipe_told_at = fields.String(required=True, allow_none=True)


class FleetItem(Schema):
    """All tablets in a few figures; the last verified backup, and the last restore."""

    devices = fields.Integer(required=True)
    silent = fields.Integer(required=True)
    clocks_wrong = fields.Integer(required=True)
    unsent_told = fields.Integer(required=True)
    salvage_waiting = fields.Integer(required=True)
    notices = fields.List(fields.Nested(DeviceNoticeItem), required=True)
    backed_up_at = fields.String(required=True, allow_none=True)
    restored_at = fields.String(required=True, allow_none=True)
    restored_to = fields.String(required=True, allow_none=True)
    sent_again = fields.Integer(required=True)
    app_version = fields.String(required=True)


class SalvageItem(Schema):
    """A push that came after its tablet's access had ended, and what a person made of it."""

    id = Id(required=True)
    device_id = Id(required=True)
    device_name = fields.String(required=True)
    technician_id = Id(required=True)
    technician_name = fields.String(required=True)
    why = fields.String(required=True)
    size = fields.Integer(required=True)
    count = fields.Integer(allow_none=True)
    received_at = fields.String(required=True)
    state = fields.String(required=True)
    decided_by = fields.String(allow_none=True)
    decided_at = fields.String(allow_none=True)
    reason = fields.String(allow_none=True)
    outcome = fields.Dict(allow_none=True)


class SalvagedMutation(Schema):
    """One edit in a piece of salvage; `known_as` is its status when it came by another way."""

    id = fields.String(required=True)
    n = fields.Integer(allow_none=True)
    op = fields.String(required=True)
    collection = fields.String(required=True)
    document_id = fields.String(required=True)
    document_title = fields.String(allow_none=True)
    site_name = fields.String(allow_none=True)
    made_at = fields.String(allow_none=True)
    made_at_corrected = fields.String(allow_none=True)
    set = fields.Dict(required=True)
    add = fields.Dict(required=True)
    remove = fields.Dict(required=True)
    raw_text = fields.String(allow_none=True)
    known_as = fields.String(allow_none=True)


class SalvageDetail(SalvageItem):
    """A piece of salvage with what is in it; not readable when it is no push at all."""

    readable = fields.Boolean(required=True)
    mutations = fields.List(fields.Nested(SalvagedMutation), required=True)


class JournalItem(Schema):
    """A mutation as it came from a tablet, and what became of it."""

    id = Id(required=True)
    device_id = Id(required=True)
    n = fields.Integer(required=True)
    collection = fields.String(required=True)
    document_id = Id(allow_none=True)
    payload = fields.Dict(required=True)
    status = fields.String(required=True)
    result = fields.Dict(required=True)
    made_at = Instant(allow_none=True)
    made_at_corrected = Instant(allow_none=True)
    received_at = Instant(required=True)


class Who(Schema):
    """Somebody by id and name; both null for the system."""

    id = fields.String(allow_none=True)
    name = fields.String(allow_none=True)


class ConflictItem(Schema):
    """A clash: what each side had, who and when, what was chosen, what a person made of it."""

    id = Id(required=True)
    kind = fields.String(required=True)
    clash_class = fields.String(required=True, data_key="class")
    collection = fields.String(required=True)
    document_id = Id(required=True)
    document_title = fields.String(required=True)
    site_name = fields.String(allow_none=True)
    tz = fields.String(allow_none=True, metadata={"description": "The time zone of the site."})
    names = fields.Dict(
        keys=fields.String(), values=fields.String(), metadata={"description": "What values that are ids are called."}
    )
    visit_id = Id(allow_none=True)
    visit_number = fields.String(allow_none=True)
    field = fields.String(required=True)
    policy = fields.String(required=True)
    base = fields.Raw(allow_none=True)
    mine = fields.Raw(allow_none=True)
    theirs = fields.Raw(allow_none=True)
    chosen = fields.String(required=True)
    value = fields.Raw(allow_none=True)
    value_now = fields.Raw(allow_none=True)
    reason = fields.Nested(ReasonSchema, allow_none=True)
    mine_by = fields.Nested(Who, required=True)
    mine_at = fields.String(allow_none=True)
    mine_at_corrected = fields.String(allow_none=True)
    uncertainty_s = fields.Float(allow_none=True)
    theirs_by = fields.Nested(Who, required=True)
    theirs_at = fields.String(allow_none=True)
    base_at = fields.String(allow_none=True)
    apart_since = fields.String(
        allow_none=True, metadata={"description": "The tablet's last contact before it wrote its side."}
    )
    document_version = fields.Integer(
        allow_none=True, metadata={"description": "The version of the document that is in force."}
    )
    device = fields.Dict(allow_none=True)
    created_at = fields.String(required=True)
    state = fields.String(required=True)
    resolution = fields.Dict(allow_none=True)
    resolved_by = fields.String(allow_none=True)
    resolved_at = fields.String(allow_none=True)


class ResolveSchema(Schema):
    """Which value is to stand; `value` gives a third one."""

    class Meta:
        unknown = RAISE

    choice = fields.String(required=True, validate=validate.OneOf(["mine", "theirs", "value"]))
    value = fields.Raw(allow_none=True, load_default=None)


class AcceptSchema(Schema):
    """Which open conflicts are to stay as the rules decided."""

    class Meta:
        unknown = RAISE

    ids = fields.List(Id(), required=True, validate=validate.Length(1, 200))


class SettleItem(Schema):
    """One conflict; `seen` is the version of its document that the choice was made from."""

    class Meta:
        unknown = RAISE

    id = Id(required=True)
    seen = fields.Integer(load_default=None, allow_none=True, strict=True, validate=validate.Range(0, 2**31 - 1))


class SettleSchema(Schema):
    """Which conflicts are to be settled alike: for the tablet's side, the office's, or as the rules decided.

    `together`: all of them or none; else each that can be.
    """

    class Meta:
        unknown = RAISE

    items = fields.List(fields.Nested(SettleItem), required=True, validate=[validate.Length(1, 200), Distinct("id")])
    choice = fields.String(required=True, validate=validate.OneOf(["mine", "theirs", "default"]))
    together = Truth(load_default=True)


class UndoSchema(Schema):
    """Which resolutions are to be taken back, all of them or, if not `together`, each that can be."""

    class Meta:
        unknown = RAISE

    ids = fields.List(Id(), required=True, validate=validate.Length(1, 200))
    together = Truth(load_default=True)


class OutcomeItem(Schema):
    """What settling one conflict changes: field -> the value before and the one after; or why it cannot be."""

    id = Id(required=True)
    changes = fields.Dict(keys=fields.String(), values=fields.List(fields.Raw(allow_none=True)), required=True)
    problem = fields.Dict(required=True, allow_none=True)
    seen = fields.Integer(required=True, allow_none=True)


class OutcomesSchema(Schema):
    """One outcome for each conflict, in the order that was asked; whether anything was written."""

    outcomes = fields.List(fields.Nested(OutcomeItem), required=True)
    written = fields.Integer(required=True)


class CancelSchema(Schema):
    """Why the visit is not needed."""

    class Meta:
        unknown = RAISE

    reason = Text(1000, required=True, shortest=1)


class ReturnSchema(Schema):
    """What is still to be done."""

    class Meta:
        unknown = RAISE

    reason = Text(2000, required=True, shortest=1)


class CompanySchema(Schema):
    """A company to be founded: what it is called, and its administrator's account."""

    class Meta:
        unknown = RAISE

    name = Text(200, required=True, shortest=1)
    email = Email(required=True)
    password = Text(128, required=True, shortest=SHORTEST_PASSWORD, spaces=True)


class PlanRequest(Schema):
    """What to plan: a day, how many days from it, which branch (by default the person's own, else the first)."""

    class Meta:
        unknown = RAISE

    date = Day(required=True)
    horizon_days = fields.Integer(load_default=1, strict=True, validate=validate.Range(1, 14))
    branch_id = Id(load_default=None, allow_none=True)
    seconds = fields.Float(load_default=None, allow_none=True, allow_nan=False, validate=validate.Range(0.2, 60))
    seed = fields.Integer(load_default=1, strict=True, validate=validate.Range(0, 2**31 - 1))


class EnrolmentCodeRequest(Schema):
    """For whom the code is."""

    class Meta:
        unknown = RAISE

    technician_id = Id(required=True)


class StopItem(Schema):
    """One visit of a route."""

    visit_id = Id(required=True)
    arrive_at = Instant(required=True)
    start_at = Instant(required=True)
    end_at = Instant(required=True)
    travel_s = fields.Integer(required=True)
    travel_m = fields.Integer(required=True)
    why = fields.Nested(ReasonSchema, allow_none=True)


class RouteItem(Schema):
    """One technician's day."""

    technician_id = Id(required=True)
    date = fields.Date(required=True)
    stops = fields.List(fields.Nested(StopItem), required=True)


class UnassignedItem(Schema):
    """A visit that could not be placed, with all reasons."""

    visit_id = Id(required=True)
    reasons = fields.List(fields.Nested(ReasonSchema), required=True)


class RoutePlanItem(Schema):
    """A route plan; the list leaves out routes and unassigned."""

    id = Id(required=True)
    state = fields.String(required=True)
    date = fields.Date(required=True)
    horizon_days = fields.Integer(required=True)
    branch_id = Id(allow_none=True)
    seed = fields.Integer(required=True)
    objective = fields.Dict(required=True)
    created_at = Instant(required=True)
    published_at = Instant(allow_none=True)
    routes = fields.List(fields.Nested(RouteItem))
    unassigned = fields.List(fields.Nested(UnassignedItem))


def reason_in(words: Any, area: str, reason: dict[str, Any] | None, locale: str) -> dict[str, Any] | None:
    """A stored reason with its sentence, by `words(area, code, params, locale)`; its remedy likewise."""
    if not reason:
        return None
    params = reason.get("params", {})
    told = {"code": reason["code"], "params": params, "text": words(area, reason["code"], params, locale)}
    remedy = reason_in(words, area, reason.get("remedy"), locale)
    return told | ({"remedy": remedy} if remedy else {})
