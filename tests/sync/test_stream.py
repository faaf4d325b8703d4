"""The form of the stream. S-140."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sync.stream import HEARTBEAT, Event, encode, hello, read

ONE_LINE = st.text(st.characters(exclude_characters="\r\n\x00\x85\u2028\u2029\x0b\x0c\x1c\x1d\x1e", codec="utf-8"))
EVENTS = st.builds(Event, kind=st.sampled_from(["news", "end"]), id=st.text("abcXYZ019-_", min_size=1), data=ONE_LINE)


def lines(raw: bytes) -> list[str]:
    return raw.decode().split("\n")


@given(events=st.lists(EVENTS, max_size=5))
def test_what_is_written_is_read(events: list[Event]) -> None:
    raw = hello(5000) + HEARTBEAT.join(encode(event) for event in events)
    assert list(read(lines(raw))) == events


@given(events=st.lists(EVENTS, min_size=1, max_size=3), cut=st.integers(0, 400))
def test_a_stream_that_is_cut_gives_only_whole_events(events: list[Event], cut: int) -> None:
    raw = b"".join(encode(event) for event in events).decode()
    found = list(read(raw[:cut].split("\n")[:-1]))
    assert found == events[: len(found)]


def test_other_forms_that_readers_must_take() -> None:
    text = ":ping\r\nid:7\r\nevent:news\r\ndata: a\r\ndata:b\r\n\r\nretry: 1\r\ndata\r\n\r\nevent: lost"
    assert list(read(text.split("\n"))) == [
        Event(kind="news", id="7", data="a\nb"),
        Event(kind="message", id="7", data=""),
    ]
