"""What is in a tablet's exchange file: a push, where the tablet stands, and the files that come along (S-206)."""

from __future__ import annotations

from marshmallow import EXCLUDE, Schema, fields, validate

from schemas.entities.base import SHA256, Instant, Text
from schemas.push import PushSchema, Unread
from sync.carried import MOST_MUTATIONS

MOST_FILES = 300
MOST_AWAITED = 500


class CarriedPush(PushSchema):
    """A push that may be as long as a file allows."""

    mutations = Unread(fields.Raw(allow_none=True), required=True, validate=validate.Length(max=MOST_MUTATIONS))


class CarriedFile(Schema):
    """One of the files whose bytes stand behind the JSON, in this order."""

    class Meta:
        unknown = EXCLUDE

    sha256 = fields.String(required=True, validate=SHA256)
    size = fields.Integer(required=True, strict=True, validate=validate.Range(1, 2**31 - 1))
    name = Text(200, load_default=None, allow_none=True)
    media_type = Text(80, load_default=None, allow_none=True)


class Heard(Schema):
    """The office's last word on the time, and what the clock of the device showed then."""

    class Meta:
        unknown = EXCLUDE

    office = Instant(required=True)
    here = Instant(required=True)


class Carried(Schema):
    """All of it; keys that a later version adds are left."""

    class Meta:
        unknown = EXCLUDE

    n = fields.Integer(required=True, strict=True, validate=validate.Range(1, 2**31 - 1))
    cursor = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=200))
    first_unanswered = fields.Integer(load_default=1, strict=True, validate=validate.Range(1, 2**31 - 1))
    awaiting = fields.List(
        fields.String(validate=SHA256), load_default=list, validate=validate.Length(max=MOST_AWAITED)
    )
    heard = fields.Nested(Heard, load_default=None, allow_none=True)
    push = fields.Nested(CarriedPush, required=True)
    files = fields.List(fields.Nested(CarriedFile), load_default=list, validate=validate.Length(max=MOST_FILES))
