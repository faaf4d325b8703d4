"""Exchange without a network: tablets show their keys; the office takes in their files and makes files for them."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from flask import request
from flask.views import MethodView
from marshmallow import RAISE, Schema, fields, validate

from schemas.entities.base import Text, iso
from server.actions.exchange_keys import show_keys
from server.actions.make_exchange import make_exchange
from server.actions.take_exchange import Came, take_exchange
from server.api.body import Blueprint, whole_body
from server.api.door import OFFICE, locale, now, principal, requires, requires_device
from server.api.openapi import refuses
from server.api.uploads import room
from server.problems import FieldError, Problem
from server.store.files import current_files
from server.store.queries import conflicts, office
from server.store.queries import exchange as rows
from sync.carried import MOST_BYTES

BYTES = "application/octet-stream"

blueprint = Blueprint("exchange", __name__, url_prefix="/sync/v1", description="What tablets speak")
office_blueprint = Blueprint("office-exchange", __name__, url_prefix="/api/v1", description="Exchange by files")


class KeysSchema(Schema):
    """Two uncompressed points on P-256 as base64url without padding: to agree on keys, and to check signatures."""

    class Meta:
        unknown = RAISE

    agree = Text(90, required=True, shortest=1)
    sign = Text(90, required=True, shortest=1)


class OfficeKeysSchema(Schema):
    """The office's public keys in the same form."""

    agree = fields.String(required=True)
    sign = fields.String(required=True)


@blueprint.route("/exchange-keys")
class KeysView(MethodView):
    @requires_device
    @blueprint.arguments(KeysSchema)
    @blueprint.response(200, OfficeKeysSchema)
    def post(self, body: dict[str, str]) -> dict[str, str]:
        """Show the tablet's public keys, and get the office's; shown again they are the same."""
        who = principal()
        assert who.device_id is not None
        agree, sign = _point(body, "agree"), _point(body, "sign")
        keys = show_keys(who.company_id, who.device_id, agree, sign, now())
        return {"agree": _text(keys.agree), "sign": _text(keys.sign)}


class Edit(Schema):
    """What became of one edit, in brief."""

    id = fields.String(required=True, allow_none=True)
    n = fields.Integer(required=True, allow_none=True)
    status = fields.String(required=True)
    repeated = fields.Boolean(required=True)
    conflicts = fields.List(fields.String(), required=True)
    code = fields.String(required=True, allow_none=True)


class BroughtFile(Schema):
    """A photo that came in the file; `state` as in its receipt."""

    sha256 = fields.String(required=True)
    name = fields.String(required=True, allow_none=True)
    state = fields.String(required=True)
    problem = fields.Dict(required=True, allow_none=True)


class CameSchema(Schema):
    """What a file brought. `salvaged` is null unless the tablet's access has ended; `again` when nothing was new."""

    device_id = fields.String(required=True)
    device_name = fields.String(required=True)
    technician_name = fields.String(required=True)
    n = fields.Integer(required=True)
    made_at = fields.String(required=True)
    ended = fields.String(required=True, allow_none=True, validate=validate.OneOf(["revoked", "left", "expired"]))
    salvaged = fields.Boolean(required=True, allow_none=True)
    again = fields.Boolean(required=True)
    counts = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    conflicts = fields.Integer(required=True)
    results = fields.List(fields.Nested(Edit), required=True)
    files = fields.List(fields.Nested(BroughtFile), required=True)


class MadeSchema(Schema):
    """A sealed file for a tablet, its bytes as base64, and how much is in it."""

    device_id = fields.String(required=True)
    n = fields.Integer(required=True)
    filename = fields.String(required=True)
    data = fields.String(required=True)
    size = fields.Integer(required=True)
    answers = fields.Integer(required=True)
    changes = fields.Integer(required=True)
    whole = fields.Boolean(required=True, metadata={"description": "False: the tablet's next file asks for the rest."})


class ExchangeItem(Schema):
    """A tablet that can exchange files, and how far that has come."""

    device_id = fields.String(required=True)
    device_name = fields.String(required=True)
    technician_name = fields.String(required=True)
    taken_n = fields.Integer(required=True)
    taken_at = fields.String(required=True, allow_none=True)
    made_n = fields.Integer(required=True)
    made_at = fields.String(required=True, allow_none=True)


class ExchangeList(Schema):
    """All tablets in force that have shown their keys, by technician."""

    items = fields.List(fields.Nested(ExchangeItem), required=True)


@office_blueprint.route("/exchange")
class ExchangeView(MethodView):
    @requires(*OFFICE)
    @office_blueprint.response(200, ExchangeList)
    def get(self) -> dict[str, Any]:
        """Which tablets a file can be made for."""
        company_id = principal().company_id
        known, far = conflicts.devices(company_id, rows.with_keys(company_id)), rows.exchanges(company_id)
        names = office.technician_names(company_id)
        items = []
        for device in known.values():
            if device.revoked_at is None:
                there = far.get(device.id)
                items.append(
                    {
                        "device_id": device.id,
                        "device_name": device.name,
                        "technician_name": names.get(device.technician_id, ""),
                        "taken_n": there.taken_n if there else 0,
                        "taken_at": iso(there.taken_at) if there and there.taken_at else None,
                        "made_n": there.made_n if there else 0,
                        "made_at": iso(there.made_at) if there and there.made_at else None,
                    }
                )
        return {"items": sorted(items, key=lambda one: (one["technician_name"], one["device_name"], one["device_id"]))}

    @requires(*OFFICE)
    @office_blueprint.doc(
        requestBody={"required": True, "content": {BYTES: {"schema": {"type": "string", "format": "binary"}}}}
    )
    @refuses(413, "exchange-too-large", "too-large")
    @refuses(415, "not-acceptable")
    @refuses(
        422,
        *(f"exchange-{fault}" for fault in ("unreadable", "newer", "cut", "altered", "own", "contents")),
        "exchange-other-office",
        "exchange-unknown-tablet",
    )
    @office_blueprint.response(200, CameSchema)
    def post(self) -> dict[str, Any]:
        """Take in a tablet's file, its bytes as the body; taken twice it has its effect once."""
        if request.mimetype != BYTES or request.headers.get("Content-Encoding", "identity") != "identity":
            raise Problem(415, "not-acceptable", expected=BYTES)
        if (request.content_length or 0) > MOST_BYTES:
            raise Problem(413, "exchange-too-large", most=MOST_BYTES // 2**20)
        request.max_content_length = MOST_BYTES
        who = principal()
        came = take_exchange(
            whole_body(), company_id=who.company_id, files=current_files(), room=room(), now=now(), locale=locale()
        )
        return _told(who.company_id, came)


@office_blueprint.route("/devices/<uuid:device_id>/exchange")
class MakeView(MethodView):
    @requires(*OFFICE)
    @refuses(404, "not-found")
    @refuses(409, "exchange-ended", "exchange-no-keys")
    @refuses(426, "update-needed")
    @office_blueprint.response(200, MadeSchema)
    def post(self, device_id: Any) -> dict[str, Any]:
        """Make the next file for a tablet: answers to its edits, and what it would pull."""
        made = make_exchange(principal().company_id, str(device_id), files=current_files(), now=now(), locale=locale())
        return {
            "device_id": made.device_id,
            "n": made.n,
            "filename": f"rounds-office-{made.n}.rndx",
            "data": base64.b64encode(made.data).decode(),
            "size": len(made.data),
            "answers": made.answers,
            "changes": made.changes,
            "whole": made.whole,
        }


def _told(company_id: str, came: Came) -> dict[str, Any]:
    device = conflicts.devices(company_id, {came.device_id})[came.device_id]
    return {
        "device_id": came.device_id,
        "device_name": device.name,
        "technician_name": office.technician_names(company_id).get(came.technician_id, ""),
        "n": came.n,
        "made_at": iso(came.made_at),
        "ended": came.ended,
        "salvaged": came.salvaged,
        "again": came.again,
        "counts": came.counts,
        "conflicts": came.conflicts,
        "results": came.results,
        "files": came.files,
    }


def _point(body: dict[str, str], name: str) -> bytes:
    text = body[name]
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise Problem(422, "invalid-fields", errors=(FieldError(field=name, code="wrong-form"),)) from error


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
