"""Plans over HTTP, from the draft to the tablets and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Flask

from tests.api.conftest import enrolled
from tests.builders import Office, SmallCompany, entry

DAY = datetime.now(UTC).date() + timedelta(days=7)


def test_a_published_plan_reaches_the_technicians_tablet_with_its_reason(
    app: Flask, company: SmallCompany, dispatcher: Office
) -> None:
    with app.app_context():
        visit = company.visit()
    tablets = {one: enrolled(dispatcher, one) for one in (company.anna, company.boris)}
    made = dispatcher.post("/api/v1/plans", json={"date": DAY.isoformat(), "seconds": 0.2}).json
    [route] = made["routes"]
    assert [stop["visit_id"] for stop in route["stops"]] == [visit]
    assert route["stops"][0]["why"]["text"]
    assert all(visit not in tablet.pull() for tablet in tablets.values())
    assert dispatcher.post(f"/api/v1/plans/{made['id']}/publish").status_code == 200
    op, document = tablets[route["technician_id"]].pull()[visit]
    assert op == "put"
    assert document is not None
    assert document["planned_start"] == route["stops"][0]["start_at"]
    others = [tablet for one, tablet in tablets.items() if one != route["technician_id"]]
    assert all(visit not in tablet.pull() for tablet in others)


def test_work_done_on_a_tablet_is_a_fact_of_the_next_plan(
    app: Flask, company: SmallCompany, dispatcher: Office
) -> None:
    with app.app_context():
        first, second = company.visit(), company.visit(site_id=company.sites[1])
    made = dispatcher.post("/api/v1/plans", json={"date": DAY.isoformat(), "seconds": 0.2}).json
    dispatcher.post(f"/api/v1/plans/{made['id']}/publish")
    owner = {stop["visit_id"]: route["technician_id"] for route in made["routes"] for stop in route["stops"]}
    tablet = enrolled(dispatcher, owner[first])
    assert tablet.pull()[first][0] == "put"
    for kind in ("started", "done"):
        assert tablet.edit("visit", first, 2, add={"events": [entry(type=kind)]})["status"] in ("applied", "merged")
    again = dispatcher.post("/api/v1/plans", json={"date": DAY.isoformat(), "seconds": 0.2}).json
    stops = {stop["visit_id"] for route in again["routes"] for stop in route["stops"]}
    assert stops == {second}
    assert dispatcher.post(f"/api/v1/plans/{again['id']}/publish").status_code == 200
    assert dispatcher.get(f"/api/v1/visits/{first}").json["exec_state"] == "done"
