"""Law 10 and I13: nothing grows without end, and who was away too long is told so."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from sync.feed import decode
from sync.simulator.checkers.base import Checker
from sync.simulator.history import Event

if TYPE_CHECKING:
    from sync.simulator.fleet import Fleet

MOST_GAPS = 1000
"""So many missing numbers are named at once (S-21)."""


class BoundedFeed(Checker):
    """The feed holds live documents and retained tombstones; a cursor from before them is told to begin anew."""

    law = "law 10"
    title = "bounded"
    hears = frozenset({"act", "serve", "restore"})

    def __init__(self) -> None:
        super().__init__()
        self.floor = 0
        self.begun: dict[str, int] = {}
        """Device -> the newest number when it last read without a cursor."""

    def see(self, event: Event, fleet: Fleet) -> None:
        what = event.what
        if event.kind == "restore":
            self.floor = 0
        elif event.kind == "act":
            if what["name"] == "compact" and what["done"]:
                self.floor = int(what["value"])
                self._compacted(event, fleet)
        elif "/pull" in what["path"] and what["status"] == 200:
            cursor = parse_qs(urlsplit(what["path"]).query).get("cursor")
            read = decode(cursor[0]) if cursor else None
            if read is None:
                self.begun[what["device"]] = fleet.side.truth().newest
            at = max(read.seq if read else 0, self.begun.get(what["device"], 0))
            if at < self.floor:
                self.report(f"a cursor at {at} was read on, tombstones are kept from {self.floor}", event)
            self.judged += bool(cursor and self.floor)

    def _compacted(self, event: Event, fleet: Fleet) -> None:
        facts = fleet.side.facts()
        revoked = {one.scope for held in facts.truth.subscriptions.values() for one in held if one.granted > self.floor}
        old = [row for row in facts.feed if not row.live and row.seq <= self.floor and row.scope not in revoked]
        if old:
            self.report(f"{len(old)} tombstones from before {self.floor} are still there", event)
        self.judged += 1

    def end(self, fleet: Fleet) -> None:
        facts = fleet.facts()
        pairs = {(row.scope, row.document_id) for row in facts.feed}
        self.judged += 1
        if len(pairs) != len(facts.feed):
            self.report(f"the feed has {len(facts.feed)} rows for {len(pairs)} pairs of scope and document")


class BoundedNumbers(Checker):
    """An answer is no longer than was asked for, and a wild number does not make it so."""

    law = "I13"
    title = "bounded answers"
    hears = frozenset({"serve"})

    def see(self, event: Event, fleet: Fleet) -> None:
        what = event.what
        if what["status"] != 200:
            return
        self.judged += 1
        if "/pull" in what["path"]:
            limit = parse_qs(urlsplit(what["path"]).query).get("limit")
            if limit and len(what["body"]["changes"]) > int(limit[0]):
                self.report(f"a page of {len(what['body']['changes'])} where {limit[0]} were asked for", event)
        elif len(what["body"].get("gaps", ())) > MOST_GAPS:
            self.report(f"{len(what['body']['gaps'])} gaps are named", event)
