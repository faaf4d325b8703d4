"""People with tablets: operations become edits and exchanges, and now and then the end of an app."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING

from sync.client import Offline, Refused
from sync.simulator import lies
from sync.simulator.edits import Pen
from sync.simulator.moments import ident, iso
from sync.simulator.network import LEG_S
from sync.simulator.script import Operation
from sync.simulator.tablet import Died, Seat, Tablet

if TYPE_CHECKING:
    from sync.simulator.fleet import Fleet

MOST_REQUESTS = 400
"""An exchange that takes more requests than this has no end."""


class Field:
    """The reference clients at work; each saves after each step, so that it can be killed at any of them."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.deaths_left: int | None = None

    def do(self, tablet: Tablet, operation: Operation) -> None:
        """Run the operation's method; the app may die in it."""
        if not tablet.on:
            self.wake(tablet)
        seat = tablet.seats[int(operation.args.get("seat", 0)) % len(tablet.seats)]
        deaths = operation.args.get("die")
        self.deaths_left = None if deaths is None else int(deaths)
        try:
            getattr(self, f"_{operation.do}")(tablet, seat, operation)
        except Died:
            self.put_down(tablet, power=operation.args.get("how") == "battery")
        finally:
            self.deaths_left = None

    def point(self) -> None:
        """A step at which the app may be killed."""
        if self.deaths_left is None:
            return
        if self.deaths_left == 0:
            raise Died
        self.deaths_left -= 1

    def put_down(self, tablet: Tablet, *, power: bool) -> None:
        """The app, or the whole tablet, goes down."""
        tablet.die(power=power)
        self.fleet.kills += 1
        self.fleet.note(tablet.name, "down", power=power)

    def wake(self, tablet: Tablet) -> None:
        """It is switched on again."""
        tablet.wake()
        self.fleet.note(tablet.name, "up")

    def enrol(self, tablet: Tablet, seat: Seat) -> bool:
        """The office gives a code, the tablet becomes the technician's; whether it did."""
        code = self.fleet.act("office", "code", technician_id=seat.person)
        if code is None:
            return False
        try:
            seat.replica.enrol(code.value, device_name=seat.name, schema_version=1 if tablet.old else 2)
        except (Offline, Refused):
            return False
        seat.gone = ""
        seat.device_ids.add(seat.replica.state.device_id)
        self.fleet.tokens[seat.replica.state.token] = seat.replica.state.device_id
        tablet.save(seat)
        self.fleet.note(seat.name, "enrol", device=seat.replica.state.device_id, person=seat.person)
        return True

    def push(self, tablet: Tablet, seat: Seat, most: int = 500) -> None:
        """Send what waits, once; raises Offline or Refused."""
        self.point()
        clock = iso(tablet.clock(self.fleet.at))
        before = seat.replica.state.cursor
        results = seat.replica.push(device_time=clock, rtt_ms=2000 * LEG_S, most=most)
        if before is not None and seat.replica.state.cursor is None:
            self.fleet.note(seat.name, "begin-anew")
        self.point()
        tablet.save(seat)
        self.fleet.note(seat.name, "result", results=results)
        self.point()

    def pull(self, tablet: Tablet, seat: Seat, limit: int | None = None) -> bool:
        """Read one page; whether there is more. Raises Offline or Refused."""
        self.point()
        anew = len(self.fleet.history.events)
        before = seat.replica.state.cursor
        more = seat.replica.pull(limit)
        if before is not None and seat.replica.state.cursor is None:
            self.fleet.note(seat.name, "begin-anew")
        self.point()
        tablet.save(seat)
        overlapped = any(event.kind == "page" for event in self.fleet.history.events[anew:])
        self.fleet.note(seat.name, "page", more=more, whole=not more and self.fleet.steady and not overlapped)
        self.point()
        return more

    def exchange(self, tablet: Tablet, seat: Seat, limit: int | None = None, most: int = 500) -> bool:
        """Push all, pull all; whether it came to its end."""
        requests = self.fleet.network.requests
        try:
            while seat.replica.state.outbox and self.fleet.network.requests < requests + MOST_REQUESTS:
                self.push(tablet, seat, most)
            while self.pull(tablet, seat, limit):
                if self.fleet.network.requests >= requests + MOST_REQUESTS:
                    return False
        except Offline:
            return False
        except Refused as refused:
            return self.was_refused(tablet, seat, refused)
        return True

    def was_refused(self, tablet: Tablet, seat: Seat, refused: Refused) -> bool:
        """A revoked tablet keeps what it has; one that the server does not know is enrolled again; others try later."""
        self.fleet.note(seat.name, "refused", status=refused.status, code=refused.code)
        if refused.problem.get("wipe"):
            tablet.save(seat)
            self.fleet.note(seat.name, "begin-anew")
        if refused.status == 401:
            seat.gone = refused.code
        if refused.code == "unauthenticated" and not tablet.liar:
            self.enrol(tablet, seat)
        return refused.code == "device-revoked"

    def other_window(self, seat_name: str) -> None:
        """The office writes, and the app's other window reads that, before the first window gets its older answer."""
        _, seat = self.fleet.seats[seat_name]
        first = seat.replica
        self.fleet.office.touch(first)
        second = type(first)(first.transport, first.state)
        planned = self.fleet.network.outcomes.pop(seat_name, [])
        try:
            second.pull(None)
            self.fleet.note(seat_name, "page", more=False, whole=False)
        except (Offline, Refused):
            pass
        self.fleet.network.outcomes[seat_name] = planned

    # --- operations of tablets ---

    def _edit(self, tablet: Tablet, seat: Seat, operation: Operation) -> None:
        clock = iso(tablet.clock(self.fleet.at))
        key = ("edit", self.fleet.script.seed, operation.i)
        pen = Pen(
            replica=seat.replica,
            person=seat.person,
            company=self.fleet.side.company,
            entities=self.fleet.side.entities,
            at=clock,
            key=key,
            k=int(operation.args["k"]),
        )
        edit = self.fleet.parts.make(pen, str(operation.args["what"]))
        if edit is None:
            return
        seen = copy.deepcopy(seat.replica.view(edit.document_id)) or {}
        group = ident(*key, "group") if len(edit.parts) > 1 else None
        made = [
            seat.replica.edit(
                edit.collection,
                edit.document_id,
                mutation_id=ident(*key, "mutation", n),
                made_at=clock,
                group=group,
                **part,
            )
            for n, part in enumerate(edit.parts)
        ]
        for mutation in made:
            told = {name: seen.get(name) for name in mutation["set"]}
            self.fleet.note(seat.name, "edit", mutation=mutation, seen=told, person=seat.person, honest=not tablet.liar)
        self.point()
        tablet.save(seat)
        self.fleet.note(seat.name, "saved", ids=[mutation["id"] for mutation in made])
        self.point()

    def _sync(self, tablet: Tablet, seat: Seat, operation: Operation) -> None:
        self._with_network(seat, operation, lambda limit, most: self.exchange(tablet, seat, limit, most))

    def _push(self, tablet: Tablet, seat: Seat, operation: Operation) -> None:
        def push(limit: int, most: int) -> None:
            if seat.replica.state.outbox:
                self.push(tablet, seat, most)

        self._with_network(seat, operation, push)

    def _pull(self, tablet: Tablet, seat: Seat, operation: Operation) -> None:
        self._with_network(seat, operation, lambda limit, most: self.pull(tablet, seat, limit))

    def _with_network(self, seat: Seat, operation: Operation, exchange: Callable[[int, int], object]) -> None:
        self.fleet.network.plan(seat.name, list(operation.args.get("net", ())))
        tablet = self.fleet.seats[seat.name][0]
        try:
            exchange(int(operation.args.get("limit", 200)), int(operation.args.get("most", 500)))
        except Offline:
            pass
        except Refused as refused:
            self.was_refused(tablet, seat, refused)
        finally:
            self.fleet.network.outcomes.pop(seat.name, None)

    def _jump(self, tablet: Tablet, seat: Seat, operation: Operation) -> None:
        tablet.offset_s = float(operation.args["offset_s"])
        self.fleet.note(tablet.name, "clock", offset_s=tablet.offset_s)

    def _die(self, tablet: Tablet, seat: Seat, operation: Operation) -> None:
        self.put_down(tablet, power=False)

    def _battery(self, tablet: Tablet, seat: Seat, operation: Operation) -> None:
        self.put_down(tablet, power=True)

    def _lose(self, tablet: Tablet, seat: Seat, operation: Operation) -> None:
        """A part of the storage is gone: a mutation, or all that was written since some time ago."""
        outbox = seat.replica.state.outbox
        if not outbox:
            return
        lost = outbox[:1] if operation.args["how"] == "one" else list(outbox)
        seat.replica.state.outbox = outbox[len(lost) :]
        if operation.args["how"] == "older":
            seat.replica.state.n -= len(lost)
        tablet.save(seat)
        tablet.flash.rest()
        self.fleet.note(seat.name, "forgot", ids=[mutation["id"] for mutation in lost])

    def _poison(self, tablet: Tablet, seat: Seat, operation: Operation) -> None:
        """A mutation that cannot be read stands in the queue, before whatever comes next."""
        mutation = lies.poison(
            seat.replica, ident("poison", self.fleet.script.seed, operation.i), int(operation.args["k"])
        )
        mutation["made_at"] = mutation["made_at"] or iso(tablet.clock(self.fleet.at))
        self.fleet.note(seat.name, "edit", mutation=mutation, seen={}, person=seat.person, honest=False)
        tablet.save(seat)

    def _lie(self, tablet: Tablet, seat: Seat, operation: Operation) -> None:
        """A tablet that is not ours sends what it likes."""
        if not tablet.liar:
            return
        body = lies.lie(self.fleet, tablet, seat, operation)
        try:
            status, answer = self.fleet.network.call(seat.name, seat.replica.state.token, "POST", "/sync/v1/push", body)
        except Offline:
            return
        if status == 200:
            self.fleet.note(seat.name, "result", results=answer["results"])
