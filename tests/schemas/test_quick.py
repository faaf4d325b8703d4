"""Quick judgement says what marshmallow says, or leaves it to marshmallow."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError, fields, post_load

from schemas.entities import COLLECTIONS
from schemas.json_limits import unstorable
from schemas.push import _read_mutation, quick_mutation
from schemas.quick import DOUBT, LONGEST, judge_of, judges_of, plain_instant

FIELDS = [
    (name, field)
    for name, schema in sorted(COLLECTIONS.items())
    for field, rule in schema.rules.items()
    if rule.owner != "server"
]

texts = st.sampled_from(
    [
        "", "x", "planned", "published", "done", "started", "2026-11-24", "2026-13-24", "2026-11-24T08:00:00Z",
        "2026-11-24T08:00:00.123Z", "2026-11-24T08:00:00+02:00", "2026-W01-1T00:00:00.000Z", "2026-11-24T24:00:00Z",
        "1969-12-31T23:59:59Z", "9999-01-01T00:00:00Z", "2026-11-31T00:00:00Z", "Europe/Andorra", "EUR", "home",
        "photo", "a" * 64, "x" * 201, "x" * 5000, "nul\x00", "half \ud800", "Ключ у сторожа", "\u0661" * 4,
        "٢٠٢٦-11-24", "0193b1a0-0000-7000-8000-000000000001", "0193B1A0-0000-7000-8000-000000000001",
        "0193b1a00000700080000000000000001", "critical", "reviewed", "1", "true", "en", "ru",
    ]
)  # fmt: skip
scalars = st.one_of(
    texts,
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.sampled_from([0, 1, 2, 3, 60, 1440, -90, 90.0, 180.5, 1e301, -0.0, 5.5]),
    st.floats(allow_nan=True),
)
entries = st.fixed_dictionaries(
    {"id": st.uuids().map(str), "at": st.sampled_from(["2026-11-24T08:00:00Z", "2026-11-24T08:00:00.000Z", "x"])},
    optional={
        "type": texts, "text": texts, "item": texts, "value": scalars, "note": texts, "lat": scalars, "kind": texts,
        "asset_id": texts, "meter": texts, "severity": texts, "by": texts, "sha256": texts, "size": scalars,
        "media_type": texts, "name": texts, "undoes": texts, "unknown": scalars,
        "strokes": st.lists(st.lists(st.lists(scalars, max_size=3), max_size=3), max_size=3),
    },
)  # fmt: skip
values = st.one_of(scalars, entries, st.lists(st.one_of(scalars, entries), max_size=4))


def said(collection: str, name: str, value: Any) -> Any:
    """What marshmallow makes of a value, DOUBT when it refuses it or no database can store it."""
    if unstorable({name: value}):
        return DOUBT
    try:
        return COLLECTIONS[collection].validated({name: value})[name]
    except ValidationError:
        return DOUBT


@pytest.mark.parametrize(("collection", "name"), FIELDS)
def test_what_is_plainly_right_is_what_marshmallow_makes_of_it(collection: str, name: str) -> None:
    judge = judges_of(COLLECTIONS[collection])[name]

    @settings(max_examples=30, deadline=None)
    @given(value=values)
    def same(value: Any) -> None:
        found = judge(value)
        if found is not DOUBT:
            expected = said(collection, name, value)
            assert found == expected
            assert repr(found) == repr(expected), "the order of keys and the kind of numbers too"

    same()


ONE = "0193b1a0-0000-7000-8000-000000000001"

EXAMPLES: list[tuple[str, str, Any]] = [
    ("visit", "title", "Seal"),
    ("visit", "site_id", ONE),
    ("visit", "asset_ids", [ONE]),
    ("visit", "window_start", "2026-11-24T08:00:00Z"),
    ("visit", "due_from", "2026-11-24"),
    ("visit", "priority", 2),
    ("visit", "locked", True),
    ("visit", "plan_state", "due"),
    ("visit", "skills", ["pumps"]),
    ("visit", "work_summary", None),
    ("visit", "events", [{"id": ONE, "at": "2026-11-24T08:00:00.000Z", "type": "started", "lat": 42.5}]),
    ("visit", "answers", [{"id": ONE, "at": "2026-11-24T08:00:00Z", "item": "a", "value": 4}]),
    ("visit", "notes", [{"id": ONE, "at": "2026-11-24T08:00:00Z", "text": "Ключ у сторожа"}]),
    ("site", "lat", 42.5),
    ("site", "tz", "Europe/Andorra"),
    ("site", "access_note", "Ring"),
]  # fmt: skip


@pytest.mark.parametrize(("collection", "name", "value"), EXAMPLES)
def test_what_tablets_send_every_day_is_judged_quickly(collection: str, name: str, value: Any) -> None:
    assert judges_of(COLLECTIONS[collection])[name](value) == said(collection, name, value) is not DOUBT


def test_a_long_list_is_looked_at_slowly() -> None:
    """For many values at once have a limit that only the slow way counts."""
    judge = judges_of(COLLECTIONS["site"])["tags"]
    assert judge(["x"] * 50) != DOUBT
    assert judge(["x"] * (LONGEST + 1)) is DOUBT


def test_a_form_that_does_something_of_its_own_is_marshmallows() -> None:
    class Hooked(Schema):
        text = fields.String()

        @post_load
        def change(self, data: Any, **kwargs: Any) -> Any:
            return data | {"text": "changed"}

    assert judge_of(fields.Nested(Hooked))({"text": "x"}) is DOUBT
    assert judge_of(fields.Decimal())("1") is DOUBT
    assert judge_of(fields.Integer())(1) is DOUBT
    assert judge_of(fields.String(dump_only=True))("x") is DOUBT


@pytest.mark.parametrize("text", ["2026-W01-1T00:00:00.000Z", "2026-02-30T00:00:00Z", "٢٠٢٦-01-01T00:00:00Z"])
def test_a_moment_in_another_form_is_no_plain_one(text: str) -> None:
    assert plain_instant(text) is DOUBT


MUTATION = {
    "id": ONE, "n": 1, "collection": "visit", "document_id": ONE, "op": "update",
    "base_version": 3, "set": {"title": "x"}, "add": {"notes": [{"id": ONE, "at": "2026-11-24T08:00:00Z",
    "text": "y"}]}, "remove": {"asset_ids": [ONE]}, "made_at": "2026-11-24T08:00:00.000Z", "group": None,
}  # fmt: skip
DEVICE = ONE


def test_a_plain_mutation_is_read_as_by_the_schemas() -> None:
    assert quick_mutation(MUTATION, DEVICE) == _read_mutation(MUTATION, DEVICE)


@settings(max_examples=300, deadline=None)
@given(name=st.sampled_from([*MUTATION, "unknown"]), value=values, gone=st.booleans())
def test_a_mutation_that_is_read_quickly_is_read_as_by_the_schemas(name: str, value: Any, gone: bool) -> None:
    changed = {key: old for key, old in MUTATION.items() if key != name} | ({} if gone else {name: value})
    quick = quick_mutation(changed, DEVICE)
    if quick is not None:
        assert unstorable(changed) is None
        assert quick == _read_mutation(changed, DEVICE)
