"""One mutation judged and merged by the in-memory server: the steps of `server/actions/apply_mutation.py`."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from datetime import datetime

from sync.change import Body, Clash, FieldRule, Json, Mutation, Record, Status, laid_over
from sync.clock import ClockOffset, corrected
from sync.merge import ENTRY_POLICIES, STAMPS, merge
from sync.simulator.facts import Conflict, Device, Document, Journal, Subscription, Version
from sync.simulator.memory.pages import Refusal
from sync.simulator.memory.work import Work
from sync.simulator.moments import ident, iso
from sync.simulator.world import Kind, new_visit
from sync.states import PERFORMED, UNDER_WAY, fold


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What came of one mutation."""

    status: Status
    conflicts: tuple[Conflict, ...] = ()


@dataclass
class Push:
    """What all mutations of one push share."""

    work: Work
    device: Device
    offset: ClockOffset
    written: dict[str, Body] = field(default_factory=dict)
    reached: dict[str, str] = field(default_factory=dict)


class Judge:
    """Raises Refusal for what cannot be taken; then nothing of it has effect."""

    def __init__(self, entities: dict[str, Kind]) -> None:
        self.entities = entities

    def apply(self, mutation: Mutation, push: Push) -> Applied:
        """Apply one mutation inside the open transaction."""
        work = push.work
        document_id = mutation.document_id
        body, stored = work.body(document_id), work.stored(document_id)
        if mutation.op == "create" and body is None and stored is None:
            return self.create(mutation, push)
        created_here = stored is None and body is not None
        reach = self.reach(push, document_id)
        if body is None or (reach == "never" and not created_here):
            raise Refusal(409, "id-taken") if mutation.op == "create" else Refusal(404, "not-found")
        if mutation.op == "delete":
            raise Refusal(403, "not-allowed-from-device")
        return self.update(mutation, push, body, late=reach == "late")

    def create(self, mutation: Mutation, push: Push) -> Applied:
        """A visit that a technician found on site."""
        kind = self.entities[mutation.collection]
        if not kind.device_may_create:
            raise Refusal(403, "not-allowed-from-device")
        site = mutation.set.get("site_id")
        if not isinstance(site, str) or self.reach(push, site) == "never":
            raise Refusal(422, "unknown-reference")
        self.check_references(mutation, push)
        title = str(mutation.set.get("title", ""))
        body = new_visit(mutation.document_id, site, (), push.device.technician_id, title)
        given = {name: value for name, value in mutation.set.items() if kind.rules[name].owner in ("office", "shared")}
        push.work.write(mutation.document_id, mutation.collection, body | given)
        facts = {name: value for name, value in mutation.set.items() if kind.rules[name].owner == "field"}
        return self.update(
            dataclasses.replace(mutation, set=facts), push, push.work.bodies[mutation.document_id][1] or {}, late=False
        )

    def update(self, mutation: Mutation, push: Push, body: Body, *, late: bool) -> Applied:
        """Merge, write, settle, and write down what clashed."""
        work, rules = push.work, self.entities[mutation.collection].rules
        record = self.record(push, mutation, body)
        self.check_references(mutation, push)
        seen = self.seen(push, mutation) | push.written.get(mutation.document_id, {})
        made_at = self.corrected(mutation.made_at, push)
        merged = merge(
            record,
            mutation,
            rules,
            base=seen,
            mine_at=made_at,
            theirs_at=lambda name: self.written_at(push, record, name),
            stamp=lambda entry: self.stamp(entry, push),
        )
        work.step("merge")
        settled = self.settle(mutation.collection, merged.body)
        work.write(mutation.document_id, mutation.collection, settled)
        mine = {name: value for name, value in mutation.set.items() if rules[name].policy not in ENTRY_POLICIES}
        push.written[mutation.document_id] = push.written.get(mutation.document_id, {}) | mine
        found = [self.clash(clash, mutation, n, late=late) for n, clash in enumerate(merged.clashes)]
        if mutation.collection == "visit":
            found += self.situations(mutation, push, body, settled, late=late)
        elif late and merged.changed and not found:
            name = min(merged.changed)
            found.append(self.situation(mutation, "late", "late-edit", name, body.get(name), settled.get(name)))
        kept = [self.keep(work, conflict) for conflict in found]
        return Applied(status=merged.status, conflicts=tuple(kept))

    # --- what the device had seen, and when others wrote ---

    def record(self, push: Push, mutation: Mutation, body: Body) -> Record:
        """The document as merging sees it: the values now, the field versions as committed."""
        stored = push.work.stored(mutation.document_id)
        return Record(
            collection=mutation.collection,
            id=mutation.document_id,
            version=stored.version if stored else 0,
            body=body,
            field_versions=stored.field_versions if stored else {},
        )

    def seen(self, push: Push, mutation: Mutation) -> Body:
        """The body that the device had before it: its base version, with its own later edits laid over."""
        base = mutation.base_version or 0
        history: tuple[Version, ...] = push.work.tx.get("version", mutation.document_id) or ()
        seen: Body = next((line.body for line in history if line.version == base), {})
        own: list[Journal] = [
            row
            for _, row in push.work.tx.rows("mutation")
            if row.device_id == mutation.device_id
            and row.document_id == mutation.document_id
            and row.n < mutation.n
            and row.status != "rejected"
            and row.result["version"] > base
        ]
        for row in sorted(own, key=lambda row: row.n):
            seen = laid_over(seen, row.payload)
        return seen

    def written_at(self, push: Push, record: Record, name: str) -> datetime | None:
        """When a field of the record last changed: the corrected time of the device's edit, else the commit's."""
        last = record.field_versions.get(name)
        if last is None:
            return None
        if last.device_id is not None:
            made: list[datetime] = [
                row.made_at
                for _, row in push.work.tx.rows("mutation")
                if row.document_id == record.id
                and row.device_id == last.device_id
                and row.result["version"] == last.version
                and name in row.payload["set"]
            ]
            if made:
                return max(made)
        history: tuple[Version, ...] = push.work.tx.get("version", record.id) or ()
        return next((line.at for line in history if line.version == last.version), None)

    def corrected(self, made_at: datetime, push: Push) -> datetime:
        """A device's time in server time."""
        return corrected(made_at, push.offset, push.work.at)

    def stamp(self, entry: Json, push: Push) -> Json:
        """An entry with what the server knows: who, from which device, and when by its clock."""
        own = {name: value for name, value in entry.items() if name not in STAMPS}
        at = iso(self.corrected(datetime.fromisoformat(entry["at"]), push))
        return own | {"by": push.device.technician_id, "device_id": push.device.id, "at_corrected": at}

    # --- rules ---

    def reach(self, push: Push, document_id: str) -> str:
        """How the device stands to a document: `live` in one of its scopes, `late` (it was once), or `never`."""
        if document_id not in push.reached:
            held: tuple[Subscription, ...] = push.work.tx.get("scopes", push.device.id) or ()
            rows = [(one, push.work.tx.get("feed", (one.scope, document_id))) for one in held]
            found = [(one, row) for one, row in rows if row is not None]
            live = any(row.live and one.revoked is None for one, row in found)
            push.reached[document_id] = "live" if live else "late" if found else self.reach_of_old(push, document_id)
        return push.reached[document_id]

    def reach_of_old(self, push: Push, document_id: str) -> str:
        """A document whose feed row is gone: it was the device's if a version of it was in the device's own scopes."""
        stored = push.work.stored(document_id)
        if stored is None:
            return "never"
        held: tuple[Subscription, ...] = push.work.tx.get("scopes", push.device.id) or ()
        scopes = {one.scope for one in held}
        history: tuple[Version, ...] = push.work.tx.get("version", document_id) or ()
        was = any(self.entities[stored.collection].scopes(line.body) & scopes for line in history)
        return "late" if was else "never"

    def check_references(self, mutation: Mutation, push: Push) -> None:
        """A device cannot bring a document in by referring to it; raises Refusal `unknown-reference`."""
        kind = self.entities[mutation.collection]
        for name, value in [*mutation.set.items(), *mutation.add.items()]:
            if name in kind.refs and kind.rules[name].owner == "shared":
                for each in value if isinstance(value, list) else [value]:
                    if each and self.reach(push, each) == "never":
                        raise Refusal(422, "unknown-reference")

    def settle(self, collection: str, body: Body) -> Body:
        """What follows from the facts of a visit: its state, who did it, flags."""
        if collection != "visit":
            return body
        done = fold(body["events"])
        flags = set(body["flags"]) - {"illegal_event", "double_visit", "done_on_cancelled"}
        if done.illegal:
            flags.add("illegal_event")
        if len(done.starters) > 1:
            flags.add("double_visit")
        if body["plan_state"] == "cancelled" and done.state in PERFORMED:
            flags.add("done_on_cancelled")
        return body | {"exec_state": done.state, "performed_by_id": done.performed_by, "flags": sorted(flags)}

    # --- what is written down ---

    def clash(self, clash: Clash, mutation: Mutation, n: int, *, late: bool) -> Conflict:
        """One clash of a mutation as a row."""
        return Conflict(
            id=ident("conflict", mutation.id, n),
            mutation_id=mutation.id,
            device_id=mutation.device_id,
            collection=mutation.collection,
            document_id=mutation.document_id,
            field=clash.field,
            kind=clash.kind,
            code="late" if late else clash.policy,
            base=clash.base,
            mine=clash.mine,
            theirs=clash.theirs,
            chosen=clash.chosen,
            value=clash.value,
            state="open" if clash.needs_person else "settled",
        )

    def situation(self, mutation: Mutation, kind: str, code: str, name: str, theirs: Json, mine: Json) -> Conflict:
        """Something that no single field shows."""
        return Conflict(
            id=ident("situation", mutation.id, code),
            mutation_id=mutation.id,
            device_id=mutation.device_id,
            collection=mutation.collection,
            document_id=mutation.document_id,
            field=name,
            kind=kind,
            code=code,
            base=None,
            mine=mine,
            theirs=theirs,
            chosen="mine",
            value=mine,
            state="settled" if code == "late-edit" else "open",
        )

    def situations(self, mutation: Mutation, push: Push, before: Body, after: Body, *, late: bool) -> list[Conflict]:
        """Work on a visit that is another's by now, or cancelled; two who began it."""
        found: list[Conflict] = []
        moved = after["exec_state"] != before["exec_state"] and after["exec_state"] in PERFORMED | UNDER_WAY
        assignee = after["assignee_id"]
        if late and moved and assignee and assignee != push.device.technician_id:
            code = "done-after-reassignment" if after["exec_state"] in PERFORMED else "started-after-reassignment"
            mine = push.device.technician_id
            found.append(self.situation(mutation, "late", code, "assignee_id", assignee, mine))
        fresh = set(after["flags"]) - set(before["flags"])
        if "done_on_cancelled" in fresh:
            state, plan = after["exec_state"], after["plan_state"]
            found.append(self.situation(mutation, "state", "done-on-cancelled", "plan_state", plan, state))
        if "double_visit" in fresh:
            other = next((one for one in fold(after["events"]).starters if one != push.device.technician_id), None)
            mine = push.device.technician_id
            found.append(self.situation(mutation, "state", "double-visit", "events", other, mine))
        return found

    def keep(self, work: Work, conflict: Conflict) -> Conflict:
        """Write a conflict down."""
        work.step("write conflict")
        work.tx.put("conflict", conflict.id, conflict)
        return conflict


def rule_of(entities: dict[str, Kind], collection: str, name: str) -> FieldRule | None:
    """The rule of a field, None when there is no such field."""
    kind = entities.get(collection)
    return kind.rules.get(name) if kind else None


def brief(conflict: Conflict) -> Json:
    """A clash as the tablet that caused it hears of it; what others wrote after the document left is not told."""
    return {
        "id": conflict.id,
        "field": conflict.field,
        "kind": conflict.kind,
        "base": conflict.base,
        "mine": conflict.mine,
        "theirs": None if conflict.code == "late" else conflict.theirs,
        "chosen": conflict.chosen,
        "code": conflict.code,
    }


__all__ = ["Applied", "Document", "Judge", "Push", "brief", "rule_of"]
