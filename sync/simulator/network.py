"""Between a tablet and the server: requests that are lost, doubled, late, cut, and servers that die meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sync.change import Json
from sync.client import Offline
from sync.simulator.side import Crashed

if TYPE_CHECKING:
    from sync.simulator.fleet import Fleet

LEG_S = 0.04
"""A request, or an answer, is so long on its way."""

DOWN_S = 3.0
"""A server that died is there again after so long."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A request that everybody has given up, and that arrives all the same."""

    due: float
    seat: str
    token: str
    method: str
    path: str
    body: Json | None
    request: int


class Network:
    """The requests of a fleet. The outcomes of an operation's requests are in the operation itself."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.waiting: list[Waiting] = []
        self.outcomes: dict[str, list[str]] = {}
        self.up_at: float | None = None
        self.requests = 0
        self.kills = 0
        self.clean = False
        """With a clean network nothing happens to requests."""

    def plan(self, seat: str, outcomes: list[str]) -> None:
        """What will happen to the next requests of a seat."""
        self.outcomes[seat] = list(outcomes)

    def call(self, seat: str, token: str, method: str, path: str, body: Json | None) -> tuple[int, Json]:
        """One request of a seat; raises Offline when no whole answer comes."""
        fleet = self.fleet
        planned = self.outcomes.get(seat)
        fault = planned.pop(0) if planned and not self.clean else "ok"
        name, _, number = fault.partition(":")
        self.requests += 1
        request = self.requests
        fleet.note(seat, "send", request=request, method=method, path=path, ids=_ids(body))
        fleet.at += LEG_S
        self.deliver_late()
        if name == "offline":
            return self._lose(seat, request, "request")
        if name == "late":
            due = fleet.at + float(number)
            self.waiting.append(
                Waiting(due=due, seat=seat, token=token, method=method, path=path, body=body, request=request)
            )
            return self._lose(seat, request, "late")
        if name in ("kill", "power"):
            fleet.side.crash_at(int(number), power=name == "power")
        answer = self.serve(seat, token, method, path, body, request)
        if answer is None:
            return self._lose(seat, request, "server down")
        if name == "twice":
            self.serve(seat, token, method, path, body, request)
        if name == "overlap" and method == "GET":
            fleet.field.other_window(seat)
        fleet.at += LEG_S
        if name in ("no-reply", "cut"):
            return self._lose(seat, request, "answer" if name == "no-reply" else "cut")
        fleet.note(seat, "answer", request=request, status=answer[0])
        return answer

    def serve(
        self, seat: str, token: str, method: str, path: str, body: Json | None, request: int
    ) -> tuple[int, Json] | None:
        """The server's answer, None when it is down or goes down."""
        fleet = self.fleet
        if not self.is_up():
            return None
        try:
            status, answer = fleet.side.request(fleet.at, token, method, path, body)
        except Crashed:
            self.went_down()
            return None
        device = fleet.device_of(token)
        fleet.note(seat, "serve", request=request, status=status, path=path, body=answer, sent=body, device=device)
        return status, answer

    def deliver_late(self) -> None:
        """What was given up long ago arrives now; nobody hears the answer."""
        due = [one for one in self.waiting if one.due <= self.fleet.at or self.clean]
        for one in due:
            self.waiting.remove(one)
        for one in due:
            self.serve(one.seat, one.token, one.method, one.path, one.body, one.request)

    def is_up(self) -> bool:
        """Whether the server is there; one that has been down long enough comes up."""
        if self.up_at is None:
            return True
        if self.fleet.at < self.up_at and not self.clean:
            return False
        self.up_at = None
        self.fleet.side.start()
        self.fleet.note("server", "up")
        return True

    def went_down(self, *, power: bool = False) -> None:
        """The server is down for a while."""
        self.kills += 1
        self.up_at = self.fleet.at + DOWN_S
        self.fleet.note("server", "down", power=power)

    def _lose(self, seat: str, request: int, how: str) -> tuple[int, Json]:
        self.fleet.note(seat, "lost", request=request, how=how)
        raise Offline


def _ids(body: Json | None) -> list[str]:
    sent = body.get("mutations", []) if isinstance(body, Mapping) else []
    return [str(one.get("id")) for one in sent if isinstance(one, Mapping)]
