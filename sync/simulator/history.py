"""What happened in a fleet, event by event: what the checkers judge, what is printed, what is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from sync.change import Json

Kind = Literal[
    "edit",  # a person made an edit; `mutation`, `seen`, `person`
    "saved",  # the tablet said "saved"; `ids`
    "send",  # a request leaves; `request`, `method`, `path`, `ids`
    "serve",  # the server answered, whether or not it arrives; `request`, `status`, `body`, `device`
    "answer",  # the answer arrived; `request`, `status`
    "lost",  # it did not; `request`, `how`
    "result",  # the replica took in the results of a push; `results`
    "page",  # the replica took in a page; `changes`, `more`
    "begin-anew",  # the replica starts a new baseline
    "enrol",  # the server made the seat a device; `device`
    "refused",  # the tablet was told that it is not served; `code`
    "forgot",  # the tablet lost a part of its storage; `ids`
    "down",  # a server or a tablet went down; `power`
    "up",  # it is there again
    "act",  # office, scheduler, planner or operator; `name`, `what`, `done`, `code`, `wrote`, `crashed`
    "backup",
    "restore",
    "clock",
    "quiet",  # the faults have ended
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One line of a history."""

    i: int
    at: float
    actor: str
    kind: Kind
    operation: int
    what: Mapping[str, Json]

    def __str__(self) -> str:
        told = " ".join(f"{name}={_short(value)}" for name, value in self.what.items())
        return f"{self.i:>4} {self.at:8.2f} s  {self.actor:<10} {self.kind:<10} {told}".rstrip()


class History:
    """The events of one fleet in the order in which they happened."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def add(self, at: float, actor: str, kind: Kind, operation: int, what: Mapping[str, Json]) -> Event:
        """Write an event down."""
        event = Event(i=len(self.events), at=at, actor=actor, kind=kind, operation=operation, what=what)
        self.events.append(event)
        return event

    def of(self, *kinds: Kind) -> Iterator[Event]:
        """The events of some kinds."""
        return (event for event in self.events if event.kind in kinds)


def _short(value: Json) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
