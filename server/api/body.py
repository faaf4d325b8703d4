"""A request's body: read whole and strictly, or not at all and then drained, so that the connection stays usable."""

from __future__ import annotations

import functools
import json
import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, NoReturn, TypeVar

import orjson
from flask import Request, request
from flask_smorest import Blueprint as SmorestBlueprint
from marshmallow import Schema, ValidationError
from webargs.flaskparser import FlaskParser

from schemas.json_limits import read_leniently
from server.problems import Problem, invalid

T = TypeVar("T")
View = TypeVar("View", bound=Callable[..., Any])

DEEPEST = 32
MOST_KEYS = 20_000
DRAINED = 32 * 1024 * 1024
"""Most bytes of an unread body that are read and thrown away; who sends more is cut off."""
DRAIN_SECONDS = 20
CHUNK = 64 * 1024

log = logging.getLogger(__name__)


def json_object() -> dict[str, Any]:
    """The body as a JSON object.

    Raises Problem: `not-acceptable` (415) for another type, `broken-json` (400) for what is not one JSON object in
    UTF-8, is nested deeper than 32 levels, has more than 20,000 keys or one key twice, or has NaN or halves of
    surrogate pairs in it.
    """
    if request.mimetype != "application/json" or request.headers.get("Content-Encoding", "identity") != "identity":
        raise Problem(415, "not-acceptable", expected="application/json")
    body = strict_json(whole_body())
    if not isinstance(body, dict):
        raise Problem(400, "broken-json")
    return body


def whole_body() -> bytes:
    """The bytes of the body. Raises Problem `too-large` (413), also for one that comes in chunks and is cut there."""
    body = request.get_data()
    most = request.max_content_length
    if request.content_length is None and most is not None and len(body) >= most:
        raise Problem(413, "too-large")
    return body


def lenient_json(text: bytes) -> Any:
    """The JSON value of a text, read leniently: whoever sends many things at once is not held up by one that no
    database stores. Raises Problem `broken-json` (400)."""
    try:
        return read_leniently(text)
    except ValueError as error:
        raise Problem(400, "broken-json") from error


def strict_json(text: str | bytes) -> Any:
    """The JSON value of a text; raises Problem `broken-json` as `json_object` does."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Problem(400, "broken-json") from error
    _measure(value)
    # orjson keeps the last of two equal keys. What a checker reads first and a store last must be the same thing.
    json.loads(text, object_pairs_hook=_unique, parse_int=float, parse_float=float)
    return value


def _measure(value: Any) -> None:
    keys, waiting = 0, [(value, 1)]
    while waiting:
        each, depth = waiting.pop()
        if isinstance(each, dict):
            keys += len(each)
        elif not isinstance(each, list):
            continue
        if depth > DEEPEST or keys > MOST_KEYS:
            raise Problem(400, "broken-json")
        waiting += [(inner, depth + 1) for inner in (each.values() if isinstance(each, dict) else each)]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Problem(400, "broken-json")
    return found


class _Parser(FlaskParser):
    """webargs, with our body and our problems; unknown query parameters are refused where their schema says so."""

    DEFAULT_UNKNOWN_BY_LOCATION = FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION | {"query": None}

    def load_json(self, req: Request, schema: Schema) -> Any:
        return json_object()

    def load_querystring(self, req: Request, schema: Schema) -> Any:
        for name, values in req.args.lists():
            if len(values) > 1:
                # Two readers of one address would each take another of the values.
                raise ValidationError({name: ["twice"]})
        return super().load_querystring(req, schema)

    def handle_error(self, error: ValidationError, req: Request, schema: Schema, **kwargs: Any) -> NoReturn:
        messages = error.normalized_messages()
        raise invalid(next((inner for where, inner in messages.items() if where in ("json", "query")), messages))


class Blueprint(SmorestBlueprint):
    """A resource of the API, its arguments read strictly."""

    ARGUMENTS_PARSER = _Parser()


def described(*decorators: Callable[[Any], Any]) -> Callable[[View], View]:
    """Document a view as these decorators of a blueprint would, without going through them at each request.

    For the few views that are asked thousands of times a second: they read and answer by themselves.
    """

    def decorate(view: View) -> View:
        documented: Any = functools.reduce(lambda inner, decorator: decorator(inner), reversed(decorators), view)
        view._apidoc = documented._apidoc  # type: ignore[attr-defined]
        return view

    return decorate


class DrainedBodies:
    """WSGI: what a view left unread of its request is read before the answer goes out.

    A client that sends all before it reads would otherwise wait for ever, or find the connection reset instead of
    the answer. At most `DRAINED` bytes are read, and none when the client asked whether it should send at all.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        stream = environ["wsgi.input"] = _Counted(environ["wsgi.input"])
        answer = self.application(environ, start_response)
        if environ.get("wsgi.input_terminated"):
            left = DRAINED
        else:
            length = environ.get("CONTENT_LENGTH") or "0"
            left = min(int(length) - stream.count, DRAINED) if length.isdecimal() else 0
        asked = environ.get("HTTP_EXPECT", "").lower() == "100-continue" and not stream.count
        until = time.monotonic() + DRAIN_SECONDS
        try:
            while left > 0 and not asked and time.monotonic() < until:
                read = len(stream.read(min(CHUNK, left)))
                left -= read or left
        except OSError:
            log.info("the client went away before its body was read")
        return answer


class InTurn:
    """WSGI: at most so many requests are worked on at once; the others wait for their turn.

    A turn ends when the answer is ready to be sent, so that an answer that is sent for hours holds none.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]], most: int) -> None:
        self.application = application
        self.turns = threading.BoundedSemaphore(most)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with self.turns:
            return self.application(environ, start_response)


class _Counted:
    """An input that knows how much of it was read."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.count = 0

    def _count(self, data: T) -> T:
        self.count += len(data)  # type: ignore[arg-type]
        return data

    def read(self, size: int = -1) -> bytes:
        return self._count(self.stream.read(size))

    def readline(self, size: int = -1) -> bytes:
        return self._count(self.stream.readline(size))

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readlines(self, hint: int = -1) -> list[bytes]:
        return list(self)

    def __iter__(self) -> Any:
        while line := self.readline():
            yield line

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)
