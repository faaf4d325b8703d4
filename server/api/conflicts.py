"""The conflict inbox: what clashed, what the rule chose, resolve and undo."""

from __future__ import annotations

import re
from typing import Any

from flask import Response, jsonify
from flask.views import MethodView
from marshmallow import Schema, fields, validate

from schemas.entities import COLLECTIONS
from schemas.entities.base import Id, Text, iso
from schemas.office import (
    AcceptSchema,
    ConflictItem,
    OutcomesSchema,
    ResolveSchema,
    SettleSchema,
    UndoSchema,
    reason_in,
)
from server.actions.kind_titles import titles
from server.actions.resolve_conflict import accept_defaults, resolve, undo
from server.actions.settle_many import Outcome, Wanted, preview, settle_many, undo_many
from server.api.body import Blueprint
from server.api.door import OFFICE, locale, now, principal, requires
from server.api.listing import Filter, Resource, add_listing, one_item
from server.api.openapi import refuses
from server.problems import Problem
from server.store.models import Conflict
from server.store.queries import conflicts as rows
from server.store.queries.filters import by, equals
from server.text import say
from sync.policies import POLICIES

IDENTIFIER = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

blueprint = Blueprint("conflicts", __name__, url_prefix="/api/v1", description="Conflict inbox")


class ConflictList(Schema):
    """Conflicts."""

    items = fields.List(fields.Nested(ConflictItem), required=True)


def dump(found: list[Conflict]) -> list[dict[str, Any]]:
    """Conflicts with the names of all that they speak of."""
    company_id = principal().company_id
    bodies = rows.bodies(company_id, {one.document_id for one in found})
    versions = rows.versions_of(company_id, bodies)
    devices = rows.devices(company_id, {one.device_id for one in found if one.device_id})
    elsewhere = rows.visits_of_mutations(
        company_id, {one.mutation_id for one in found if one.mutation_id and not one.visit_id}
    )
    bases = rows.base_versions(company_id, {one.mutation_id for one in found if one.mutation_id})
    based_on = {one.id: (one.document_id, bases.get(one.mutation_id or "")) for one in found}
    base_times = rows.version_times(company_id, based_on.values())
    users = rows.user_names(company_id, {one.resolved_by for one in found if one.resolved_by})
    site_ids = {str(body.get("site_id") or doc) for doc, (_, body) in bodies.items()}
    sites = rows.sites(company_id, site_ids)
    kinds = titles(company_id, locale())
    called = _called(company_id, found, bodies)
    items = []
    for one in found:
        collection, body = bodies.get(one.document_id, (one.collection, {}))
        visit = elsewhere.get(one.mutation_id or "")
        device = devices.get(one.device_id or "")
        site = sites.get(str(body.get("site_id") or one.document_id))
        items.append(
            {
                "id": one.id,
                "kind": one.kind,
                "class": one.clash_class,
                "collection": one.collection,
                "document_id": one.document_id,
                "document_title": kinds.said(str(body.get("kind")), COLLECTIONS[collection].called(body)),
                "site_name": site.name if site else None,
                "tz": site.tz if site else None,
                "names": {name: called[name] for name in _ids_in(one, body) if name in called},
                "visit_id": one.visit_id or (visit.id if visit else None),
                "visit_number": body.get("number") or (visit.number if visit else None),
                "field": one.field,
                "policy": one.policy,
                "base": one.base,
                "mine": one.mine,
                "theirs": one.theirs,
                "chosen": one.chosen,
                "value": one.value,
                "value_now": body.get(one.field),
                "reason": reason_in(say, "conflict", one.reason, locale()),
                "mine_by": {"id": one.mine_by_id, "name": one.mine_by},
                "mine_at": _iso(one.mine_at),
                "mine_at_corrected": _iso(one.mine_at_corrected),
                "uncertainty_s": one.uncertainty_s,
                "theirs_by": {"id": one.theirs_by_id, "name": one.theirs_by},
                "theirs_at": _iso(one.theirs_at),
                "base_at": _iso(base_times.get(based_on[one.id])),
                "apart_since": _iso(one.apart_since),
                "document_version": versions.get(one.document_id),
                "device": {"id": device.id, "name": device.name, "last_contact_at": _iso(device.last_seen_at)}
                if device
                else None,
                "created_at": iso(one.created_at),
                "state": one.state,
                "resolution": one.resolution,
                "resolved_by": users.get(one.resolved_by or ""),
                "resolved_at": _iso(one.resolved_at),
            }
        )
    return items


def _ids_in(one: Conflict, body: dict[str, Any]) -> set[str]:
    """Ids of documents among the values of a conflict."""
    values = [one.base, one.mine, one.theirs, one.value, body.get(one.field), (one.resolution or {}).get("value")]
    flat = [each for value in values for each in (value if isinstance(value, list) else [value])]
    return {each for each in flat if isinstance(each, str) and IDENTIFIER.fullmatch(each)}


def _called(company_id: str, found: list[Conflict], bodies: dict[str, tuple[str, dict[str, Any]]]) -> dict[str, str]:
    """What the documents that values refer to are called: nobody reads an id."""
    wanted = set().union(*(_ids_in(one, bodies.get(one.document_id, ("", {}))[1]) for one in found))
    return {
        document_id: COLLECTIONS[collection].called(body)
        for document_id, (collection, body) in rows.bodies(company_id, wanted).items()
    }


def _iso(moment: Any) -> str | None:
    return iso(moment) if moment is not None else None


RESOURCE = Resource(
    path="/conflicts",
    model=Conflict,
    schema=ConflictItem,
    roles=OFFICE,
    dump=dump,
    sorts={"created_at": by(Conflict.created_at), "id": by(Conflict.id)},
    default_sort="-created_at",
    filters={
        "state": Filter(
            form=fields.String(validate=validate.OneOf(["open", "settled", "resolved"])),
            condition=equals(Conflict.state),
        ),
        "document_id": Filter(form=Id(), condition=equals(Conflict.document_id)),
        "visit_id": Filter(form=Id(), condition=equals(Conflict.visit_id)),
        "mutation_id": Filter(form=Id(), condition=equals(Conflict.mutation_id)),
        "device_id": Filter(form=Id(), condition=equals(Conflict.device_id)),
        "field": Filter(form=Text(60), condition=equals(Conflict.field)),
        "policy": Filter(
            form=fields.String(validate=validate.OneOf(list(POLICIES))), condition=equals(Conflict.policy)
        ),
    },
)
add_listing(blueprint, RESOURCE)


@blueprint.route("/conflicts/<uuid:conflict_id>/resolve")
class ResolveView(MethodView):
    @requires(*OFFICE)
    @blueprint.arguments(ResolveSchema)
    @refuses(409, "already-resolved")
    @blueprint.response(200, ConflictItem)
    def post(self, body: dict[str, Any], conflict_id: Any) -> Response:
        """Let one side's value, or a third, stand."""
        who = principal()
        resolve(who.company_id, str(conflict_id), body["choice"], body["value"], user_id=who.user_id, now=now())
        return one_item(RESOURCE, str(conflict_id))


@blueprint.route("/conflicts/<uuid:conflict_id>/undo")
class UndoView(MethodView):
    @requires(*OFFICE)
    @refuses(409, "not-resolved", "conflict", "state-move", "visit-finished")
    @blueprint.response(200, ConflictItem)
    def post(self, conflict_id: Any) -> Response:
        """Take the resolution back."""
        undo(principal().company_id, str(conflict_id), now=now())
        return one_item(RESOURCE, str(conflict_id))


@blueprint.route("/conflicts/accept-defaults")
class AcceptView(MethodView):
    @requires(*OFFICE)
    @blueprint.arguments(AcceptSchema)
    @blueprint.response(200, ConflictList)
    def post(self, body: dict[str, Any]) -> Response:
        """Leave open conflicts as the rules decided."""
        who = principal()
        done = accept_defaults(who.company_id, body["ids"], user_id=who.user_id, now=now())
        return jsonify({"items": dump(done)})


@blueprint.route("/conflicts/settle/preview")
class SettlePreviewView(MethodView):
    @requires(*OFFICE)
    @blueprint.arguments(SettleSchema)
    @blueprint.response(200, OutcomesSchema)
    def post(self, body: dict[str, Any]) -> Response:
        """What settling several conflicts alike would change, and which of them cannot be. Nothing is kept."""
        who = principal()
        found = preview(who.company_id, _wanted(body), body["choice"], user_id=who.user_id, now=now())
        return jsonify(_told(found, written=0))


@blueprint.route("/conflicts/settle")
class SettleView(MethodView):
    @requires(*OFFICE)
    @blueprint.arguments(SettleSchema)
    @refuses(409, "conflicts-moved")
    @blueprint.response(200, OutcomesSchema)
    def post(self, body: dict[str, Any]) -> Response:
        """Settle several conflicts alike: all or none of them, or each that can be, the others with their reasons."""
        who = principal()
        found = settle_many(
            who.company_id,
            _wanted(body),
            body["choice"],
            together=body["together"],
            user_id=who.user_id,
            now=now(),
        )
        return _answer(found, together=body["together"])


@blueprint.route("/conflicts/undo")
class UndoManyView(MethodView):
    @requires(*OFFICE)
    @blueprint.arguments(UndoSchema)
    @refuses(409, "conflicts-moved")
    @blueprint.response(200, OutcomesSchema)
    def post(self, body: dict[str, Any]) -> Response:
        """Take several resolutions back: all or none of them, or each that can be."""
        found = undo_many(principal().company_id, body["ids"], together=body["together"], now=now())
        return _answer(found, together=body["together"])


def _wanted(body: dict[str, Any]) -> list[Wanted]:
    return [Wanted(conflict_id=one["id"], seen=one["seen"]) for one in body["items"]]


def _answer(found: list[Outcome], *, together: bool) -> Response:
    """The outcomes; that all were wanted and some cannot be is a problem which names each."""
    refused = [one for one in found if one.problem is not None]
    told = _told(found, written=0 if together and refused else len(found) - len(refused))
    if together and refused:
        raise Problem(409, "conflicts-moved", n=len(refused), members=told)
    return jsonify(told)


def _told(found: list[Outcome], *, written: int) -> dict[str, Any]:
    return {
        "outcomes": [
            {
                "id": one.conflict_id,
                "changes": {name: list(pair) for name, pair in one.changes.items()},
                "problem": one.problem.body(locale()) if one.problem else None,
                "seen": one.seen,
            }
            for one in found
        ],
        "written": written,
    }
