"""The tablet's protocol: enrol, pull, push, what became of each mutation, and the contract for machines.

`docs/sync-protocol.md` has the rules by number.
"""

from __future__ import annotations

import re
from typing import Any

import orjson
from flask import Response, g, request
from flask.views import MethodView
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from schemas.contract import contract
from schemas.entities.base import Id, Text, iso
from schemas.json_limits import has_too_many_parts
from schemas.push import MOST_MUTATIONS, PullAnswer, PushAnswer, PushSchema, read_told
from server.actions.contact import Contact
from server.actions.end_device import leave
from server.actions.enrol_device import enrol
from server.actions.history import stand
from server.actions.pull_changes import DEFAULT_LIMIT, MOST, contact_is_old, note_pull, nothing_new, pull_changes
from server.actions.push_changes import push_changes
from server.actions.read_package import Package, read_package
from server.actions.renew_token import renew_token
from server.actions.salvage import keep_salvage
from server.actions.tablet_conflicts import own_conflicts
from server.api import inflate
from server.api.body import Blueprint, described, lenient_json
from server.api.door import (
    Farewell,
    address,
    device_or_farewell,
    holder,
    locale,
    now,
    principal,
    refuse_too_old,
    requires_device,
    sender,
)
from server.api.openapi import refuses
from server.problems import Problem, invalid
from server.store.marks import marks
from server.store.queries import devices

PUSH_LIMIT = 1024 * 1024
"""Bytes of a push as they are sent."""

INFLATED_LIMIT = 8 * 1024 * 1024
"""Bytes of a push that was sent compressed."""

PLAIN = re.compile("[1-9][0-9]{0,2}|1000")
"""A limit of a pull that is plainly right."""

blueprint = Blueprint("sync", __name__, url_prefix="/sync/v1", description="What tablets speak")


class EnrolSchema(Schema):
    """A code from the office, and what the tablet calls itself."""

    class Meta:
        unknown = EXCLUDE

    code = Text(40, required=True, shortest=1)
    device_name = Text(120, required=True, shortest=1)
    app_version = Text(40, load_default=None, allow_none=True)
    schema_version = fields.Integer(strict=True, load_default=1, validate=validate.Range(1, 10_000))


class NamedSchema(Schema):
    """Somebody or something by id and name."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    locale = fields.String()


class EnrolledSchema(Schema):
    """The tablet's token, shown once."""

    token = fields.String(required=True)
    device_id = fields.String(required=True)
    technician = fields.Nested(NamedSchema, required=True)
    company = fields.Nested(NamedSchema, required=True)
    server_time = fields.String(required=True)


class PullQuery(Schema):
    """Where to read on, and how much."""

    cursor = fields.String(load_default=None, validate=validate.Length(max=200))
    limit = fields.Integer(load_default=DEFAULT_LIMIT, validate=validate.Range(1, MOST))


class MutationsQuery(Schema):
    """After which of the device's own numbers; by default all, what came without a usable number too."""

    after = fields.Integer(load_default=-1, validate=validate.Range(-1, 2**31 - 1))
    after_id = Id(load_default=None)
    limit = fields.Integer(load_default=DEFAULT_LIMIT, validate=validate.Range(1, MOST))


class MutationsAnswer(Schema):
    """What became of the device's mutations, in its own order."""

    mutations = fields.List(fields.Dict(), required=True)
    more = fields.Boolean(required=True)
    next = fields.Dict(
        required=True, allow_none=True, metadata={"description": "`after` and `after_id` of the next page."}
    )


@blueprint.route("/enrol")
class EnrolView(MethodView):
    @blueprint.arguments(EnrolSchema)
    @refuses(403, "wrong-code")
    @refuses(429, "too-many-tries")
    @blueprint.response(201, EnrolledSchema)
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Make this tablet the technician's for whom the code was made."""
        done = enrol(
            body["code"],
            device_name=body["device_name"],
            app_version=body["app_version"],
            schema_version=body["schema_version"],
            now=now(),
            address=address(),
        )
        return {
            "token": done.token,
            "device_id": done.device.id,
            "technician": {"id": done.technician.id, "name": done.technician.name, "locale": done.locale},
            "company": {"id": done.company.id, "name": done.company.name},
            "server_time": iso(now()),
        }


@blueprint.route("/pull")
class PullView(MethodView):
    @requires_device
    @described(
        blueprint.arguments(PullQuery, location="query"),
        refuses(400, "bad-cursor"),
        refuses(410, "epoch-changed", "cursor-too-old"),
        refuses(426, "update-needed"),
        blueprint.response(200, PullAnswer),
    )
    def get(self) -> Response:
        """One page of what changed in the device's scopes after the cursor."""
        who = principal()
        assert who.device_id is not None
        refuse_too_old()
        cursor, limit = pull_query()
        body = nothing_new(holder(), cursor)
        more = False
        if body is None:
            body, _, more = pull_changes(
                who.company_id, who.device_id, cursor, limit, schema_version=who.schema_version, holder=holder()
            )
        if not more and contact_is_old(holder(), cursor, address(), now()):
            note_pull(who.company_id, who.device_id, cursor, address(), now())
        return Response(body, mimetype="application/json")


def pull_query() -> tuple[str | None, int]:
    """Cursor and limit of a pull; what is not plainly right is judged by the schema."""
    given = request.args
    limit = given.get("limit", "")
    once = all(len(values) == 1 for _, values in given.lists())
    if once and given.keys() <= {"cursor", "limit"} and len(request.query_string) <= 200 and PLAIN.fullmatch(limit):
        return given.get("cursor"), int(limit)
    query = blueprint.ARGUMENTS_PARSER.parse(PullQuery(), request, location="query")
    return query["cursor"], query["limit"]


def push_text(*types: str, most: int = PUSH_LIMIT) -> bytes:
    """The bytes of a push of one of these media types, `application/json` by default, which may come compressed.

    Read again they are the same: access may end between the first reading and the push itself.
    Raises Problem `not-acceptable` (415), `too-large` (413), `broken-encoding` (400).
    """
    if request.mimetype not in (types or ("application/json",)):
        raise Problem(415, "not-acceptable", expected="application/json")
    text: bytes | None = g.get("push_text")
    if text is None:
        text = g.push_text = inflate.body(most_sent=most, most=INFLATED_LIMIT)
    if has_too_many_parts(text):
        raise Problem(413, "too-large")
    return text


def push_body() -> dict[str, Any]:
    """The body of a push; raises Problem as `push_text` does, and `broken-json` (400) for what is no JSON object."""
    body = lenient_json(push_text())
    if not isinstance(body, dict):
        raise Problem(400, "broken-json")
    return body


def keep_for_office(farewell: Farewell) -> dict[str, Any]:
    """Keep what a tablet sends after its access has ended; whether it is kept, if there is anything to keep."""
    who = farewell.principal
    assert who.device_id is not None
    assert who.technician_id is not None
    try:
        text = push_text()
    except Problem:
        return {}
    kept = keep_salvage(
        who.company_id, who.device_id, who.technician_id, who.user_id, text, why=farewell.why, now=now()
    )
    return {} if kept is None else {"salvaged": kept}


@blueprint.route("/push")
class PushView(MethodView):
    @device_or_farewell(keep_for_office)
    @described(
        blueprint.doc(
            requestBody={"content": {"application/json": {"schema": PushSchema}}},
            parameters=[
                {
                    "in": "header",
                    "name": "Content-Encoding",
                    "description": "How the body is compressed.",
                    "schema": {"type": "string", "enum": [*inflate.ENCODINGS]},
                }
            ],
        ),
        refuses(400, "broken-json", "broken-encoding"),
        blueprint.response(200, PushAnswer),
    )
    def post(self) -> Response:
        """Take the device's mutations; each has its effect once and its own result."""
        raw = push_body()
        if isinstance(raw.get("mutations"), list) and len(raw["mutations"]) > MOST_MUTATIONS:
            raise Problem(413, "too-many-mutations", most=MOST_MUTATIONS, field="mutations")
        try:
            body = PushSchema().load(raw)
        except ValidationError as error:
            raise invalid(error.normalized_messages()) from error
        who = principal()
        contact = Contact(
            device_time=body["device_time"],
            rtt_ms=body["rtt_ms"],
            address=address(),
            app_version=body["app_version"],
            schema_version=body["schema_version"],
            told=read_told(body["told"]),
        )
        door = holder()
        if marks().went_back(who.company_id, door.feed_epoch, door.feed_n, marks().known(who.company_id)):
            stand(who.company_id, marks().known(who.company_id), now())
        pushed = push_changes(sender(), body["mutations"], contact=contact, now=now(), locale=locale())
        # Read after the commit: who reads a lower number than a backup takes is in its copy.
        here = devices.history_now(who.company_id)
        answer = {
            "results": pushed.results,
            "server_time": iso(now()),
            "gaps": list(pushed.gaps),
            "notices": pushed.notices,
            "epoch": here.epoch,
            "seq": here.n,
            "backed_up_through": here.backed_up_through,
            "renew_token": pushed.renew_token,
        }
        return Response(orjson.dumps(answer), mimetype="application/json")


class DeviceTokenSchema(Schema):
    """A new token, shown once."""

    token = fields.String(required=True)


@blueprint.route("/token")
class TokenView(MethodView):
    @requires_device
    @blueprint.response(201, DeviceTokenSchema)
    def post(self) -> dict[str, str]:
        """A new token for this tablet; the one in use stays in force until the new one is first used."""
        who = principal()
        assert who.device_id is not None
        return {"token": renew_token(who.company_id, who.device_id)}


@blueprint.route("/leave")
class LeaveView(MethodView):
    @requires_device
    @blueprint.response(204)
    def post(self) -> Response:
        """Log out for good: this token gives no access any more."""
        who = principal()
        assert who.device_id is not None
        leave(who.company_id, who.device_id, now=now())
        return Response(status=204)


@blueprint.route("/mutations")
class MutationsView(MethodView):
    @requires_device
    @blueprint.arguments(MutationsQuery, location="query")
    @blueprint.response(200, MutationsAnswer)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """What became of each mutation that this device sent, for ever after."""
        who = principal()
        assert who.device_id is not None
        rows = devices.mutations_of_device(
            who.company_id, who.device_id, query["after"], query["limit"] + 1, query["after_id"]
        )
        shown = rows[: query["limit"]]
        more = len(rows) > len(shown)
        return {
            "mutations": [
                row.result
                | {
                    "n": row.n,
                    "collection": row.collection,
                    "document_id": row.document_id,
                    "payload": row.payload,
                    "received_at": iso(row.received_at),
                }
                for row in shown
            ],
            "more": more,
            "next": {"after": shown[-1].n, "after_id": shown[-1].id} if more else None,
        }


class OwnConflicts(Schema):
    """What a technician's edits met with, newest first, in words."""

    conflicts = fields.List(fields.Dict(), required=True)


class ConflictsQuery(Schema):
    """How many."""

    limit = fields.Integer(load_default=100, validate=validate.Range(1, 500))


@blueprint.route("/conflicts")
class ConflictsView(MethodView):
    @requires_device
    @blueprint.arguments(ConflictsQuery, location="query")
    @blueprint.response(200, OwnConflicts)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """The conflicts of who holds this tablet: one entry for each thing that two people changed."""
        who = principal()
        assert who.device_id is not None
        assert who.technician_id is not None
        found = own_conflicts(who.company_id, who.technician_id, who.device_id, now=now(), most=query["limit"])
        return {"conflicts": found}


class PackageAnswer(Schema):
    """The days that a tablet holds, and the visits that did not fit."""

    first_day = fields.Date(required=True, allow_none=True)
    last_day = fields.Date(required=True, allow_none=True)
    visits_beyond = fields.Integer(required=True)
    first_beyond = fields.Date(required=True, allow_none=True)


@blueprint.route("/package")
class PackageView(MethodView):
    @requires_device
    @blueprint.response(200, PackageAnswer)
    def get(self) -> Package:
        """Which days of work this tablet holds, and what of later days did not fit."""
        who = principal()
        assert who.technician_id is not None
        return read_package(who.company_id, who.technician_id, now())


@blueprint.route("/schema")
class SchemaView(MethodView):
    @blueprint.response(200)
    def get(self) -> dict[str, Any]:
        """The contract for machines: each collection with its fields, owners, policies and references."""
        return contract()
