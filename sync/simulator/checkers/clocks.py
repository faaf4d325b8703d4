"""I11: no wrong clock loses, hides or wrongly wins an edit."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sync.change import Json
from sync.clock import FUTURE_BOUND
from sync.simulator.checkers.base import Checker, Made, edits
from sync.simulator.moments import moment

if TYPE_CHECKING:
    from sync.simulator.facts import Conflict, Facts
    from sync.simulator.fleet import Fleet

CLOSE = timedelta(seconds=2)
"""A steady clock is corrected at least so well: legs of the way differ by less."""


class ClockFree(Checker):
    """Corrected times are right for a clock that did not jump, and never in the future for one that did."""

    law = "I11"
    title = "clock-free"

    def end(self, fleet: Fleet) -> None:
        facts = fleet.facts()
        made = {one.id: one for one in edits(fleet)}
        jumps = {event.actor: [] for event in fleet.history.of("clock")}  # type: dict[str, list[float]]
        for event in fleet.history.of("clock"):
            jumps[event.actor].append(event.at)
        late = {event.what["request"] for event in fleet.history.of("lost") if event.what["how"] == "late"}
        delayed = {
            mutation_id
            for event in fleet.history.of("send")
            if event.what["request"] in late
            for mutation_id in event.what["ids"]
        }
        self.received = {row.id: row.received_at for row in facts.journal.values()}
        for one in made.values():
            row = facts.journal.get(one.id)
            if row is None or row.status == "rejected" or one.mutation["collection"] not in fleet.side.entities:
                continue
            tablet = fleet.seats[one.seat][0]
            begin, received = one.event.at, row.received_at
            jumped = any(begin <= at and moment(at, fleet.start) <= received for at in jumps.get(tablet.name, ()))
            steady = one.honest and not jumped and one.id not in delayed and fleet.exact_clock
            self._entries(one, facts, received, moment(begin, fleet.start) if steady else None)
        if fleet.exact_clock:
            self._latest(facts, made, set(jumps), delayed, fleet)

    def _entries(self, one: Made, facts: Facts, received: datetime, true: datetime | None) -> None:
        document = facts.truth.documents.get(one.mutation["document_id"])
        for name, entries in one.mutation["add"].items():
            mine = {entry["id"] for entry in entries if isinstance(entry, dict)}
            there: list[Json] = (document.body.get(name) if document else None) or []
            for entry in there:
                if not isinstance(entry, dict) or entry["id"] not in mine or "at_corrected" not in entry:
                    continue
                at = datetime.fromisoformat(entry["at_corrected"])
                self.judged += 1
                if at > received + FUTURE_BOUND:
                    self.report(f"an entry of {name} is of {at:%F %T}, but was received at {received:%F %T}")
                if true is not None and abs(at - true) > CLOSE:
                    self.report(f"an entry of {name} is of {at:%F %T}, but was made at {true:%F %T} by a steady clock")

    def _latest(self, facts: Facts, made: dict[str, Made], jumped: set[str], delayed: set[str], fleet: Fleet) -> None:
        """Where the later time decides, the later one by true time stands, if both clocks were steady."""
        by_value: dict[Json, Made] = {}
        for one in made.values():
            by_value |= {value: one for value in one.mutation["set"].values() if isinstance(value, str)}
        for conflict in facts.conflicts:
            mine = made.get(conflict.mutation_id or "")
            theirs = by_value.get(conflict.theirs) if isinstance(conflict.theirs, str) else None
            if conflict.code != "latest" or mine is None or theirs is None or theirs.seat == mine.seat:
                continue
            tablets = {fleet.seats[one.seat][0].name for one in (mine, theirs)}
            if tablets & jumped or {mine.id, theirs.id} & delayed:
                continue
            self.judged += 1
            self._later(conflict, mine, theirs)

    def _later(self, conflict: Conflict, mine: Made, theirs: Made) -> None:
        if abs(mine.event.at - theirs.event.at) <= CLOSE.total_seconds():
            return
        wins = "mine" if mine.event.at > theirs.event.at else "theirs"
        if conflict.chosen != wins:
            self.report(
                f"{conflict.field}: the edit of {mine.event.at:.0f} s and the one of {theirs.event.at:.0f} s met, "
                f"and {conflict.chosen} stands"
            )
