"""Streams of news: a tablet hears that there is something for it, the office's pages that something changed.

What it is, is never said here: whoever hears of news asks for it in the usual way, where scopes are looked after.
"""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, request
from flask.views import MethodView
from marshmallow import Schema, fields, validate

from server.actions.sign_in import token_hash
from server.api.body import Blueprint
from server.api.door import COOKIE, OFFICE, bearer, principal, refuse_too_old, requires, requires_device
from server.api.news_hub import Stream, hub, line_of
from server.api.openapi import refuses
from server.problems import Problem
from server.store import news
from server.store.queries import devices
from sync.feed import BadCursor, Cursor, decode

blueprint = Blueprint("stream", __name__, url_prefix="/sync/v1", description="What tablets speak")
office_blueprint = Blueprint("office-stream", __name__, url_prefix="/api/v1", description="The dispatcher's day")

EVENTS = {
    "200": {
        "description": "Server-sent events: `news` with a cursor as its id, and `end` with the reason as the last one.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


class StreamQuery(Schema):
    """Up to where the reader knows; the header `Last-Event-ID` says the same and wins."""

    cursor = fields.String(load_default=None, validate=validate.Length(max=200))


@blueprint.route("/stream")
class StreamView(MethodView):
    @requires_device
    @blueprint.arguments(StreamQuery, location="query")
    @blueprint.doc(responses=EVENTS)
    @refuses(400, "bad-cursor")
    @refuses(426, "update-needed")
    @refuses(503, "no-stream", "database-away")
    def get(self, query: dict[str, Any]) -> Response:
        """An open line that says when there is news for the tablet."""
        who = principal()
        refuse_too_old()
        device_id = who.device_id
        assert device_id is not None
        device = devices.device(who.company_id, device_id)
        assert device is not None
        told = _known(who.company_id, request.headers.get("Last-Event-ID") or query["cursor"], device.cursor_seq)
        stream = Stream(company_id=who.company_id, device_id=device_id, told=told.seq, epoch=told.epoch)
        return answer_stream(stream)


@office_blueprint.route("/stream")
class OfficeStreamView(MethodView):
    @requires(*OFFICE)
    @office_blueprint.doc(responses=EVENTS)
    @refuses(503, "no-stream", "database-away")
    def get(self) -> Response:
        """An open line that says when something changed in the company."""
        who = principal()
        session = token_hash(bearer() or request.cookies[COOKIE])
        epoch, newest = news.clocks([who.company_id])[who.company_id]
        known = request.headers.get("Last-Event-ID")
        told = _known(who.company_id, known, newest) if known else Cursor(seq=newest, epoch=epoch)
        return answer_stream(
            Stream(company_id=who.company_id, session=session, person=who.user_id, told=told.seq, epoch=told.epoch)
        )


def _known(company_id: str, text: str | None, read: int) -> Cursor:
    """Up to where the reader knows; one that stands within a number does not have all of it."""
    if not text:
        return Cursor(seq=read, epoch=devices.history(company_id).epoch)
    try:
        cursor = decode(text)
    except BadCursor as error:
        raise Problem(400, "bad-cursor", field="cursor") from error
    return Cursor(seq=max(0, cursor.seq - bool(cursor.document_id)), epoch=cursor.epoch)


def answer_stream(stream: Stream) -> Response:
    """Open a stream and leave the line to it; raises Problem `no-stream` when there is no room."""
    open_streams = hub(current_app._get_current_object())  # type: ignore[attr-defined]
    stream.line = line_of(request.environ)
    open_streams.open(stream)
    # The bytes are made after the request's context, and with it its database session, is gone.
    response = Response(open_streams.frames(stream), mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(lambda: open_streams.close(stream))
    return response
