"""Route plans: make a draft, look at what it changes, publish or discard it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, current_app, jsonify, request
from flask.views import MethodView
from marshmallow import ValidationError

from schemas.entities.base import iso
from schemas.moves import PublishSchema
from schemas.office import PlanRequest, RoutePlanItem, reason_in
from server.actions.plan_routes import plan_routes
from server.actions.publish_plan import changes_of, discard_plan, publish_plan
from server.actions.shown_day import Changes
from server.api.body import Blueprint, json_object
from server.api.door import OFFICE, locale, now, principal, requires
from server.api.openapi import refuses
from server.problems import invalid, not_found
from server.store.queries import office, planning
from server.text import say

blueprint = Blueprint("plans", __name__, url_prefix="/api/v1", description="Route plans")


def plan_item(company_id: str, plan_id: str) -> dict[str, Any]:
    """A plan with its routes, stops and everything it left out, in words."""
    plan = planning.plan(company_id, plan_id)
    if plan is None:
        raise not_found()
    routes: dict[tuple[str, Any], list[dict[str, Any]]] = {}
    for stop in planning.stops(company_id, plan_id):
        routes.setdefault((stop.technician_id, stop.date), []).append(
            {
                "visit_id": stop.visit_id,
                "arrive_at": iso(stop.arrive_at),
                "start_at": iso(stop.start_at),
                "end_at": iso(stop.end_at),
                "travel_s": stop.travel_s,
                "travel_m": stop.travel_m,
                "why": reason_in(say, "route", stop.why, locale()),
            }
        )
    return {
        "id": plan.id,
        "state": plan.state,
        "date": plan.date.isoformat(),
        "horizon_days": plan.horizon_days,
        "branch_id": plan.branch_id,
        "seed": plan.seed,
        "objective": plan.objective,
        "created_at": iso(plan.created_at),
        "published_at": iso(plan.published_at) if plan.published_at else None,
        "routes": [
            {"technician_id": technician, "date": day.isoformat(), "stops": stops}
            for (technician, day), stops in routes.items()
        ],
        "unassigned": [
            {
                "visit_id": left.visit_id,
                "reasons": [reason_in(say, "route", reason, locale()) for reason in left.reasons],
            }
            for left in planning.unassigned(company_id, plan_id)
        ],
    }


@blueprint.route("/plans")
class PlansView(MethodView):
    @requires(*OFFICE)
    @blueprint.arguments(PlanRequest)
    @refuses(404, "not-found")
    @refuses(422, "invalid-fields", "no-planning-data")
    @refuses(503, "database-away", "busy")
    @blueprint.response(201, RoutePlanItem)
    def post(self, body: dict[str, Any]) -> Response:
        """Plan: each due and requested visit to a technician, or the reasons why not. Makes a draft."""
        who = principal()
        first = next((one.id for one in office.branches(who.company_id)), None)
        plans = plan_routes(
            who.company_id,
            first=body["date"],
            days=body["horizon_days"],
            branch_id=body["branch_id"] or who.branch_id or first,
            seconds=body["seconds"] or current_app.config["PLAN_SECONDS"],
            seed=body["seed"],
            user_id=who.user_id,
            now=now(),
        )
        response = jsonify(plan_item(who.company_id, plans[0]))
        response.status_code = 201
        response.headers["Location"] = f"/api/v1/plans/{plans[0]}"
        return response


@blueprint.route("/plans/<uuid:plan_id>")
class PlanView(MethodView):
    @requires(*OFFICE)
    @blueprint.response(200, RoutePlanItem)
    def get(self, plan_id: Any) -> Response:
        """A plan with routes and reasons."""
        return jsonify(plan_item(principal().company_id, str(plan_id)))

    @requires(*OFFICE)
    @refuses(409, "plan-not-draft")
    @blueprint.response(204)
    def delete(self, plan_id: Any) -> Response:
        """Discard a draft."""
        discard_plan(principal().company_id, str(plan_id))
        return Response(status=204)


@blueprint.route("/plans/<uuid:plan_id>/changes")
class ChangesView(MethodView):
    @requires(*OFFICE)
    @blueprint.response(200)
    def get(self, plan_id: Any) -> Response:
        """What publishing would change, technician by technician, and whose tablet will be told."""
        company_id = principal().company_id
        return jsonify({"technicians": shown_changes(company_id, changes_of(company_id, str(plan_id)))})


def shown_changes(company_id: str, found: Sequence[Changes]) -> list[dict[str, Any]]:
    """Changes as they are shown, each with the name of whose day it is and whether a tablet tells of it."""
    names = office.technician_names(company_id)
    devices = planning.devices_of(company_id, [one.technician_id for one in found])
    return [
        {
            "technician_id": one.technician_id,
            "name": names.get(one.technician_id, ""),
            "added": one.added,
            "removed": one.removed,
            "moved": [
                move | {"from": iso(move["from"]) if move["from"] else None, "to": iso(move["to"])}
                for move in one.moved
            ],
            "told": one.technician_id in devices,
        }
        for one in found
    ]


@blueprint.route("/plans/<uuid:plan_id>/publish")
class PublishView(MethodView):
    @requires(*OFFICE)
    @blueprint.doc(requestBody={"required": False, "content": {"application/json": {"schema": PublishSchema}}})
    @refuses(409, "plan-not-draft", "plan-stale", "plan-breaks-rules")
    @refuses(422, "invalid-fields")
    @blueprint.response(200, RoutePlanItem)
    def post(self, plan_id: Any) -> Response:
        """Publish a draft: from now on the tablets get it. Rules that it breaks have to be accepted by name."""
        company_id = principal().company_id
        accepted: list[str] = []
        if request.content_length:
            try:
                accepted = PublishSchema().load(json_object())["accepted"]
            except ValidationError as error:
                raise invalid(error.normalized_messages()) from error
        publish_plan(company_id, str(plan_id), now=now(), accepted=accepted)
        return jsonify(plan_item(company_id, str(plan_id)))
