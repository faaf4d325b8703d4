"""Files to read: what a visit names, as it may be shown; receipts for tablets, and the quarantine for the office."""

from __future__ import annotations

from typing import Any, BinaryIO

from flask import Response, request
from flask.views import MethodView
from marshmallow import Schema, fields, validate

from schemas.entities.base import SHA256, Text, iso
from server.actions.decide_file import discard, release
from server.actions.file_states import of_visit, receipts
from server.api.body import Blueprint
from server.api.door import OFFICE, locale, now, principal, requires, requires_device
from server.api.listing import Filter, Resource, add_listing, one_item
from server.api.openapi import refuses
from server.problems import not_found
from server.store.files import BLOCK, Files, current_files, places
from server.store.models import Upload
from server.store.queries import files as rows
from server.store.queries.filters import by, equals
from server.store.transaction import let_go
from server.text import say

MOST_RECEIPTS = 500

blueprint = Blueprint("attachments", __name__, url_prefix="/sync/v1", description="Photos and files for tablets")
office_blueprint = Blueprint("files", __name__, url_prefix="/api/v1", description="Photos, files and the quarantine")


class FileProblem(Schema):
    """Why a file does not stand, in the reader's language."""

    code = fields.String(required=True)
    title = fields.String(required=True)
    detail = fields.String(required=True)


class ReceiptSchema(Schema):
    """Whether a file is safely here: only `verified` lets a tablet delete its copy.

    `waiting` for bytes; `quarantined`: all here, a person looks at it (or, with `upload-hash`, to be sent again);
    `discarded` by a person; `unknown`: nothing that this tablet may know of has this hash.
    """

    sha256 = fields.String(required=True)
    state = fields.String(
        required=True, validate=validate.OneOf(["waiting", "verified", "quarantined", "discarded", "unknown"])
    )
    received = fields.Integer(required=True)
    size = fields.Integer(required=True, allow_none=True)
    problem = fields.Nested(FileProblem, allow_none=True)


class ReceiptsQuery(Schema):
    """Of which files."""

    sha256 = fields.List(
        fields.String(validate=SHA256),
        required=True,
        validate=validate.Length(1, MOST_RECEIPTS),
    )


class ReceiptsSchema(Schema):
    """Receipts, in the order they were asked for."""

    receipts = fields.List(fields.Nested(ReceiptSchema), required=True)


class AttachmentItem(Schema):
    """A file that a visit names, and where it is."""

    id = fields.String(required=True)
    kind = fields.String(required=True)
    sha256 = fields.String(required=True)
    name = fields.String(allow_none=True)
    media_type = fields.String(allow_none=True)
    item = fields.String(allow_none=True)
    at = fields.String(allow_none=True)
    by_name = fields.String(allow_none=True)
    size = fields.Integer(allow_none=True)
    width = fields.Integer()
    height = fields.Integer()
    state = fields.String(required=True)
    received = fields.Integer()
    problem = fields.Nested(FileProblem, allow_none=True)
    shown = fields.Boolean(required=True, metadata={"description": "A picture of it can be shown."})
    thumbnail = fields.Boolean(required=True, metadata={"description": "A small picture of it can be shown."})


class VisitFiles(Schema):
    """The files of a visit; `awaiting` of them are not here yet. Whether the visit is done does not hang on them."""

    items = fields.List(fields.Nested(AttachmentItem), required=True)
    awaiting = fields.Integer(required=True)
    quarantined = fields.Integer(required=True)


class QuarantineItem(Schema):
    """A file that was put aside, why, and what a person decided."""

    id = fields.String(required=True)
    sha256 = fields.String(required=True)
    name = fields.String(allow_none=True)
    size = fields.Integer(required=True)
    claimed_type = fields.String(allow_none=True)
    found_type = fields.String(allow_none=True)
    fault = fields.String(required=True)
    text = fields.String(required=True, metadata={"description": "The fault in words."})
    state = fields.String(required=True)
    created_at = fields.String(required=True)
    device_name = fields.String(allow_none=True)
    technician_name = fields.String(allow_none=True)
    visit_ids = fields.List(fields.String(), required=True)
    may_release = fields.Boolean(required=True)
    decision = fields.String(allow_none=True)
    decided_at = fields.String(allow_none=True)


class DecisionSchema(Schema):
    """Why a file may stand, or goes."""

    reason = Text(1000, required=True, shortest=1)


@blueprint.route("/attachments/<string:sha256>/receipt")
class ReceiptView(MethodView):
    @requires_device
    @blueprint.response(200, ReceiptSchema)
    def get(self, sha256: str) -> dict[str, Any]:
        """Whether a file of this tablet, or of a visit on it, is safely here."""
        found = receipts_of([sha256])[0] if SHA256.fits(sha256) else None
        if found is None or found["state"] == "unknown":
            raise not_found()
        return found


@blueprint.route("/attachments/receipts")
class ReceiptsView(MethodView):
    @requires_device
    @blueprint.arguments(ReceiptsQuery)
    @blueprint.response(200, ReceiptsSchema)
    def post(self, query: dict[str, Any]) -> dict[str, Any]:
        """Receipts of many files in one round trip."""
        return {"receipts": receipts_of(query["sha256"])}


def receipts_of(hashes: list[str]) -> list[dict[str, Any]]:
    """Receipts for the asking tablet, in words for its reader."""
    who = principal()
    assert who.device_id is not None
    return receipts(current_files(), who.company_id, who.device_id, hashes, locale=locale(), now=now())


@blueprint.route("/attachments/<string:sha256>")
class DeviceAttachmentView(MethodView):
    @requires_device
    @blueprint.response(200)
    def get(self, sha256: str) -> Response:
        """A file that a visit in the tablet's scopes names, or the tablet's own, as it may be shown."""
        return answer_file(_in_reach(sha256), sha256)


@blueprint.route("/attachments/<string:sha256>/thumbnail")
class DeviceThumbnailView(MethodView):
    @requires_device
    @blueprint.response(200)
    def get(self, sha256: str) -> Response:
        """The small picture of a photo; it may be here before the photo is."""
        return answer_thumbnail(_in_reach(sha256, preview=not _is_here(sha256)), sha256)


def _in_reach(sha256: str, *, preview: bool = False) -> str:
    """The company, where the asking tablet may have this file; raises Problem `not-found`."""
    who = principal()
    assert who.device_id is not None
    if SHA256.fits(sha256):
        if rows.vouched(who.company_id, who.device_id, [sha256], preview=preview):
            return who.company_id
        own = rows.latest(who.company_id, who.device_id, sha256)
        if own is not None and own.state == "verified" and own.ahead_of is None:
            return who.company_id
    raise not_found()


def _is_here(sha256: str) -> bool:
    """Whether the file itself has come; until then its small picture stands for it."""
    return SHA256.fits(sha256) and bool(rows.here(principal().company_id, [sha256]))


@office_blueprint.route("/attachments/<string:sha256>")
class OfficeAttachmentView(MethodView):
    @requires(*OFFICE)
    @office_blueprint.response(200)
    def get(self, sha256: str) -> Response:
        """A file as it may be shown: a photo upright and without the place where it was taken."""
        return answer_file(principal().company_id, sha256)


@office_blueprint.route("/attachments/<string:sha256>/thumbnail")
class OfficeThumbnailView(MethodView):
    @requires(*OFFICE)
    @office_blueprint.response(200)
    def get(self, sha256: str) -> Response:
        """The small picture of a photo; it may be here before the photo is."""
        return answer_thumbnail(principal().company_id, sha256)


@office_blueprint.route("/attachments/<string:sha256>/original")
class OriginalView(MethodView):
    @requires("manager", "admin")
    @office_blueprint.response(200)
    def get(self, sha256: str) -> Response:
        """A file exactly as it was sent, as evidence: a download with all that the camera wrote into it."""
        company_id = principal().company_id
        if not SHA256.fits(sha256) or rows.stored(company_id, sha256) is None:
            raise not_found()
        return download(places.original(company_id, sha256), sha256)


@office_blueprint.route("/visits/<uuid:visit_id>/attachments")
class VisitFilesView(MethodView):
    @requires(*OFFICE)
    @office_blueprint.response(200, VisitFiles)
    def get(self, visit_id: Any) -> dict[str, Any]:
        """The photos and files of a visit, each with where it is."""
        return of_visit(principal().company_id, str(visit_id), locale=locale())


def dump(found: list[Upload]) -> list[dict[str, Any]]:
    """Files in quarantine, with who sent them and which visits name them."""
    company_id = principal().company_id
    senders = rows.senders(company_id, {one.device_id for one in found})
    naming = rows.documents_naming(company_id, {one.sha256 for one in found})
    items = []
    for one in found:
        device_name, technician_name = senders.get(one.device_id, (None, None))
        items.append(
            {
                "id": one.id,
                "sha256": one.sha256,
                "name": one.name,
                "size": one.size,
                "claimed_type": one.media_type,
                "found_type": one.found_type,
                "fault": one.fault,
                "text": say("problem", f"file.{one.fault}", {}, locale()),
                "state": "released" if one.state == "verified" else one.state,
                "created_at": iso(one.created_at),
                "device_name": device_name,
                "technician_name": technician_name,
                "visit_ids": naming.get(one.ahead_of or one.sha256, []),
                "may_release": one.state == "quarantined" and one.fault != "hash" and one.ahead_of is None,
                "decision": one.decision,
                "decided_at": iso(one.decided_at) if one.decided_at else None,
            }
        )
    return items


QUARANTINE = Resource(
    path="/quarantine",
    model=Upload,
    schema=QuarantineItem,
    roles=OFFICE,
    dump=dump,
    sorts={"created_at": by(Upload.created_at), "id": by(Upload.id)},
    default_sort="-created_at",
    filters={
        "state": Filter(
            form=fields.String(validate=validate.OneOf(["quarantined", "verified", "discarded"])),
            condition=equals(Upload.state),
        )
    },
    restrict=rows.needs_decision,
)
add_listing(office_blueprint, QUARANTINE)


@office_blueprint.route("/quarantine/<uuid:item_id>/file")
class QuarantinedFileView(MethodView):
    @requires(*OFFICE)
    @office_blueprint.response(200)
    def get(self, item_id: Any) -> Response:
        """The bytes of a file in quarantine, only ever as a download."""
        company_id = principal().company_id
        upload = rows.upload(company_id, str(item_id))
        if upload is None or upload.state != "quarantined":
            raise not_found()
        return download(places.aside(company_id, upload.id), upload.id)


@office_blueprint.route("/quarantine/<uuid:item_id>/release")
class ReleaseView(MethodView):
    @requires(*OFFICE)
    @office_blueprint.arguments(DecisionSchema)
    @refuses(409, "not-quarantined", "not-the-promised")
    @office_blueprint.response(200, QuarantineItem)
    def post(self, body: dict[str, str], item_id: Any) -> Response:
        """Let a file stand as what was promised, with the reason."""
        who = principal()
        release(current_files(), who.company_id, str(item_id), reason=body["reason"], user_id=who.user_id, now=now())
        return one_item(QUARANTINE, str(item_id))


@office_blueprint.route("/quarantine/<uuid:item_id>/discard")
class DiscardView(MethodView):
    @requires(*OFFICE)
    @office_blueprint.arguments(DecisionSchema)
    @refuses(409, "not-quarantined")
    @office_blueprint.response(200, QuarantineItem)
    def post(self, body: dict[str, str], item_id: Any) -> Response:
        """Delete a file in quarantine, with the reason; its sender is told."""
        who = principal()
        discard(current_files(), who.company_id, str(item_id), reason=body["reason"], user_id=who.user_id, now=now())
        return one_item(QUARANTINE, str(item_id))


def answer_file(company_id: str, sha256: str) -> Response:
    """A verified file: the picture drawn of a photo; what no page may show goes out as a download."""
    stored = rows.stored(company_id, sha256) if SHA256.fits(sha256) else None
    if stored is None:
        raise not_found()
    if not stored.pictures:
        return download(places.original(company_id, sha256), sha256)
    return _picture(places.shown(company_id, sha256), sha256, whole=True)


def answer_thumbnail(company_id: str, sha256: str) -> Response:
    """The small picture of a photo, drawn here; until the photo is here, the one that was sent ahead of it."""
    if SHA256.fits(sha256):
        stored = rows.stored(company_id, sha256)
        if stored is not None and stored.pictures:
            return _picture(places.thumbnail(company_id, sha256), f"{sha256}-small", whole=True)
        if stored is None and rows.has_preview(company_id, sha256):
            return _picture(places.preview(company_id, sha256), f"{sha256}-ahead", whole=False)
    raise not_found()


def _picture(key: str, etag: str, *, whole: bool) -> Response:
    response = Response(status=304) if request.if_none_match.contains(etag) else _bytes(key)
    response.mimetype = "image/jpeg"
    response.headers["Content-Disposition"] = "inline"
    # What was sent ahead is replaced when the photo comes; all else never changes.
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable" if whole else "private, no-cache"
    response.set_etag(etag)
    return response


def download(key: str, name: str) -> Response:
    """Bytes that no page may show: a file to save, of no type, under a name of ours."""
    response = _bytes(key)
    response.mimetype = "application/octet-stream"
    response.headers["Content-Disposition"] = f'attachment; filename="{name[:12]}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _bytes(key: str) -> Response:
    let_go()
    store: Files = current_files()
    try:
        opened = store.open(key)
    except FileNotFoundError as error:
        raise not_found() from error
    if request.method == "HEAD":
        opened.file.close()
        response = Response()
    else:
        response = Response(_Blocks(opened.file), direct_passthrough=True)
    response.content_length = opened.size
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


class _Blocks:
    """An open file as the body of an answer; closed at its end, or when the answer ends before."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def __iter__(self) -> _Blocks:
        return self

    def __next__(self) -> bytes:
        block = self.file.read(4 * BLOCK)
        if not block:
            self.close()
            raise StopIteration
        return block

    def close(self) -> None:
        self.file.close()
