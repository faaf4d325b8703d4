"""Law 8: no sequence of merges takes a visit through an illegal transition. Judged by a machine of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.change import Body, Json
from sync.simulator.checkers.base import Checker

if TYPE_CHECKING:
    from sync.simulator.fleet import Fleet

BEGUN = ("not_started", "accepted", "en_route", "on_site", "working", "paused")
OVER = ("done", "partly_done", "no_access", "refused")
JUDGED = ("reviewed", "closed", "returned")
"""What the office says of finished work; no tablet's undo reaches behind it."""

MAY_FOLLOW: dict[str, tuple[str, tuple[str, ...]]] = {
    "accepted": ("accepted", BEGUN[:1]),
    "en_route": ("en_route", BEGUN[:2]),
    "arrived": ("on_site", BEGUN[:3]),
    "started": ("working", BEGUN[:4]),
    "paused": ("paused", ("working",)),
    "resumed": ("working", ("paused",)),
    "done": ("done", ("working", "paused")),
    "partly_done": ("partly_done", ("working", "paused")),
    "no_access": ("no_access", BEGUN[:5]),
    "refused": ("refused", BEGUN),
    "reviewed": ("reviewed", OVER),
    "closed": ("closed", ("reviewed",)),
    "returned": ("accepted", (*OVER, "reviewed")),
}
"""Event -> where it leads, and from where it may: the rows of the state machine, written down a second time."""

PLAN: dict[str, str] = {
    "due": "planned published cancelled merged",
    "planned": "due published cancelled merged",
    "published": "withdrawn cancelled merged due",
    "withdrawn": "due planned published cancelled",
    "cancelled": "due planned published",
    "merged": "",
}


class LegalStates(Checker):
    """Each version of a visit stands where its events lead, and its plan moved as the office may move it."""

    law = "law 8"
    title = "legal states"

    def end(self, fleet: Fleet) -> None:
        facts = fleet.facts()
        for document_id, versions in facts.versions.items():
            if facts.truth.documents[document_id].collection != "visit":
                continue
            before: Body | None = None
            for line in versions:
                self._state(document_id, line.version, line.body)
                if before is not None:
                    self._plan(document_id, line.version, before, line.body)
                before = line.body
                self.judged += 1

    def _state(self, document_id: str, version: int, body: Body) -> None:
        events = sorted(body.get("events") or [], key=lambda one: (one.get("at_corrected") or one["at"], one["id"]))
        undone, illegal = self._undone(events)
        state = "not_started"
        for one in events:
            if one["type"] == "undo" or one["id"] in undone:
                continue
            leads_to, sources = MAY_FOLLOW[one["type"]]
            if state in sources:
                state = leads_to
            else:
                illegal = True
        if body["exec_state"] != state:
            there = f"version {version} of visit {document_id[:8]} is {body['exec_state']}"
            self.report(f"{there}, its events lead to {state}")
        if illegal != ("illegal_event" in (body.get("flags") or [])):
            self.report(f"version {version} of visit {document_id[:8]} does not flag its illegal events")

    def _undone(self, events: list[Json]) -> tuple[set[str], bool]:
        """The events that were taken back, and whether one was that may not be."""
        undone: set[str] = set()
        illegal = False
        for n, one in enumerate(events):
            if one["type"] != "undo":
                continue
            since = False
            for target in events[:n]:
                since = since or target["id"] == one.get("undoes")
                if since and target["type"] in JUDGED:
                    illegal = True
                    break
            else:
                undone.add(str(one.get("undoes")))
        return undone, illegal

    def _plan(self, document_id: str, version: int, before: Body, after: Body) -> None:
        old, new = before["plan_state"], after["plan_state"]
        if old != new and new not in PLAN[old].split():
            self.report(f"version {version} of visit {document_id[:8]} went from {old} to {new}")
