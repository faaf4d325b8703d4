"""Laws 1, 4 and 6: what a tablet has that has read to the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.change import same
from sync.simulator.checkers.base import Checker, brief
from sync.simulator.facts import members, scopes_of
from sync.simulator.history import Event

if TYPE_CHECKING:
    from sync.simulator.fleet import Fleet


class Convergence(Checker):
    """When edits stop and every device has synced, each replica equals the server's view, field by field."""

    law = "law 1"
    title = "convergence"

    def end(self, fleet: Fleet) -> None:
        truth = fleet.side.truth()
        for tablet, seat in fleet.seats.values():
            if seat.gone:
                continue
            self.judged += 1
            wanted = members(truth, fleet.side.entities, scopes_of(truth, seat.replica.state.device_id))
            held = seat.replica.state.documents
            for document_id in sorted(wanted.keys() - held.keys()):
                missing = wanted[document_id].collection
                self.report(f"{seat.name} has no {missing} {document_id[:8]}, which is in its scopes")
            for document_id in sorted(held.keys() - wanted.keys()):
                self.report(f"{seat.name} still has {held[document_id]['collection']} {document_id[:8]}")
            for document_id in sorted(held.keys() & wanted.keys()):
                mine, there = held[document_id]["document"], wanted[document_id].body
                if mine is there or mine == there:
                    continue
                for name, value in there.items():
                    if not same(mine.get(name), value) and not (tablet.old and name not in mine):
                        had = f"{seat.name} has {document_id[:8]}.{name} = {brief(mine.get(name))}"
                        self.report(f"{had}, the server {brief(value)}")


class NoGap(Checker):
    """A replica that has read to the end of the feed has missed nothing that committed before."""

    law = "law 4"
    title = "no gap"
    hears = frozenset({"page"})

    def see(self, event: Event, fleet: Fleet) -> None:
        if not event.what["whole"]:
            return
        self.judged += 1
        seat = fleet.seats[event.actor][1]
        truth = fleet.side.truth()
        held = seat.replica.state.documents
        for document in members(truth, fleet.side.entities, scopes_of(truth, seat.replica.state.device_id)).values():
            mine = held.get(document.id)
            if mine is None or mine["version"] < document.version:
                had = "nothing" if mine is None else f"version {mine['version']}"
                self.report(
                    f"{seat.name} has read to the end and has {had} of {document.collection} {document.id[:8]}, "
                    f"version {document.version}",
                    event,
                )


class Closure(Checker):
    """When `more` is false, what a document in the replica refers to is in the replica too, if it exists."""

    law = "law 6"
    title = "referential closure"
    hears = frozenset({"page"})

    def see(self, event: Event, fleet: Fleet) -> None:
        if not event.what["whole"]:
            return
        self.judged += 1
        seat = fleet.seats[event.actor][1]
        there = fleet.side.truth().documents
        held = seat.replica.state.documents
        for document_id, one in held.items():
            for reference in fleet.side.entities[one["collection"]].references(one["document"]):
                target = there.get(reference)
                if reference not in held and target is not None and not target.deleted:
                    self.report(
                        f"{seat.name} has {one['collection']} {document_id[:8]} without its {target.collection} "
                        f"{reference[:8]}",
                        event,
                    )
