"""Law 3 and I2: a mutation has its effect once, whatever is retried, doubled, swapped or cut."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sync.change import Json, canonical
from sync.simulator.checkers.base import Checker, edits
from sync.simulator.history import Event

if TYPE_CHECKING:
    from sync.simulator.facts import Facts, Journal
    from sync.simulator.fleet import Fleet


class ExactlyOnce(Checker):
    """All answers to one mutation are the first one, and what it did is in the journal and in the history once."""

    law = "law 3"
    title = "exactly once"
    hears = frozenset({"serve", "restore"})

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[tuple[str, str], str] = {}

    def see(self, event: Event, fleet: Fleet) -> None:
        if event.kind == "restore":
            self.answers = {}
            return
        if event.what["status"] != 200 or "/push" not in event.what["path"]:
            return
        for result in event.what["body"]["results"]:
            if result["status"] == "duplicate":
                continue
            told = canonical({name: value for name, value in result.items() if name not in ("repeated", "problem")})
            key = (event.what["device"], str(result["id"]))
            known = self.answers.setdefault(key, told)
            self.judged += 1
            if known != told:
                self.report(f"mutation {key[1][:8]} was answered {known[:120]} and then {told[:120]}", event)

    def end(self, fleet: Fleet) -> None:
        facts = fleet.facts()
        self._entries(facts)
        accepted: dict[tuple[str, str, int], list[Journal]] = {}
        for row in facts.journal.values():
            if row.status != "rejected" and row.document_id is not None:
                key = (row.device_id, row.document_id, int(row.result["version"] or 0))
                accepted.setdefault(key, []).append(row)
        made = {
            name
            for name, entity in fleet.side.entities.items()
            if all(rule.owner == "server" for rule in entity.rules.values())
        }
        for document_id, versions in facts.versions.items():
            document = facts.truth.documents.get(document_id)
            for line in versions:
                if line.device_id is None or (document is not None and document.collection in made):
                    continue  # What the server works out while it takes a mutation is an effect of that one.
                self.judged += 1
                if (line.device_id, document_id, line.version) not in accepted:
                    self.report(
                        f"version {line.version} of {document_id[:8]} was written by a device, "
                        "and no mutation in the journal says so"
                    )
        numbers = {document_id: {line.version for line in versions} for document_id, versions in facts.versions.items()}
        for _, document_id, version in accepted:
            if version not in numbers.get(document_id, ()):
                self.report(f"the journal says that {document_id[:8]} has a version {version}")

    def _entries(self, facts: Facts) -> None:
        for document in facts.truth.documents.values():
            for name, value in document.body.items():
                if not isinstance(value, list):
                    continue
                ids = Counter(each["id"] for each in value if isinstance(each, dict) and "id" in each)
                for entry, count in ids.items():
                    if count > 1:
                        self.report(f"entry {entry[:8]} is in {name} of {document.id[:8]} {count} times")


class OneEffect(Checker):
    """One number is one mutation, one create is one document, and a group has its effect whole or not."""

    law = "I2"
    title = "one effect"
    hears = frozenset({"edit", "send", "forgot"})

    def __init__(self) -> None:
        super().__init__()
        self.groups: dict[str, set[str]] = {}
        self.group_of: dict[str, str] = {}

    def see(self, event: Event, fleet: Fleet) -> None:
        if event.kind == "edit":
            mutation = event.what["mutation"]
            if mutation["group"] and event.what["honest"]:
                self.groups.setdefault(mutation["group"], set()).add(mutation["id"])
                self.group_of[mutation["id"]] = mutation["group"]
        elif event.kind == "forgot":
            for mutation_id in event.what["ids"]:
                self.groups.pop(self.group_of.get(mutation_id, ""), None)
        elif not fleet.seats[event.actor][0].liar:
            sent = set(event.what["ids"])
            for group in {self.group_of[one] for one in sent if one in self.group_of}:
                self.judged += 1
                if not self.groups.get(group, set()) <= sent:
                    self.report(f"{event.actor} sends a part of group {group[:8]}", event)
                    self.groups.pop(group)

    def end(self, fleet: Fleet) -> None:
        facts = fleet.facts()
        taken: dict[tuple[str, int], str] = {}
        for row in facts.journal.values():
            if row.status == "rejected":
                continue
            self.judged += 1
            other = taken.setdefault((row.device_id, row.n), row.id)
            if other != row.id:
                self.report(f"number {row.n} of one device is {other[:8]} and {row.id[:8]}, and both had effect")
        self._documents(fleet, facts)
        self._groups(facts)

    def _documents(self, fleet: Fleet, facts: Facts) -> None:
        """A visit that nobody made is a second one of somebody's."""
        made = set(fleet.office.visits)
        made |= {one.mutation["document_id"] for one in edits(fleet) if one.mutation["op"] == "create"}
        for document in facts.truth.documents.values():
            if document.collection == "visit" and document.id not in made:
                self.report(f"nobody made visit {document.id[:8]}")

    def _groups(self, facts: Facts) -> None:
        groups: dict[str, dict[str, list[Mapping[str, Json]]]] = {}
        for row in facts.journal.values():
            raw = row.payload.get("raw")
            group = raw.get("group") if isinstance(raw, dict) else row.payload.get("group")
            if group:
                kind = "rejected" if row.status == "rejected" else "accepted"
                groups.setdefault(str(group), {}).setdefault(kind, []).append(row.result)
        for group, members in groups.items():
            self.judged += 1
            if len(members) > 1:
                self.report(f"of group {group[:8]} a part had effect and a part was rejected")
