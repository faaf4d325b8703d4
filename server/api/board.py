"""The dispatcher's day."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from flask.views import MethodView
from marshmallow import RAISE, Schema, fields, validate

from schemas.entities.base import Day, Id, iso
from schemas.moves import MovedSchema, MovesSchema, PublishDaySchema, TrialSchema
from schemas.office import RoutePlanItem
from server.actions.move_in_draft import Move, Moved, move_in_draft
from server.actions.publish_plan import discard_day, publish_day, review_day
from server.actions.read_board import read_board
from server.actions.shown_day import changed_visits
from server.actions.try_moves import try_moves
from server.actions.visit_options import visit_options
from server.api.body import Blueprint
from server.api.door import OFFICE, locale, now, principal, requires
from server.api.openapi import refuses
from server.api.plans import plan_item, shown_changes
from server.problems import not_found
from server.store.queries import office

blueprint = Blueprint("board", __name__, url_prefix="/api/v1", description="The dispatcher's day")


class BoardQuery(Schema):
    """Which day, of which branch; by default the person's own, else the first by name."""

    class Meta:
        unknown = RAISE

    date = Day(required=True)
    branch_id = Id(load_default=None)


class DayQuery(Schema):
    """Which day of which branch."""

    class Meta:
        unknown = RAISE

    date = Day(required=True)
    branch_id = Id(required=True)


class OptionsQuery(Schema):
    """Into which day's routes."""

    class Meta:
        unknown = RAISE

    date = Day(required=True)
    limit = fields.Integer(load_default=20, validate=validate.Range(1, 60))


@blueprint.route("/board")
class BoardView(MethodView):
    @requires(*OFFICE)
    @blueprint.arguments(BoardQuery, location="query")
    @refuses(404, "not-found")
    @blueprint.response(200)
    def get(self, query: dict[str, Any]) -> Response:
        """One document with all that the board shows."""
        who = principal()
        branch_id = query["branch_id"] or who.branch_id
        if branch_id is None:
            branches = office.branches(who.company_id)
            if not branches:
                raise not_found()
            branch_id = branches[0].id
        return jsonify(read_board(who.company_id, query["date"], branch_id, now=now(), locale=locale()))


@blueprint.route("/visits/<uuid:visit_id>/options")
class OptionsView(MethodView):
    @requires(*OFFICE)
    @blueprint.arguments(OptionsQuery, location="query")
    @refuses(422, "invalid-fields", "no-planning-data")
    @blueprint.response(200)
    def get(self, query: dict[str, Any], visit_id: Any) -> Response:
        """What it would cost to put a visit into each route of a day, the best first, one for each technician."""
        found = visit_options(principal().company_id, str(visit_id), query["date"], now=now(), locale=locale())
        for option in found:
            option["start_at"] = iso(option["start_at"]) if option["start_at"] else None
        return jsonify({"options": found[: query["limit"]]})


@blueprint.route("/board/moves")
class MovesView(MethodView):
    @requires(*OFFICE)
    @blueprint.arguments(MovesSchema)
    @refuses(404, "not-found")
    @refuses(409, "visit-begun", "visit-locked")
    @blueprint.response(200, MovedSchema)
    def post(self, body: dict[str, Any]) -> Moved:
        """Move visits by hand: into the day's draft, which reaches the tablets when it is published."""
        who = principal()
        moves = [Move(**move) for move in body["moves"]]
        return move_in_draft(who.company_id, body["branch_id"], body["date"], moves, user_id=who.user_id, now=now())


@blueprint.route("/board/changes")
class DayChangesView(MethodView):
    @requires(*OFFICE)
    @blueprint.arguments(DayQuery, location="query")
    @refuses(404, "not-found")
    @blueprint.response(200)
    def get(self, query: dict[str, Any]) -> Response:
        """What publishing a day would change, technician by technician, and which rules it would leave broken."""
        company_id = principal().company_id
        review = review_day(company_id, query["branch_id"], query["date"], now=now())
        return jsonify(
            {
                "technicians": shown_changes(company_id, review.changes),
                "changes": changed_visits(review.changes),
                "broken": [one.told(locale()) for one in review.broken],
            }
        )


@blueprint.route("/board/publish")
class PublishDayView(MethodView):
    @requires(*OFFICE)
    @blueprint.arguments(PublishDaySchema)
    @refuses(404, "not-found")
    @refuses(409, "plan-not-draft", "plan-stale", "plan-breaks-rules", "nothing-to-publish")
    @blueprint.response(200, RoutePlanItem)
    def post(self, body: dict[str, Any]) -> Response:
        """Publish all of a day that nobody has been told of. Rules that it breaks have to be accepted by name."""
        who = principal()
        plan = publish_day(
            who.company_id, body["branch_id"], body["date"], user_id=who.user_id, now=now(), accepted=body["accepted"]
        )
        return jsonify(plan_item(who.company_id, plan.id))


@blueprint.route("/board/draft")
class DayDraftView(MethodView):
    @requires(*OFFICE)
    @blueprint.arguments(DayQuery, location="query")
    @refuses(404, "not-found")
    @refuses(409, "plan-not-draft")
    @blueprint.response(204)
    def delete(self, query: dict[str, Any]) -> Response:
        """Drop what a draft makes of one day; its other days stay a draft."""
        discard_day(principal().company_id, query["branch_id"], query["date"], now=now())
        return Response(status=204)


@blueprint.route("/board/trial")
class TrialView(MethodView):
    @requires(*OFFICE)
    @blueprint.arguments(TrialSchema)
    @refuses(404, "not-found")
    @blueprint.response(200)
    def post(self, body: dict[str, Any]) -> Response:
        """What moves would do to the day as it is shown: driving added, rules broken. Nothing is kept."""
        alternatives = [[Move(**move) for move in moves] for moves in body["alternatives"]]
        found = try_moves(principal().company_id, body["branch_id"], body["date"], alternatives, now=now())
        return jsonify(
            {
                "outcomes": [
                    {
                        "extra_s": one.extra_s,
                        "extra_m": one.extra_m,
                        "broken": [broken.told(locale()) for broken in one.broken],
                    }
                    for one in found
                ]
            }
        )
