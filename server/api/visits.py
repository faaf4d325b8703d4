"""Visits, sites and assets as the office writes them."""

from __future__ import annotations

import re
from typing import Any

from flask import Response, jsonify, request
from flask.views import MethodView
from marshmallow import RAISE, Schema, fields, validate

from schemas.office import CancelSchema, ReturnSchema
from server.actions.edit_document import edit_document
from server.actions.follow_up import make_follow_up
from server.actions.judge_visit import judge_visit
from server.actions.read_history import MOST, read_history
from server.actions.read_work import read_work
from server.actions.request_visit import cancel_visit, request_visit
from server.api.body import Blueprint
from server.api.door import OFFICE, json_object, locale, now, principal, requires
from server.api.items import shown, writable
from server.api.listing import one_item
from server.api.openapi import refuses
from server.api.resources import resource

blueprint = Blueprint("visits", __name__, url_prefix="/api/v1", description="Changing visits, sites and assets")


IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "description": "The version that the change was made from; another one in force answers 412.",
    "schema": {"type": "string"},
    "example": '"3"',
}
NO_VERSION = 0
"""What a header that names no version stands for: it never matches."""


def expected_version() -> int | None:
    """The version that the If-Match header names, None without one or with `*`.

    A compressed answer's ETag has the encoding after a colon; it is the same version.
    """
    if "If-Match" not in request.headers or request.if_match.star_tag:
        return None
    tags = list(request.if_match.as_set(include_weak=True))
    named = re.fullmatch("([0-9]{1,9})(:[a-z]+)?", tags[0] or "") if len(tags) == 1 else None
    return int(named[1]) if named else NO_VERSION


def body_of(collection: str, *, partial: bool = True) -> dict[str, Any]:
    """OpenAPI's words for a body that the schema checks inside of the action."""
    return {"required": True, "content": {"application/json": {"schema": writable(collection, partial=partial)}}}


def item_at(path: str, item_id: str, status: int = 200) -> Response:
    """An item as its resource shows it."""
    response = one_item(resource(path), item_id)
    response.status_code = status
    return response


@blueprint.route("/visits")
class VisitsView(MethodView):
    @requires(*OFFICE)
    @blueprint.doc(requestBody=body_of("visit", partial=False))
    @refuses(409, "state-move", "id-taken")
    @refuses(422, "invalid-fields", "unknown-reference")
    @blueprint.response(201, shown("visit"))
    def post(self) -> Response:
        """Take a request: a new visit of any kind."""
        visit = request_visit(principal().company_id, json_object(), now=now())
        response = item_at("/visits", visit.id, 201)
        response.headers["Location"] = f"/api/v1/visits/{visit.id}"
        return response


def add_edit(path: str, collection: str) -> None:
    """Add `PATCH <path>/<id>` for a collection."""

    class EditView(MethodView):
        @requires(*OFFICE)
        @blueprint.doc(requestBody=body_of(collection), parameters=[IF_MATCH])
        @refuses(409, *(("state-move", "visit-finished") if collection == "visit" else ("conflict",)))
        @refuses(412, "version-changed")
        @refuses(422, "invalid-fields", "unknown-reference")
        @blueprint.response(200, shown(collection))
        def patch(self, item_id: Any) -> Response:
            who = principal()
            edit_document(
                who.company_id,
                collection,
                str(item_id),
                json_object(),
                now=now(),
                expected_version=expected_version(),
            )
            return item_at(path, str(item_id))

    EditView.patch.__doc__ = f"Change fields of a {collection}; with If-Match only if that version is in force."
    blueprint.route(f"{path}/<uuid:item_id>", endpoint=f"edit_{collection}")(EditView)


for _path, _collection in (
    ("/visits", "visit"),
    ("/sites", "site"),
    ("/assets", "asset"),
    ("/customers", "customer"),
    ("/technicians", "technician"),
):
    add_edit(_path, _collection)


@blueprint.route("/visits/<uuid:visit_id>/cancel")
class CancelView(MethodView):
    @requires(*OFFICE)
    @blueprint.arguments(CancelSchema)
    @refuses(409, "state-move")
    @blueprint.response(200, shown("visit"))
    def post(self, body: dict[str, str], visit_id: Any) -> Response:
        """Cancel a visit, with the reason."""
        cancel_visit(principal().company_id, str(visit_id), body["reason"], now=now())
        return item_at("/visits", str(visit_id))


def judged(visit_id: Any, word: str, reason: str | None = None) -> Response:
    """Judge a visit as the asking person; the visit as it is then."""
    judge_visit(
        principal().company_id, str(visit_id), word, reason=reason, now=now(), expected_version=expected_version()
    )
    return item_at("/visits", str(visit_id))


@blueprint.route("/visits/<uuid:visit_id>/review")
class ReviewView(MethodView):
    @requires(*OFFICE)
    @blueprint.doc(parameters=[IF_MATCH])
    @refuses(409, "state-move")
    @refuses(412, "version-changed")
    @blueprint.response(200, shown("visit"))
    def post(self, visit_id: Any) -> Response:
        """Say that the office has looked at finished work and takes it."""
        return judged(visit_id, "reviewed")


@blueprint.route("/visits/<uuid:visit_id>/close")
class CloseView(MethodView):
    @requires(*OFFICE)
    @blueprint.doc(parameters=[IF_MATCH])
    @refuses(409, "state-move")
    @refuses(412, "version-changed")
    @blueprint.response(200, shown("visit"))
    def post(self, visit_id: Any) -> Response:
        """Close reviewed work: who pays for it stays as it is from now on."""
        return judged(visit_id, "closed")


@blueprint.route("/visits/<uuid:visit_id>/return")
class ReturnView(MethodView):
    @requires(*OFFICE)
    @blueprint.doc(parameters=[IF_MATCH])
    @blueprint.arguments(ReturnSchema)
    @refuses(409, "state-move")
    @refuses(412, "version-changed")
    @blueprint.response(200, shown("visit"))
    def post(self, body: dict[str, str], visit_id: Any) -> Response:
        """Give finished work back to its technician, with the reason."""
        return judged(visit_id, "returned", body["reason"])


class HistoryQuery(Schema):
    """Which versions: those older than `before`, by default all, at most `limit`."""

    class Meta:
        unknown = RAISE

    before = fields.Integer(load_default=None, validate=validate.Range(1, 2**31 - 1))
    limit = fields.Integer(load_default=MOST, validate=validate.Range(1, MOST))


@blueprint.route("/visits/<uuid:visit_id>/history")
class HistoryView(MethodView):
    @requires(*OFFICE)
    @blueprint.arguments(HistoryQuery, location="query")
    @blueprint.response(200)
    def get(self, query: dict[str, Any], visit_id: Any) -> Response:
        """Every version of a visit, newest first: what changed, by whom, when, from which tablet.

        `next_before` is the `before` of the next page, null on the last one.
        """
        items, following = read_history(principal().company_id, str(visit_id), **query)
        return jsonify({"items": items, "next_before": following})


@blueprint.route("/visits/<uuid:visit_id>/work")
class WorkView(MethodView):
    @requires(*OFFICE)
    @blueprint.response(200)
    def get(self, visit_id: Any) -> Response:
        """What was done on site: answers by checklist item, readings, findings, notes, times, files, who signed, and
        the visit that it asks for."""
        return jsonify(read_work(principal().company_id, str(visit_id), locale=locale()))


@blueprint.route("/visits/<uuid:visit_id>/follow-up")
class FollowUpView(MethodView):
    @requires(*OFFICE)
    @refuses(409, "no-follow-up")
    @blueprint.response(201, shown("visit"))
    def post(self, visit_id: Any) -> Response:
        """Make the visit that finished work asks for; asked again it answers the same visit."""
        visit = make_follow_up(principal().company_id, str(visit_id), now=now())
        response = item_at("/visits", visit.id, 201)
        response.headers["Location"] = f"/api/v1/visits/{visit.id}"
        return response
