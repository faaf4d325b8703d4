"""A fleet at work: runs a script against a server, writes the history, asks the checkers, and lets the faults end.

The tablets run the reference client; each saves after each step, so that it can be killed at any of them. When the
script is over the network heals, everybody who may still comes home, and the checkers look at what is left.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sync.change import Json
from sync.client import Transport
from sync.simulator.checkers.base import Checker, Violation
from sync.simulator.facts import Facts
from sync.simulator.field import Field
from sync.simulator.history import Event, History, Kind
from sync.simulator.moments import START, moment
from sync.simulator.network import Network
from sync.simulator.office import Office
from sync.simulator.script import Operation, Script
from sync.simulator.side import Act, Busy, Crashed, Outcome, Side
from sync.simulator.tablet import Parts, Seat, Tablet

HEALED_S = 60.0
"""When the faults have ended every outbox is empty after so long (I5)."""

BEAT_S = 5.0
"""A tablet with something to send tries again after so long."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a fleet did, and what was found."""

    script: Script
    history: History
    violations: tuple[Violation, ...]
    operations: int
    requests: int
    kills: int
    laws: frozenset[str] = field(default_factory=frozenset)
    """The laws and invariants that had something to judge."""


class Fleet:
    """One run of one script."""

    def __init__(
        self, script: Script, side: Side, checkers: Sequence[Checker] = (), *, parts: Parts | None = None
    ) -> None:
        self.script = script
        self.side = side
        self.checkers = list(checkers)
        self.parts = parts or Parts()
        self.start = getattr(side, "start_of_time", START)
        self.at = 0.0
        self.operation = -1
        self.kills = 0
        self.history = History()
        self.network = Network(self)
        self.office = Office(self)
        self.field = Field(self)
        self.steady = True
        """False while tablets act at the same time, so that what a tablet has cannot be compared with this moment."""
        self.exact_clock = bool(getattr(side, "exact_clock", True))
        """Whether the server's clock is the fleet's virtual one."""
        self.has_liar = any(plan.liar for plan in script.tablets)
        self.wrote: dict[str, str] = {}
        """Entry id -> the person who wrote it."""
        self.tokens: dict[str, str] = {}
        self.away: list[str] = []
        """Seats that have not come home when the faults had ended."""
        self.final: Facts | None = None
        people = side.company.technicians
        self.tablets = {
            plan.name: Tablet(
                plan.name,
                tuple(people[n % len(people)] for n in plan.people),
                self.wire,
                parts=self.parts,
                offset_s=plan.offset_s,
                old=plan.old,
                liar=plan.liar,
                start=self.start,
            )
            for plan in script.tablets
        }
        self.seats = {seat.name: (tablet, seat) for tablet in self.tablets.values() for seat in tablet.seats}
        self.hears: dict[str, list[Checker]] = {}
        for checker in self.checkers:
            for kind in checker.hears:
                self.hears.setdefault(kind, []).append(checker)

    # --- running ---

    def run(self) -> Report:
        """The whole script, the healing, the judgement."""
        self.begin()
        for operation in self.script.operations:
            self.do(operation)
        self.heal()
        return self.judge()

    def begin(self) -> None:
        """The day before: a few visits are given away, every tablet is enrolled and has read all."""
        for n in range(2 + len(self.tablets)):
            self.office.make_visit("planner", n, n)
        for tablet, seat in self.seats.values():
            self.field.enrol(tablet, seat)
            self.field.exchange(tablet, seat)

    def do(self, operation: Operation) -> None:
        """One operation; what a crash leaves undone stays undone."""
        self.operation = operation.i
        self.at = max(self.at, operation.at)
        self.network.is_up()
        self.network.deliver_late()
        tablet = self.tablets.get(operation.actor)
        if tablet is None:
            self.office.do(operation)
            return
        self.field.do(tablet, operation)

    def heal(self) -> None:
        """The faults end: within a minute of virtual time everybody has come home."""
        self.operation = -1
        self.network.clean = True
        self.network.is_up()
        self.office.finish()
        self.network.deliver_late()
        self.note("fleet", "quiet")
        for tablet in self.tablets.values():
            if not tablet.on:
                self.field.wake(tablet)
        until = self.at + HEALED_S
        newest = -1
        while self.at < until:
            self.away = [
                seat.name
                for tablet, seat in self.seats.values()
                if self.may_come(seat) and not self.field.exchange(tablet, seat)
            ]
            before, newest = newest, self.side.truth().newest
            if not self.away and newest == before:
                break
            self.at += BEAT_S

    def may_come(self, seat: Seat) -> bool:
        """Whether the office still wants to hear from this seat."""
        return seat.gone != "device-revoked"

    def judge(self) -> Report:
        """What the checkers found."""
        found: list[Violation] = []
        for checker in self.checkers:
            checker.end(self)
            found += checker.found
        return Report(
            script=self.script,
            history=self.history,
            violations=tuple(found),
            operations=len(self.script.operations),
            requests=self.network.requests,
            kills=self.kills + self.network.kills,
            laws=frozenset(checker.law for checker in self.checkers if checker.judged),
        )

    # --- the history ---

    def note(self, actor: str, kind: Kind, **what: Json) -> Event:
        """Write an event down and let the checkers that care hear of it at once."""
        event = self.history.add(self.at, actor, kind, self.operation, what)
        if kind == "edit":
            self._remember_writer(what)
        for checker in self.hears.get(kind, ()):
            checker.see(event, self)
        return event

    def _remember_writer(self, what: dict[str, Json]) -> None:
        for entries in what["mutation"]["add"].values():
            for entry in entries:
                if isinstance(entry, dict) and "id" in entry:
                    self.wrote[entry["id"]] = what["person"]

    def facts(self) -> Facts:
        """What the server holds at the end, read once for all checkers."""
        if self.final is None:
            self.final = self.side.facts()
        return self.final

    @property
    def restored(self) -> bool:
        """Whether the server went back to a backup."""
        return any(True for _ in self.history.of("restore"))

    @property
    def compacted(self) -> bool:
        """Whether tombstones were removed."""
        return any(event.what["name"] == "compact" and event.what["done"] for event in self.history.of("act"))

    def is_at_hand(self, seat: str, mutation_id: str) -> bool:
        """Whether a tablet still has a mutation that may not be at the office: unsent, or answered and in no backup.

        After a restore all of that is sent again; one that never comes home keeps it.
        """
        state = self.seats[seat][1].replica.state
        if any(one["id"] == mutation_id for one in state.outbox):
            return True
        entry = next((one for one in state.kept if one["mutation"]["id"] == mutation_id), None)
        return entry is not None and entry["epoch"] != self.side.truth().epoch

    def is_void(self, event: int) -> bool:
        """Whether an event is of a history that a restore has ended."""
        backup = -1
        for each in self.history.of("backup", "restore"):
            if each.kind == "backup":
                backup = each.i
            elif backup < event < each.i:
                return True
        return False

    def is_before_restore(self, when: datetime) -> bool:
        """Whether a moment is before the backup that the server went back to last."""
        kept = list(self.history.of("backup", "restore"))
        restores = [n for n, event in enumerate(kept) if event.kind == "restore"]
        if not restores:
            return False
        backups = [event.at for event in kept[: restores[-1]] if event.kind == "backup"]
        return when <= moment(backups[-1], self.start)

    def device_of(self, token: str) -> str:
        """The device with a token, as its tablet knows it; empty for none."""
        return self.tokens.get(token, "")

    def act(self, actor: str, name: str, crash: str | None = None, /, **what: Json) -> Outcome | None:
        """One act of the office or the operator; None when the server is down, goes down, or is busy."""
        if name not in self.side.can or not self.network.is_up():
            return None
        if crash is not None and not self.network.clean:
            how, _, step = crash.partition(":")
            self.side.crash_at(int(step), power=how == "power")
        try:
            outcome = self.side.act(self.at, Act(name=name, what=what))
        except Crashed:
            self.note(actor, "act", name=name, what=what, done=False, code="crashed", wrote={})
            self.network.went_down()
            return None
        except Busy:
            return None
        self.note(
            actor,
            "act",
            name=name,
            what=what,
            done=outcome.done,
            code=outcome.code,
            value=outcome.value,
            wrote=dict(outcome.wrote),
        )
        return outcome

    def wire(self, seat_name: str) -> Transport:
        """The transport of a seat: the network, and an old app's reader, which leaves out what it does not know."""

        def call(method: str, path: str, body: Json | None = None) -> tuple[int, Json]:
            tablet, seat = self.seats[seat_name]
            status, answer = self.network.call(seat_name, seat.replica.state.token, method, path, body)
            if tablet.old and status == 200 and "changes" in answer:
                answer = copy.deepcopy(answer)
                for change in answer["changes"]:
                    change.get("document", {}).pop("parking", None)
            return status, answer

        return call


def run(script: Script, side: Side, checkers: Sequence[Checker], *, parts: Parts | None = None) -> Report:
    """Run one script to its end."""
    return Fleet(script, side, checkers, parts=parts).run()
