"""Signing in and out; who am I."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request
from flask.views import MethodView
from marshmallow import RAISE, Schema, fields, validate

from schemas.entities.base import Text, iso
from server.actions.sign_in import SignedIn, set_locale, sign_in, sign_out
from server.api.body import Blueprint
from server.api.door import COOKIE, ROLES, bearer, now, principal, refuse_cross_site, requires
from server.api.openapi import refuses
from server.store.models import User

blueprint = Blueprint("auth", __name__, url_prefix="/api/v1/auth", description="Signing in")


class LoginSchema(Schema):
    """Address and password."""

    class Meta:
        unknown = RAISE

    email = Text(200, required=True, shortest=1)
    password = Text(200, required=True, shortest=1, load_only=True)


class UserSchema(Schema):
    """Somebody who signs in."""

    id = fields.String(required=True)
    email = fields.String(required=True)
    name = fields.String(required=True)
    role = fields.String(required=True)
    locale = fields.String(required=True)
    branch_id = fields.String(required=True, allow_none=True)
    technician_id = fields.String(required=True, allow_none=True)


class TokenSchema(Schema):
    """A session's token, also set as a cookie, and whose it is."""

    token = fields.String(required=True)
    expires_at = fields.String(required=True)
    user = fields.Nested(UserSchema, required=True)


class LocaleSchema(Schema):
    """The language to read in."""

    class Meta:
        unknown = RAISE

    locale = fields.String(required=True, validate=validate.OneOf(["en", "ru"]))


@blueprint.route("/login")
class LoginView(MethodView):
    @blueprint.arguments(LoginSchema, example={"email": "dispatcher@rounds.example", "password": "rounds-demo"})
    @refuses(401, "wrong-credentials")
    @refuses(403, "cross-site")
    @refuses(429, "too-many-tries")
    @blueprint.response(200, TokenSchema)
    def post(self, body: dict[str, str]) -> Response:
        """Sign in; answers with a token and sets it as a cookie for the pages."""
        refuse_cross_site()
        done: SignedIn = sign_in(body["email"], body["password"], address=request.remote_addr, now=now())
        response = jsonify(
            {"token": done.token, "expires_at": iso(done.expires_at), "user": UserSchema().dump(done.user)}
        )
        response.set_cookie(
            COOKIE, done.token, expires=done.expires_at, httponly=True, samesite="Lax", secure=request.is_secure
        )
        return response


@blueprint.route("/logout")
class LogoutView(MethodView):
    @requires(*ROLES)
    @blueprint.response(204)
    def post(self) -> Response:
        """End this session."""
        sign_out(bearer() or request.cookies.get(COOKIE, ""), now())
        response = Response(status=204)
        response.delete_cookie(COOKIE, httponly=True, samesite="Lax", secure=request.is_secure)
        return response


@blueprint.route("/me")
class MeView(MethodView):
    @requires(*ROLES)
    @blueprint.response(200, UserSchema)
    def get(self) -> dict[str, Any]:
        """Who is signed in."""
        who = principal()
        return {"id": who.user_id, **{name: getattr(who, name) for name in UserSchema().fields if name != "id"}}

    @requires(*ROLES)
    @blueprint.arguments(LocaleSchema)
    @blueprint.response(200, UserSchema)
    def patch(self, body: dict[str, str]) -> User:
        """Choose the language to read in."""
        email = principal().email
        assert email is not None
        return set_locale(email, body["locale"])
