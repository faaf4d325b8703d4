"""Whole documents turned into patches, for clients that send what they have instead of what they changed.

The base is the document as the client had it before the edit. A key that is absent from both was not known to the
client and is left alone; a number is the same with and without a fraction of zero, as JavaScript writes it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sync.change import Body, FieldRule, Json, canonical
from sync.merge import ENTRY_POLICIES, STAMPS

MISSING = object()


@dataclass(frozen=True, kw_only=True)
class Patch:
    """What a person changed in a document: the parts of a mutation (`sync.change.Mutation`)."""

    set: dict[str, Json] = field(default_factory=dict)
    add: dict[str, list[Json]] = field(default_factory=dict)
    remove: dict[str, list[Json]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.set or self.add or self.remove)

    @property
    def names(self) -> list[str]:
        """The fields that it touches."""
        return sorted({*self.set, *self.add, *self.remove})

    def only(self, names: Iterable[str]) -> Patch:
        """The same patch of these fields alone."""
        wanted = set(names)
        return Patch(
            set={name: value for name, value in self.set.items() if name in wanted},
            add={name: value for name, value in self.add.items() if name in wanted},
            remove={name: value for name, value in self.remove.items() if name in wanted},
        )


def patch(base: Body, new: Body, rules: Mapping[str, FieldRule], names: Iterable[str] | None = None) -> Patch:
    """The edit that leads from `base` to `new`, of the fields `names` or of all that either has.

    Entries of append lists are added one by one, and one that is gone or altered is named so that the merge can
    refuse it; sets are changed by elements. A field that `rules` does not know is set, for the server to judge.
    A key that only the base has was taken away by the person: it is set to null.
    """
    made = Patch()
    for name in sorted(base.keys() | new.keys() if names is None else set(names)):
        old, value = base.get(name), new.get(name)
        if alike(old, value):
            continue
        rule = rules.get(name)
        if (
            rule is not None
            and rule.policy in ENTRY_POLICIES
            and _entries(old) is not None
            and _entries(value) is not None
        ):
            _entry_changes(made, name, old or [], value or [])
        elif rule is not None and rule.policy == "union" and _is_list(old) and _is_list(value):
            _set_changes(made, name, old or [], value or [])
        else:
            made.set[name] = value
    return made


def first_state(new: Body, rules: Mapping[str, FieldRule]) -> Patch:
    """The edit that makes a document: all its values, entries without what only the server stamps on them."""
    made = Patch()
    for name, value in new.items():
        rule = rules.get(name)
        entries = _entries(value) if rule is not None and rule.policy in ENTRY_POLICIES else None
        made.set[name] = value if entries is None else [_unstamped(entry) for entry in entries]
    return made


def alike(a: Json, b: Json) -> bool:
    """Equality of JSON values as a client in JavaScript sees it: 2 and 2.0 are one number, true and 1 are not."""
    return canonical(_numbers(a)) == canonical(_numbers(b))


def same_document(a: Body, b: Body, names: Iterable[str]) -> bool:
    """Whether two documents say the same in these fields: absent is null, and the server's stamps do not count."""
    return all(alike(_plain(a.get(name)), _plain(b.get(name))) for name in names)


def row_id(device_id: str, document_id: str, *states: Json) -> str:
    """The id of an edit that has none of its own: of the device, the document and its states, so that the same edit
    sent again is the same mutation."""
    return str(uuid.uuid5(uuid.UUID(device_id), canonical([document_id, *states])))


def _entry_changes(made: Patch, name: str, old: list[Json], new: list[Json]) -> None:
    before = {entry["id"]: _unstamped(entry) for entry in old}
    after = {entry["id"]: _unstamped(entry) for entry in new}
    changed = [entry for key, entry in after.items() if not alike(entry, before.get(key))]
    gone = [entry for key, entry in before.items() if key not in after]
    if changed:
        made.add[name] = changed
    if gone:
        made.remove[name] = gone


def _set_changes(made: Patch, name: str, old: list[Json], new: list[Json]) -> None:
    before = {canonical(_numbers(item)): item for item in old}
    after = {canonical(_numbers(item)): item for item in new}
    if added := [item for key, item in after.items() if key not in before]:
        made.add[name] = added
    if removed := [item for key, item in before.items() if key not in after]:
        made.remove[name] = removed


def _entries(value: Json) -> list[Json] | None:
    if value is None:
        return []
    if isinstance(value, list) and all(isinstance(entry, dict) and isinstance(entry.get("id"), str) for entry in value):
        return value
    return None


def _is_list(value: Json) -> bool:
    return value is None or isinstance(value, list)


def _unstamped(entry: Json) -> Json:
    return {key: value for key, value in entry.items() if key not in STAMPS and value is not None}


def _plain(value: Json) -> Json:
    """A value for comparison: an empty list like none, entries without stamps."""
    if isinstance(value, list):
        return [_unstamped(item) if isinstance(item, dict) and "id" in item else item for item in value] or None
    return value


def _numbers(value: Json) -> Json:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _numbers(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_numbers(inner) for inner in value]
    return value
