"""I1, I3 and I9: what was acknowledged is there, whole, and no history answers for another."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from sync.change import same
from sync.feed import decode
from sync.scope import SELF
from sync.simulator.checkers.base import Checker, brief
from sync.simulator.facts import Facts, members
from sync.simulator.history import Event

if TYPE_CHECKING:
    from sync.simulator.fleet import Fleet


class AcknowledgedIsDurable(Checker):
    """What was answered is there at the end, whatever went down in between."""

    law = "I1"
    title = "acknowledged is durable"

    def end(self, fleet: Fleet) -> None:
        facts = fleet.facts()
        forgotten = {mutation_id for event in fleet.history.of("forgot") for mutation_id in event.what["ids"]}
        for event in fleet.history.of("result"):
            for result in event.what["results"]:
                self.judged += 1
                keeps = not fleet.seats[event.actor][0].liar and str(result["id"]) not in forgotten
                if fleet.is_void(event.i) and not keeps:
                    continue
                if str(result["id"]) not in facts.journal and not fleet.is_at_hand(event.actor, str(result["id"])):
                    told = f"mutation {str(result['id'])[:8]} was answered {result['status']}"
                    self.report(f"{told}, and is not there", event)
        for event in fleet.history.of("act"):
            if not event.what["done"] or fleet.is_void(event.i):
                continue
            for document_id, values in event.what["wrote"].items():
                self.judged += 1
                versions = facts.versions.get(document_id, ())
                for name, value in values.items():
                    if not any(same(line.body.get(name), value) for line in versions):
                        self.report(f"the office's {name} = {brief(value)} of {document_id[:8]} is not there", event)
                if not versions:
                    self.report(f"{event.what['name']} of {document_id[:8]} was done, and is not there", event)


class WholeOrNot(Checker):
    """Documents, versions, feed, scopes, journal and conflicts agree with each other."""

    law = "I3"
    title = "whole or not at all"

    def end(self, fleet: Fleet) -> None:
        facts = fleet.facts()
        self._documents(facts)
        self._scopes(fleet, facts)
        self._journal(facts)

    def _documents(self, facts: Facts) -> None:
        for document_id, document in facts.truth.documents.items():
            self.judged += 1
            versions = facts.versions.get(document_id, ())
            if not versions or versions[-1].version != document.version:
                self.report(f"{document_id[:8]} has version {document.version}, its history does not")
            elif not document.deleted and not same(versions[-1].body, document.body):
                self.report(f"{document_id[:8]} is not what its newest version says")
            numbers = [line.version for line in versions]
            if numbers != sorted(set(numbers)) or (numbers and numbers[0] < 1):
                self.report(f"the versions of {document_id[:8]} are {numbers}")
        for document_id in facts.versions.keys() - facts.truth.documents.keys():
            self.report(f"there is a history of {document_id[:8]}, and no document")

    def _scopes(self, fleet: Fleet, facts: Facts) -> None:
        live = {(row.scope, row.document_id) for row in facts.feed if row.live}
        held = {(scope, doc) for doc, reasons in facts.reasons.items() for scope, _ in reasons}
        for scope, doc in sorted(live ^ held):
            by = "feed row" if (scope, doc) in live else "reasons"
            self.report(f"{doc[:8]} is in {scope[:22]} by its {by} alone")
        scopes = {scope for scope, _ in live} | {
            scope
            for document in facts.truth.documents.values()
            if not document.deleted
            for scope in fleet.side.entities[document.collection].scopes(document.body)
        }
        for scope in sorted(scopes):
            wanted = members(facts.truth, fleet.side.entities, frozenset({scope})).keys()
            there = {doc for each, doc in held if each == scope}
            for doc in sorted(wanted ^ there):
                what = "belongs in" if doc in wanted else "does not belong in"
                self.report(f"{doc[:8]} {what} {scope[:22]}, its reasons say otherwise")
        for doc, reasons in facts.reasons.items():
            for scope, via in reasons:
                if via != SELF and (scope, via) not in held:
                    self.report(f"{doc[:8]} is in {scope[:22]} because of {via[:8]}, which is not")
        for row in facts.feed:
            if row.seq > facts.truth.newest:
                self.report(f"a feed row has number {row.seq}, the newest is {facts.truth.newest}")

    def _journal(self, facts: Facts) -> None:
        conflicts = {conflict.id for conflict in facts.conflicts}
        for row in facts.journal.values():
            for conflict in row.result.get("conflicts", ()):
                self.judged += 1
                if conflict["id"] not in conflicts:
                    self.report(f"mutation {row.id[:8]} tells of a conflict that is not there")
        for conflict_row in facts.conflicts:
            if conflict_row.mutation_id is not None and conflict_row.mutation_id not in facts.journal:
                self.report(f"a conflict over {conflict_row.field} is of a mutation that is not there")


class EpochIsNoticed(Checker):
    """A server that went back in time never answers a cursor of the other history."""

    law = "I9"
    title = "epoch"
    hears = frozenset({"serve", "restore"})

    def __init__(self) -> None:
        super().__init__()
        self.epoch = ""

    def see(self, event: Event, fleet: Fleet) -> None:
        what = event.what
        if event.kind == "restore":
            self.judged += 1
            if fleet.side.truth().epoch == self.epoch:
                self.report(f"the server went back in time and goes on as history {self.epoch[:8]}", event)
            return
        if "/pull" not in what["path"] or what["status"] != 200:
            return
        cursor = parse_qs(urlsplit(what["path"]).query).get("cursor")
        if not cursor:
            return
        self.judged += 1
        read = decode(cursor[0])
        truth = fleet.side.truth()
        self.epoch = truth.epoch
        if read.epoch != truth.epoch:
            self.report(f"a cursor of history {read.epoch[:8]} was answered by {truth.epoch[:8]}", event)
        elif read.seq > truth.newest and fleet.steady:
            self.report(f"a cursor at {read.seq} was answered by a history that ends at {truth.newest}", event)
