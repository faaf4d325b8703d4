"""I5, I6 and I10: work goes on, for everybody, and screens are honest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.simulator.checkers.base import Checker, edits
from sync.simulator.history import Event

if TYPE_CHECKING:
    from sync.simulator.fleet import Fleet


class Progress(Checker):
    """A minute after the faults have ended every outbox is empty, and nobody had to do anything."""

    law = "I5"
    title = "progress"

    def end(self, fleet: Fleet) -> None:
        for _, seat in fleet.seats.values():
            if seat.gone:
                continue
            self.judged += 1
            waiting = len(seat.replica.state.outbox)
            if waiting:
                self.report(f"{seat.name} has {waiting} mutations that it does not get rid of")
            if seat.name in fleet.away:
                self.report(f"{seat.name} never comes to the end of its exchange")


class OthersGoOn(Checker):
    """An honest mutation is not rejected because of what others sent, or because of what else is in its queue."""

    law = "I6"
    title = "others go on"

    def end(self, fleet: Fleet) -> None:
        facts = fleet.facts()
        forked = {event.actor for event in fleet.history.of("forgot")}
        for one in edits(fleet):
            row = facts.journal.get(one.id)
            if not one.honest or row is None:
                continue
            self.judged += 1
            if row.status != "rejected":
                continue
            code = str((row.result.get("problem") or {}).get("code"))
            document = facts.truth.documents.get(one.mutation["document_id"])
            if code in ("not-found", "unknown-reference", "id-taken", "group-rejected"):
                gone = document is None or document.deleted
                if gone or fleet.restored or fleet.compacted:
                    continue
            if code in ("number-taken", "group-rejected") and one.seat in forked:
                continue
            what = f"{one.seat} made an honest edit of {one.mutation['collection']}"
            self.report(f"{what}, and it was refused: {code}", one.event)


class HonestScreen(Checker):
    """A tablet shows "sent" for what the server answered, and for nothing else."""

    law = "I10"
    title = "honest screen"
    hears = frozenset({"saved", "result", "lost", "page", "forgot"})

    def __init__(self) -> None:
        super().__init__()
        self.saved: dict[str, set[str]] = {}
        self.answered: dict[str, set[str]] = {}

    def see(self, event: Event, fleet: Fleet) -> None:
        seat = event.actor
        if event.kind == "saved":
            self.saved.setdefault(seat, set()).update(event.what["ids"])
        elif event.kind == "forgot":
            self.saved.get(seat, set()).difference_update(event.what["ids"])
        elif event.kind == "result":
            self.answered.setdefault(seat, set()).update(str(result["id"]) for result in event.what["results"])
        waiting = {mutation["id"] for mutation in fleet.seats[seat][1].replica.state.outbox}
        shown_as_sent = self.saved.get(seat, set()) - waiting
        wrong = shown_as_sent - self.answered.get(seat, set())
        self.judged += len(shown_as_sent)
        if wrong:
            self.report(f"{seat} shows {min(wrong)[:8]} as sent, and the server has not answered", event)
            self.saved[seat] -= wrong
