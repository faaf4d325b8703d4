"""Law 5, I8 and I14: who is sent what, who may write what, and what happens when that cannot be checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.change import Body, same
from sync.merge import ENTRY_POLICIES
from sync.simulator.checkers.base import Checker, brief
from sync.simulator.facts import members, scopes_of
from sync.simulator.history import Event

if TYPE_CHECKING:
    from sync.simulator.facts import Facts, Truth
    from sync.simulator.fleet import Fleet


class ScopeSafety(Checker):
    """A device is sent what is in its scopes at that moment, drops what left, and gets nothing once it is revoked."""

    law = "law 5"
    title = "scope safety"
    hears = frozenset({"serve", "page", "act", "send", "lost"})

    def __init__(self) -> None:
        super().__init__()
        self.revoked: set[str] = set()
        self.live: dict[int, set[str]] = {}
        """Request -> what was in the scopes of its tablet when it left; what comes late is not judged by that."""
        self.had: dict[tuple[str, str], Body] = {}

    def see(self, event: Event, fleet: Fleet) -> None:
        what = event.what
        if event.kind == "act":
            if what["name"] == "revoke" and what["done"]:
                self.revoked.add(what["what"]["device_id"])
        elif event.kind == "page":
            self._dropped(event, fleet)
        elif event.kind == "send":
            if "/push" in what["path"]:
                self.live[what["request"]] = self._live(fleet, fleet.seats[event.actor][1].replica.state.device_id)
        elif event.kind == "lost":
            if what["how"] == "late":
                self.live.pop(what["request"], None)
        elif what["status"] == 200:
            self.judged += 1
            if what["device"] in self.revoked:
                self.report(f"{event.actor} is revoked and was answered", event)
            if "/pull" in what["path"]:
                self._sent(event, fleet)
            elif "/push" in what["path"]:
                self._told(event, fleet)

    def _live(self, fleet: Fleet, device_id: str) -> set[str]:
        truth = fleet.side.truth()
        return set(members(truth, fleet.side.entities, scopes_of(truth, device_id)))

    def _sent(self, event: Event, fleet: Fleet) -> None:
        changes = [change for change in event.what["body"]["changes"] if change["op"] == "put"]
        if not changes or not fleet.steady:
            return
        device_id = event.what["device"]
        live = self._live(fleet, device_id)
        for change in changes:
            self.had[device_id, change["id"]] = change["document"]
            if change["id"] not in live:
                self.report(f"{event.actor} was sent {change['collection']} {change['id'][:8]} of others", event)

    def _told(self, event: Event, fleet: Fleet) -> None:
        """A clash over a document that had left tells nothing that others wrote since."""
        live = self.live.get(event.what["request"])
        if live is None or not fleet.steady:
            return
        sent = (event.what["sent"] or {}).get("mutations", [])
        documents = {one.get("id"): one.get("document_id") for one in sent if isinstance(one, dict)}
        for result in event.what["body"]["results"]:
            document_id = documents.get(result["id"])
            for conflict in result.get("conflicts", ()):
                if conflict["kind"] in ("late", "state") or document_id in live or result.get("repeated"):
                    continue
                theirs = conflict["theirs"]
                known = self.had.get((event.what["device"], str(document_id)), {}).get(conflict["field"])
                if theirs is not None and not same(theirs, known) and not same(theirs, conflict["base"]):
                    self.report(f"{event.actor} was told {conflict['field']} = {brief(theirs)} of others", event)

    def _dropped(self, event: Event, fleet: Fleet) -> None:
        if not event.what["whole"]:
            return
        seat = fleet.seats[event.actor][1]
        live = self._live(fleet, seat.replica.state.device_id)
        for document_id, one in seat.replica.state.documents.items():
            if document_id not in live:
                self.report(f"{seat.name} was not told to drop {one['collection']} {document_id[:8]}", event)


class WritesInScope(Checker):
    """A device changes what is, or was, in its scopes, only the fields that are written there, and under its name."""

    law = "I8"
    title = "no leak, no forgery"
    hears = frozenset({"serve", "act"})

    def __init__(self) -> None:
        super().__init__()
        self.ever: dict[str, set[str]] = {}
        """Scope -> what was ever in it; somebody's new tablet may go on where the old one was."""
        self.brought: set[str] = set()

    def see(self, event: Event, fleet: Fleet) -> None:
        if not fleet.has_liar:
            return
        truth = fleet.side.truth()
        if event.kind == "serve" and "/push" in event.what["path"] and event.what["status"] == 200:
            self._references(event, truth, fleet)
        for scope in {one.scope for held in truth.subscriptions.values() for one in held}:
            self.ever.setdefault(scope, set()).update(members(truth, fleet.side.entities, frozenset({scope})))

    def _had(self, device_id: str, truth: Truth) -> set[str]:
        held = truth.subscriptions.get(device_id, ())
        return {document_id for one in held for document_id in self.ever.get(one.scope, ())}

    def _references(self, event: Event, truth: Truth, fleet: Fleet) -> None:
        """Nothing comes in because a device refers to it."""
        had = self._had(event.what["device"], truth)
        accepted = {result["id"] for result in event.what["body"]["results"] if result["status"] != "rejected"}
        for one in event.what["sent"]["mutations"]:
            if one["id"] not in accepted or one["collection"] not in fleet.side.entities:
                continue
            document = truth.documents.get(one["document_id"])
            entity = fleet.side.entities[one["collection"]]
            there = entity.references(document.body) if document else frozenset()
            for reference in entity.references({**one["set"], **one["add"]}) & there - had - self.brought:
                self.brought.add(reference)
                self.report(f"{event.actor} brought {reference[:8]} in by referring to it", event)

    def end(self, fleet: Fleet) -> None:
        facts = fleet.facts()
        for event in fleet.history.of("serve"):
            answered = "/push" in event.what["path"] and event.what["status"] == 200
            if answered and fleet.has_liar and not fleet.is_void(event.i):
                self._results(event, facts)
        for document_id, versions in facts.versions.items():
            document = facts.truth.documents.get(document_id)
            if document is None:
                continue
            rules = fleet.side.entities[document.collection].rules
            for n, line in enumerate(versions):
                if line.device_id is None or n == 0:
                    continue
                self.judged += 1
                if fleet.has_liar and document_id not in self._had(line.device_id, facts.truth):
                    self.report(f"a device wrote version {line.version} of {document_id[:8]}, which it never had")
                for name in line.changed:
                    if name in rules and rules[name].owner == "office":
                        self.report(f"a device changed {name} of {document_id[:8]}, which is the office's")
            self._authors(document_id, document.body, rules, fleet)

    def _results(self, event: Event, facts: Facts) -> None:
        """A device hears what became of its own mutations."""
        for result in event.what["body"]["results"]:
            row = facts.journal.get(str(result["id"]))
            if row is not None and row.device_id != event.what["device"] and result["status"] != "rejected":
                self.report(f"{event.actor} was told what became of another's mutation {row.id[:8]}", event)

    def _authors(self, document_id: str, body: Body, rules: object, fleet: Fleet) -> None:
        for name, rule in fleet.side.entities["visit"].rules.items():
            if rule.policy not in ENTRY_POLICIES:
                continue
            for entry in body.get(name) or []:
                seat = next((one for _, one in fleet.seats.values() if entry.get("device_id") in one.device_ids), None)
                wrote = fleet.wrote.get(entry["id"])
                if seat is None or wrote is None:
                    continue
                self.judged += 1
                if entry.get("by") != wrote:
                    self.report(f"an entry of {name} on {document_id[:8]} is not by who wrote it")


class FailClosed(Checker):
    """While tokens cannot be checked nobody is let in."""

    law = "I14"
    title = "fail closed"
    hears = frozenset({"serve", "act"})

    def __init__(self) -> None:
        super().__init__()
        self.broken = False

    def see(self, event: Event, fleet: Fleet) -> None:
        if event.kind == "act":
            if event.what["name"] == "guard" and event.what["done"]:
                self.broken = event.what["what"]["broken"]
        elif self.broken and "/enrol" not in event.what["path"]:
            self.judged += 1
            if event.what["status"] < 500:
                self.report(f"{event.actor} was answered {event.what['status']} though nobody could be checked", event)
