"""Quick judgement of values: what is plainly right is taken as it is, and marshmallow judges all the rest.

The judges are made from the schemas' own fields and their validators, so that nothing is said twice. One answers with
the value in its wire form, which is what `EntitySchema.validated` would give, or with `DOUBT`; it never refuses.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, Final

from marshmallow import RAISE, Schema, ValidationError, fields, missing, validate

from schemas.entities.base import (
    Day,
    Email,
    EntitySchema,
    EntryList,
    Id,
    Instant,
    OpeningHours,
    Phone,
    Stored,
    StoredForm,
    Text,
    Truth,
    Zone,
    storable,
)

DOUBT: Final = object()
"""The answer to all that is not plainly right: wrong, or right in a rare form."""

LONGEST: Final = 100
"""A list of more elements is looked at slowly: a mutation of many values has a limit of its own."""

Judge = Callable[[Any], Any]

ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\d(?:\.\d{3})?Z", re.ASCII)
DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@functools.cache
def judges_of(schema: EntitySchema) -> dict[str, Judge]:
    """Field name -> the judge of values that somebody sends for it."""
    hooked = any(schema._hooks.values())
    return {name: _doubtful if hooked else judge_of(field) for name, field in schema.fields.items()}


def judge_of(field: fields.Field[Any]) -> Judge:
    """The judge of one field."""
    judge = None if field.dump_only else _judge_of_kind(field)
    if judge is None:
        return _doubtful
    validators = [check for check in (_check(one) for one in field.validators) if check is not None]
    allow_none = field.allow_none

    def judged(value: Any) -> Any:
        if value is None:
            return None if allow_none else DOUBT
        found = judge(value)
        if found is DOUBT:
            return DOUBT
        for check in validators:
            if not check(value):
                return DOUBT
        return found

    return judged


def plain_text(value: Any) -> Any:
    """Text that any database stores."""
    return value if type(value) is str and "\x00" not in value and (value.isascii() or _encodes(value)) else DOUBT


def plain_id(value: Any) -> Any:
    """An id in its one form."""
    return value if type(value) is str and ID.fullmatch(value) else DOUBT


def plain_instant(value: Any) -> Any:
    """A moment in UTC, to the second or the millisecond."""
    if type(value) is not str or not INSTANT.fullmatch(value) or not "1970" <= value[:4] <= "9998":
        return DOUBT
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return DOUBT
    return value if len(value) == 24 else f"{value[:19]}.000Z"


def _judge_of_kind(field: fields.Field[Any]) -> Judge | None:
    kind = type(field)
    simple: dict[type, Judge] = {
        **dict.fromkeys((Text, Zone, Phone, Email, OpeningHours), plain_text),
        fields.String: plain_text,
        Id: plain_id,
        fields.UUID: plain_id,
        Instant: plain_instant,
        Day: _plain_day,
        fields.Float: _plain_float,
        Truth: lambda value: value if value is True or value is False else DOUBT,
        fields.Raw: _plain_scalar,
    }
    if kind in simple:
        return simple[kind]
    if isinstance(field, fields.Integer) and kind is fields.Integer and field.strict:
        return lambda value: value if type(value) is int else DOUBT
    if isinstance(field, EntryList):
        return _list_of(_form(type(field.entry)))
    if isinstance(field, fields.List) and kind in (fields.List, Stored):
        return _list_of(judge_of(field.inner))
    if isinstance(field, StoredForm):
        return _form(type(field.schema))
    return None


def _list_of(judge: Judge) -> Judge:
    def judged(value: Any) -> Any:
        if type(value) is not list or len(value) > LONGEST:
            return DOUBT
        found = [judge(each) for each in value]
        return DOUBT if any(each is DOUBT for each in found) else found

    return judged


def _form(kind: type[Schema]) -> Judge:
    """The judge of an object that is loaded and dumped by a schema, an entry or a signature."""
    schema = kind()
    if schema.unknown != RAISE or any(schema._hooks.values()) or _is_hooked(schema):
        return _doubtful
    judges = [(name, judge_of(field)) for name, field in schema.fields.items() if not field.dump_only]
    known = frozenset(name for name, _ in judges)
    required = frozenset(name for name, field in schema.load_fields.items() if field.required)

    def judged(value: Any) -> Any:
        if type(value) is not dict or not required <= value.keys() <= known:
            return DOUBT
        found = {}
        for name, judge in judges:
            if name in value:
                found[name] = judged_value = judge(value[name])
                if judged_value is DOUBT:
                    return DOUBT
        return found

    return judged


def _is_hooked(schema: Schema) -> bool:
    """Whether a field of the schema is not what it is called, or stands for itself when it is absent."""
    return any(
        field.data_key is not None or field.attribute is not None or field.load_default is not missing
        for field in schema.fields.values()
    )


def _check(validator: Callable[[Any], Any]) -> Callable[[Any], bool] | None:
    """A validator as a question; None for one that the judge's kind has answered."""
    if validator is storable:
        return None
    if type(validator) is validate.Length:
        least = validator.equal or validator.min or 0
        most = validator.equal or validator.max or sys.maxsize
        return lambda value: least <= len(value) <= most
    if type(validator) is validate.OneOf:
        choices = frozenset(_hashable(validator.choices))
        return choices.__contains__
    if type(validator) is validate.Range and _is_inclusive(validator):
        least, most = validator.min, validator.max
        return lambda value: (least is None or _measured(value) >= least) and (most is None or _measured(value) <= most)

    def asked(value: Any) -> bool:
        try:
            return validator(value) is not False
        except ValidationError:
            return False

    return asked


def _is_inclusive(validator: validate.Range) -> bool:
    return validator.min_inclusive and validator.max_inclusive


def _measured(value: Any) -> Any:
    """What a range measures: a day is compared as a day."""
    return date.fromisoformat(value) if type(value) is str else value


def _hashable(choices: Any) -> Sequence[Any]:
    return [choice for choice in choices if isinstance(choice, str | int | float | bool)]


def _plain_day(value: Any) -> Any:
    if type(value) is not str or not DAY.fullmatch(value):
        return DOUBT
    try:
        date.fromisoformat(value)
    except ValueError:
        return DOUBT
    return value


def _plain_float(value: Any) -> Any:
    return value if type(value) is float and value - value == 0 else DOUBT


def _plain_scalar(value: Any) -> Any:
    if type(value) is str:
        return plain_text(value)
    return value if type(value) in (int, bool) else _plain_float(value)


def _encodes(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _doubtful(value: Any) -> Any:
    return DOUBT
