"""What a newer client sends and this server does not know yet: taken apart, so that the rest has its effect at once.

What is left over is kept aside as a patch of the same form (`Aside`), until a server comes that knows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from marshmallow import Schema

from schemas.entities import COLLECTIONS
from schemas.entities.base import EntitySchema, EntryList
from schemas.push import MutationSchema

Aside = dict[str, Any]
"""`whole`: the mutation as it came, for its collection or operation is not known. Else `envelope`: keys of the mutation
itself; `set`, `add`, `remove`: fields; `entries`: field -> entry id -> keys of that entry."""

OPERATIONS = ("create", "update", "delete")


def take_apart(raw: Any) -> tuple[Any, Aside]:
    """A mutation without what is not known here, and what that is: empty when all is known.

    With `whole` nothing of it can be taken yet. What is no mutation at all comes back as it is.
    """
    if not isinstance(raw, dict):
        return raw, {}
    collection, op = raw.get("collection"), raw.get("op")
    schema = COLLECTIONS.get(collection) if isinstance(collection, str) else None
    if isinstance(collection, str) and isinstance(op, str) and (schema is None or op not in OPERATIONS):
        return raw, {"whole": raw}
    if schema is None:
        return raw, {}
    known, aside = _parted(raw, MutationSchema().fields)
    left: Aside = {"envelope": aside} if aside else {}
    for part in ("set", "add", "remove"):
        if isinstance(raw.get(part), dict):
            known[part], unknown = _parted(raw[part], schema.fields)
            left |= {part: unknown} if unknown else {}
    if isinstance(known.get("add"), dict):
        known["add"], entries = _entries(known["add"], schema)
        left |= {"entries": entries} if entries else {}
    return known, left


def names(aside: Aside) -> list[str]:
    """The fields that were kept aside, as a result names them."""
    found = [name for part in ("set", "add", "remove") for name in aside.get(part, {})]
    found += [f"{name}.{key}" for name, key in sorted({(name, key) for name, _, key in each_key(aside)})]
    return sorted({*found, *aside.get("envelope", {})})


def each_key(aside: Aside) -> Iterator[tuple[str, str, str]]:
    """(field, entry id, key) of all keys of entries."""
    for name, entries in aside.get("entries", {}).items():
        for entry_id, keys in entries.items():
            for key in keys:
                yield name, entry_id, key


def entry_keys(schema: EntitySchema, name: str) -> frozenset[str]:
    """The keys that entries of a field may have here."""
    field = schema.fields.get(name)
    return frozenset(field.entry.fields) if isinstance(field, EntryList) else frozenset()


def says_nothing(known: Any) -> bool:
    """Whether nothing that is known is left of an update."""
    return (
        isinstance(known, dict)
        and known.get("op") == "update"
        and not any(known.get(part) for part in ("set", "add", "remove"))
    )


def _parted(values: dict[str, Any], fields: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    known = {name: value for name, value in values.items() if name in fields}
    return known, {name: value for name, value in values.items() if name not in fields}


def _entries(add: dict[str, Any], schema: EntitySchema) -> tuple[dict[str, Any], dict[str, Any]]:
    known: dict[str, Any] = {}
    left: dict[str, Any] = {}
    for name, entries in add.items():
        field = schema.fields[name]
        if not isinstance(field, EntryList) or not isinstance(entries, list):
            known[name] = entries
            continue
        known[name] = []
        for entry in entries:
            own, more = _entry(entry, field.entry)
            known[name].append(own)
            if more:
                left.setdefault(name, {})[entry["id"]] = more
    return known, left


def _entry(entry: Any, schema: Schema) -> tuple[Any, dict[str, Any]]:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
        return entry, {}
    return _parted(entry, schema.fields)
