"""The in-memory server's push: everything is kept, each mutation has its effect once, a bad one blocks no other."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sync.change import Json, Mutation, canonical, same
from sync.clock import ClockOffset, corrected, measure_offset
from sync.numbers import take
from sync.ordering import sort_push
from sync.simulator.facts import Device, Journal
from sync.simulator.memory.judge import Judge, Push, brief, rule_of
from sync.simulator.memory.pages import Refusal
from sync.simulator.memory.work import Work
from sync.simulator.moments import ident, iso
from sync.simulator.world import Kind

Result = dict[str, Json]

MOST_GAPS = 1000
"""So many missing numbers are named at once (S-21)."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One mutation as it came; `problem` says why it cannot be read."""

    id: str
    raw: Json
    mutation: Mutation | None = None
    problem: str = ""


class Inbox:
    """The steps of `server/actions/push_changes.py` over rows in memory."""

    def __init__(self, entities: dict[str, Kind], judge: Judge) -> None:
        self.entities = entities
        self.judge = judge

    def take(self, work: Work, device: Device, body: Json) -> Json:
        """The answer to a push; all that it says is written in `work`, which the caller commits."""
        raw: list[Json] = body["mutations"]
        device_time = datetime.fromisoformat(body["device_time"])
        offset = measure_offset(device_time=device_time, received_at=work.at, rtt_ms=body.get("rtt_ms"))
        work.step("lock device")
        sent, known = self.known(work, device, [self.read(item, device.id) for item in raw])
        first: dict[str, Sent] = {}
        for one in sent:
            first.setdefault(one.id, one)
        fresh = [one.mutation for one in first.values() if one.mutation is not None and one.id not in known]
        broken = [one for one in first.values() if one.mutation is None and one.id not in known]
        taken = {m.n: first for m in fresh if (first := work.tx.get("number", (device.id, m.n))) is not None}
        order = sort_push(fresh, seen_ids=(), numbers=taken)

        push = Push(work=work, device=device, offset=offset)
        spoilt = {one.raw.get("group") for one in broken if isinstance(one.raw, dict)} - {None}
        results: dict[str, Result] = {key: dict(row.result) | {"repeated": True} for key, row in known.items()}
        judged: list[tuple[Mutation, Result]] = []
        for group in self.groups(order.fresh):
            judged += self.apply_group(group, push, order.forks, spoilt=group[0].group in spoilt)
        for mutation, result in judged:
            self.fill_version(work, mutation, result)
            results[mutation.id] = result
            self.keep(work, device, mutation, result, offset)
        for one in broken:
            results[one.id] = self.quarantine(work, device, one)
        noted = self.noted(device, [self.number(one) for one in sent])
        work.tx.put("device", device.id, noted)
        told: set[str] = set()
        answers = []
        for one in sent:
            answers.append(results[one.id] | ({"status": "duplicate"} if one.id in told else {}))
            told.add(one.id)
        return {
            "results": answers,
            "server_time": iso(work.at),
            "gaps": list(noted.numbers.named(MOST_GAPS)),
            "notices": [],
            "renew_token": False,
        }

    # --- reading ---

    def read(self, raw: Json, device_id: str) -> Sent:
        """One wire mutation as a value, or why it is none."""
        own = raw.get("id") if isinstance(raw, dict) and isinstance(raw.get("id"), str) else None
        mutation_id = own or ident("made", device_id, canonical(raw))
        try:
            return Sent(id=mutation_id, raw=raw, mutation=self.checked(raw, device_id))
        except Refusal as refusal:
            return Sent(id=mutation_id, raw=raw, problem=refusal.code)
        except (KeyError, TypeError, ValueError, AttributeError):
            return Sent(id=mutation_id, raw=raw, problem="invalid-fields")

    def checked(self, raw: Json, device_id: str) -> Mutation:
        """The mutation, every field known to its collection; raises Refusal, or what Python raises for wrong types."""
        if raw["collection"] not in self.entities:
            raise Refusal(422, "unknown-collection")
        parts = {name: dict(raw.get(name) or {}) for name in ("set", "add", "remove")}
        for name in {name for part in parts.values() for name in part}:
            if rule_of(self.entities, raw["collection"], name) is None:
                raise Refusal(422, "invalid-fields")
        for entries in parts["add"].values():
            for entry in entries:
                if isinstance(entry, dict):
                    datetime.fromisoformat(entry["at"])
                    str(entry["id"])
        if not isinstance(raw["n"], int) or raw["n"] < 1 or raw["op"] not in ("create", "update", "delete"):
            raise Refusal(422, "invalid-fields")
        return Mutation(
            id=str(raw["id"]),
            n=raw["n"],
            device_id=device_id,
            collection=raw["collection"],
            document_id=str(raw["document_id"]),
            op=raw["op"],
            base_version=raw["base_version"],
            made_at=datetime.fromisoformat(raw["made_at"]),
            group=raw.get("group"),
            set=parts["set"],
            add=parts["add"],
            remove=parts["remove"],
            resolves=raw.get("resolves"),
        )

    def known(self, work: Work, device: Device, sent: list[Sent]) -> tuple[list[Sent], dict[str, Journal]]:
        """What was sent, with the journal's rows of what came before; an id that is another device's is refused."""
        found: list[Sent] = []
        rows: dict[str, Journal] = {}
        for one in sent:
            row: Journal | None = work.tx.get("mutation", one.id)
            if row is not None and row.device_id != device.id and not self.is_own(work, device, row, one):
                one = Sent(id=ident("made", device.id, canonical(one.raw)), raw=one.raw, problem="id-taken")
                row = work.tx.get("mutation", one.id)
            if row is not None and self.was_seen(row, one):
                rows[one.id] = row
            found.append(one)
        return found, rows

    def is_own(self, work: Work, device: Device, row: Journal, sent: Sent) -> bool:
        """Whether the same technician sent this very mutation from a former registration (S-28, S-82)."""
        former: Device | None = work.tx.get("device", row.device_id)
        kept = payload(sent.mutation) if sent.mutation is not None else {"raw": sent.raw}
        return former is not None and former.technician_id == device.technician_id and same(kept, row.payload)

    def was_seen(self, row: Journal, sent: Sent) -> bool:
        """Whether a mutation with a row in the journal gets its stored result: always."""
        return True

    # --- judging ---

    def groups(self, fresh: Sequence[Mutation]) -> list[list[Mutation]]:
        """Mutations in their order, the members of a group together where its first one stands."""
        groups: dict[str, list[Mutation]] = {}
        for mutation in fresh:
            groups.setdefault(f"group {mutation.group}" if mutation.group else mutation.id, []).append(mutation)
        return list(groups.values())

    def apply_group(
        self, group: list[Mutation], push: Push, forks: tuple[str, ...], *, spoilt: bool
    ) -> list[tuple[Mutation, Result]]:
        """All members go in, or none."""
        savepoint = push.work.savepoint()
        written = {doc: dict(fields) for doc, fields in push.written.items()}
        answers: list[tuple[Mutation, Result]] = []
        for mutation in group:
            try:
                if mutation.id in forks:
                    raise Refusal(409, "number-taken")
                if spoilt:
                    raise Refusal(409, "group-rejected")
                applied = self.judge.apply(mutation, push)
            except Refusal as refusal:
                push.work.back_to(savepoint)
                push.written = written
                return [(m, self.rejected(m, refusal.code if m is mutation else "group-rejected")) for m in group]
            result = self.result(mutation.id, mutation.n, applied.status)
            answers.append((mutation, result | {"conflicts": [brief(one) for one in applied.conflicts]}))
        return answers

    def result(self, mutation_id: str | None, n: int | None, status: str, problem: Json = None) -> Result:
        """What became of a mutation."""
        return {"id": mutation_id, "n": n, "status": status, "version": None, "conflicts": [], "problem": problem}

    def rejected(self, mutation: Mutation, code: str) -> Result:
        """Nothing of it had effect."""
        return self.result(mutation.id, mutation.n, "rejected", {"code": code})

    def fill_version(self, work: Work, mutation: Mutation, result: Result) -> None:
        """The version that the document has after this commit: one more if anything in it changed."""
        if result["status"] == "rejected":
            return
        stored, body = work.stored(mutation.document_id), work.body(mutation.document_id)
        changed = stored is None or canonical(body) != canonical(stored.body)
        floor: int = work.tx.get("meta", "version_floor") or 0
        version = stored.version if stored else 0
        result["version"] = max(version + 1, floor) if changed else version

    # --- keeping ---

    def keep(self, work: Work, device: Device, mutation: Mutation, result: Result, offset: ClockOffset) -> None:
        """A mutation with its result, whole, for ever."""
        work.step("write journal")
        row = self.row(work, device, mutation.id, mutation.n, mutation.collection, payload(mutation), result)
        made_at = corrected(mutation.made_at, offset, work.at)
        self.journal(work, dataclasses.replace(row, document_id=mutation.document_id, made_at=made_at))

    def quarantine(self, work: Work, device: Device, one: Sent) -> Result:
        """What could not be read, as it came."""
        raw = one.raw if isinstance(one.raw, dict) else {}
        n = raw.get("n") if isinstance(raw.get("n"), int) else 0
        result = self.result(one.id, n or None, "rejected", {"code": one.problem})
        collection = raw.get("collection")
        name = collection if isinstance(collection, str) else ""
        self.journal(work, self.row(work, device, one.id, n or 0, name, {"raw": one.raw}, result))
        return result

    def row(
        self, work: Work, device: Device, mutation_id: str, n: int, collection: str, kept: Json, result: Result
    ) -> Journal:
        """The line of the journal for a mutation."""
        return Journal(
            id=mutation_id,
            device_id=device.id,
            n=n,
            collection=collection,
            document_id=None,
            payload=kept,
            status=str(result["status"]),
            result=result,
            received_at=work.at,
            author_id=device.technician_id,
        )

    def journal(self, work: Work, row: Journal) -> None:
        """Write it; the first mutation with a number has it."""
        work.tx.put("mutation", row.id, row)
        if work.tx.get("number", (row.device_id, row.n)) is None:
            work.tx.put("number", (row.device_id, row.n), row.id)

    def noted(self, device: Device, came: Sequence[int]) -> Device:
        """The device with the numbers that came."""
        return dataclasses.replace(device, numbers=take(device.numbers, came))

    def number(self, one: Sent) -> int:
        """The number of a mutation, readable or not; 0 when it has none."""
        n = one.raw.get("n") if isinstance(one.raw, dict) else None
        return n if isinstance(n, int) and not isinstance(n, bool) and 0 < n < 2**31 else 0


def payload(mutation: Mutation) -> dict[str, Json]:
    """A mutation's patch, as the journal keeps it."""
    return {
        "op": mutation.op,
        "base_version": mutation.base_version,
        "set": dict(mutation.set),
        "add": dict(mutation.add),
        "remove": dict(mutation.remove),
        "group": mutation.group,
        "made_at": iso(mutation.made_at),
    }
