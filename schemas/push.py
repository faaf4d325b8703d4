"""The envelope of a push: what a tablet sends, checked mutation by mutation so that a bad one blocks no other."""

from __future__ import annotations

from typing import Any

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, validate

from schemas.entities import COLLECTIONS
from schemas.entities.base import EntitySchema, Id, Instant, Text, parse_instant
from schemas.json_limits import json_text
from schemas.quick import DOUBT, judges_of, plain_id
from sync.change import Mutation

MOST_MUTATIONS = 500

NEEDED = frozenset({"id", "n", "collection", "document_id", "op", "made_at"})
PARTS = ("set", "add", "remove")
ALLOWED = NEEDED | frozenset(PARTS) | {"base_version", "group"}
OPS = ("create", "update", "delete")

LONGEST_REFUSED = 4000
"""Characters of a value for a field that only the server makes: it is not taken anyway, only written down."""


class MutationSchema(Schema):
    """One mutation as it is on the wire."""

    class Meta:
        unknown = RAISE

    id = Id(required=True)
    n = fields.Integer(required=True, strict=True, validate=validate.Range(1, 2**31 - 1))
    collection = fields.String(required=True, validate=validate.Length(max=40))
    document_id = Id(required=True)
    op = fields.String(required=True, validate=validate.OneOf(OPS))
    base_version = fields.Integer(
        strict=True, allow_none=True, load_default=None, validate=validate.Range(0, 2**31 - 1)
    )
    made_at = Instant(required=True)
    set = fields.Dict(keys=fields.String(), load_default=dict)
    add = fields.Dict(keys=fields.String(), values=fields.List(fields.Raw(allow_none=True)), load_default=dict)
    remove = fields.Dict(keys=fields.String(), values=fields.List(fields.Raw(allow_none=True)), load_default=dict)
    group = Id(allow_none=True, load_default=None)
    resolves = Id(allow_none=True, load_default=None)


class ToldSchema(Schema):
    """What a tablet says of itself: what is still on it besides this very push, its next number, its room."""

    class Meta:
        unknown = EXCLUDE

    epoch = Text(60, load_default=None, allow_none=True)
    next_n = fields.Integer(required=True, strict=True, validate=validate.Range(1, 2**31))
    first_unsent = fields.Integer(
        load_default=None, strict=True, allow_none=True, validate=validate.Range(1, 2**31 - 1)
    )
    unsent = fields.Integer(load_default=0, strict=True, validate=validate.Range(0, 10**6))
    unsent_since = Instant(load_default=None, allow_none=True)
    needs_person = fields.Integer(load_default=0, strict=True, validate=validate.Range(0, 10**6))
    photos = fields.Integer(load_default=0, strict=True, validate=validate.Range(0, 10**6))
    photo_bytes = fields.Integer(load_default=0, strict=True, validate=validate.Range(0, 2**50))
    room_used = fields.Integer(load_default=None, strict=True, allow_none=True, validate=validate.Range(0, 2**60))
    room_quota = fields.Integer(load_default=None, strict=True, allow_none=True, validate=validate.Range(0, 2**60))


class Unread(fields.List[Any]):
    """A list whose elements are looked at later, one by one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list):
            raise self.make_error("invalid")
        return value


class PushSchema(Schema):
    """The whole push; each mutation is looked at on its own afterwards."""

    class Meta:
        unknown = EXCLUDE

    mutations = Unread(fields.Raw(allow_none=True), required=True, validate=validate.Length(max=MOST_MUTATIONS))
    device_time = Instant(required=True)
    rtt_ms = fields.Float(load_default=None, allow_none=True, allow_nan=False, validate=validate.Range(0, 600_000))
    app_version = Text(40, load_default=None, allow_none=True)
    schema_version = fields.Integer(load_default=None, strict=True, allow_none=True, validate=validate.Range(1, 10_000))
    told = fields.Raw(
        load_default=None, allow_none=True, metadata={"description": "`Told`; what cannot be read is left."}
    )


class MutationResult(Schema):
    """What became of one mutation."""

    id = fields.String(required=True)
    n = fields.Integer(allow_none=True)
    status = fields.String(
        required=True,
        validate=validate.OneOf(["applied", "merged", "overridden", "held", "rejected", "duplicate"]),
    )
    version = fields.Integer(allow_none=True)
    conflicts = fields.List(fields.Dict())
    problem = fields.Dict(allow_none=True)
    repeated = fields.Boolean()
    kept_aside = fields.List(
        fields.String(), metadata={"description": "Fields that this server does not know yet; it keeps them."}
    )


class TabletNotice(Schema):
    """Something that who holds the tablet should know."""

    code = fields.String(required=True)
    params = fields.Dict(required=True)
    text = fields.String(required=True)
    at = fields.String(required=True)


class Backed(Schema):
    """Where the server's history stands, and up to which number a verified backup covers it."""

    epoch = fields.String(required=True)
    seq = fields.Integer(required=True)
    backed_up_through = fields.Integer(required=True)


class PushAnswer(Backed):
    """The results in the order of the push, the server's clock and history, and what the tablet should know."""

    results = fields.List(fields.Nested(MutationResult), required=True)
    server_time = fields.String(required=True)
    gaps = fields.List(fields.Integer(), required=True)
    notices = fields.List(fields.Nested(TabletNotice), required=True)
    renew_token = fields.Boolean(required=True)


def read_told(raw: Any) -> dict[str, Any] | None:
    """What a tablet says of itself, as it is kept; None for what cannot be read: it holds up no mutation."""
    try:
        loaded: dict[str, Any] = ToldSchema().load(raw)
    except (ValidationError, TypeError):
        return None
    return dict(ToldSchema().dump(loaded))


def read_mutation(raw: Any, device_id: str) -> Mutation:
    """One wire mutation as a value with all its field values checked; raises ValidationError naming the fields."""
    return quick_mutation(raw, device_id) or _read_mutation(raw, device_id)


def quick_mutation(raw: Any, device_id: str) -> Mutation | None:
    """The same for a mutation that is plainly right, and that any database can store; None leaves it to the schemas."""
    if type(raw) is not dict or not NEEDED <= raw.keys() <= ALLOWED:
        return None
    schema = COLLECTIONS.get(raw["collection"]) if type(raw["collection"]) is str else None
    made_at = parse_instant(raw["made_at"])
    n, base, group = raw["n"], raw.get("base_version"), raw.get("group")
    if (
        schema is None
        or made_at is None
        or plain_id(raw["id"]) is DOUBT
        or plain_id(raw["document_id"]) is DOUBT
        or (type(n) is not int or not 1 <= n < 2**31)
        or (base is not None and (type(base) is not int or not 0 <= base < 2**31))
        or raw["op"] not in OPS
        or (group is not None and plain_id(group) is DOUBT)
    ):
        return None
    judges, rules = judges_of(schema), schema.rules
    parts: list[dict[str, Any]] = []
    for part in PARTS:
        given = raw.get(part, {})
        if type(given) is not dict:
            return None
        found: dict[str, Any] = {}
        for name, value in given.items():
            if name not in rules or (part != "set" and type(value) is not list):
                return None
            found[name] = judged = judges[name](value)
            if judged is DOUBT:
                return None
        parts.append(found)
    return Mutation(
        id=raw["id"],
        n=n,
        device_id=device_id,
        collection=schema.collection,
        document_id=raw["document_id"],
        op=raw["op"],
        base_version=base,
        made_at=made_at,
        set=parts[0],
        add=parts[1],
        remove=parts[2],
        group=group,
    )


def _read_mutation(raw: Any, device_id: str) -> Mutation:
    if not isinstance(raw, dict):
        raise ValidationError("Invalid input type.")
    loaded = MutationSchema().load(raw)
    mutation = Mutation(device_id=device_id, **loaded)
    schema = COLLECTIONS.get(mutation.collection)
    if schema is None:
        raise ValidationError("unknown-collection", "collection")
    return _with_checked_values(mutation, schema)


def _with_checked_values(mutation: Mutation, schema: EntitySchema) -> Mutation:
    errors: dict[str, Any] = {}
    checked: dict[str, dict[str, Any]] = {"set": {}, "add": {}, "remove": {}}
    for part in checked:
        for name, value in getattr(mutation, part).items():
            try:
                checked[part] |= _checked(schema, name, value)
            except ValidationError as error:
                messages = error.messages if isinstance(error.messages, dict) else {name: error.messages}
                errors |= {f"{part}.{key}": found for key, found in messages.items()}
    if errors:
        raise ValidationError(errors)
    return Mutation(**(mutation.__dict__ | checked))


def _checked(schema: EntitySchema, name: str, value: Any) -> dict[str, Any]:
    rule = schema.rules.get(name)
    if rule is None:
        raise ValidationError({name: ["Unknown field."]})
    if rule.owner == "server":
        if len(json_text(value)) > LONGEST_REFUSED:
            raise ValidationError({name: ["Longer than maximum length."]})
        return {name: value}
    return schema.validated({name: value})


class PulledChange(Schema):
    """One row of the feed as a replica sees it: a document to put, or one to drop with its reason."""

    collection = Text(40, required=True)
    id = Id(required=True)
    op = fields.String(required=True, validate=validate.OneOf(["put", "drop"]))
    version = fields.Integer(required=True)
    reason = fields.String(metadata={"description": "Of a drop."})
    document = fields.Dict(metadata={"description": "Of a put: its fields but the id and what is as usual."})


class PullAnswer(Backed):
    """A page of the feed."""

    changes = fields.List(fields.Nested(PulledChange), required=True)
    cursor = fields.String(required=True)
    more = fields.Boolean(required=True)
    first_sync_complete = fields.Boolean(required=True)
