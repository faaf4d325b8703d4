"""What JSON may be before it is looked at: no deeper than documents are, no characters that no database stores."""

from __future__ import annotations

import json
import math
from typing import Any

import orjson

DEEPEST = 16
"""Levels of nesting in a mutation; a signature's strokes, the deepest thing that is sent, need 7."""

MOST_VALUES = 50_000
"""Values in one mutation, keys not counted; 100 signatures of 100 points each have as many."""

MOST_PARTS = 400_000
"""Values of all that comes at once, all levels counted; the largest that can be sent uncompressed, all signatures, has
300,000."""

SMALLEST, LARGEST = -(2**63), 2**64 - 1
"""The whole numbers that are read and written as such."""

LONGEST_WHOLE = 20
"""Characters of the longest of them."""


def has_too_many_parts(text: bytes) -> bool:
    """Whether a text has more values than `MOST_PARTS`; an empty object takes forty times the memory of its bytes."""
    return sum(map(text.count, (b",", b"[", b"{"))) > MOST_PARTS


def read_leniently(text: bytes) -> Any:
    """The JSON value of a text; raises ValueError for what is none.

    Halves of surrogate pairs, NaN and deep nesting, which the strict reader does not take, are there for each thing to
    be judged by itself. Both readers see the same numbers: a whole number of more than 64 bits is as near as a float
    comes to it.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        try:
            return json.loads(text, parse_int=_whole)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


def unstorable(value: Any) -> str | None:
    """Why a JSON value cannot be stored as it is, as a code: `too-deep`, `too-many`, `characters`, `not-a-number`."""
    todo: list[tuple[Any, int]] = [(value, 1)]
    seen = 0
    while todo:
        part, depth = todo.pop()
        seen += 1
        if depth > DEEPEST:
            return "too-deep"
        if seen > MOST_VALUES:
            return "too-many"
        if isinstance(part, dict):
            if any(map(_broken, part)):
                return "characters"
            todo += [(inner, depth + 1) for inner in part.values()]
        elif isinstance(part, list):
            todo += [(inner, depth + 1) for inner in part]
        elif isinstance(part, str) and _broken(part):
            return "characters"
        elif isinstance(part, float) and not math.isfinite(part):
            return "not-a-number"
    return None


def json_text(value: Any) -> str:
    """The JSON text of any value in ASCII: however deep, with halves of surrogate pairs and NaN as they came."""
    parts: list[str] = []
    todo: list[tuple[bool, Any]] = [(False, value)]
    while todo:
        ready, part = todo.pop()
        if ready:
            parts.append(part)
        elif isinstance(part, dict):
            todo.append((True, "}"))
            for number, (key, inner) in reversed(list(enumerate(part.items()))):
                todo += [(False, inner), (True, ("," if number else "") + json.dumps(key) + ":")]
            todo.append((True, "{"))
        elif isinstance(part, list):
            todo.append((True, "]"))
            for number, inner in reversed(list(enumerate(part))):
                todo += [(False, inner), (True, "," if number else "")]
            todo.append((True, "["))
        else:
            parts.append(json.dumps(part))
    return "".join(parts)


def _whole(text: str) -> int | float:
    number = int(text) if len(text) <= LONGEST_WHOLE else None
    return number if number is not None and SMALLEST <= number <= LARGEST else float(text)


def _broken(text: str) -> bool:
    return "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text)
