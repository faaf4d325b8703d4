"""What WatermelonDB speaks: pull and push for `synchronize()` as it comes, with the handlers of its manual.

Its rules are S-130 to S-139 of `docs/sync-protocol.md`. Errors on this route are plain text, as on those of RxDB.
"""

from __future__ import annotations

import json
from typing import Any

from flask import current_app, request
from flask.views import MethodView
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from schemas.entities import COLLECTIONS
from schemas.entities.base import Instant
from server.actions.contact import Contact
from server.actions.history import stand
from server.actions.watermelon_pull import MOST, Asked, pull_tables
from server.actions.watermelon_push import edits_of, push_tables
from server.actions.whole_edits import keep_edits
from server.api.body import Blueprint, lenient_json
from server.api.door import Farewell, address, device_or_farewell, locale, now, principal, requires_device, sender
from server.api.sync import push_text
from server.config import BODY_LIMIT
from server.problems import Problem
from server.store.marks import marks

NOTHING = ("", "null", "undefined")
"""How JavaScript writes that there is no value into an address."""

blueprint = Blueprint("watermelon", __name__, url_prefix="/sync/watermelon", description="What WatermelonDB speaks")


class Stamp(fields.Integer):
    """A whole number from 1, or nothing."""

    def __init__(self) -> None:
        super().__init__(load_default=None, allow_none=True, validate=validate.Range(1, 2**53))

    def deserialize(self, value: Any, attr: Any = None, data: Any = None, **kwargs: Any) -> Any:
        """The number; None for what JavaScript writes when there is none."""
        return None if value in NOTHING else super().deserialize(value, attr, data, **kwargs)


class MigrationForm(Schema):
    """What a device has only since its own schema changed."""

    class Meta:
        unknown = EXCLUDE

    class Columns(Schema):
        """New columns of a table."""

        class Meta:
            unknown = EXCLUDE

        table = fields.String(required=True)
        columns = fields.List(fields.String(), required=True)

    tables = fields.List(fields.String(), load_default=list)
    columns = fields.List(fields.Nested(Columns), load_default=list)


class Migration(fields.Field[Any]):
    """A migration as JSON text, or nothing."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if value in NOTHING:
            return None
        try:
            return MigrationForm().load(json.loads(value))
        except (ValueError, RecursionError) as error:
            raise ValidationError("Invalid input type.") from error


class WaterPullQuery(Schema):
    """What the library says of itself; `tables` (with commas) and `limit` are for apps that want less at once."""

    class Meta:
        unknown = EXCLUDE

    last_pulled_at = Stamp()
    migration = Migration(load_default=None)
    tables = fields.String(load_default="", validate=validate.Length(max=1000))
    limit = fields.Integer(load_default=MOST, validate=validate.Range(1, MOST))


class WaterPushQuery(Schema):
    """Under which stamp the rows were changed, and how the client goes about it."""

    class Meta:
        unknown = EXCLUDE

    last_pulled_at = Stamp()
    push_first = fields.Boolean(load_default=False)
    device_time = Instant(load_default=None, allow_none=True)


class WaterPulled(Schema):
    """Rows by table, and the stamp to come back with. `more`: synchronize again for the rest."""

    changes = fields.Dict(required=True)
    timestamp = fields.Integer(required=True)
    more = fields.Boolean(required=True)
    experimentalStrategy = fields.String()


class WaterResult(Schema):
    """What became of one row."""

    table = fields.String(required=True)
    id = fields.String(required=True)
    status = fields.String(required=True)
    problem = fields.Dict(allow_none=True)


class WaterPushed(Schema):
    """Nothing is ever refused; `results` are for apps that want to tell people."""

    results = fields.List(fields.Nested(WaterResult), required=True)


def push_of_tables() -> dict[str, Any]:
    """The changes of a push; raises Problem as `push_text` does, and `broken-json`."""
    changes = lenient_json(push_text("application/json", "text/plain", most=BODY_LIMIT))
    if not isinstance(changes, dict):
        raise Problem(400, "broken-json")
    return changes


def keep_tables(farewell: Farewell) -> dict[str, Any]:
    """Keep what a client sends after its access has ended, as the mutations that it would have been."""
    try:
        last = Stamp().deserialize(request.args.get("last_pulled_at", ""))
        edits = [edit for _, edit in edits_of(sender(), last, push_of_tables())]
    except (Problem, ValidationError):
        return {}
    keep_edits(sender(), edits, why=farewell.why, now=now())
    return {}


@blueprint.route("")
class WatermelonView(MethodView):
    @requires_device
    @blueprint.arguments(WaterPullQuery, location="query")
    @blueprint.response(200, WaterPulled)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """What changed since the device's last pull."""
        who = principal()
        assert who.device_id is not None
        stand(who.company_id, marks().known(who.company_id), now())
        migration = query["migration"] or {"tables": [], "columns": []}
        asked = Asked(
            last=query["last_pulled_at"],
            tables=tuple(name for name in query["tables"].split(",") if name in COLLECTIONS),
            new_tables=tuple(migration["tables"]),
            new_columns={each["table"]: tuple(each["columns"]) for each in migration["columns"]},
            limit=query["limit"],
        )
        return pull_tables(who.company_id, who.device_id, asked, address=address(), now=now())

    @device_or_farewell(keep_tables)
    @blueprint.arguments(WaterPushQuery, location="query")
    @blueprint.doc(requestBody={"content": {"application/json": {"schema": {"type": "object"}}}})
    @blueprint.response(200, WaterPushed)
    def post(self, query: dict[str, Any]) -> dict[str, Any]:
        """Take what was changed on the device; the next pull brings what it must have instead."""
        changes = push_of_tables()
        stand(principal().company_id, marks().known(principal().company_id), now())
        results = push_tables(
            sender(),
            query["last_pulled_at"],
            changes,
            contact=Contact(device_time=query["device_time"], address=address()),
            push_first=query["push_first"],
            now=now(),
            locale=locale(),
            master_wins=current_app.config["MASTER_WINS"],
        )
        return {"results": results}
