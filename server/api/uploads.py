"""Files by the tus 1.0 protocol: core, creation, creation-with-upload, checksum, termination, expiration.

Every answer tells `Tus-Resumable`. A sender that falls silent is let go after a while and goes on later, and slow
senders never have all threads: pushes must find one.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import format_datetime
from typing import Any

from flask import Response, current_app, request
from flask.views import MethodView

from schemas.entities.base import SHA256
from server.actions.begin_upload import LARGEST, Room, begin_upload, refuse_when_full
from server.actions.end_upload import end_upload
from server.actions.receive_file import ALGORITHMS, offset_of, receive
from server.api.body import Blueprint
from server.api.door import now, principal, requires_device
from server.api.openapi import refuses
from server.problems import FieldError, Problem, not_found
from server.store.files import current_files
from server.store.models import Upload
from server.store.queries import files as rows
from server.store.transaction import let_go

blueprint = Blueprint("uploads", __name__, url_prefix="/sync/v1", description="Photos and files of tablets (tus 1.0)")

TUS = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,checksum,termination,expiration"
BYTES = "application/offset+octet-stream"
LONGEST_METADATA = 4000
ANY_LENGTH = 1 << 40
QUIET_S = 60
"""Seconds without a byte after which a sender is let go; what it has sent is kept."""

SENDERS_OF_A_DEVICE = 3
"""Uploads that one tablet may send at once to one server process."""

_sending: dict[str, int] = {}
_sending_lock = threading.Lock()


@blueprint.after_request
def tus(response: Response) -> Response:
    """Every answer about uploads, refusals too, tells the version and is never kept."""
    if request.path.startswith("/sync/v1/uploads"):
        response.headers["Tus-Resumable"] = TUS
        response.headers["Cache-Control"] = "no-store"
    return response


def room() -> Room:
    """How much may be kept, by the settings."""
    settings = current_app.config
    return Room(free_share=settings["FILES_KEEP_FREE"], company_bytes=settings["FILES_COMPANY_BYTES"])


def own_upload(upload_id: Any) -> Upload:
    """An upload of the asking tablet as it is now, apart from the session; raises Problem `not-found` for others'."""
    who = principal()
    upload = rows.upload(who.company_id, str(upload_id))
    if upload is None or upload.device_id != who.device_id:
        raise not_found()
    let_go()
    return upload


def require_version() -> None:
    if request.headers.get("Tus-Resumable") != TUS:
        raise Problem(412, "tus-version", headers={"Tus-Version": TUS})


def number_header(name: str) -> int:
    """A whole number from a header; raises Problem naming it."""
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdigit()) or len(text) > 15:
        raise _wrong(name, "not-a-whole-number")
    return int(text)


def metadata(header: str) -> dict[str, str]:
    """The Upload-Metadata header: names and base64 values; raises Problem naming it."""
    found: dict[str, str] = {}
    for pair in header.split(","):
        name, _, value = pair.strip().partition(" ")
        if name:
            try:
                found[name] = base64.b64decode(value, validate=True).decode().replace("\x00", "")
            except (binascii.Error, UnicodeDecodeError) as error:
                raise _wrong("Upload-Metadata", "wrong-form") from error
    return found


def _wrong(name: str, code: str) -> Problem:
    return Problem(400, "invalid-fields", errors=(FieldError(field=name, code=code),))


@contextmanager
def sending(device_id: str) -> Iterator[None]:
    """A place among those who send now. Raises Problem `busy` (503) when the device, or all together, have enough."""
    places = current_app.config["UPLOADS_AT_ONCE"]
    with _sending_lock:
        mine = _sending.get(device_id, 0)
        if mine >= SENDERS_OF_A_DEVICE or sum(_sending.values()) >= places:
            # Not all at the same moment: those who are sent away together would come back together.
            seconds = 3 + secrets.randbelow(8)
            raise Problem(503, "busy", seconds=seconds, headers={"Retry-After": str(seconds)})
        _sending[device_id] = mine + 1
    wire = request.environ.get("gunicorn.socket")
    if wire is not None:
        wire.settimeout(QUIET_S)
    try:
        yield
    finally:
        if wire is not None:
            wire.settimeout(None)
        with _sending_lock:
            _sending[device_id] -= 1
            if not _sending[device_id]:
                del _sending[device_id]


def take_bytes(upload: Upload, offset: int) -> int:
    """Read this request's body into an upload; the new offset."""
    # Whatever length a body claims, nothing behind the upload's promised last byte is read of it.
    request.max_content_length = ANY_LENGTH
    refuse_when_full(current_files(), room())
    with sending(upload.device_id):
        return receive(
            current_files(), upload, offset, request.stream, now(), checksum=request.headers.get("Upload-Checksum")
        )


def answer(status: int, upload: Upload, offset: int) -> Response:
    """An answer about an upload: how far it is, and until when it may be finished."""
    response = Response(status=status)
    response.headers["Upload-Offset"] = str(offset)
    if upload.expires_at is not None and offset < upload.size:
        response.headers["Upload-Expires"] = format_datetime(upload.expires_at, usegmt=True)
    return response


@blueprint.route("/uploads")
class UploadsView(MethodView):
    @blueprint.response(204)
    def options(self) -> Response:
        """What this end of tus can do."""
        response = Response(status=204)
        response.headers["Tus-Version"] = TUS
        response.headers["Tus-Extension"] = EXTENSIONS
        response.headers["Tus-Checksum-Algorithm"] = ",".join(ALGORITHMS)
        response.headers["Tus-Max-Size"] = str(LARGEST)
        return response

    @requires_device
    @refuses(412, "tus-version")
    @refuses(413, "upload-size")
    @refuses(429, "too-many-files", "too-much-waiting")
    @refuses(507, "storage-full", "files-quota")
    @blueprint.response(201)
    def post(self) -> Response:
        """Announce a file by its length and, in Upload-Metadata, its sha256; the first bytes may come along."""
        require_version()
        size = number_header("Upload-Length")
        header = request.headers.get("Upload-Metadata", "")
        if len(header) > LONGEST_METADATA:
            raise _wrong("Upload-Metadata", "too-long")
        told = metadata(header)
        ahead_of = told.get("ahead_of") or None
        for name, value in (("sha256", told.get("sha256", "")), ("ahead_of", ahead_of or "0" * 64)):
            if not SHA256.fits(value):
                raise _wrong(name, "wrong-form")
        who = principal()
        assert who.device_id is not None
        let_go()
        upload = begin_upload(
            current_files(),
            who.company_id,
            who.device_id,
            sha256=told["sha256"],
            size=size,
            media_type=told.get("media_type", told.get("filetype", ""))[:80] or None,
            name=told.get("filename", "")[:200] or None,
            ahead_of=ahead_of,
            told=header,
            room=room(),
            now=now(),
        )
        let_go()
        offset = offset_of(current_files(), upload, now())
        if request.mimetype == BYTES and offset == 0:
            offset = take_bytes(upload, 0)
        response = answer(201, upload, offset)
        response.headers["Location"] = f"/sync/v1/uploads/{upload.id}"
        return response


@blueprint.route("/uploads/<uuid:upload_id>")
class UploadView(MethodView):
    @requires_device
    @refuses(410, "upload-ended")
    @blueprint.response(200)
    def head(self, upload_id: Any) -> Response:
        """From which byte to go on."""
        require_version()
        upload = own_upload(upload_id)
        response = answer(200, upload, offset_of(current_files(), upload, now()))
        response.headers["Upload-Length"] = str(upload.size)
        if upload.told:
            response.headers["Upload-Metadata"] = upload.told
        return response

    @requires_device
    @refuses(400, "checksum-algorithm")
    @refuses(409, "upload-offset")
    @refuses(410, "upload-ended")
    @refuses(412, "tus-version")
    @refuses(415, "not-acceptable")
    @refuses(507, "storage-full")
    @refuses(460, "upload-hash", "upload-checksum")
    @blueprint.response(204)
    def patch(self, upload_id: Any) -> Response:
        """Send bytes from Upload-Offset on; they are on disk before the answer."""
        require_version()
        if request.mimetype != BYTES:
            raise Problem(415, "not-acceptable", expected=BYTES)
        offset = number_header("Upload-Offset")
        upload = own_upload(upload_id)
        return answer(204, upload, take_bytes(upload, offset))

    @requires_device
    @refuses(412, "tus-version")
    @blueprint.response(204)
    def delete(self, upload_id: Any) -> Response:
        """Take an unfinished upload back. What is finished stays, for visits may name it."""
        require_version()
        upload = own_upload(upload_id)
        end_upload(current_files(), upload.company_id, upload.id)
        return Response(status=204)

    @requires_device
    @refuses(405, "method-not-allowed")
    @blueprint.response(204)
    def post(self, upload_id: Any) -> Response:
        """PATCH or DELETE for whom a proxy lets neither pass: the method is in X-HTTP-Method-Override."""
        method = request.headers.get("X-HTTP-Method-Override", "").upper()
        if method not in ("PATCH", "DELETE"):
            raise Problem(405, "method-not-allowed", headers={"Allow": "HEAD, PATCH, DELETE"})
        response: Response = self.patch(upload_id) if method == "PATCH" else self.delete(upload_id)
        return response
