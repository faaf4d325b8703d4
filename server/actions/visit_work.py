"""What follows from the facts of a visit: its state, who did it, readings as rows, flags."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from schemas.entities.base import iso, parse_instant
from server.actions.decide_coverage import Agreements, decide_again
from server.extensions import db
from server.store import documents
from server.store.models import MeterReading, Visit
from server.store.queries import visits
from sync.change import Body
from sync.states import PERFORMED, ended_as, fold


def settled(body: Body) -> Body:
    """The server-made fields that follow from the facts in a visit's wire form, in wire form; not its coverage."""
    done = fold(body["events"])
    flags = set(body["flags"]) - {"illegal_event", "double_visit", "done_on_cancelled"}
    if done.illegal:
        flags.add("illegal_event")
    if len(done.starters) > 1:
        flags.add("double_visit")
    if body["plan_state"] == "cancelled" and ended_as(body["events"]) in PERFORMED:
        flags.add("done_on_cancelled")
    return {
        "exec_state": done.state,
        "started_at": _wire(done.started_at),
        "finished_at": _wire(done.finished_at),
        "performed_by_id": done.performed_by,
        "flags": sorted(flags),
    }


def settle(visit: Visit) -> None:
    """Derive the visit's server-made fields from its events and readings; does not commit."""
    values = settled(documents.current_body(visit))
    documents.set_values(visit, values, values)
    agreed = Agreements(visit.company_id)
    again = decide_again(documents.current_body(visit), visit.customer_id, visit.coverage_basis, agreed)
    if again is not None:
        visit.coverage_id, visit.coverage_basis = again.coverage_id, again.basis
    _keep_readings(visit)


def _wire(moment: str | None) -> str | None:
    found = parse_instant(moment)
    return iso(found) if found else None


def _keep_readings(visit: Visit) -> None:
    """Each reading of the visit as a row; the rows that are there, and the machines, are asked for at once."""
    entries = {entry["id"]: entry for entry in visit.readings}
    if not entries:
        return
    fresh = entries.keys() - visits.readings_there(visit.company_id, entries)
    if not fresh:
        return
    known = {asset.id for asset in visits.assets(visit.company_id, {entries[one]["asset_id"] for one in fresh})}
    for one in sorted(fresh):
        if entries[one]["asset_id"] in known:
            _keep_reading(visit, entries[one])


def _keep_reading(visit: Visit, entry: dict[str, Any]) -> None:
    taken_at: datetime | None = parse_instant(entry.get("at_corrected") or entry["at"])
    assert taken_at is not None
    db.session.add(
        MeterReading(
            company_id=visit.company_id,
            id=entry["id"],
            asset_id=entry["asset_id"],
            visit_id=visit.id,
            meter=entry["meter"],
            value=entry["value"],
            unit=entry.get("unit"),
            taken_at=taken_at,
        )
    )
