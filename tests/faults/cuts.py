"""A request as bytes, sent through the proxy and cut at each of them; then sent whole."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable
from dataclasses import dataclass

from tests.faults.proxy import Fault, FaultProxy, How

PATIENCE_S = 20.0


@dataclass(frozen=True, kw_only=True)
class Request:
    """One HTTP request that closes its connection."""

    method: str
    path: str
    token: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def bytes(self) -> bytes:
        """As it goes over the wire."""
        given = {
            "Host": "rounds", "Authorization": f"Bearer {self.token}", "Connection": "close",
            "Content-Type": "application/json", "Content-Length": str(len(self.body)),
        } | dict(self.headers)  # fmt: skip
        head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        return f"{self.method} {self.path} HTTP/1.1\r\n{head}\r\n".encode() + self.body


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back, whole or not."""

    bytes: bytes

    @property
    def status(self) -> int:
        return int(self.bytes.split(b" ", 2)[1])

    @property
    def json(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.bytes.partition(b"\r\n\r\n")[2])
        return found


def exchange(port: int, request: Request, until: bytes | None = None) -> Answer:
    """Send a request and read until the other side ends the connection, however it does, or these words are there."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as wire:
        try:
            wire.sendall(request.bytes)
            while (until is None or until not in received) and (part := wire.recv(65536)):
                received += part
        except (ConnectionError, BrokenPipeError):
            pass
    return Answer(bytes=received)


def cut_sent(proxy: FaultProxy, request: Request, at: Iterable[int]) -> int:
    """Send the request once for each place, cut there; how often that was."""
    cuts = 0
    for place in at:
        proxy.next(Fault(cut_sent=place, how=_how(place)))
        answer = exchange(proxy.port, request)
        assert answer.bytes == b"" or answer.status >= 400, answer.bytes[:200]
        cuts += 1
    return cuts


def cut_answer(proxy: FaultProxy, request: Request, at: Iterable[int]) -> int:
    """Send the request once for each place, and have its answer cut there; how often that was."""
    cuts = 0
    for place in at:
        proxy.next(Fault(cut_answer=place, how=_how(place)))
        answer = exchange(proxy.port, request)
        assert len(answer.bytes) <= place
        cuts += 1
    return cuts


def _how(place: int) -> How:
    return "reset" if place % 2 else "close"
