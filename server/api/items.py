"""Entities as the office API shows them: as they are on the wire, with the version that is in force."""

from __future__ import annotations

import functools
from typing import Any

from marshmallow import EXCLUDE, Schema, fields

from schemas.entities import COLLECTIONS
from schemas.entities.base import Id


@functools.cache
def shown(collection: str) -> type[Schema]:
    """The schema of a collection's items in answers: all fields, null where one has no value, and `version`."""
    written = type(COLLECTIONS[collection])
    name = written.__name__.removesuffix("Schema")

    class Shown(written):  # type: ignore[misc, valid-type]
        class Meta:
            unknown = EXCLUDE

        version = fields.Integer(required=True, metadata={"description": "For `If-Match`."})

        def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
            field_obj.allow_none = field_obj.allow_none or not field_obj.required
            field_obj.required = field_name in ("id", "version")

    if collection == "visit":
        Shown = _with_coverage(Shown)  # type: ignore[misc, assignment]
    Shown.__name__ = f"{name}Item"
    Shown.__doc__ = written.__doc__
    return Shown


def _with_coverage(visit: type[Schema]) -> type[Schema]:
    decided = fields.Dict(allow_none=True, metadata={"description": "What `coverage_id` names, with all its rules."})
    return type("Shown", (visit,), {"coverage": decided, "customer_id": Id()})


@functools.cache
def writable(collection: str, *, partial: bool = True) -> Schema:
    """The schema of what the office may send: fields of the server and of the site are not in it."""
    schema = COLLECTIONS[collection]
    theirs = [name for name, rule in schema.rules.items() if rule.owner in ("server", "field")]
    written: Schema = type(schema)(partial=partial, exclude=["id", *theirs])
    return written
