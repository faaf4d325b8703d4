"""The form of the stream of news: server-sent events, written and read alike by all sides (WHATWG HTML, 9.2).

An event of kind `news` says that there is something for the reader, never what: the reader pulls. Its id is a cursor
up to which there was news; a reader that comes back says which cursor it has *pulled* and is told of all after it. An
event of kind `end` says why the stream ends; a comment only shows that the line is alive.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

HEARTBEAT = b": \n\n"
"""A comment: nothing for the reader, but a broken line is noticed by who writes it."""

NEWS = "news"
END = "end"


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event as a reader gets it. `id` stays that of the last event that had one."""

    kind: str
    id: str = ""
    data: str = ""


def encode(event: Event) -> bytes:
    """An event on the wire. Kind, id and data must be of one line each."""
    parts = [f"event: {event.kind}", f"data: {event.data}"]
    if event.id:
        parts.insert(1, f"id: {event.id}")
    return ("\n".join(parts) + "\n\n").encode()


def hello(retry_ms: int) -> bytes:
    """The first bytes of a stream: when a reader may come back after it broke."""
    return f"retry: {retry_ms}\n\n".encode()


def read(lines: Iterable[str]) -> Iterator[Event]:
    """The events of a stream that is read line by line; what is cut off before its empty line is none."""
    kind, last_id = "", ""
    data: list[str] = []
    for line in lines:
        line = line.rstrip("\r\n")
        if not line:
            if data:
                yield Event(kind=kind or "message", id=last_id, data="\n".join(data))
            kind, data = "", []
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            kind = value
        elif name == "data":
            data.append(value)
        elif name == "id" and "\x00" not in value:
            last_id = value
