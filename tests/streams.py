"""Readers of streams of news for tests: a socket, so that a test sees each byte and can vanish without a word."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Iterator
from types import TracebackType

from sync.stream import Event, read

PATIENCE_S = 60.0


class Reader:
    """One open stream over a real connection; `status` and, when it is no stream, `problem`."""

    def __init__(self, port: int, path: str, token: str, *, last_id: str = "", timeout_s: float = PATIENCE_S) -> None:
        self.wire = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        head = f"GET {path} HTTP/1.1\r\nHost: rounds\r\nAuthorization: Bearer {token}\r\n"
        head += f"Last-Event-ID: {last_id}\r\n" if last_id else ""
        self.wire.sendall((head + "\r\n").encode())
        self.file = self.wire.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.headers: dict[str, str] = {}
        while line := self.file.readline().strip():
            name, _, value = line.decode().partition(": ")
            self.headers[name.lower()] = value
        self.until = time.monotonic() + 2 * PATIENCE_S
        self.lines = self._lines()
        self.events: Iterator[Event] = read(self.lines)

    def problem(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.file.read(int(self.headers["content-length"])))
        return found

    def next(self) -> Event:
        """The next event; TimeoutError when none comes whatever beats, StopIteration at the end."""
        self.until = time.monotonic() + PATIENCE_S
        return next(self.events)

    def line(self) -> str:
        """The next line as it came."""
        return next(self.lines)

    def _lines(self) -> Iterator[str]:
        """Lines out of the chunks."""
        rest = b""
        while size := int(self.file.readline() or b"0", 16):
            if time.monotonic() > self.until:
                raise TimeoutError
            rest += self.file.read(size)
            self.file.readline()
            *whole, rest = rest.split(b"\n")
            for line in whole:
                yield line.decode()

    def close(self) -> None:
        self.file.close()
        self.wire.close()

    def reset(self) -> None:
        """Go with a reset instead of a farewell."""
        self.wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()
