"""A tablet of the fleet: its storage and its clock, the people who work on it, and the reference client."""

from __future__ import annotations

import marshal
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sync.change import Json
from sync.client import Replica, State, Transport
from sync.simulator.edits import Edit, Pen, make
from sync.simulator.moments import START, moment


class Flash:
    """A tablet's storage. What was written strictly is there after a power cut; an app that is killed loses nothing."""

    strict = True

    def __init__(self) -> None:
        self.cached: dict[str, bytes] = {}
        self.durable: dict[str, bytes] = {}

    def write(self, key: str, state: State) -> None:
        """Keep a replica whole; when this returns the person is told "saved"."""
        self.cached[key] = marshal.dumps(vars(state))
        if self.strict:
            self.durable[key] = self.cached[key]

    def read(self, key: str) -> dict[str, Json] | None:
        """What a replica wakes up with."""
        found = self.cached.get(key)
        return None if found is None else marshal.loads(found)

    def rest(self) -> None:
        """Nothing happens for a while: all that was written reaches the storage."""
        self.durable = dict(self.cached)

    def cut_power(self) -> None:
        """The battery is dead: what the storage had not got is gone."""
        self.cached = dict(self.durable)


class Died(BaseException):
    """The app was killed in the middle of this."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a fleet's tablets are made of; a test puts a broken one in its place."""

    replica: type[Replica] = Replica
    flash: type[Flash] = Flash
    make: Callable[[Pen, str], Edit | None] = make


@dataclass
class Seat:
    """One person on a tablet, with a replica and a queue of their own."""

    name: str
    person: str
    """The technician."""
    replica: Replica
    device_ids: set[str] = field(default_factory=set)
    """Every id that the server gave this seat; an enrolment after a restore gives another."""
    gone: str = ""
    """Why the server does not serve it any more: the code of the refusal, or empty."""


class Tablet:
    """Storage, clock and seats. `old` is an app that does not know newer fields; a `liar` is not ours at all."""

    def __init__(
        self,
        name: str,
        people: tuple[str, ...],
        wire: Callable[[str], Transport],
        *,
        parts: Parts,
        offset_s: float = 0.0,
        old: bool = False,
        liar: bool = False,
        start: datetime = START,
    ) -> None:
        self.name = name
        self.parts = parts
        self.flash = parts.flash()
        self.offset_s = offset_s
        self.old = old
        self.liar = liar
        self.start = start
        self.on = True
        self.wire = wire
        self.seats = [
            Seat(
                name=f"{name}.{n}" if len(people) > 1 else name,
                person=person,
                replica=parts.replica(wire(f"{name}.{n}" if len(people) > 1 else name)),
            )
            for n, person in enumerate(people)
        ]

    def clock(self, at: float) -> datetime:
        """What the tablet shows when it is really `at`."""
        return moment(at + self.offset_s, self.start)

    def save(self, seat: Seat) -> None:
        """Keep a seat's replica."""
        self.flash.write(seat.name, seat.replica.state)

    def die(self, *, power: bool) -> None:
        """The app is killed, or the battery is dead."""
        self.on = False
        if power:
            self.flash.cut_power()

    def wake(self) -> None:
        """Start again with what was kept."""
        self.on = True
        for seat in self.seats:
            saved = self.flash.read(seat.name)
            wire = self.wire(seat.name)
            seat.replica = self.parts.replica.load(wire, saved) if saved is not None else self.parts.replica(wire)
