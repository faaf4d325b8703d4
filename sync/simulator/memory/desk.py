"""What the office, the scheduler, the planner and the operator do on the in-memory server."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from sync.change import Body, Json, same
from sync.feed import Cursor
from sync.merge import ENTRY_POLICIES
from sync.simulator.facts import Conflict, Device, FeedRow, Subscription
from sync.simulator.memory.feed import Feed
from sync.simulator.memory.judge import Judge
from sync.simulator.memory.work import Work
from sync.simulator.moments import ident
from sync.simulator.side import REFUSED, Act, Outcome
from sync.simulator.world import EVERYONE, Kind, new_visit, technician_scope
from sync.states import FINISHED, may_move_plan

KEPT_NUMBERS = 12
"""A compaction leaves the tombstones of so many of the newest feed numbers."""


class Desk:
    """One method for each act that is a transaction of its own; all write in `work`, which the caller commits."""

    def __init__(self, entities: dict[str, Kind], feed: Feed, judge: Judge) -> None:
        self.entities = entities
        self.feed = feed
        self.judge = judge

    def do(self, work: Work, act: Act) -> Outcome:
        """Find the act's method and run it."""
        method: Callable[[Work, Mapping[str, Json]], Outcome] = getattr(self, act.name.replace("-", "_"))
        return method(work, act.what)

    # --- documents ---

    def make_visit(self, work: Work, what: Mapping[str, Json]) -> Outcome:
        """A visit of the office or of the scheduler; one that is there already is the same occurrence."""
        if work.stored(what["visit_id"]) is not None:
            return Outcome(done=True)
        body = new_visit(
            what["visit_id"], what["site_id"], tuple(what["asset_ids"]), what["technician_id"], what["title"]
        )
        work.write(what["visit_id"], "visit", body)
        return Outcome(done=True, wrote={what["visit_id"]: {"title": what["title"]}})

    def edit(self, work: Work, what: Mapping[str, Json]) -> Outcome:
        """The office changes fields of a document."""
        document_id, values = what["document_id"], what["values"]
        body = work.body(document_id)
        if body is None:
            return Outcome(done=False, code="not-found")
        if what["collection"] == "visit":
            target = values.get("plan_state", body["plan_state"])
            if not may_move_plan(body["plan_state"], target, body["exec_state"]):
                return Outcome(done=False, code="state-move")
            if body["exec_state"] in FINISHED and values.keys() & {"assignee_id", "site_id"}:
                return Outcome(done=False, code="visit-finished")
        for name, value in values.items():
            for each in value if isinstance(value, list) else [value]:
                if name in self.entities[what["collection"]].refs and each and work.body(each) is None:
                    return Outcome(done=False, code="unknown-reference")
        work.step("office")
        work.write(document_id, what["collection"], self.judge.settle(what["collection"], body | values))
        return Outcome(done=True, wrote={document_id: values})

    def publish(self, work: Work, what: Mapping[str, Json]) -> Outcome:
        """The planner gives many visits away at once; those that may not move are left."""
        wrote: dict[str, Body] = {}
        for visit_id, technician_id in what["visits"]:
            values = {"assignee_id": technician_id, "plan_state": "published"}
            done = self.edit(work, {"collection": "visit", "document_id": visit_id, "values": values})
            wrote |= {doc: dict(fields) for doc, fields in done.wrote.items()}
        return Outcome(done=True, wrote=wrote)

    def archive(self, work: Work, what: Mapping[str, Json]) -> Outcome:
        """The system puts an old visit away."""
        body = work.body(what["visit_id"])
        if body is None:
            return REFUSED
        work.write(what["visit_id"], "visit", body | {"archived": True})
        return Outcome(done=True, wrote={what["visit_id"]: {"archived": True}})

    def delete(self, work: Work, what: Mapping[str, Json]) -> Outcome:
        """A visit goes for good."""
        body = work.body(what["document_id"])
        if body is None:
            return REFUSED
        work.write(what["document_id"], "visit", None)
        return Outcome(done=True, wrote={what["document_id"]: {}})

    # --- conflicts ---

    def resolve(self, work: Work, what: Mapping[str, Json]) -> Outcome:
        """A person settles an open clash: an ordinary write."""
        conflict = self._nth(work, "open", what["index"])
        body = work.body(conflict.document_id) if conflict else None
        if conflict is None or body is None:
            return REFUSED
        rule = self.entities[conflict.collection].rules[conflict.field]
        wanted = conflict.mine if what["choice"] == "mine" else conflict.theirs
        before, wrote = body.get(conflict.field), {}
        plain = rule.owner != "server" and rule.policy not in ENTRY_POLICIES and conflict.kind not in ("late", "state")
        if plain and not same(before, wanted):
            edit = {"collection": conflict.collection, "document_id": conflict.document_id}
            done = self.edit(work, edit | {"values": {conflict.field: wanted}})
            if not done.done:
                return done
            wrote = {conflict.document_id: {conflict.field: wanted}}
        work.tx.put("conflict", conflict.id, dataclasses.replace(conflict, state="resolved"))
        work.tx.put("resolution", conflict.id, (before, wanted if wrote else None, bool(wrote)))
        return Outcome(done=True, value=conflict.id, wrote=wrote)

    def undo(self, work: Work, what: Mapping[str, Json]) -> Outcome:
        """A resolution is taken back, unless somebody has changed the field since."""
        conflict = self._nth(work, "resolved", what["index"])
        body = work.body(conflict.document_id) if conflict else None
        if conflict is None or body is None:
            return REFUSED
        before, after, written = work.tx.get("resolution", conflict.id)
        wrote = {}
        if written:
            if not same(body.get(conflict.field), after):
                return Outcome(done=False, code="conflict")
            work.write(conflict.document_id, conflict.collection, body | {conflict.field: before})
            wrote = {conflict.document_id: {conflict.field: before}}
        work.tx.put("conflict", conflict.id, dataclasses.replace(conflict, state="open"))
        return Outcome(done=True, value=conflict.id, wrote=wrote)

    def _nth(self, work: Work, state: str, index: int) -> Conflict | None:
        found: list[Conflict] = [row for _, row in work.tx.rows("conflict") if row.state == state]
        return found[index % len(found)] if found else None

    # --- devices ---

    def code(self, work: Work, what: Mapping[str, Json]) -> Outcome:
        """An enrolment code for a technician."""
        made = ident("code", work.tx.get("meta", "epoch"), self._next(work, "codes"))[:10]
        work.tx.put("code", made, what["technician_id"])
        return Outcome(done=True, value=made)

    def enrol(self, work: Work, code: str, schema_version: int) -> Device | None:
        """Make a tablet a technician's with a code; None for a code that is used or unknown."""
        technician_id = work.tx.get("code", code)
        if technician_id is None:
            return None
        work.tx.put("code", code, None)
        number, epoch = self._next(work, "devices"), work.tx.get("meta", "epoch")
        device = Device(
            id=ident("device", epoch, number),
            technician_id=technician_id,
            token=ident("token", epoch, number),
            schema_version=schema_version,
        )
        work.tx.put("device", device.id, device)
        work.tx.put("token", device.token, device.id)
        for scope in (technician_scope(technician_id), EVERYONE):
            self._grant(work, device.id, scope)
        return device

    def revoke(self, work: Work, what: Mapping[str, Json]) -> Outcome:
        """End a tablet's access."""
        device: Device | None = work.tx.get("device", what["device_id"])
        if device is None:
            return REFUSED
        work.tx.put("device", device.id, dataclasses.replace(device, revoked=True))
        return Outcome(done=True)

    def grant(self, work: Work, what: Mapping[str, Json]) -> Outcome:
        """A device holds a colleague's scope too, as their deputy."""
        self._grant(work, what["device_id"], technician_scope(what["technician_id"]))
        return Outcome(done=True)

    def ungrant(self, work: Work, what: Mapping[str, Json]) -> Outcome:
        """That ends."""
        scope = technician_scope(what["technician_id"])
        held: tuple[Subscription, ...] = work.tx.get("scopes", what["device_id"]) or ()
        if not any(one.scope == scope and one.revoked is None for one in held):
            return REFUSED
        number = self.feed.take_number(work)
        left = tuple(dataclasses.replace(one, revoked=number) if one.scope == scope else one for one in held)
        work.tx.put("scopes", what["device_id"], left)
        return Outcome(done=True)

    def _grant(self, work: Work, device_id: str, scope: str) -> None:
        held: tuple[Subscription, ...] = work.tx.get("scopes", device_id) or ()
        old = next((one for one in held if one.scope == scope), None)
        if old is not None and old.revoked is None:
            return
        number = self.feed.take_number(work)
        fresh = Subscription(scope=scope, granted=number, since=old.since if old else number)
        work.tx.put("scopes", device_id, (*(one for one in held if one.scope != scope), fresh))

    def _next(self, work: Work, name: str) -> int:
        number: int = (work.tx.get("meta", name) or 0) + 1
        work.tx.put("meta", name, number)
        return number

    # --- retention ---

    def compact(self, work: Work, what: Mapping[str, Json]) -> Outcome:
        """Tombstones that no cursor of the kept numbers needs go; older cursors will be told to begin anew."""
        floor = max((work.tx.get("meta", "n") or 0) - KEPT_NUMBERS, 0)
        for key, row in list(work.tx.rows("feed")):
            if not row.live and self.is_past(work, row, floor):
                work.tx.put("feed", key, None)
        for device_id, held in list(work.tx.rows("scopes")):
            kept = tuple(one for one in held if one.revoked is None or not self.is_over(one, floor))
            if kept != held:
                work.tx.put("scopes", device_id, kept)
        self.raise_floor(work, floor)
        return Outcome(done=True, value=str(floor))

    def is_past(self, work: Work, row: FeedRow, floor: int) -> bool:
        """Whether every device with a cursor at or past the floor has been told of a removal."""
        return row.seq <= floor

    def is_over(self, subscription: Subscription, floor: int) -> bool:
        """Whether every device with a cursor at or past the floor has been told that a scope is no longer its own."""
        return subscription.revoked is not None and subscription.revoked <= floor

    def raise_floor(self, work: Work, floor: int) -> None:
        """A cursor below this number is too old."""
        work.tx.put("meta", "floor", max(floor, work.tx.get("meta", "floor") or 0))


def starting_cursor(epoch: str) -> str:
    """The cursor of a device that has nothing."""
    return Cursor(epoch=epoch).encode()
