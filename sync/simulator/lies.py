"""What a tablet sends that is broken, stolen or not ours: mutations that cannot be read, and a device that lies."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sync.change import Json
from sync.client import Replica
from sync.simulator.moments import ident, iso
from sync.simulator.script import Operation

if TYPE_CHECKING:
    from sync.simulator.fleet import Fleet
    from sync.simulator.tablet import Seat, Tablet


def poison(replica: Replica, mutation_id: str, k: int) -> dict[str, Json]:
    """Put a mutation that no server can read in the queue of a replica."""
    held = sorted(replica.state.documents) or [mutation_id]
    mutation = replica.edit("visit", held[k % len(held)], mutation_id=mutation_id, made_at="")
    spoil: list[dict[str, Json]] = [
        {"collection": "no-such-thing"},
        {"set": {"no_such_field": 1}},
        {"add": {"notes": [{"id": mutation_id, "text": "an entry without a time"}]}},
        {"set": {"work_summary": _deep(200)}, "made_at": "yesterday"},
        {"op": "explode"},
        {"set": {"work_summary": "text"}, "n": 0},
        {"document_id": None, "made_at": "at seven"},
    ]
    mutation.update(spoil[k % len(spoil)])
    return mutation


def lie(fleet: Fleet, tablet: Tablet, seat: Seat, operation: Operation) -> Json:
    """The body of a push that no honest tablet sends."""
    k, what = int(operation.args["k"]), int(operation.args["what"])
    at = iso(tablet.clock(fleet.at))

    def own(part: int, /, **values: Json) -> dict[str, Json]:
        seat.replica.state.n += 1
        base: dict[str, Json] = {
            "id": ident("lie", fleet.script.seed, operation.i, part),
            "n": seat.replica.state.n,
            "collection": "visit",
            "document_id": _foreign_visit(fleet, seat, k),
            "op": "update",
            "base_version": 1,
            "set": {},
            "add": {},
            "remove": {},
            "made_at": at,
            "group": None,
        }
        return base | values

    held = sorted(doc for doc, one in seat.replica.state.documents.items() if one["collection"] == "visit")
    mine = held[k % len(held)] if held else _foreign_visit(fleet, seat, k)
    entry = {"id": ident("lie entry", fleet.script.seed, operation.i), "at": at, "text": "lie"}
    stranger = fleet.side.company.technicians[-1]
    stolen = _another_id(fleet, seat, k)
    company = fleet.side.company
    half = ident("half", fleet.script.seed, operation.i)
    forged = entry | {"by": stranger, "at_corrected": "2001-01-01T00:00:00.000Z"}
    lies: list[Callable[[], list[dict[str, Json]]]] = [
        lambda: [own(0, add={"notes": [entry]})],
        lambda: [own(0, document_id=mine, set={"priority": 3, "exec_state": "done", "performed_by_id": stranger})],
        lambda: [own(0, document_id=mine, add={"notes": [forged]})],
        lambda: [own(0, document_id=mine, base_version=10_000, set={"work_summary": "from the future"})],
        lambda: [own(0, document_id=mine, set={"asset_ids": [company.assets[k % len(company.assets)]]})],
        lambda: [own(0, document_id=mine, add={"asset_ids": list(company.assets)})],
        lambda: [own(0, document_id=mine, op="delete")],
        lambda: [own(0, document_id=mine, n=1, set={"work_summary": "fork"})],
        lambda: [own(0, document_id=mine, n=90_000, set={"work_summary": "far ahead"})],
        lambda: [own(0, id=stolen, document_id=mine, set={"work_summary": "stolen"})],
        lambda: [own(0, op="create", set={"site_id": company.sites[0]})],
        lambda: [
            own(0, document_id=mine, group=half, add={"notes": [entry]}),
            own(1, collection="nothing", group=half),
        ],
        lambda: [own(0, document_id=mine, made_at="2099-01-01T00:00:00.000Z", set={"work_summary": "2099"})],
        lambda: [own(0, collection="site", document_id=company.sites[k % 3], set={"access_note": "liar's door"})],
        lambda: [own(0, collection="customer", document_id=company.customers[0], op="create", set={"note": "x"})],
    ]
    sent = lies[what % len(lies)]()
    for mutation in sent:
        fleet.note(seat.name, "edit", mutation=mutation, seen={}, person=seat.person, honest=False)
    return {"device_time": at, "rtt_ms": 80.0, "mutations": sent}


def _foreign_visit(fleet: Fleet, seat: Seat, k: int) -> str:
    foreign = [visit for visit in fleet.office.visits if visit not in seat.replica.state.documents]
    return foreign[k % len(foreign)] if foreign else ident("nowhere", k)


def _another_id(fleet: Fleet, seat: Seat, k: int) -> str:
    """The id of a mutation that another tablet made and the server has."""
    others = [
        str(result["id"])
        for event in fleet.history.of("result")
        if event.actor != seat.name
        for result in event.what["results"]
    ]
    return others[k % len(others)] if others else ident("nobody's", k)


def _deep(levels: int) -> Json:
    value: Json = "x"
    for _ in range(levels):
        value = [value]
    return value
