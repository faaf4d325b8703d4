"""Checksums by which a replica proves that it is whole, and finds just what is not.

Each document has a value of 48 bits, of its collection, id, version and content. What a replica holds is summed up by
count and sum for each collection, and within one by bucket; neither depends on an order. A bucket is the last two
digits of the id: ids begin with a time, so that their beginnings are all alike.

The content is hashed as canonical JSON: no spaces, keys in the order of their code points, numbers as JavaScript writes
them, so that a replica in any language gets the same text from what it has stored.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from json import JSONEncoder

from sync.change import Json

BITS = 48
WHOLE = 1 << BITS
EXACT = 1 << 53
"""Whole numbers beyond it are not exact in JavaScript."""


@dataclass(frozen=True, kw_only=True)
class Sum:
    """Some documents: how many, and their values added up modulo 2^48."""

    count: int = 0
    sum: int = 0

    def plus(self, value: int) -> Sum:
        return Sum(count=self.count + 1, sum=(self.sum + value) % WHOLE)

    def without(self, value: int) -> Sum:
        return Sum(count=self.count - 1, sum=(self.sum - value) % WHOLE)

    def __add__(self, other: Sum) -> Sum:
        return Sum(count=self.count + other.count, sum=(self.sum + other.sum) % WHOLE)


def value_of(collection: str, document_id: str, version: int, body: Json) -> int:
    """The value of one document, from 0 to 2^48 - 1: the first six bytes of a SHA-256."""
    text = f"{collection}\n{document_id}\n{version}\n{canonical(body)}"
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[: BITS // 8], "big")


def bucket_of(document_id: str) -> str:
    """The last two digits of an id."""
    return document_id[-2:].lower()


def sums(values: Iterable[tuple[str, int]]) -> dict[str, Sum]:
    """Sums by key of (key, value) pairs."""
    found: dict[str, Sum] = {}
    for key, value in values:
        found[key] = found.get(key, Sum()).plus(value)
    return found


def different(mine: Mapping[str, object], theirs: Mapping[str, object]) -> list[str]:
    """Keys of which both sides do not have the same, in order."""
    return sorted(key for key in mine.keys() | theirs.keys() if mine.get(key) != theirs.get(key))


_ENCODE = JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def canonical(value: Json) -> str:
    """The one text of a JSON value that all languages agree on."""
    return _ENCODE(value) if _is_plain(value) else _canonical(value)


def _is_plain(value: Json) -> bool:
    """Whether Python's own encoder, which is faster, writes all its numbers as JavaScript does."""
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return True
    if kind is int:
        return bool(-EXACT < value < EXACT)
    if kind is float:
        return bool(1e-4 <= abs(value) < 1e15 and value != int(value))
    return all(map(_is_plain, value.values() if kind is dict else value))


def _canonical(value: Json) -> str:
    if isinstance(value, dict):
        return "{" + ",".join([f"{_ENCODE(key)}:{_canonical(value[key])}" for key in sorted(value)]) + "}"
    if isinstance(value, list):
        return "[" + ",".join([_canonical(each) for each in value]) + "]"
    if isinstance(value, float) or (isinstance(value, int) and not -EXACT < value < EXACT):
        return _number(float(value))
    return _ENCODE(value)


def _number(value: float) -> str:
    """A number as ECMAScript's Number::toString gives it; not a number and infinities are null, as in its JSON."""
    if not math.isfinite(value):
        return "null"
    if value == 0:
        return "0"
    digits, _, power = repr(abs(value)).partition("e")
    whole, _, part = digits.partition(".")
    part = "" if part == "0" else part
    point = len(whole) + int(power or 0)
    digits = (whole + part).lstrip("0")
    point -= len(whole + part) - len(digits)
    digits = digits.rstrip("0")
    sign = "-" if value < 0 else ""
    if len(digits) <= point <= 21:
        return sign + digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    shown = digits[0] + (f".{digits[1:]}" if len(digits) > 1 else "")
    return f"{sign}{shown}e{point - 1:+d}"
