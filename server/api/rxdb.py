"""What RxDB speaks: each collection replicated by itself, with `replicateRxCollection` as it comes.

Its rules are S-110 to S-122 of `docs/sync-protocol.md`. Errors on these routes are plain text: a client that reads JSON
where it expects documents would stop for good.
"""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response, current_app, request
from flask.views import MethodView
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from schemas.contract import OLDEST_VERSION, SCHEMA_VERSION
from schemas.entities import COLLECTIONS
from schemas.entities.base import Instant
from server.actions.contact import Contact
from server.actions.history import stand
from server.actions.rxdb_pull import Checkpoint, is_news, is_too_old, note_place, read_checkpoint, rxdb_page
from server.actions.rxdb_push import edits_of, push_rows
from server.actions.whole_edits import keep_edits
from server.api.body import Blueprint, lenient_json
from server.api.door import (
    Farewell,
    address,
    device_or_farewell,
    holder,
    locale,
    now,
    principal,
    requires_device,
    sender,
)
from server.api.openapi import refuses
from server.api.rxdb_stream import CollectionStream
from server.api.stream import answer_stream
from server.api.sync import push_text
from server.config import BODY_LIMIT
from server.problems import Problem, not_found
from server.store import pull
from server.store.marks import marks
from server.store.queries import devices, stock

MOST = 1000
"""Documents of a page, and rows of a push."""

EVENTS = {
    "200": {
        "description": "Server-sent events: a page of documents with its checkpoint, which is its id; at last `end`.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}

blueprint = Blueprint("rxdb", __name__, url_prefix="/sync/rxdb", description="What RxDB clients speak")


class RxPullQuery(Schema):
    """The checkpoint as the client got it, and how many documents it wants; other parameters are ignored."""

    class Meta:
        unknown = EXCLUDE

    seq = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(0, 2**53))
    lwt = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(0, 2**53))
    id = fields.String(load_default="", validate=validate.Length(max=80))
    epoch = fields.String(load_default="", validate=validate.Length(max=80))
    again = fields.String(load_default="", validate=validate.Length(max=40_000))
    limit = fields.Integer(load_default=100, validate=validate.Range(1, MOST))


class RxPushQuery(Schema):
    """What the device's clock shows, if the client says it."""

    class Meta:
        unknown = EXCLUDE

    device_time = Instant(load_default=None, allow_none=True)


class RxCheckpoint(Schema):
    """How far the client has read; the same keys every time."""

    seq = fields.Integer(required=True)
    lwt = fields.Integer(required=True)
    id = fields.String(required=True)
    epoch = fields.String(required=True)
    again = fields.String(required=True)


class RxPulled(Schema):
    """A full page while there is more; `_deleted` marks what is to go."""

    documents = fields.List(fields.Dict(), required=True)
    checkpoint = fields.Nested(RxCheckpoint, required=True)


class RxRow(Schema):
    """A document as the client has it, and as it believed the server to have it."""

    newDocumentState = fields.Dict(required=True)
    assumedMasterState = fields.Dict(allow_none=True)


@blueprint.route("/<collection>/<int:schema_version>/pull")
class RxPullView(MethodView):
    @requires_device
    @blueprint.arguments(RxPullQuery, location="query")
    @blueprint.response(200, RxPulled)
    @refuses(400, "bad-cursor")
    @refuses(426, "update-needed")
    def get(self, query: dict[str, Any], collection: str, schema_version: int) -> Response:
        """What changed in a collection after the checkpoint."""
        version = _known(collection, schema_version)
        if schema_version and schema_version < OLDEST_VERSION:
            raise Problem(426, "update-needed")
        who = principal()
        assert who.device_id is not None
        asked = _checkpoint(query)
        stand(who.company_id, marks().known(who.company_id), now())
        page = rxdb_page(who.company_id, who.device_id, collection, version, asked, query["limit"], now())
        if is_news(holder(), collection, asked, address(), now()):
            note_place(who.company_id, who.device_id, collection, asked, address(), now())
        return Response(page.text, mimetype="application/json")


def push_of_rows() -> list[Any]:
    """The rows of a push; raises Problem as `push_text` does, and `broken-json`, `too-many-mutations`."""
    body = lenient_json(push_text("application/json", "text/plain", most=BODY_LIMIT))
    rows = body.get("docs") if isinstance(body, dict) else body
    if not isinstance(rows, list):
        raise Problem(400, "broken-json")
    if len(rows) > MOST:
        raise Problem(413, "too-many-mutations", most=MOST)
    return rows


def keep_rows(farewell: Farewell) -> dict[str, Any]:
    """Keep what a client sends after its access has ended, as the mutations that it would have been."""
    collection = (request.view_args or {})["collection"]
    try:
        edits = edits_of(sender(), collection, push_of_rows()) if collection in COLLECTIONS else []
    except Problem:
        return {}
    keep_edits(sender(), edits, why=farewell.why, now=now())
    return {}


@blueprint.route("/<collection>/<int:schema_version>/push")
class RxPushView(MethodView):
    @device_or_farewell(keep_rows)
    @blueprint.arguments(RxPushQuery, location="query")
    @blueprint.doc(requestBody={"content": {"application/json": {"schema": {"type": "array", "items": RxRow}}}})
    @blueprint.response(200, {"type": "array", "items": {"type": "object"}})
    def post(self, query: dict[str, Any], collection: str, schema_version: int) -> Response:
        """Take the client's documents; the answer holds those that it must take instead."""
        version = _known(collection, schema_version)
        rows = push_of_rows()
        stand(principal().company_id, marks().known(principal().company_id), now())
        answers = push_rows(
            sender(),
            collection,
            version,
            rows,
            contact=Contact(device_time=query["device_time"], address=address()),
            now=now(),
            locale=locale(),
            master_wins=current_app.config["MASTER_WINS"],
        )
        return Response(f"[{','.join(answers)}]", mimetype="application/json")


@blueprint.route("/<collection>/<int:schema_version>/stream")
class RxStreamView(MethodView):
    @requires_device
    @blueprint.arguments(RxPullQuery(exclude=("limit",)), location="query")
    @blueprint.doc(responses=EVENTS)
    @refuses(400, "bad-cursor")
    @refuses(503, "no-stream", "database-away")
    def get(self, query: dict[str, Any], collection: str, schema_version: int) -> Response:
        """An open line on which documents of a collection come as they change."""
        version = _known(collection, schema_version)
        who = principal()
        assert who.device_id is not None
        asked = _checkpoint(_last_event() or query)
        if asked == Checkpoint():
            asked = Checkpoint(place=stock.view_place(who.company_id, who.device_id, collection))
        if is_too_old(pull.subscriptions(who.company_id, who.device_id), asked):
            raise Problem(410, "cursor-too-old", field="id")
        application = current_app._get_current_object()  # type: ignore[attr-defined]
        return answer_stream(
            CollectionStream(
                company_id=who.company_id,
                device_id=who.device_id,
                about=collection,
                told=max(0, asked.place.effective - 1),
                epoch=asked.history or devices.history(who.company_id).epoch,
                app=application,
                schema_version=version,
                checkpoint=asked,
            )
        )


def _last_event() -> dict[str, Any] | None:
    """The checkpoint of the last event that the reader got, if it comes back for more."""
    text = request.headers.get("Last-Event-ID")
    if not text:
        return None
    try:
        found = RxPullQuery().load(orjson.loads(text))
    except (ValueError, ValidationError) as error:
        raise Problem(400, "bad-cursor", field="Last-Event-ID") from error
    return dict(found)


def _checkpoint(query: dict[str, Any]) -> Checkpoint:
    seq = query["seq"] if query["seq"] is not None else query["lwt"] or 0
    return read_checkpoint(seq=seq, inside=query["id"], epoch=query["epoch"], again=query["again"])


def _known(collection: str, schema_version: int) -> int:
    """The schema version to shape documents by; raises Problem `not-found` for what is not there (yet)."""
    schema = COLLECTIONS.get(collection)
    if schema is None or schema_version > SCHEMA_VERSION or max(schema_version, OLDEST_VERSION) < schema.since:
        raise not_found()
    return max(schema_version, OLDEST_VERSION)
