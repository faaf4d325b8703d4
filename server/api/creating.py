"""Making what a company has: branches, people, customers, sites, equipment, the catalogue; and accounts."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask.views import MethodView
from marshmallow import RAISE, Schema, fields, validate

from schemas.entities.base import Id, Text
from server.actions.create_document import create_document, create_user
from server.api.auth import UserSchema
from server.api.body import Blueprint, json_object
from server.api.door import ROLES, principal, requires
from server.api.items import shown
from server.api.openapi import refuses
from server.api.visits import body_of, item_at
from server.store.models import User

blueprint = Blueprint("creating", __name__, url_prefix="/api/v1", description="Making what a company has")


class NewUserSchema(Schema):
    """An account; a technician's names the technician, others may name their branch."""

    class Meta:
        unknown = RAISE

    email = fields.Email(required=True, validate=validate.Length(max=200))
    name = Text(200, required=True, shortest=1)
    role = fields.String(required=True, validate=validate.OneOf(ROLES))
    password = Text(128, required=True, shortest=1, load_only=True)
    locale = fields.String(load_default="en", validate=validate.OneOf(["en", "ru"]))
    technician_id = Id(load_default=None, allow_none=True)
    branch_id = Id(load_default=None, allow_none=True)


def add_creation(path: str, collection: str, *roles: str) -> None:
    """Add `POST <path>` for a collection."""

    class CreateView(MethodView):
        @requires(*roles)
        @blueprint.doc(requestBody=body_of(collection, partial=False))
        @refuses(409, "conflict")
        @refuses(422, "invalid-fields", "unknown-reference")
        @blueprint.response(201, shown(collection))
        def post(self) -> Response:
            item = create_document(principal().company_id, collection, json_object())
            response = item_at(path, item.id, 201)
            response.headers["Location"] = f"/api/v1{path}/{item.id}"
            return response

    CreateView.post.__doc__ = f"Make a {collection.replace('_', ' ')}."
    blueprint.route(path, endpoint=f"create_{collection}")(CreateView)


for _path, _collection, _roles in (
    ("/branches", "branch", ("admin",)),
    ("/technicians", "technician", ("manager", "admin")),
    ("/customers", "customer", ("dispatcher", "manager", "admin")),
    ("/sites", "site", ("dispatcher", "manager", "admin")),
    ("/assets", "asset", ("dispatcher", "manager", "admin")),
    ("/product-models", "product_model", ("manager", "admin")),
    ("/service-kinds", "service_kind", ("manager", "admin")),
    ("/checklists", "checklist", ("manager", "admin")),
):
    add_creation(_path, _collection, *_roles)


@blueprint.route("/users")
class UsersView(MethodView):
    @requires("admin")
    @blueprint.arguments(NewUserSchema)
    @refuses(409, "conflict")
    @refuses(422, "invalid-fields", "unknown-reference")
    @blueprint.response(201, UserSchema)
    def post(self, body: dict[str, Any]) -> User:
        """Make an account."""
        return create_user(principal().company_id, **body)
