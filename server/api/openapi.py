"""The OpenAPI description: what each operation takes, who may call it, and every problem that it answers with."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from apispec import APISpec, BasePlugin
from apispec.ext.marshmallow import MarshmallowPlugin, resolver
from flask import Flask
from flask_smorest import Api as SmorestApi
from marshmallow import Schema, fields

from schemas.entities.base import Id, Instant
from server.api import docs_page
from server.api.body import Blueprint
from server.api.door import PLAIN_TEXT

CHECKSUM_MISMATCH = 460
"""A status of tus 1.0 alone."""

View = TypeVar("View", bound=Callable[..., Any])

DESCRIPTION = """Field service that works without a network.

Sign in with `POST /api/v1/auth/login` and send the token as `Authorization: Bearer …`; pages use the cookie that the
same answer sets. Lists answer `{"items": […], "next_cursor": …}`; send the cursor back, with the same sort, for the
next page. Every problem is `application/problem+json` in the language of `Accept-Language` (`en` or `ru`): branch on
its `code`, show its `title` and `detail`.
"""


class FieldProblem(Schema):
    """What is wrong with one field."""

    field = fields.String(required=True, metadata={"description": "The field's name; inside of lists with dots."})
    code = fields.String(required=True, metadata={"description": "Stable, for machines."})
    detail = fields.String(required=True, metadata={"description": "For people, in the caller's language."})


class ProblemSchema(Schema):
    """A problem (RFC 9457), in the caller's language."""

    type = fields.String(required=True, metadata={"example": "urn:rounds:problem:invalid-fields"})
    title = fields.String(required=True, metadata={"example": "Some fields need another value"})
    status = fields.Integer(required=True, metadata={"example": 422})
    detail = fields.String(required=True, metadata={"description": "What to do next."})
    code = fields.String(required=True, metadata={"example": "invalid-fields"})
    field = fields.String(metadata={"description": "The field that it is about; the first of several."})
    errors = fields.List(fields.Nested(FieldProblem))
    request_id = fields.String(metadata={"description": "What the server's log calls this request."})
    outcomes = fields.List(
        fields.Dict(), metadata={"description": "Of several conflicts what would become of each, and why not."}
    )
    written = fields.Integer(metadata={"description": "How many of several conflicts were settled all the same."})
    salvaged = fields.Boolean(metadata={"description": "What was pushed without access is kept for the office."})
    wipe = fields.Boolean(metadata={"description": "The tablet must delete what it holds of others."})


class Api(SmorestApi):
    """Works its description out when somebody reads it: most processes are never asked, and each start is quicker."""

    def __init__(self) -> None:
        self._reading = threading.RLock()
        self._undescribed: list[Blueprint] = []
        super().__init__()

    @property
    def spec(self) -> Any:
        """The description, whole."""
        with self._reading:
            waiting, self._undescribed = self._undescribed, []
            for resource in waiting:
                resource.register_views_in_doc(self, self._app, self._spec, name=resource.name, parameters=None)
                self._spec.tag({"name": resource.name, "description": resource.description})
            return self._spec

    @spec.setter
    def spec(self, made: APISpec) -> None:
        self._spec = made

    def register_blueprint(self, blp: Blueprint, **options: Any) -> None:
        """Serve a resource now, describe it later."""
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blp.name] = self
        self._app.register_blueprint(blp, **options)
        self._undescribed.append(blp)


def make(app: Flask) -> Api:
    """Bind the API to the application and describe its errors and who may call it."""
    api = Api()
    api.ERROR_SCHEMA = ProblemSchema
    api.DEFAULT_ERROR_RESPONSE_NAME = None
    app.config["API_SPEC_OPTIONS"]["info"]["description"] = DESCRIPTION
    marshmallow = MarshmallowPlugin(schema_name_resolver=_name)  # type: ignore[arg-type]
    api.init_app(app, spec_kwargs={"marshmallow_plugin": marshmallow, "extra_plugins": [ProblemPlugin()]})
    app.register_blueprint(docs_page.blueprint)
    api.register_field(Id, "string", "uuid")
    api.register_field(Instant, "string", "date-time")
    components = api.spec.components
    components.security_scheme("bearer", {"type": "http", "scheme": "bearer", "description": "Office session"})
    cookie = {"type": "apiKey", "in": "cookie", "name": "rounds_session", "description": "Office session of a page"}
    components.security_scheme("session", cookie)
    components.security_scheme("device", {"type": "http", "scheme": "bearer", "description": "Tablet's token"})
    return api


def refuses(status: int, *codes: str) -> Callable[[View], View]:
    """Document the problems that an action answers with besides those which its form implies."""
    return Blueprint.doc(responses={str(status): problem_response(status, *codes)})


def problem_response(status: int, *codes: str) -> dict[str, Any]:
    """OpenAPI's response object for a problem; `codes` are what its `code` can be."""
    phrase = "Checksum Mismatch" if status == CHECKSUM_MISMATCH else HTTPStatus(status).phrase
    about = phrase + (f": {', '.join(f'`{code}`' for code in codes)}" if codes else "")
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": about, "content": {"application/problem+json": {"schema": schema}}}


class ProblemPlugin(BasePlugin):
    """Adds to each operation the problems that follow from what it takes and whom it lets in."""

    def operation_helper(
        self, path: str | None = None, operations: dict[str, Any] | None = None, **kwargs: Any
    ) -> None:
        """Complete the operations of one path; what an operation says itself stands."""
        for method, operation in (operations or {}).items():
            if method == "parameters":
                continue
            responses = operation.setdefault("responses", {})
            # smorest's words for what our parser refuses; ours say more.
            responses.pop("422" if "422" in responses else 422, None) if _is_smorests(responses) else None
            for status, codes in _implied(path or "", method, operation).items():
                if not {status, str(status)} & responses.keys():
                    responses[str(status)] = problem_response(status, *codes)
            if (path or "").startswith(PLAIN_TEXT):
                _in_plain_text(responses)


def _in_plain_text(responses: dict[Any, Any]) -> None:
    for status, response in responses.items():
        if int(status) >= 400 and isinstance(response, dict):
            response["content"] = {"text/plain": {"schema": {"type": "string"}}}


def _is_smorests(responses: dict[Any, Any]) -> bool:
    found = responses.get("422", responses.get(422))
    return isinstance(found, str) or (isinstance(found, dict) and "$ref" in found)


def _implied(path: str, method: str, operation: dict[str, Any]) -> dict[int, tuple[str, ...]]:
    problems: dict[int, tuple[str, ...]] = {503: ("database-away",)}
    schemes = {name for each in operation.get("security") or () for name in each}
    if "device" in schemes:
        problems[401] = ("unauthenticated", "device-revoked")
    elif schemes:
        problems[401] = ("unauthenticated",)
        problems[403] = ("forbidden",) if method == "get" else ("forbidden", "cross-site")
        # A query parameter that is not there is refused everywhere.
        problems[422] = ("invalid-fields",)
    if "{" in path:
        problems[404] = ("not-found",)
    if any(isinstance(each, dict) and each.get("in") == "query" for each in operation.get("parameters", ())):
        problems[422] = ("invalid-fields",)
    if "requestBody" in operation:
        problems[400] = ("broken-json",)
        problems[413] = ("too-large",)
        problems[415] = ("not-acceptable",)
        problems[422] = ("invalid-fields",)
    return problems


def _name(schema: Any) -> str | None:
    """The name of a schema in the description; a partial one, whose fields may all be left out, is a change."""
    name = resolver(schema)
    return f"{name}Change" if isinstance(schema, Schema) and schema.partial else name
