"""Files by the tus 1.0 protocol (creation, resumption at any byte), and reading them back by hash."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from flask import Response, current_app, request, send_file
from flask.views import MethodView
from marshmallow import Schema, fields

from schemas.entities.base import SHA256
from server.actions.receive_file import LARGEST, begin_upload, offset_of, receive
from server.api.body import Blueprint
from server.api.door import OFFICE, now, principal, requires, requires_device
from server.problems import FieldError, Problem, not_found
from server.store.files import Files
from server.store.models import Upload
from server.store.queries import uploads

blueprint = Blueprint("uploads", __name__, url_prefix="/sync/v1", description="Photos and files of tablets (tus 1.0)")
office_blueprint = Blueprint("attachments", __name__, url_prefix="/api/v1", description="Photos and files, to read")

TUS = "1.0.0"
SHOWN = {"image/jpeg", "image/png", "image/webp"}
"""Media types that a page may show; all others are only handed out as files."""


class ReceiptSchema(Schema):
    """Whether a file is safely here: only `verified` lets a tablet delete its copy."""

    state = fields.String(required=True)
    received = fields.Integer(required=True)
    size = fields.Integer(required=True)


def files() -> Files:
    """The installation's files."""
    return Files(current_app.config["DATA_FOLDER"])


def tus(response: Response) -> Response:
    """Add what every tus answer carries."""
    response.headers["Tus-Resumable"] = TUS
    response.headers["Cache-Control"] = "no-store"
    return response


def own_upload(upload_id: Any) -> Upload:
    """An upload of the asking tablet; raises Problem `not-found` for others'."""
    who = principal()
    upload = uploads.upload(who.company_id, str(upload_id))
    if upload is None or upload.device_id != who.device_id:
        raise not_found()
    return upload


def require_version() -> None:
    if request.headers.get("Tus-Resumable") != TUS:
        raise Problem(412, "tus-version", headers={"Tus-Version": TUS})


def number_header(name: str) -> int:
    """A whole number from a header; raises Problem naming it."""
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdigit()) or len(text) > 15:
        raise Problem(400, "invalid-fields", errors=(FieldError(field=name, code="not-a-whole-number"),))
    return int(text)


def metadata() -> dict[str, str]:
    """The Upload-Metadata header: names and base64 values."""
    found: dict[str, str] = {}
    for pair in request.headers.get("Upload-Metadata", "").split(","):
        name, _, value = pair.strip().partition(" ")
        if name:
            try:
                found[name] = base64.b64decode(value, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError) as error:
                raise Problem(
                    400, "invalid-fields", errors=(FieldError(field="Upload-Metadata", code="wrong-form"),)
                ) from error
    return found


@blueprint.route("/uploads")
class UploadsView(MethodView):
    @blueprint.response(204)
    def options(self) -> Response:
        """What this end of tus can do."""
        response = Response(status=204)
        response.headers["Tus-Version"] = TUS
        response.headers["Tus-Extension"] = "creation"
        response.headers["Tus-Max-Size"] = str(LARGEST)
        return tus(response)

    @requires_device
    @blueprint.response(201)
    def post(self) -> Response:
        """Announce a file by its length and, in Upload-Metadata, its sha256."""
        require_version()
        size = number_header("Upload-Length")
        told = metadata()
        if not SHA256.fits(told.get("sha256", "")):
            raise Problem(400, "invalid-fields", errors=(FieldError(field="sha256", code="wrong-form"),))
        who = principal()
        assert who.device_id is not None
        upload = begin_upload(
            who.company_id,
            who.device_id,
            sha256=told["sha256"],
            size=size,
            media_type=told.get("media_type", told.get("filetype", ""))[:80].replace("\x00", "") or None,
            name=told.get("filename", "")[:200].replace("\x00", "") or None,
            now=now(),
        )
        response = Response(status=201)
        response.headers["Location"] = f"/sync/v1/uploads/{upload.id}"
        response.headers["Upload-Offset"] = str(offset_of(files(), upload))
        return tus(response)


@blueprint.route("/uploads/<uuid:upload_id>")
class UploadView(MethodView):
    @requires_device
    @blueprint.response(200)
    def head(self, upload_id: Any) -> Response:
        """From which byte to go on."""
        upload = own_upload(upload_id)
        response = Response(status=200)
        response.headers["Upload-Offset"] = str(offset_of(files(), upload))
        response.headers["Upload-Length"] = str(upload.size)
        return tus(response)

    @requires_device
    @blueprint.response(204)
    def patch(self, upload_id: Any) -> Response:
        """Send bytes from Upload-Offset on; they are on disk before the answer."""
        require_version()
        if request.mimetype != "application/offset+octet-stream":
            raise Problem(415, "not-acceptable", expected="application/offset+octet-stream")
        upload = own_upload(upload_id)
        reached = receive(files(), upload, number_header("Upload-Offset"), request.stream)
        response = Response(status=204)
        response.headers["Upload-Offset"] = str(reached)
        return tus(response)


@blueprint.route("/attachments/<string:sha256>/receipt")
class ReceiptView(MethodView):
    @requires_device
    @blueprint.response(200, ReceiptSchema)
    def get(self, sha256: str) -> dict[str, Any]:
        """Whether a file of this tablet is safely here."""
        who = principal()
        assert who.device_id is not None
        upload = uploads.latest(who.company_id, who.device_id, sha256) if SHA256.fits(sha256) else None
        if upload is None:
            raise not_found()
        return {"state": upload.state, "received": offset_of(files(), upload), "size": upload.size}


@blueprint.route("/attachments/<string:sha256>")
class DeviceAttachmentView(MethodView):
    @requires_device
    @blueprint.response(200)
    def get(self, sha256: str) -> Response:
        """A file that a visit in the tablet's scopes refers to."""
        who = principal()
        assert who.device_id is not None
        if not SHA256.fits(sha256) or not uploads.in_reach(who.company_id, who.device_id, sha256):
            raise not_found()
        return answer_file(who.company_id, sha256)


@office_blueprint.route("/attachments/<string:sha256>")
class OfficeAttachmentView(MethodView):
    @requires(*OFFICE)
    @office_blueprint.response(200)
    def get(self, sha256: str) -> Response:
        """A file by the hash of its bytes."""
        return answer_file(principal().company_id, sha256)


def answer_file(company_id: str, sha256: str) -> Response:
    """The bytes of a verified file; what no page may show goes out as a download, sandboxed."""
    kept = uploads.kept(company_id, sha256) if SHA256.fits(sha256) else None
    if kept is None:
        raise not_found()
    shown = kept.media_type in SHOWN
    response = send_file(
        files().path(company_id, sha256),
        mimetype=kept.media_type if shown else "application/octet-stream",
        as_attachment=not shown,
        download_name=sha256[:12] if not shown else None,
        etag=sha256,
    )
    response.headers["Content-Security-Policy"] = "sandbox"
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return response
