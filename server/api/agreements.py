"""Warranty terms, contracts and prices, as managers write them."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask.views import MethodView

from schemas.agreements import AGREEMENTS
from server.actions.write_agreement import create_agreement, edit_agreement
from server.api.body import Blueprint, json_object
from server.api.door import principal, requires
from server.api.openapi import refuses
from server.api.visits import item_at

blueprint = Blueprint("agreements", __name__, url_prefix="/api/v1", description="Warranty terms, contracts, prices")


def add_writing(path: str, sort: str) -> None:
    """Add `POST <path>` and `PATCH <path>/<id>` for a sort of agreement."""
    schema = AGREEMENTS[sort]
    name = schema.__name__.removesuffix("Schema")
    whole = type(f"New{name}", (schema,), {"__doc__": schema.__doc__})
    changes = {"required": True, "content": {"application/json": {"schema": schema(partial=True, exclude=["id"])}}}
    body = {"required": True, "content": {"application/json": {"schema": whole(exclude=["id"])}}}

    class WriteView(MethodView):
        @requires("manager", "admin")
        @blueprint.doc(requestBody=body)
        @refuses(409, "conflict")
        @refuses(422, "invalid-fields", "unknown-reference")
        @blueprint.response(201, schema)
        def post(self) -> Response:
            item = create_agreement(principal().company_id, sort, json_object())
            response = item_at(path, item.id, 201)
            response.headers["Location"] = f"/api/v1{path}/{item.id}"
            return response

    class ChangeView(MethodView):
        @requires("manager", "admin")
        @blueprint.doc(requestBody=changes)
        @refuses(409, "conflict")
        @refuses(422, "invalid-fields", "unknown-reference")
        @blueprint.response(200, schema)
        def patch(self, item_id: Any) -> Response:
            edit_agreement(principal().company_id, sort, str(item_id), json_object())
            return item_at(path, str(item_id))

    WriteView.post.__doc__ = f"Make a {sort.replace('_', ' ')}."
    ChangeView.patch.__doc__ = f"Change fields of a {sort.replace('_', ' ')}."
    blueprint.route(path, endpoint=f"create_{sort}")(WriteView)
    blueprint.route(f"{path}/<uuid:item_id>", endpoint=f"edit_{sort}")(ChangeView)


for _path, _sort in (("/warranty-terms", "warranty_term"), ("/contracts", "contract"), ("/price-items", "price_item")):
    add_writing(_path, _sort)
