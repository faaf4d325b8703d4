from __future__ import annotations

from datetime import timedelta
from typing import Any

from marshmallow import fields, validate

from schemas.entities.base import (
    SHA256,
    Day,
    EntitySchema,
    Entry,
    EntryList,
    Id,
    Instant,
    Stored,
    StoredForm,
    Text,
    Truth,
    derived,
    office,
    on_site,
    parse_instant,
    shared,
    technician_scope,
    usually,
)
from sync.change import Body
from sync.states import FINISHED, LEADS_TO, OFFICE_EVENTS, PERFORMED, REVIEWED, UNDER_WAY

PLAN_STATES = ["due", "planned", "published", "withdrawn", "cancelled", "merged"]
CAUSES = ["wear", "defect", "installation", "misuse", "foreign_part", "environment"]
"""Why something is wrong, as found on site. A warranty term names those that it does not pay for."""

ORIGINS = ["request", "plan", "proactive", "follow_up", "technician", "import"]


NARROWEST_WINDOW = timedelta(minutes=15)
"""Promised hours bound when the work begins; nobody who drives can promise it closer than this."""


class EventEntry(Entry):
    """A step of the work, as the technician pressed it; `undoes` names the event that an undo takes back.

    The office's own steps are made by the server.
    """

    type = fields.String(
        required=True, validate=validate.OneOf([*(kind for kind in LEADS_TO if kind not in OFFICE_EVENTS), "undo"])
    )
    lat = fields.Float(allow_none=True, allow_nan=False, validate=validate.Range(-90, 90))
    lon = fields.Float(allow_none=True, allow_nan=False, validate=validate.Range(-180, 180))
    reason = Text(2000, allow_none=True)
    undoes = Id(allow_none=True)


class AnswerEntry(Entry):
    """An answer to a checklist item; the last one by time counts. `skipped` needs its reason in `note`."""

    item = Text(60, required=True, shortest=1)
    value = fields.Raw(required=True, allow_none=True, validate=lambda value: scalar(value))
    note = Text(2000, allow_none=True)


class ReadingEntry(Entry):
    """A meter's value as read on site."""

    asset_id = Id(required=True, metadata={"ref": "asset"})
    meter = Text(40, required=True, shortest=1)
    value = fields.Float(required=True, allow_nan=False, validate=validate.Range(-1e12, 1e12))
    unit = Text(20, allow_none=True)


class NoteEntry(Entry):
    """What somebody wrote down about the visit."""

    text = Text(4000, required=True, shortest=1, spaces=True)


class FindingEntry(Entry):
    """Something that is wrong and needs somebody."""

    asset_id = Id(allow_none=True, metadata={"ref": "asset"})
    item = Text(60, allow_none=True)
    severity = fields.String(required=True, validate=validate.OneOf(["minor", "major", "critical"]))
    cause = fields.String(allow_none=True, validate=validate.OneOf(CAUSES))
    text = Text(4000, required=True, shortest=1, spaces=True)


class AttachmentEntry(Entry):
    """A photo or file, referred to by the hash of its bytes, which travel in a lane of their own."""

    kind = fields.String(required=True, validate=validate.OneOf(["photo", "document"]))
    sha256 = fields.String(required=True, validate=SHA256)
    size = fields.Integer(required=True, strict=True, validate=validate.Range(1, 25_000_000))
    media_type = Text(80, required=True)
    name = Text(200, allow_none=True)
    item = Text(60, allow_none=True)


class SignatureSchema(Entry):
    """A customer's signature as points `[x, y, t]`; it is drawn from them, no picture is taken."""

    name = Text(120, required=True, shortest=1, spaces=True)
    strokes = fields.List(
        fields.List(fields.List(fields.Float(allow_nan=False), validate=validate.Length(2, 3))),
        required=True,
        validate=validate.Length(1, 500),
    )


def scalar(value: object) -> bool:
    """Accept what a checklist can answer: truth, number, short text, nothing."""
    if isinstance(value, str):
        return len(value) <= 4000 and "\x00" not in value
    return value is None or isinstance(value, bool | int) or (isinstance(value, float) and abs(value) < 1e300)


def _is_narrow(start: Any, end: Any) -> bool:
    """Whether promised hours, in wire form, are too short for anybody to keep."""
    first, last = parse_instant(start), parse_instant(end)
    return first is not None and last is not None and last - first < NARROWEST_WINDOW


def many_ids() -> fields.List[Any]:
    return fields.List(Id(), validate=validate.Length(max=100))


class VisitSchema(EntitySchema):
    """One trip to one site: planned by the office, done and written down on site."""

    collection = "visit"
    device_may_create = True
    called_by = "title"
    spans = (
        ("window_start", "window_end", "order"),
        ("planned_start", "planned_end", "order"),
        ("due_from", "due_to", "order"),
    )

    number = derived(fields.String())
    origin = derived(fields.String())
    occurrence_id = derived(fields.String(allow_none=True))
    plan_id = derived(fields.String(allow_none=True))

    kind = office(Text(60, shortest=1, required=True), code_of="service_kind")
    title = office(Text(200, shortest=1))
    instructions = office(Text(4000, allow_none=True))
    symptom = office(Text(1000, allow_none=True))
    priority = usually(office(fields.Integer(strict=True, validate=validate.Range(0, 3))), 1)
    site_id = office(Id(required=True), ref="site")
    asset_ids = shared(many_ids(), "union", ref="asset")
    skills = office(Stored(Text(60, shortest=1), validate=validate.Length(max=20)))
    service_minutes = office(fields.Integer(strict=True, validate=validate.Range(5, 1440)))
    due_from = office(Day(allow_none=True))
    due_to = office(Day(allow_none=True))
    hard_due = office(Truth())
    window_start = office(Instant(allow_none=True))
    window_end = office(Instant(allow_none=True))
    promised_by = office(Instant(allow_none=True))
    plan_state = usually(office(fields.String(validate=validate.OneOf(PLAN_STATES))), "published")
    assignee_id = office(Id(allow_none=True), ref="technician", closure=False)
    planned_start = office(Instant(allow_none=True))
    planned_end = office(Instant(allow_none=True))
    route_position = office(fields.Integer(strict=True, allow_none=True, validate=validate.Range(0, 1000)))
    locked = office(Truth())
    checklist_id = office(Id(allow_none=True), ref="checklist", closure=False)
    cancel_reason = office(Text(1000, allow_none=True))

    events = on_site(EntryList(EventEntry), "state")
    answers = on_site(EntryList(AnswerEntry), "append")
    readings = on_site(EntryList(ReadingEntry), "append")
    notes = on_site(EntryList(NoteEntry), "append")
    findings = on_site(EntryList(FindingEntry), "append")
    attachments = on_site(EntryList(AttachmentEntry), "append")
    signature = on_site(StoredForm(SignatureSchema, allow_none=True), "technician")
    work_summary = on_site(Text(4000, allow_none=True), "text")

    exec_state = usually(derived(fields.String()), "not_started")
    performed_by_id = derived(fields.String(allow_none=True), ref="technician", closure=False)
    started_at = derived(Instant(allow_none=True))
    finished_at = derived(Instant(allow_none=True))
    coverage_id = derived(Id(allow_none=True), ref="coverage")
    flags = derived(Stored(fields.String()))
    archived = derived(Truth())

    def contradictions(self, body: Body) -> dict[str, str]:
        needless = body.get("cancel_reason") and body.get("plan_state", "due") != "cancelled"
        narrow = _is_narrow(body.get("window_start"), body.get("window_end"))
        return (
            ({"window_end": "narrow-window"} if narrow else {})
            | super().contradictions(body)
            | ({"cancel_reason": "not-cancelled"} if needless else {})
        )

    def files(self, body: Body) -> frozenset[str]:
        return frozenset(entry["sha256"] for entry in body.get("attachments") or ())

    def scopes(self, body: Body) -> frozenset[str]:
        """The technician who did it, else the one it is published to; nobody once it is archived."""
        if body.get("archived"):
            return frozenset()
        if body.get("exec_state") in PERFORMED | REVIEWED and body.get("performed_by_id"):
            return frozenset({technician_scope(body["performed_by_id"])})
        if body.get("plan_state") == "published" and body.get("assignee_id"):
            return frozenset({technician_scope(body["assignee_id"])})
        return frozenset()

    def about(self, body: Body) -> tuple[str, str] | None:
        """When it is planned, else when it is wanted, until it is begun: what was begun stays where it is."""
        if body["exec_state"] in UNDER_WAY | FINISHED | REVIEWED:
            return None
        for first, last in (("planned_start", "planned_end"), ("window_start", "window_end")):
            if body[first]:
                return body[first], max(body[first], body[last] or "")
        days = sorted(day for day in (body["due_from"], body["due_to"]) if day)
        return (f"{days[0]}T00:00:00.000Z", f"{days[-1]}T23:59:59.999Z") if days else None

    def why_left(self, body: Body) -> str:
        if body.get("archived"):
            return "archived"
        if body.get("exec_state") in PERFORMED | REVIEWED:
            return "done-by-other"
        if body.get("plan_state") == "cancelled":
            return "cancelled"
        return "reassigned" if body.get("assignee_id") and body.get("plan_state") == "published" else "withdrawn"
