"""The salvage inbox: what came from tablets without access, to look at, to import, or to discard with a reason."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask.views import MethodView
from marshmallow import RAISE, Schema

from schemas.entities import COLLECTIONS
from schemas.entities.base import Text, iso, parse_instant
from schemas.json_limits import json_text, unstorable
from schemas.office import SalvageDetail, SalvageItem
from server.actions.salvage import Found, discard_salvage, import_salvage, read_body
from server.api.body import Blueprint
from server.api.door import OFFICE, locale, now, principal, requires
from server.api.listing import Filter, Resource, add_listing, one_item
from server.api.openapi import refuses
from server.api.resources import MANAGERS, ident, text
from server.problems import not_found
from server.store import documents
from server.store.models import Salvage
from server.store.queries import conflicts, office, salvage
from server.store.queries.filters import by, equals
from sync.clock import corrected, measure_offset

LONGEST_SHOWN = 2000
"""Characters that are shown of an edit that cannot be read."""

blueprint = Blueprint("salvage", __name__, url_prefix="/api/v1", description="Work from tablets without access")


class DiscardSchema(Schema):
    """Why a piece of salvage is left."""

    class Meta:
        unknown = RAISE

    reason = Text(500, required=True, shortest=1)


def dump(rows: list[Salvage]) -> list[dict[str, Any]]:
    """Pieces of salvage with the names of whom and what they are of."""
    company_id = principal().company_id
    devices = conflicts.devices(company_id, {one.device_id for one in rows})
    technicians = office.technician_names(company_id)
    users = conflicts.user_names(company_id, {one.decided_by for one in rows if one.decided_by})
    return [
        {
            "id": one.id,
            "device_id": one.device_id,
            "device_name": devices[one.device_id].name,
            "technician_id": one.technician_id,
            "technician_name": technicians.get(one.technician_id, ""),
            "why": one.why,
            "size": one.size,
            "count": one.count,
            "received_at": iso(one.received_at),
            "state": one.state,
            "decided_by": users.get(one.decided_by or ""),
            "decided_at": iso(one.decided_at) if one.decided_at else None,
            "reason": one.reason,
            "outcome": one.outcome,
        }
        for one in rows
    ]


RESOURCE = Resource(
    path="/salvage", model=Salvage, schema=SalvageItem, roles=OFFICE, dump=dump,
    sorts={"received_at": by(Salvage.received_at), "id": by(Salvage.id)}, default_sort="received_at",
    filters={
        "device_id": Filter(form=ident(), condition=equals(Salvage.device_id)),
        "state": Filter(form=text(20), condition=equals(Salvage.state)),
    },
)  # fmt: skip
add_listing(blueprint, RESOURCE, with_item=False)


@blueprint.route("/salvage/<uuid:salvage_id>")
class SalvageView(MethodView):
    @requires(*OFFICE)
    @blueprint.response(200, SalvageDetail)
    def get(self, salvage_id: Any) -> dict[str, Any]:
        """What is in a piece of salvage, edit by edit; looking at it changes nothing."""
        kept = salvage.salvage(principal().company_id, str(salvage_id))
        if kept is None:
            raise not_found()
        found = read_body(kept.body)
        mutations = _shown(kept, found) if found is not None else []
        return dump([kept])[0] | {"readable": found is not None, "mutations": mutations}


@blueprint.route("/salvage/<uuid:salvage_id>/import")
class ImportView(MethodView):
    @requires(*MANAGERS)
    @refuses(409, "salvage-decided")
    @refuses(422, "salvage-unreadable")
    @blueprint.response(200, SalvageItem)
    def post(self, salvage_id: Any) -> Response:
        """Take it, edit by edit, as the technician's whose it is; each has its effect once."""
        who = principal()
        import_salvage(who.company_id, str(salvage_id), user_id=who.user_id, now=now(), locale=locale())
        return one_item(RESOURCE, str(salvage_id))


@blueprint.route("/salvage/<uuid:salvage_id>/discard")
class DiscardView(MethodView):
    @requires(*MANAGERS)
    @blueprint.arguments(DiscardSchema)
    @refuses(409, "salvage-decided")
    @blueprint.response(200, SalvageItem)
    def post(self, body: dict[str, str], salvage_id: Any) -> Response:
        """Leave it; its bytes stay, and it can be imported later all the same."""
        who = principal()
        discard_salvage(who.company_id, str(salvage_id), body["reason"], user_id=who.user_id, now=now())
        return one_item(RESOURCE, str(salvage_id))


def _shown(kept: Salvage, found: Found) -> list[dict[str, Any]]:
    company_id = kept.company_id
    sent = [one if isinstance(one, dict) and unstorable(one) is None else {} for one in found.mutations]
    bodies = conflicts.bodies(company_id, {_id(one, "document_id") for one in sent} - {""})
    known = salvage.statuses(company_id, {_id(one, "id") for one in sent} - {""})
    sites = conflicts.site_names(company_id, {str(body.get("site_id") or doc) for doc, (_, body) in bodies.items()})
    items = []
    for raw, one in zip(found.mutations, sent, strict=True):
        document_id = _id(one, "document_id")
        collection, body = bodies.get(document_id, (str(one.get("collection") or "")[:40], {}))
        made_at = parse_instant(one.get("made_at"))
        n = one.get("n")
        items.append(
            {
                "id": _id(one, "id"),
                "n": n if isinstance(n, int) and not isinstance(n, bool) else None,
                "op": str(one.get("op") or "")[:10],
                "collection": collection,
                "document_id": document_id,
                "document_title": COLLECTIONS[collection].called(body) if collection in COLLECTIONS and body else None,
                "site_name": sites.get(str(body.get("site_id") or document_id)),
                "made_at": iso(made_at) if made_at else None,
                "made_at_corrected": _corrected(kept, found, made_at),
                "set": _part(one, "set"),
                "add": _part(one, "add"),
                "remove": _part(one, "remove"),
                "raw_text": None if one else json_text(raw)[:LONGEST_SHOWN],
                "known_as": known.get(_id(one, "id")),
            }
        )
    return items


def _corrected(kept: Salvage, found: Found, made_at: Any) -> str | None:
    if made_at is None or found.device_time is None:
        return None
    offset = measure_offset(device_time=found.device_time, received_at=kept.received_at, rtt_ms=found.rtt_ms)
    return iso(corrected(made_at, offset, kept.received_at))


def _part(sent: dict[str, Any], name: str) -> dict[str, Any]:
    part = sent.get(name)
    return part if isinstance(part, dict) else {}


def _id(sent: dict[str, Any], name: str) -> str:
    """An id in its one form; empty for what is none."""
    value = sent.get(name)
    try:
        return documents.canonical_id(value) if isinstance(value, str) else ""
    except ValueError:
        return ""
