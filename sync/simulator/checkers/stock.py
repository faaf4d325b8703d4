"""Law 9: what was received is in warehouses, on vans, used or returned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.simulator.checkers.base import Checker, edits
from sync.simulator.world import RECEIVED

if TYPE_CHECKING:
    from sync.simulator.fleet import Fleet


class ConservedStock(Checker):
    """The stock that the server counts is what was received less what people say they used."""

    law = "law 9"
    title = "conserved stock"

    def end(self, fleet: Fleet) -> None:
        facts = fleet.facts()
        used: dict[str, int] = dict.fromkeys(fleet.side.company.parts, 0)
        counted_as_value: set[str] = set()
        for made in edits(fleet):
            row = facts.journal.get(made.id)
            if made.mutation["collection"] != "part" or row is None or row.status == "rejected":
                continue
            document_id = made.mutation["document_id"]
            for entry in made.mutation["add"].get("movements", []):
                used[document_id] += entry["quantity"]
            if "on_hand" in made.mutation["set"]:
                counted_as_value.add(document_id)
                used[document_id] += made.seen["on_hand"] - made.mutation["set"]["on_hand"]
        for part, quantity in used.items():
            body = facts.truth.documents[part].body
            moved = sum(entry["quantity"] for entry in body["movements"] if entry["to"] == "used")
            there = RECEIVED - moved if part not in counted_as_value else body["on_hand"]
            self.judged += quantity > 0
            if there != RECEIVED - quantity:
                self.report(f"of part {part[:8]} {RECEIVED} came and {quantity} were used, but {there} are on hand")
