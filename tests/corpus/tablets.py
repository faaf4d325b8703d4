"""Sessions of tablets, played with the reference client."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from schemas.entities.base import iso

if TYPE_CHECKING:
    from tests.corpus.record import Recorder

LATEST = 10_000
MORNING = "2026-11-25T08:00:00Z"


def entry(**values: Any) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "at": iso(datetime.now(UTC))} | values


def visit_for(recorder: Recorder, technician: str, site: int = 0) -> str:
    """A visit with its pump, published."""
    company = recorder.company
    values = {"site_id": company.sites[site], "asset_ids": [company.assets[site]]}
    visit = recorder.do("visit", values=values)
    recorder.do("publish", visit=visit, technician=technician, start=MORNING)
    return visit


def a_day_of_work(recorder: Recorder) -> None:
    """First pull in parts, all that can be written on site, an office that writes too, a push that is sent again, a
    group, what cannot be read, a visit of the technician's own, checksums, tokens, and the end."""
    company = recorder.company
    visit, other = visit_for(recorder, company.anna), visit_for(recorder, company.anna, site=1)
    tablet = recorder.tablet(company.anna)
    tablet.read(limit=7)
    start = datetime.now(UTC) - timedelta(minutes=4)
    tablet.work(visit, "accepted", "en_route", "arrived", "started", start=start)
    tablet.change(
        visit,
        add={
            "answers": [entry(item="seal", value=True), entry(item="pressure", value=2.5, note="Cold")],
            "readings": [entry(asset_id=company.assets[0], meter="hours", value=1200.5, unit="h")],
            "notes": [entry(text="Ключ у администратора")],
            "findings": [entry(asset_id=company.assets[0], severity="major", text="Bearing is loud")],
        },
    )
    tablet.sync(limit=7)
    recorder.do("change", collection="visit", id=visit, values={"work_summary": "By the office"})
    recorder.do("change", collection="visit", id=visit, values={"instructions": "Call first"})
    group = str(uuid.uuid4())
    signature = entry(name="Marta Pons", strokes=[[[1.0, 2.0, 0.0], [3.5, 4.0, 16.0]]])
    tablet.change(visit, set={"work_summary": "Seal replaced", "signature": signature}, group=group)
    tablet.change(company.sites[0], collection="site", set={"access_note": "Side door"}, group=group)
    tablet.event(visit, "done")
    again = [dict(mutation) for mutation in tablet.state.outbox]
    tablet.send()
    tablet.state.outbox = again
    tablet.sync()
    tablet.change(other, set={"colour": "red"})
    tablet.change(other, set={"priority": 3})
    tablet.change(str(uuid.uuid4()), set={"work_summary": "Nowhere"})
    tablet.sync()
    own = str(uuid.uuid4())
    tablet.edit(
        "visit", own, op="create", mutation_id=str(uuid.uuid4()), made_at=iso(datetime.now(UTC)),
        set={"kind": "repair_minor", "site_id": company.sites[0], "asset_ids": [company.assets[0]]},
    )  # fmt: skip
    tablet.event(own, "started")
    tablet.sync()
    tablet.transport("GET", "/sync/v1/mutations?after=0&limit=1000")
    tablet.verify()
    tablet.renew_token()
    tablet.read()
    tablet.transport("GET", f"/sync/v1/documents?ids={visit},{uuid.uuid4()}")
    tablet.transport("POST", "/sync/v1/leave")
    tablet.transport("GET", "/sync/v1/pull")


def long_without_contact(recorder: Recorder) -> None:
    """Two tablets and the office meet over visits that were reassigned, cancelled and begun twice meanwhile."""
    company = recorder.company
    moved, cancelled, shared = (visit_for(recorder, company.anna, site) for site in range(3))
    anna, boris = recorder.tablet(company.anna), recorder.tablet(company.boris)
    anna.read()
    boris.read()
    start = datetime.now(UTC) - timedelta(minutes=10)
    for visit in (moved, cancelled):
        anna.work(visit, "started", "done", start=start)
    anna.work(shared, "started", start=start)
    anna.change(company.sites[2], collection="site", set={"access_note": "Ring twice", "danger_note": "Dog"})
    recorder.do("publish", visit=moved, technician=company.boris, start=MORNING)
    recorder.do("publish", visit=shared, technician=company.boris, start=MORNING)
    recorder.do("cancel", visit=cancelled, reason="Customer asked")
    boris.read()
    boris.work(shared, "started")
    boris.change(company.sites[2], collection="site", set={"access_note": "Back door"})
    boris.sync()
    anna.sync()
    boris.sync()
    anna.verify()
    boris.verify()


def an_app_newer_than_its_server(recorder: Recorder) -> None:
    """An app of a far later schema version: a field, a key of an entry and a collection that no server knows."""
    company = recorder.company
    visit = visit_for(recorder, company.anna)
    tablet = recorder.tablet(company.anna, schema_version=LATEST)
    tablet.read()
    tablet.change(visit, set={"work_summary": "Done", "mood": "good"}, add={"notes": [entry(text="x", colour="red")]})
    group = str(uuid.uuid4())
    tablet.change(str(uuid.uuid4()), collection="van_check", set={"tyres": 4}, group=group)
    tablet.change(visit, set={"work_summary": "With the van"}, group=group)
    tablet.change(visit, add={"notes": [entry(text="By itself")]})
    tablet.sync()
    tablet.transport("GET", "/sync/v1/mutations?after=0&limit=1000")
