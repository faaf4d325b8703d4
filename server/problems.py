"""Every problem that the system reports, as `application/problem+json` (RFC 9457) in the caller's language.

A `Problem` is raised by whoever finds the caller's mistake; the words are in `text/problem.<locale>.json` under its
code: `<code>` the title, `<code>.detail` what to do next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from server.text.catalogue import catalogue, say

MOST_ERRORS = 50
LONGEST_NAME = 120


@dataclass(frozen=True, kw_only=True)
class FieldError:
    """What is wrong with one field: its path with dots, a code, numbers for the words.

    `area` is the catalogue that has the words: `problem` for what a schema refuses, else that of a core.
    """

    field: str
    code: str
    params: Mapping[str, Any] | None = None
    area: str = "problem"

    def text(self, locale: str) -> str:
        """The sentence for people."""
        return say(self.area, f"field.{self.code}" if self.area == "problem" else self.code, self.params, locale)


class Problem(Exception):
    """A caller's mistake, with HTTP status and code; `members` are for machines and come with the answer."""

    def __init__(
        self,
        status: int,
        code: str,
        *,
        field: str | None = None,
        errors: tuple[FieldError, ...] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
        **params: Any,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.field = field or (errors[0].field if errors else None)
        self.errors = errors
        self.headers = dict(headers or {})
        self.members = dict(members or {})
        self.params = params

    def body(self, locale: str, request_id: str | None = None) -> dict[str, Any]:
        """The problem document; `type` is a stable name, not an address that is fetched."""
        params = {"field": self.field or "…"} | {name: _word(value, locale) for name, value in self.params.items()}
        answer: dict[str, Any] = {
            "type": f"urn:rounds:problem:{self.code}",
            "title": say("problem", self.code, params, locale),
            "status": self.status,
            "detail": say("problem", f"{self.code}.detail", params, locale),
            "code": self.code,
            **self.members,
        }
        if self.field:
            answer["field"] = self.field
        if self.errors:
            answer["errors"] = [
                {"field": error.field, "code": error.code, "detail": error.text(locale)}
                for error in self.errors[:MOST_ERRORS]
            ]
        if request_id:
            answer["request_id"] = request_id
        return answer


def _word(value: Any, locale: str) -> Any:
    """A role or state in the reader's language; anything else as it is."""
    if isinstance(value, list):
        return [_word(each, locale) for each in value]
    return catalogue("problem", locale).get(f"word.{value}", value) if isinstance(value, str) else value


def not_found() -> Problem:
    """The same answer for what is gone, what is another's and what never was."""
    return Problem(404, "not-found")


def invalid(messages: Mapping[str, Any]) -> Problem:
    """marshmallow's messages as one 422 problem, field by field."""
    return Problem(422, "invalid-fields", errors=tuple(field_errors(messages)))


def field_errors(messages: Mapping[str, Any] | list[Any], path: str = "") -> list[FieldError]:
    """Flatten marshmallow's nested messages to field errors with codes that we have words for."""
    if isinstance(messages, list):
        return [
            error
            for each in messages
            for error in (
                field_errors(each, path)
                if isinstance(each, dict)
                else [FieldError(field=path or "body", code=_code(str(each)))]
            )
        ]
    found: list[FieldError] = []
    for name, inner in messages.items():
        here = path if name == "_schema" else f"{path}.{_short(name)}" if path else _short(name)
        found += field_errors(inner if isinstance(inner, dict | list) else [inner], here)
    return found


def _short(name: object) -> str:
    """A field's name as it was sent; a stranger's is cut, for it comes back in the answer."""
    text = str(name)
    return text if len(text) <= LONGEST_NAME else text[:LONGEST_NAME] + "…"


_CODES = {
    "Missing data": "required",
    "Unknown field": "unknown",
    "may not be null": "null",
    "Longer than maximum": "too-long",
    "Shorter than minimum": "too-short",
    "Length must be": "length",
    "Must be one of": "not-one-of",
    "Not a valid UUID": "not-an-id",
    "Not a moment": "not-a-moment",
    "Not a valid date": "not-a-date",
    "Not a valid integer": "not-a-whole-number",
    "Not a valid number": "not-a-number",
    "Special numeric": "not-a-number",
    "Not a valid boolean": "not-true-or-false",
    "Not a valid string": "not-text",
    "Not a valid list": "not-a-list",
    "Not a valid email": "not-an-email",
    "Invalid input type": "not-an-object",
    "Not a valid mapping": "not-an-object",
    "Must be greater": "out-of-range",
    "Must be less": "out-of-range",
    "Must be ": "out-of-range",
    "Characters that": "characters",
    "String does not match": "wrong-form",
}


def _code(text: str) -> str:
    return next((code for start, code in _CODES.items() if start in text), text if text.islower() else "not-accepted")
