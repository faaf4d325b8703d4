"""Law 2 and I4: every edit is somewhere, and what it said can be found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.change import Body, FieldRule, Json, canonical, same
from sync.merge import ENTRY_POLICIES
from sync.simulator.checkers.base import Checker, Made, brief, edits, has, rule_of, unstamped
from sync.simulator.history import Event

if TYPE_CHECKING:
    from sync.simulator.facts import Conflict, Facts, Journal, Version
    from sync.simulator.fleet import Fleet


class NothingLost(Checker):
    """Each field edit is in the document, or recorded as overridden with base and both values, or rejected with its
    payload; and nobody's value was replaced by who had not seen it without a record of it."""

    law = "law 2"
    title = "nothing lost"
    hears = frozenset({"page", "result"})

    def __init__(self) -> None:
        super().__init__()
        self.told: set[tuple[str, str, str]] = set()
        """(seat, field, value): what a tablet heard of others with the results of its pushes."""
        self.known: dict[tuple[str, str], list[tuple[int, Body]]] = {}
        """(seat, document) -> the versions that were on the tablet, and when."""
        self.later: set[tuple[str, str, str, str]] = set()
        self.added: set[tuple[str, str, str, str]] = set()
        self.removed: set[tuple[str, str, str, str]] = set()
        self.sent: set[tuple[str, str, str, str]] = set()

    def see(self, event: Event, fleet: Fleet) -> None:
        if event.kind == "result":
            self.told |= {
                (event.actor, conflict["field"], canonical(conflict["theirs"]))
                for result in event.what["results"]
                for conflict in result.get("conflicts", ())
            }
            return
        for document_id, one in fleet.seats[event.actor][1].replica.state.documents.items():
            versions = self.known.setdefault((event.actor, document_id), [])
            if not versions or versions[-1][1] is not one["document"]:
                versions.append((event.i, one["document"]))

    def end(self, fleet: Fleet) -> None:
        facts = fleet.facts()
        conflicts: dict[str, list[Conflict]] = {}
        for conflict in facts.conflicts:
            conflicts.setdefault(conflict.mutation_id or "", []).append(conflict)
        made = [one for one in edits(fleet) if one.honest]
        self.later = {
            (one.seat, one.mutation["document_id"], name, canonical(value))
            for one in made
            for name, value in one.seen.items()
        }
        self.sent = {
            (one.seat, one.mutation["document_id"], name, canonical(value))
            for one in made
            for name, value in one.mutation["set"].items()
        }
        self.added, self.removed = (
            {
                (one.seat, one.mutation["document_id"], name, canonical(value))
                for one in made
                for name, values in one.mutation[part].items()
                for value in values
            }
            for part in ("add", "remove")
        )
        for one in edits(fleet):
            row = facts.journal.get(one.id)
            if row is None or row.device_id not in fleet.seats[one.seat][1].device_ids:
                continue
            self.judged += 1
            if row.status == "rejected":
                self._rejected(one, row)
            elif one.honest and row.document_id is not None:
                self._accepted(fleet, facts, one, row, conflicts.get(one.id, []))
        self._replaced(fleet, facts, {one.id: one for one in edits(fleet)}, conflicts)
        self._bases(made, conflicts, fleet)

    def _rejected(self, one: Made, row: Journal) -> None:
        if row.payload.get("raw_text"):
            return
        kept = row.payload.get("raw", row.payload)
        for part in ("set", "add", "remove"):
            if not same(kept.get(part), one.mutation[part]):
                self.report(f"mutation {one.id[:8]} was rejected and its {part} is not kept", one.event)
        if not (row.result.get("problem") or {}).get("code"):
            self.report(f"mutation {one.id[:8]} was rejected without a reason", one.event)

    def _accepted(self, fleet: Fleet, facts: Facts, one: Made, row: Journal, conflicts: list[Conflict]) -> None:
        versions = facts.versions.get(row.document_id or "", ())
        collection = one.mutation["collection"]
        for name, value in one.mutation["set"].items():
            rule = rule_of(fleet, collection, name)
            if rule is None or self._stands(name, value, rule, one, versions, conflicts):
                continue
            self.report(
                f"{one.seat} set {name} = {brief(value)} on {collection} {str(row.document_id)[:8]}: "
                "it is in no version and in no conflict",
                one.event,
            )
        newest: Body = versions[-1].body if versions else {}
        for name, values in one.mutation["add"].items():
            rule = rule_of(fleet, collection, name)
            if rule is None:
                continue
            for value in values:
                if rule.policy in ENTRY_POLICIES:
                    there = any(unstamped(entry) == unstamped(value) for entry in newest.get(name) or [])
                else:
                    there = any(has(line.body.get(name), value) for line in versions) or (
                        (one.seat, one.mutation["document_id"], name, canonical(value)) in self.removed
                    )
                if not there and not any(same(conflict.mine, value) for conflict in conflicts):
                    self.report(f"{one.seat} added {brief(value)} to {name}: it is not there", one.event)
        for name, values in one.mutation["remove"].items():
            for value in values:
                again = (one.seat, one.mutation["document_id"], name, canonical(value)) in self.added
                if not again and all(has(line.body.get(name), value) for line in versions):
                    self.report(f"{one.seat} removed {brief(value)} from {name}: it was never gone", one.event)

    def _stands(
        self,
        name: str,
        value: Json,
        rule: FieldRule,
        one: Made,
        versions: tuple[Version, ...],
        conflicts: list[Conflict],
    ) -> bool:
        if any(conflict.field == name and same(conflict.mine, value) for conflict in conflicts):
            return True
        if (one.seat, one.mutation["document_id"], name, canonical(value)) in self.later:
            # The same person went on from it, and may have sent both at once.
            return True
        if rule.policy == "union":
            fresh = [each for each in value or [] if not has(one.seen.get(name), each)]
            return all(
                any(has(line.body.get(name), each) for line in versions)
                or (one.seat, one.mutation["document_id"], name, canonical(each)) in self.removed
                for each in fresh
            )
        return any(same(line.body.get(name), value) for line in versions)

    def _replaced(
        self, fleet: Fleet, facts: Facts, made: dict[str, Made], conflicts: dict[str, list[Conflict]]
    ) -> None:
        """A device's version replaced a value that somebody else wrote: its writer had seen it, or it is recorded."""
        by_version: dict[tuple[str, int], list[Made]] = {}
        for row in facts.journal.values():
            if row.status != "rejected" and row.document_id is not None and row.id in made:
                by_version.setdefault((row.document_id, int(row.result["version"] or 0)), []).append(made[row.id])
        for document_id, versions in facts.versions.items():
            collection = facts.truth.documents[document_id].collection if document_id in facts.truth.documents else ""
            before: Version | None = None
            for line in versions:
                if before is not None and line.device_id is not None:
                    writers = by_version.get((document_id, line.version), [])
                    for name in line.changed:
                        self._one_field(fleet, collection, name, before, line, writers, conflicts, versions)
                before = line

    def _one_field(
        self,
        fleet: Fleet,
        collection: str,
        name: str,
        before: Version,
        line: Version,
        writers: list[Made],
        conflicts: dict[str, list[Conflict]],
        versions: tuple[Version, ...],
    ) -> None:
        rule = rule_of(fleet, collection, name)
        old = before.body.get(name)
        if rule is None or rule.owner == "server" or not writers:
            return
        self.judged += 1
        if rule.policy in ENTRY_POLICIES:
            kept = {entry["id"] for entry in line.body.get(name) or []}
            gone = [entry for entry in old or [] if entry["id"] not in kept]
            if gone:
                self.report(f"entry {gone[0]['id'][:8]} of {name} is gone with version {line.version}")
            return
        touching = [one for one in writers if name in {**one.mutation["set"], **one.mutation["remove"]}]
        adding = any(name in one.mutation["add"] for one in writers)
        if not touching:
            if not adding and before.version and all(one.honest for one in writers):
                self.report(f"{name} changed with version {line.version}, and no mutation of it names that")
            return
        if not all(one.honest for one in touching):
            return  # What a liar says that it had seen is not known.
        if rule.policy == "union":
            self._union(name, old, line, touching)
            return
        earlier = [each for each in versions if each.version <= before.version and name in each.changed]
        last = earlier[-1] if earlier else None
        writer = touching[0]
        own = (writer.seat, writer.mutation["document_id"], name, canonical(old)) in self.sent
        # After a restore: it was replaced in the lost history too, and the writer had seen that.
        of_both = (
            last is not None
            and fleet.is_before_restore(last.at)
            and all((one.mutation["base_version"] or 0) >= last.version for one in touching)
        )
        recorded = any(
            conflict.field == name and (same(conflict.theirs, old) or same(conflict.mine, old))
            for one in touching
            for conflict in conflicts.get(one.id, ())
        )
        seen = any(same(one.seen.get(name), old) or self._knew(one, name, old) for one in touching)
        if old is not None and not (own or of_both or recorded or seen):
            self.report(
                f"version {line.version} replaced {name} = {brief(old)} by {brief(line.body.get(name))}, which "
                f"{writer.seat} had not seen, and no conflict says so",
                writer.event,
            )

    def _knew(self, one: Made, name: str, value: Json) -> bool:
        """Whether a value was on the writer's tablet at any time before the edit."""
        versions = self.known.get((one.seat, one.mutation["document_id"]), ())
        if (one.seat, name, canonical(value)) in self.told:
            return True
        return any(at < one.event.i and same(body.get(name), value) for at, body in versions)

    def _union(self, name: str, old: Json, line: Version, touching: list[Made]) -> None:
        gone = [value for value in old or [] if not has(line.body.get(name), value)]
        for value in gone:
            meant = any(
                has(one.mutation["remove"].get(name), value)
                or (name in one.mutation["set"] and has(one.seen.get(name), value))
                for one in touching
            )
            if not meant:
                self.report(f"{brief(value)} is gone from {name} with version {line.version}, and nobody removed it")

    def _bases(self, made: list[Made], conflicts: dict[str, list[Conflict]], fleet: Fleet) -> None:
        """The base of a conflict is what the device had before it, if that was its first edit of the field."""
        first: set[str] = set()
        touched: set[tuple[str, str, str]] = set()
        for one in made:
            for name in one.mutation["set"]:
                key = (one.seat, one.mutation["document_id"], name)
                if key not in touched:
                    first.add(canonical([one.id, name]))
                touched.add(key)
        for one in made:
            if fleet.restored or one.mutation["op"] != "update":
                return
            for conflict in conflicts.get(one.id, ()):
                name = conflict.field
                if conflict.kind not in ("value", "proposal") or canonical([one.id, name]) not in first:
                    continue
                self.judged += 1
                if not same(conflict.base, one.seen.get(name)):
                    self.report(
                        f"the conflict over {name} says that {one.seat} started from {brief(conflict.base)}, "
                        f"it was {brief(one.seen.get(name))}",
                        one.event,
                    )


class NothingVanishes(Checker):
    """Each edit that the tablet said was saved is in one place: the journal, quarantine, salvage or the outbox."""

    law = "I4"
    title = "nothing vanishes"
    hears = frozenset({"serve"})

    def __init__(self) -> None:
        super().__init__()
        self.gaps: dict[str, set[int]] = {}

    def see(self, event: Event, fleet: Fleet) -> None:
        if event.what["status"] == 200 and "/push" in event.what["path"]:
            self.gaps.setdefault(event.what["device"], set()).update(event.what["body"]["gaps"])

    def end(self, fleet: Fleet) -> None:
        facts = fleet.facts()
        forgotten = {mutation_id for event in fleet.history.of("forgot") for mutation_id in event.what["ids"]}
        answered = {
            str(result["id"]): event.i for event in fleet.history.of("result") for result in event.what["results"]
        }
        for one in edits(fleet):
            if not one.saved or one.id in forgotten:
                continue
            self.judged += 1
            in_outbox = any(each["id"] == one.id for each in fleet.seats[one.seat][1].replica.state.outbox)
            row = facts.journal.get(one.id)
            if row is None and not fleet.is_at_hand(one.seat, one.id) and one.id not in facts.salvage:
                self.report(f"{one.seat} saved mutation {one.id[:8]}, and it is nowhere", one.event)
            if row is not None and in_outbox and one.id in answered and not fleet.seats[one.seat][1].gone:
                self.report(f"mutation {one.id[:8]} is in the journal and still in the outbox", one.event)
        self._holes(fleet, facts)

    def _holes(self, fleet: Fleet, facts: Facts) -> None:
        """A number that never came, below one that did, was named to the device as a gap."""
        if fleet.restored:
            return
        numbers: dict[str, set[int]] = {}
        highest: dict[str, int] = {}
        liars = {each for tablet, seat in fleet.seats.values() if tablet.liar for each in seat.device_ids}
        for row in facts.journal.values():
            if row.device_id not in liars:
                numbers.setdefault(row.device_id, set()).add(row.n)
                if row.document_id is not None:
                    highest[row.device_id] = max(highest.get(row.device_id, 0), row.n)
        for device_id, there in numbers.items():
            if facts.devices[device_id].revoked:
                continue  # Nobody answers it any more.
            missing = set(range(1, highest.get(device_id, 0))) - there - self.gaps.get(device_id, set())
            if missing and device_id in self.gaps:
                self.report(f"numbers {sorted(missing)[:5]} of device {device_id[:8]} never came, and nobody said so")
