"""Maintenance plans: writing them, what each expects and why; calendars of sites."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Response, jsonify
from flask.views import MethodView

from schemas.maintenance import (
    JudgeReadingSchema,
    LedgerAnswer,
    LedgerQuery,
    MaintenancePlanSchema,
    MetersAnswer,
    NewReadingSchema,
    PreviewAnswer,
    ReadingItem,
    SiteCalendarSchema,
)
from schemas.office import PlanItem, reason_in
from server.actions.explain_plan import Explained, explain_plan
from server.actions.meter_readings import judge_reading, read_meters, record_reading, shown
from server.actions.plan_values import stored_tasks
from server.actions.plan_words import PlanWords
from server.actions.preview_plan import Change, preview_edit, preview_new
from server.actions.site_calendar import read_calendar, write_calendar
from server.actions.write_plan import create_plan, edit_plan
from server.api.body import Blueprint, json_object
from server.api.door import OFFICE, locale, now, principal, requires
from server.api.openapi import refuses
from server.api.visits import item_at

blueprint = Blueprint("maintenance", __name__, url_prefix="/api/v1", description="Maintenance plans")

PATH = "/maintenance-plans"
MANAGERS = ("manager", "admin")


def body(schema: Any) -> dict[str, Any]:
    """OpenAPI's words for a body that the schema checks inside of the action."""
    return {"required": True, "content": {"application/json": {"schema": schema}}}


class NewMaintenancePlan(MaintenancePlanSchema):
    """A maintenance plan as it is written."""


@blueprint.route(PATH)
class PlansView(MethodView):
    @requires(*MANAGERS)
    @blueprint.doc(requestBody=body(NewMaintenancePlan(exclude=["id", "version"])))
    @refuses(409, "conflict")
    @refuses(422, "invalid-fields", "unknown-reference")
    @blueprint.response(201, PlanItem)
    def post(self) -> Response:
        """Make a maintenance plan; its visits appear with the next run of the generator."""
        plan = create_plan(principal().company_id, json_object())
        response = item_at(PATH, plan.id, 201)
        response.headers["Location"] = f"/api/v1{PATH}/{plan.id}"
        return response


@blueprint.route(f"{PATH}/<uuid:plan_id>")
class PlanView(MethodView):
    @requires(*MANAGERS)
    @blueprint.doc(requestBody=body(MaintenancePlanSchema(partial=True, exclude=["id", "version"])))
    @refuses(409, "conflict")
    @refuses(422, "invalid-fields", "unknown-reference")
    @blueprint.response(200, PlanItem)
    def patch(self, plan_id: UUID) -> Response:
        """Change a maintenance plan; what people have touched stays, the rest is derived anew."""
        edit_plan(principal().company_id, str(plan_id), json_object())
        return item_at(PATH, str(plan_id))


@blueprint.route(f"{PATH}/preview")
class NewPreviewView(MethodView):
    @requires(*MANAGERS)
    @blueprint.doc(requestBody=body(NewMaintenancePlan(exclude=["id", "version"])))
    @refuses(422, "invalid-fields", "unknown-reference", "plan-undecidable")
    @blueprint.response(200, PreviewAnswer)
    def post(self) -> Response:
        """What a new plan would make; nothing is kept."""
        return previewed(preview_new(principal().company_id, json_object(), now()))


@blueprint.route(f"{PATH}/<uuid:plan_id>/preview")
class PreviewView(MethodView):
    @requires(*MANAGERS)
    @blueprint.doc(requestBody=body(MaintenancePlanSchema(partial=True, exclude=["id", "version"])))
    @refuses(404, "not-found")
    @refuses(422, "invalid-fields", "unknown-reference", "plan-undecidable")
    @blueprint.response(200, PreviewAnswer)
    def post(self, plan_id: UUID) -> Response:
        """What an edit of a plan would change with the next run of the generator; nothing is kept."""
        return previewed(preview_edit(principal().company_id, str(plan_id), json_object(), now()))


def previewed(found: list[Change]) -> Response:
    """Changes in words."""
    return jsonify({"items": [change_item(each) for each in found]})


def change_item(change: Change) -> dict[str, Any]:
    """A change with what the ledger says now and would say."""
    before, decision = change.before, change.decision
    return {
        "effect": change.effect.value,
        "occurrence_id": change.occurrence_id,
        "before": stated(before, before.state, before.reason, change.words) if before else None,
        "after": stated(decision, decision.state.value, decision.reason.to_json(), change.words) if decision else None,
    }


def stated(row: Any, state: str, why: dict[str, Any], words: PlanWords) -> dict[str, Any] | None:
    """A row of the ledger or a decision, in words; one without a date says only why."""
    days = {name: getattr(row, name) for name in ("due_on", "window_from", "window_to")}
    return {
        **{name: day.isoformat() if day else None for name, day in days.items()},
        "state": state,
        "reason": reason_in(words.say, "plan", why, locale()),
    }


@blueprint.route(f"{PATH}/<uuid:plan_id>/ledger")
class LedgerView(MethodView):
    @requires(*OFFICE)
    @blueprint.arguments(LedgerQuery, location="query")
    @refuses(404, "not-found")
    @refuses(422, "plan-undecidable")
    @blueprint.response(200, LedgerAnswer)
    def get(self, query: dict[str, Any], plan_id: UUID) -> Response:
        """Why there is a visit on each expected date, or why none; by default from a month ago to a year ahead."""
        today = now().date()
        rows = explain_plan(
            principal().company_id,
            str(plan_id),
            query.get("date_from") or today - timedelta(days=30),
            min(query.get("date_to") or today + timedelta(days=365), today + timedelta(days=3653)),
            now(),
            locale(),
        )
        return jsonify({"items": [ledger_item(row) for row in rows]})


def ledger_item(row: Explained) -> dict[str, Any]:
    """A row of the ledger in words."""
    decision = row.decision
    days = {name: getattr(decision, name) for name in ("due_on", "target_on", "window_from", "window_to")}
    reasons = {"reason": decision.reason, "basis": decision.basis}
    return {
        "occurrence_id": decision.occurrence_id,
        "trigger_id": decision.trigger_id,
        "cycle_key": decision.cycle_key,
        "state": decision.state.value,
        "tasks": stored_tasks(decision.tasks),
        **{name: day.isoformat() if day else None for name, day in days.items()},
        **{
            name: reason_in(row.words.say, "plan", why.to_json() if why else None, locale())
            for name, why in reasons.items()
        },
    }


@blueprint.route("/sites/<uuid:site_id>/calendar")
class CalendarView(MethodView):
    @requires(*OFFICE)
    @refuses(404, "not-found")
    @blueprint.response(200, SiteCalendarSchema)
    def get(self, site_id: UUID) -> Response:
        """The days on which a site works."""
        return jsonify(read_calendar(principal().company_id, str(site_id)))

    @requires(*OFFICE)
    @blueprint.doc(requestBody=body(SiteCalendarSchema))
    @refuses(404, "not-found")
    @refuses(422, "invalid-fields")
    @blueprint.response(200, SiteCalendarSchema)
    def put(self, site_id: UUID) -> Response:
        """Say on which days a site works: weekend, public holidays of its country, closures, days that are open."""
        return jsonify(write_calendar(principal().company_id, str(site_id), json_object()))


@blueprint.route("/assets/<uuid:asset_id>/meters")
class MetersView(MethodView):
    @requires(*OFFICE)
    @refuses(404, "not-found")
    @blueprint.response(200, MetersAnswer)
    def get(self, asset_id: UUID) -> dict[str, Any]:
        """What each meter of a machine shows, how it is used, and which values wait for a person."""
        return {"items": read_meters(principal().company_id, str(asset_id))}


@blueprint.route("/assets/<uuid:asset_id>/readings")
class ReadingsView(MethodView):
    @requires(*OFFICE)
    @blueprint.doc(requestBody=body(NewReadingSchema))
    @refuses(404, "not-found")
    @refuses(422, "invalid-fields")
    @blueprint.response(201, ReadingItem)
    def post(self, asset_id: UUID) -> dict[str, Any]:
        """Keep a meter's value that somebody told the office."""
        return shown(record_reading(principal().company_id, str(asset_id), json_object()))


@blueprint.route("/readings/<uuid:reading_id>")
class ReadingView(MethodView):
    @requires(*OFFICE)
    @blueprint.doc(requestBody=body(JudgeReadingSchema))
    @refuses(404, "not-found")
    @refuses(422, "invalid-fields")
    @blueprint.response(200, ReadingItem)
    def patch(self, reading_id: UUID) -> dict[str, Any]:
        """Say of a doubtful value whether it counts; the value itself stays as it was entered."""
        return shown(judge_reading(principal().company_id, str(reading_id), json_object()))
