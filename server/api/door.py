"""What every request passes: who is it, may they, in which language, and how problems are answered."""

from __future__ import annotations

import functools
import ipaddress
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

import orjson
from flask import Flask, Response, current_app, g, request
from flask.json.provider import JSONProvider
from werkzeug.exceptions import HTTPException

from schemas import contract
from server.actions.apply_mutation import Sender
from server.actions.end_device import note_wipe
from server.actions.renew_token import AccessEnded, Ended, find_holder
from server.actions.sign_in import token_hash
from server.api.body import Blueprint, DrainedBodies, InTurn
from server.api.body import json_object as json_object
from server.problems import FieldError, Problem
from server.store import failures
from server.store.author import Author, acting
from server.store.files import FilesAway, NoRoom
from server.store.queries import people
from server.store.queries.people import Holder
from server.text import LOCALES

P = ParamSpec("P")
R = TypeVar("R")

ROLES = ("technician", "dispatcher", "manager", "admin")
OFFICE = ("dispatcher", "manager", "admin")
COOKIE = "rounds_session"
BEARER = {"WWW-Authenticate": "Bearer"}
PLAIN_TEXT = ("/sync/rxdb/", "/sync/watermelon")
"""Addresses whose errors are plain text: their clients would take a JSON error for documents and stop for good."""

KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate", "Content-Range")

log = logging.getLogger(__name__)


class OrjsonProvider(JSONProvider):
    """JSON by orjson. Bodies of requests are read by `body.json_object`, strictly."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return orjson.dumps(obj, default=str).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return orjson.loads(s)


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who is asking: a person signed in at the office, or a technician's tablet."""

    company_id: str
    user_id: str | None
    name: str
    role: str
    locale: str
    email: str | None = None
    branch_id: str | None = None
    technician_id: str | None = None
    device_id: str | None = None
    schema_version: int = contract.SCHEMA_VERSION

    @property
    def author(self) -> Author:
        return Author(user_id=self.user_id, name=self.name, device_id=self.device_id)


def now() -> datetime:
    """The moment of this request."""
    if "now" not in g:
        g.now = datetime.now(UTC)
    moment: datetime = g.now
    return moment


def principal() -> Principal:
    """Who is asking; only valid behind `requires` or `requires_device`."""
    who: Principal = g.principal
    return who


def sender() -> Sender:
    """The tablet that pushes; only valid behind `requires_device`."""
    who = principal()
    assert who.device_id is not None
    assert who.technician_id is not None
    return Sender(
        company_id=who.company_id,
        device_id=who.device_id,
        technician_id=who.technician_id,
        name=who.name,
        user_id=who.user_id,
        schema_version=who.schema_version,
    )


def locale() -> str:
    """The language to answer in: what the request asks for, else what the person reads, else English."""
    g.language_decided = True
    wanted = request.accept_languages.best_match(LOCALES) if request.headers.get("Accept-Language") else None
    who: Principal | None = g.get("principal")
    return wanted or (who.locale if who else "en")


def address() -> str:
    """Where the request comes from; of an IPv6 address the network, for a host has many in it."""
    text = request.remote_addr or ""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return text[:64]
    if found.version == 6 and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return text


def bearer() -> str | None:
    """The token of the Authorization header, None when there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def requires(*roles: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let only these roles of signed-in people in: 401 without a session, 403 with another role.

    Of a view that takes no query parameters each one is refused: a misspelt one would be believed to have worked.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        arguments = getattr(view, "_apidoc", {}).get("arguments", {})
        takes_query = any(each["in"] == "query" for each in arguments.get("parameters", ()))

        @functools.wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            who = g.principal = _person()
            if who.role not in roles:
                raise Problem(403, "forbidden", roles=list(roles))
            if request.args and not takes_query:
                errors = tuple(FieldError(field=name[:120], code="unknown-parameter") for name in request.args)
                raise Problem(422, "invalid-fields", errors=errors)
            with acting(who.author):
                return view(*args, **kwargs)

        documented = Blueprint.doc(security=[{"bearer": []}, {"session": []}])(guarded)
        return documented

    return decorate


@dataclass(frozen=True, kw_only=True)
class Farewell:
    """A request of a tablet whose access has ended: whose it was, and why it has ended."""

    principal: Principal
    why: Ended


AfterEnd = Callable[[Farewell], dict[str, Any]]
"""What is done with a request of a tablet whose access has ended; it adds to the answer, which is a refusal still."""


def holder() -> Holder:
    """The tablet that is asking, as it was found at the door; only valid behind `requires_device`."""
    found: Holder = g.holder
    return found


def requires_device(view: Callable[P, R]) -> Callable[P, R]:
    """Let only enrolled tablets in, as `device_or_farewell` does."""
    return device_or_farewell(None)(view)


def device_or_farewell(after_end: AfterEnd | None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let only enrolled tablets in.

    401 `unauthenticated` for unknown tokens. A tablet whose access has ended gets 401 `device-revoked`, or
    `token-expired` after a long silence, with the order to wipe; what it sends may be kept by `after_end` first.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            token = bearer()
            held = find_holder(token, now()) if token else None
            if held is None:
                raise Problem(401, "unauthenticated", headers=BEARER)
            holder = g.holder = held.holder
            who = g.principal = Principal(
                company_id=holder.company_id,
                user_id=holder.user_id,
                name=holder.name,
                role="device",
                locale=holder.locale or "en",
                technician_id=holder.technician_id,
                device_id=holder.device_id,
                schema_version=holder.schema_version,
            )
            ended = held.ended
            if ended is None:
                try:
                    with acting(who.author):
                        return view(*args, **kwargs)
                except AccessEnded as error:
                    ended = error.why
            kept = after_end(Farewell(principal=who, why=ended)) if after_end else {}
            note_wipe(holder.company_id, holder.device_id, now())
            code = "token-expired" if ended == "expired" else "device-revoked"
            raise Problem(401, code, headers=BEARER, members={"wipe": True} | kept)

        documented = Blueprint.doc(security=[{"device": []}])(guarded)
        return documented

    return decorate


def refuse_too_old() -> None:
    """Tell a tablet whose app knows too little that it must be updated; its pushes are taken all the same.

    Raises Problem `update-needed` (426).
    """
    if principal().schema_version < contract.OLDEST_VERSION:
        raise Problem(426, "update-needed")


def _person() -> Principal:
    token = bearer()
    if token is None:
        token = request.cookies.get(COOKIE)
        if token and request.method not in ("GET", "HEAD", "OPTIONS"):
            refuse_cross_site()
    user = people.user_of_session(token_hash(token), now()) if token else None
    if user is None:
        raise Problem(401, "unauthenticated", headers=BEARER)
    return Principal(
        company_id=user.company_id,
        user_id=user.id,
        name=user.name,
        role=user.role,
        locale=user.locale,
        email=user.email,
        branch_id=user.branch_id,
        technician_id=user.technician_id,
    )


def refuse_cross_site() -> None:
    """A cookie alone does not prove that our page asked: the browser must say that it was the same site."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is not None and site not in ("same-origin", "none"):
        raise Problem(403, "cross-site")
    if origin is not None and _host_of(origin) != request.host:
        raise Problem(403, "cross-site")


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


Page = Callable[[str, dict[str, Any]], Response]
"""A problem as a page for people, in a language."""


def install(app: Flask, page: Page) -> None:
    """Register the JSON provider, the draining of bodies, request ids and all error answers; `page` for browsers."""
    app.extensions["rounds_problem_page"] = page
    app.json = OrjsonProvider(app)
    app.wsgi_app = DrainedBodies(app.wsgi_app)  # type: ignore[method-assign]
    if at_once := app.config["REQUESTS_AT_ONCE"]:
        app.wsgi_app = InTurn(app.wsgi_app, at_once)  # type: ignore[method-assign]

    @app.before_request
    def name_request() -> None:
        g.request_id = secrets.token_hex(8)

    @app.after_request
    def say_what_decided(response: Response) -> Response:
        # A cache in between must not give one reader's language, or form, to another.
        if g.get("language_decided"):
            response.vary.add("Accept-Language")
        if g.get("form_decided"):
            response.vary.add("Accept")
        return response

    @app.errorhandler(Problem)
    def problem(error: Problem) -> Response:
        return _answer(error)

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        return _answer(_from_http(error))

    def unavailable(error: Exception) -> Response:
        log.error("database unavailable: %s", error)
        return _answer(Problem(503, "database-away", seconds=5, headers={"Retry-After": "5"}))

    for failure in failures.Unavailable:
        app.register_error_handler(failure, unavailable)

    @app.errorhandler(FilesAway)
    def files_away(error: FilesAway) -> Response:
        log.error("files unavailable: %s", error)
        return _answer(Problem(503, "files-away", seconds=10, headers={"Retry-After": "10"}))

    @app.errorhandler(NoRoom)
    def no_room(error: NoRoom) -> Response:
        log.error("no room for files: %s", error)
        return _answer(Problem(507, "storage-full", headers={"Retry-After": "600"}))

    @app.errorhandler(failures.Contradiction)
    def contradiction(error: Exception) -> Response:
        log.warning("constraint refused %s: %s", request.path, error)
        return _answer(Problem(409, "conflict"))

    @app.errorhandler(Exception)
    def bug(error: Exception) -> Response:
        log.exception("request %s failed", g.get("request_id"))
        return _answer(Problem(500, "server-error"))


def _answer(error: Problem) -> Response:
    problem = error.body(locale(), g.get("request_id"))
    if not request.path.startswith("/sync/"):
        g.form_decided = True
    if _for_a_person():
        page: Page = current_app.extensions["rounds_problem_page"]
        response = page(locale(), problem)
    elif request.path.startswith(PLAIN_TEXT):
        response = Response(f"{problem['code']}: {problem['title']}. {problem['detail']}", error.status)
        response.mimetype = "text/plain"
    else:
        response = Response(orjson.dumps(problem), error.status, mimetype="application/problem+json")
    response.headers.update(error.headers)
    return response


def _for_a_person() -> bool:
    """Whether a browser asks for a page: it names HTML, and rather than JSON. The protocol of tablets has no pages."""
    accepted = request.accept_mimetypes
    named = any(kind.lower().startswith("text/html") for kind, quality in accepted if quality)
    html, json = accepted["text/html"], max(accepted["application/problem+json"], accepted["application/json"])
    return named and html > json and not request.path.startswith("/sync/")


def _from_http(error: HTTPException) -> Problem:
    headers = {name: value for name, value in error.get_headers() if name in KEPT_HEADERS}
    codes = {
        400: "bad-request",
        401: "unauthenticated",
        404: "not-found",
        405: "method-not-allowed",
        409: "conflict",
        413: "too-large",
        415: "not-acceptable",
        429: "too-many-tries",
        503: "busy",
    }
    status = error.code or 500
    return Problem(
        status,
        codes.get(status, "server-error" if status >= 500 else "bad-request"),
        headers=headers,
        expected="application/json",
        seconds=headers.get("Retry-After", "5"),
    )
