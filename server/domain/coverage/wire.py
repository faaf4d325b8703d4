"""The JSON form of requests and decisions, the same on the server and on a tablet.

Dates and instants are ISO text, decimals plain text, sets sorted lists; absent values are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from server.domain.reason import Reason

Value = TypeVar("Value")


def to_json(value: Any) -> Any:
    """A JSON document of a value of this core, the same for equal values."""
    if isinstance(value, Reason):
        return value.to_json()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, frozenset):
        return sorted(to_json(each) for each in value)
    if isinstance(value, tuple):
        return [to_json(each) for each in value]
    if is_dataclass(value):
        named = ((each.name, getattr(value, each.name)) for each in fields(value))
        return {name: to_json(held) for name, held in named if held is not None}
    return value


def from_json(kind: type[Value], document: Mapping[str, Any]) -> Value:
    """The value of class `kind` that `to_json` described. Raises ValueError if the document is not one."""
    try:
        read: Value = _read(kind, document)
    except (KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise ValueError(f"not a {kind.__name__}: {error!r}") from error
    return read


def _read(kind: Any, held: Any) -> Any:
    options = get_args(kind)
    if NoneType in options:
        return None if held is None else _read(next(each for each in options if each is not NoneType), held)
    if get_origin(kind) in (tuple, frozenset):
        return get_origin(kind)(_read(options[0], each) for each in held)
    if kind is Reason:
        return Reason.from_json(held)
    if is_dataclass(kind) and isinstance(kind, type):
        return _read_dataclass(kind, held)
    if kind in (date, datetime):
        return kind.fromisoformat(held)
    if kind is Decimal or issubclass(kind, StrEnum):
        return kind(held)
    if not isinstance(held, kind):
        raise TypeError(f"{held!r} is not {kind.__name__}")
    return held


def _read_dataclass(kind: type[Any], document: Mapping[str, Any]) -> Any:
    hints = get_type_hints(kind)
    arguments = {}
    for each in fields(kind):
        if each.name in document:
            arguments[each.name] = _read(hints[each.name], document[each.name])
        elif each.default is MISSING:
            arguments[each.name] = _read(hints[each.name], None)
    return kind(**arguments)
