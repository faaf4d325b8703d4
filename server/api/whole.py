"""How a tablet proves that it is whole, and repairs just what is not."""

from __future__ import annotations

import re
from typing import Any

from flask import Response
from flask.views import MethodView
from marshmallow import Schema, ValidationError, fields, validate

from schemas.entities import COLLECTIONS
from server.actions.read_digest import read_digest, read_documents
from server.api.body import Blueprint
from server.api.door import Principal, principal, refuse_too_old, requires_device
from server.api.openapi import refuses
from server.store import documents

MOST_DOCUMENTS = 50

blueprint = Blueprint("whole", __name__, url_prefix="/sync/v1", description="What tablets speak")


def _buckets(text: str) -> None:
    if not re.fullmatch(r"[0-9a-f]{2}(,[0-9a-f]{2}){0,255}", text):
        raise ValidationError("String does not match expected pattern.")


def _ids(text: str) -> None:
    ids = text.split(",")
    if len(ids) > MOST_DOCUMENTS:
        raise ValidationError("Longer than maximum length.")
    try:
        for each in ids:
            documents.canonical_id(each)
    except ValueError as error:
        raise ValidationError("Not a valid UUID.") from error


class DigestQuery(Schema):
    """Of all collections, or of one by bucket, or of the documents in some of its buckets (`3f,a0`)."""

    cursor = fields.String(load_default=None, validate=validate.Length(max=200))
    collection = fields.String(load_default=None, validate=validate.OneOf(sorted(COLLECTIONS)))
    buckets = fields.String(load_default=None, validate=_buckets)


class DigestAnswer(Schema):
    """Counts and sums, as of the cursor. Of the last three one is there, none while the tablet is behind."""

    cursor = fields.String(required=True)
    behind = fields.Boolean(required=True)
    collections = fields.Dict(keys=fields.String(), values=fields.List(fields.Integer()))
    buckets = fields.Dict(keys=fields.String(), values=fields.List(fields.Integer()))
    documents = fields.Dict(keys=fields.String(), values=fields.List(fields.Integer()))


class DocumentsQuery(Schema):
    """Which documents, with commas."""

    ids = fields.String(required=True, validate=_ids)


class FoundChange(Schema):
    """A document to put as it is, or an id that the tablet should not have: then the collection is null."""

    collection = fields.String(required=True, allow_none=True)
    id = fields.String(required=True)
    op = fields.String(required=True, validate=validate.OneOf(["put", "drop"]))
    version = fields.Integer(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    document = fields.Dict(required=True, allow_none=True)


class DocumentsAnswer(Schema):
    """One change for each id, in their order."""

    changes = fields.List(fields.Nested(FoundChange), required=True)


@blueprint.route("/digest")
class DigestView(MethodView):
    @requires_device
    @blueprint.arguments(DigestQuery, location="query")
    @refuses(400, "bad-cursor")
    @refuses(410, "epoch-changed")
    @refuses(426, "update-needed")
    @blueprint.response(200, DigestAnswer)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """Checksums of all that the tablet should hold."""
        who = _who()
        return read_digest(
            who.company_id,
            str(who.device_id),
            query["cursor"],
            schema_version=who.schema_version,
            collection=query["collection"],
            buckets=query["buckets"].split(",") if query["buckets"] else (),
        )


@blueprint.route("/documents")
class DocumentsView(MethodView):
    @requires_device
    @blueprint.arguments(DocumentsQuery, location="query")
    @refuses(426, "update-needed")
    @blueprint.response(200, DocumentsAnswer)
    def get(self, query: dict[str, Any]) -> Response:
        """Single documents, for what is not right on the tablet."""
        who = _who()
        ids = list(dict.fromkeys(documents.canonical_id(each) for each in query["ids"].split(",")))
        body = read_documents(who.company_id, str(who.device_id), ids, schema_version=who.schema_version)
        return Response(body, mimetype="application/json")


def _who() -> Principal:
    refuse_too_old()
    return principal()
