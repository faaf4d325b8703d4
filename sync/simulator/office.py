"""The office, the scheduler, the planner and the operator of a fleet: operations become acts of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.change import Body, Json
from sync.client import Replica
from sync.simulator.moments import ident
from sync.simulator.script import Operation

if TYPE_CHECKING:
    from sync.simulator.fleet import Fleet


class Office:
    """Whoever writes without a tablet. Visits are counted in the order in which they were made."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.visits: list[str] = []
        self.open: list[str] = []
        self.touched = 0
        self.guard_broken = False

    def do(self, operation: Operation) -> None:
        """Run the operation's method."""
        getattr(self, f"_{operation.do.replace('-', '_')}")(operation)

    def finish(self) -> None:
        """What is still open commits, what was broken works again."""
        if self.guard_broken:
            self.fleet.act("operator", "guard", broken=False)
        for name in self.open:
            self.fleet.act("office", "commit", name=name)
        self.open = []

    def make_visit(self, actor: str, k: int, to: int, crash: str | None = None) -> None:
        """A new visit at a site, with the machines there; of a technician, or nobody's yet."""
        company = self.fleet.side.company
        site = k % len(company.sites)
        machines = [asset for n, asset in enumerate(company.assets) if n % len(company.sites) == site][: 1 + k % 2]
        people = company.technicians
        technician = people[to % len(people)] if to < 2 * len(people) else None
        visit_id = ident("visit", self.fleet.script.seed, self.fleet.operation, len(self.visits))
        outcome = self.fleet.act(
            actor,
            "make-visit",
            crash,
            visit_id=visit_id,
            site_id=company.sites[site],
            asset_ids=machines,
            technician_id=technician,
            title=f"Visit {len(self.visits)}",
        )
        self.visits.append((outcome.value if outcome else "") or visit_id)

    def touch(self, replica: Replica) -> None:
        """An edit of something that a tablet holds."""
        held = sorted(doc for doc, one in replica.state.documents.items() if one["collection"] == "site")
        if held:
            self.touched += 1
            values = {"name": f"Touched {self.touched}"}
            self.fleet.act("office", "edit", collection="site", document_id=held[0], values=values)

    def _visit(self, k: int) -> str:
        return self.visits[k % len(self.visits)]

    def _technician(self, k: int) -> str:
        people = self.fleet.side.company.technicians
        return people[k % len(people)]

    def _word(self, operation: Operation) -> str:
        return f"office {operation.i}"

    def _values(self, operation: Operation) -> tuple[str, str, Body]:
        """Collection, document and fields of an edit at the office."""
        company, word, k = self.fleet.side.company, self._word(operation), int(operation.args["k"])
        site, customer = company.sites[k % len(company.sites)], company.customers[k % len(company.customers)]
        choices: list[tuple[str, str, Body]] = [
            ("visit", self._visit(k), {"title": word}),
            ("visit", self._visit(k), {"priority": k % 4}),
            ("site", site, {"access_note": f"{word} entrance"}),
            ("site", site, {"contact_phone": str(k)}),
            ("site", site, {"tags": ["roof", word]}),
            ("site", site, {"gate_code": word}),
            ("customer", customer, {"note": f"old customer {word}"}),
            ("asset", company.assets[k % len(company.assets)], {"serial": f"SN {word}"}),
        ]
        collection, document_id, values = choices[int(operation.args["what"]) % len(choices)]
        if "parking" in self.fleet.side.entities["site"].rules and collection == "site" and k % 2:
            return "site", site, {"parking": word}
        if any(name not in self.fleet.side.entities[collection].rules for name in values):
            return "site", site, {"name": word}
        return collection, document_id, values

    # --- operations ---

    def _make_visit(self, operation: Operation) -> None:
        args = operation.args
        self.make_visit(operation.actor, int(args["k"]), int(args["to"]), args.get("crash"))

    def _office(self, operation: Operation) -> None:
        collection, document_id, values = self._values(operation)
        self._edit(operation, collection, document_id, values)

    def _edit(self, operation: Operation, collection: str, document_id: str, values: Body) -> None:
        crash = operation.args.get("crash")
        self.fleet.act(operation.actor, "edit", crash, collection=collection, document_id=document_id, values=values)

    def _publish(self, operation: Operation) -> None:
        pairs = [[self._visit(int(visit)), self._technician(int(to))] for visit, to in operation.args["pairs"]]
        self.fleet.act("planner", "publish", operation.args.get("crash"), visits=pairs)

    def _assign(self, operation: Operation) -> None:
        values = {"assignee_id": self._technician(int(operation.args["to"])), "plan_state": "published"}
        self._edit(operation, "visit", self._visit(int(operation.args["k"])), values)

    def _withdraw(self, operation: Operation) -> None:
        values: Body = {"plan_state": operation.args["state"]}
        if values["plan_state"] == "published":
            values["assignee_id"] = self._technician(int(operation.args["k"]))
        self._edit(operation, "visit", self._visit(int(operation.args["k"])), values)

    def _archive(self, operation: Operation) -> None:
        visit = self._visit(int(operation.args["k"]))
        self.fleet.act("scheduler", "archive", operation.args.get("crash"), visit_id=visit)

    def _delete(self, operation: Operation) -> None:
        visit = self._visit(int(operation.args["k"]))
        self.fleet.act("office", "delete", operation.args.get("crash"), document_id=visit)

    def _move(self, operation: Operation) -> None:
        """A machine or a visit to another site, a site to another customer."""
        company, k = self.fleet.side.company, int(operation.args["k"])
        site = company.sites[k // 7 % len(company.sites)]
        choices: list[tuple[str, str, Body]] = [
            ("asset", company.assets[k % len(company.assets)], {"site_id": site}),
            ("visit", self._visit(k), {"site_id": site}),
            ("site", site, {"customer_id": company.customers[k % len(company.customers)]}),
        ]
        self._edit(operation, *choices[int(operation.args["what"])])

    def _resolve(self, operation: Operation) -> None:
        args = operation.args
        self.fleet.act("office", "resolve", args.get("crash"), index=int(args["index"]), choice=str(args["choice"]))

    def _undo(self, operation: Operation) -> None:
        self.fleet.act("office", "undo", index=int(operation.args["index"]))

    def _begin(self, operation: Operation) -> None:
        collection, document_id, values = self._values(operation)
        name = str(operation.args["name"])
        what: dict[str, Json] = {"collection": collection, "document_id": document_id, "values": values}
        outcome = self.fleet.act("office", "begin", name=name, **what)
        if outcome is not None and outcome.done:
            self.open.append(name)

    def _commit(self, operation: Operation) -> None:
        name = str(operation.args["name"])
        if name in self.open:
            self.open.remove(name)
            self.fleet.act("office", "commit", name=name)

    def _device(self, operation: Operation) -> str:
        tablet = self.fleet.tablets[str(operation.args["tablet"])]
        seat = tablet.seats[int(operation.args["seat"]) % len(tablet.seats)]
        return seat.replica.state.device_id

    def _grant(self, operation: Operation) -> None:
        technician = self._technician(int(operation.args["to"]))
        self.fleet.act("office", "grant", device_id=self._device(operation), technician_id=technician)

    def _ungrant(self, operation: Operation) -> None:
        device_id, technician = self._device(operation), self._technician(int(operation.args["to"]))
        tablet = self.fleet.tablets[str(operation.args["tablet"])]
        own = tablet.seats[int(operation.args["seat"]) % len(tablet.seats)].person
        if technician != own:
            self.fleet.act("office", "ungrant", device_id=device_id, technician_id=technician)

    def _revoke(self, operation: Operation) -> None:
        self.fleet.act("office", "revoke", device_id=self._device(operation))

    def _backup(self, operation: Operation) -> None:
        if "restore" in self.fleet.side.can and self.fleet.network.is_up():
            self.fleet.side.backup()
            self.fleet.note("operator", "backup")

    def _restore(self, operation: Operation) -> None:
        if "restore" in self.fleet.side.can and self.fleet.network.is_up() and self.fleet.side.restore():
            self.open = []
            self.fleet.note("operator", "restore")

    def _compact(self, operation: Operation) -> None:
        self.fleet.act("operator", "compact")

    def _schema(self, operation: Operation) -> None:
        self.fleet.act("operator", "schema")

    def _guard(self, operation: Operation) -> None:
        self.guard_broken = bool(operation.args["broken"]) or self.guard_broken
        self.fleet.act("operator", "guard", broken=bool(operation.args["broken"]))

    def _kill(self, operation: Operation) -> None:
        self._down(power=False)

    def _cut(self, operation: Operation) -> None:
        if "power" in self.fleet.side.can:
            self._down(power=True)

    def _down(self, *, power: bool) -> None:
        if self.fleet.network.is_up():
            self.fleet.side.go_down(power=power)
            self.open = []
            self.fleet.network.went_down(power=power)
