"""Law 7: a replica goes forward, and shows a person what they wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.simulator.checkers.base import Checker
from sync.simulator.history import Event

if TYPE_CHECKING:
    from sync.simulator.fleet import Fleet
    from sync.simulator.tablet import Seat


class Monotonic(Checker):
    """A replica never goes back to an older version of a document within one history, and reads its own writes."""

    law = "law 7"
    title = "monotonic, reads its own writes"
    hears = frozenset({"page", "result", "edit", "saved", "begin-anew", "up", "restore", "forgot"})

    def __init__(self) -> None:
        super().__init__()
        self.versions: dict[str, dict[str, int]] = {}
        self.entries: dict[str, dict[str, tuple[str, str, str]]] = {}
        """Seat -> entry id -> document, field, mutation."""
        self.restored = False

    def see(self, event: Event, fleet: Fleet) -> None:
        if event.kind == "restore":
            self.restored = True
        elif event.kind == "edit":
            mutation = event.what["mutation"]
            if event.what["honest"] and mutation["op"] == "update":
                for name, entries in mutation["add"].items():
                    for entry in entries:
                        if isinstance(entry, dict):
                            found = (mutation["document_id"], name, mutation["id"])
                            self.entries.setdefault(event.actor, {})[entry["id"]] = found
        elif event.kind == "forgot":
            self._forget(event.actor, set(event.what["ids"]))
        elif event.kind == "begin-anew":
            self.versions.pop(event.actor, None)
        elif event.kind == "up":
            for tablet, seat in fleet.seats.values():
                if tablet.name == event.actor:
                    self.versions.pop(seat.name, None)
                    kept = {one["id"] for one in seat.replica.state.outbox} | set(seat.replica.state.results)
                    lost = {found[2] for found in self.entries.get(seat.name, {}).values()} - kept
                    self._forget(seat.name, lost)
        else:
            seat = fleet.seats[event.actor][1]
            if event.kind == "result":
                self._forget(event.actor, {one["id"] for one in event.what["results"] if one["status"] == "rejected"})
            if event.kind == "page":
                self._versions(seat, event)
            self._own_writes(seat, event)

    def _forget(self, seat: str, mutation_ids: set[str]) -> None:
        held = self.entries.get(seat, {})
        self.entries[seat] = {entry: found for entry, found in held.items() if found[2] not in mutation_ids}

    def _versions(self, seat: Seat, event: Event) -> None:
        seen = self.versions.setdefault(seat.name, {})
        for document_id, one in seat.replica.state.documents.items():
            version = one["version"]
            if document_id in seat.replica.state.stale:
                continue
            if version < seen.get(document_id, 0):
                self.report(
                    f"{seat.name} went from version {seen[document_id]} of {document_id[:8]} back to {version}", event
                )
            seen[document_id] = version
        self.judged += 1

    def _own_writes(self, seat: Seat, event: Event) -> None:
        if self.restored:
            return
        wanted: dict[str, dict[str, set[str]]] = {}
        for entry, (document_id, name, _) in self.entries.get(seat.name, {}).items():
            if document_id in seat.replica.state.documents:
                wanted.setdefault(document_id, {}).setdefault(name, set()).add(entry)
        for document_id, fields in wanted.items():
            body = seat.replica.view(document_id) or {}
            for name, entries in fields.items():
                missing = entries - {entry["id"] for entry in body.get(name) or []}
                if missing:
                    self.report(
                        f"{seat.name} does not show the {name} that was written there, "
                        f"{min(missing)[:8]} on {document_id[:8]}",
                        event,
                    )
                self.judged += 1
