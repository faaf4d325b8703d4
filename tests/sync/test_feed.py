from __future__ import annotations

import base64
import contextlib
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.feed import BadCursor, Cursor, decode, merge_ordered

CURSORS = st.builds(
    Cursor,
    seq=st.integers(0, 10**18 - 1),
    document_id=st.just("") | st.uuids().map(str),
    epoch=st.text("0123456789abcdef", max_size=16),
    since=st.integers(0, 10**18 - 1),
)


@given(cursor=CURSORS)
def test_a_cursor_comes_back_as_it_was(cursor: Cursor) -> None:
    assert decode(cursor.encode()) == cursor


@given(text=st.text(max_size=60) | st.binary(max_size=40).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_garbage_is_no_cursor(text: str) -> None:
    with pytest.raises(BadCursor):
        decode(text)


@given(cursor=CURSORS, at=st.integers(0, 200), char=st.sampled_from("AQgw_-=0"))
def test_a_damaged_cursor_is_refused_or_is_another_whole_one(cursor: Cursor, at: int, char: str) -> None:
    text = cursor.encode()
    at %= len(text)
    damaged = text[:at] + char + text[at + 1 :]
    with contextlib.suppress(BadCursor):
        assert decode(damaged).encode() == damaged


OTHER_FORMS = [
    "1.e.5.zzz",
    "1.e.-1.",
    "1.e.05.",
    "2.e.5.",
    "1.e.5..7",
    "2.e.5..x",
    "3.e.5..7.7",
    "1.e.5",
    "1.e.9999999999999999999.",
    "1.e.٥.",
]


@pytest.mark.parametrize("plain", [*OTHER_FORMS, f"1.e.5.{uuid.UUID(int=7).hex}"])
def test_a_cursor_of_another_form_is_refused(plain: str) -> None:
    with pytest.raises(BadCursor):
        decode(base64.urlsafe_b64encode(plain.encode()).rstrip(b"=").decode())


KEYS = st.tuples(st.integers(0, 5), st.sampled_from("abc"))


@given(streams=st.lists(st.lists(KEYS, unique=True).map(sorted), max_size=3), limit=st.integers(1, 8))
def test_pages_of_any_size_put_together_are_all_keys_in_order(streams: list[list[tuple[int, str]]], limit: int) -> None:
    every = sorted({key for stream in streams for key in stream})
    read: list[tuple[int, str]] = []
    more = True
    while more:
        rest = [[key for key in stream if not read or key > read[-1]][: limit + 1] for stream in streams]
        page, more = merge_ordered(rest, limit)
        read += page
    assert read == every
