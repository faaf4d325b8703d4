"""The hard cases: what the office did while a tablet was offline, from both sides and in both orders."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from schemas.entities import COLLECTIONS
from schemas.entities.base import iso
from server.store.models import Site, Visit
from tests.builders import Office, SmallCompany, change, publish
from tests.tablets import Tablet, enrol


@pytest.fixture
def visit(app: Flask, company: SmallCompany) -> str:
    with app.app_context():
        made = company.visit(asset_ids=[company.assets[0]])
        publish(company.id, made, company.anna)
        return made


@pytest.fixture
def anna(app: Flask, company: SmallCompany, visit: str) -> Tablet:
    tablet = enrol(app, company.id, company.anna, "Anna's")
    tablet.read()
    return tablet


@pytest.fixture
def boris(app: Flask, company: SmallCompany) -> Tablet:
    return enrol(app, company.id, company.boris, "Boris's")


def open_conflicts(dispatcher: Office) -> list[Any]:
    found: list[Any] = dispatcher.get("/api/v1/conflicts?state=open").json["items"]
    return found


def codes(dispatcher: Office) -> list[str]:
    return sorted(one["reason"]["code"] for one in open_conflicts(dispatcher))


def reassign(app: Flask, company: SmallCompany, visit: str) -> None:
    with app.app_context():
        publish(company.id, visit, company.boris)


def body(dispatcher: Office, visit: str) -> Any:
    return dispatcher.get(f"/api/v1/visits/{visit}").json


HOURS_AGO = datetime.now(UTC) - timedelta(hours=3)


def test_reassigned_meanwhile_and_done(
    app: Flask, company: SmallCompany, dispatcher: Office, visit: str, anna: Tablet, boris: Tablet
) -> None:
    """S-32: the facts stay under A, B's copy goes, the dispatcher hears of it once."""
    anna.work(visit, "started", "done", start=HOURS_AGO)
    reassign(app, company, visit)
    boris.read()
    assert visit in boris.ids
    assert all(result["status"] == "merged" for result in anna.sync())
    boris.read()
    assert boris.state.dropped[visit] == "done-by-other"
    assert anna.body(visit)["exec_state"] == "done"
    assert body(dispatcher, visit)["performed_by_id"] == company.anna
    (conflict,) = open_conflicts(dispatcher)
    assert (conflict["kind"], conflict["class"], conflict["reason"]["code"]) == (
        "late",
        "late",
        "done-after-reassignment",
    )
    assert (conflict["mine"], conflict["theirs"]) == (company.anna, company.boris)
    assert conflict["mine_by"]["name"] == "Anna"


def test_done_first_and_then_the_office_would_reassign(
    dispatcher: Office, company: SmallCompany, visit: str, anna: Tablet
) -> None:
    """S-32, the other order: the office hears that it is done."""
    anna.work(visit, "started", "done", start=HOURS_AGO)
    anna.sync()
    answer = dispatcher.patch(f"/api/v1/visits/{visit}", json={"assignee_id": company.boris})
    assert (answer.status_code, answer.json["code"]) == (409, "visit-finished")


@pytest.mark.parametrize("first", ["anna", "boris"])
def test_both_started(
    app: Flask, company: SmallCompany, dispatcher: Office, visit: str, anna: Tablet, boris: Tablet, first: str
) -> None:
    """S-33: both times are kept and both people named, whoever's tablet comes first."""
    reassign(app, company, visit)
    boris.read()
    anna.work(visit, "started", start=HOURS_AGO)
    boris.work(visit, "started", start=HOURS_AGO + timedelta(minutes=20))
    for tablet in (anna, boris) if first == "anna" else (boris, anna):
        tablet.sync()
    seen = body(dispatcher, visit)
    assert [event["by"] for event in seen["events"]] == [company.anna, company.boris]
    assert "double_visit" in seen["flags"]
    (double,) = [one for one in open_conflicts(dispatcher) if one["reason"]["code"] == "double-visit"]
    assert {double["mine"], double["theirs"]} == {company.anna, company.boris}


def test_cancelled_meanwhile_and_done(dispatcher: Office, company: SmallCompany, visit: str, anna: Tablet) -> None:
    """S-34: the work is kept and shown; cancelled it stays until a person decides."""
    anna.work(visit, "started", "done", start=HOURS_AGO)
    assert dispatcher.post(f"/api/v1/visits/{visit}/cancel", json={"reason": "By phone"}).status_code == 200
    anna.sync()
    seen = body(dispatcher, visit)
    assert (seen["plan_state"], seen["exec_state"]) == ("cancelled", "done")
    assert "done_on_cancelled" in seen["flags"]
    assert "done-on-cancelled" in codes(dispatcher)
    assert anna.body(visit)["exec_state"] == "done"


def test_done_first_and_then_the_office_would_cancel(dispatcher: Office, visit: str, anna: Tablet) -> None:
    """S-34, the other order"""
    anna.work(visit, "started", "done", start=HOURS_AGO)
    anna.sync()
    assert dispatcher.post(f"/api/v1/visits/{visit}/cancel", json={"reason": "x"}).status_code == 409


@pytest.mark.parametrize(
    ("field", "base", "mine", "theirs"),
    [("access_note", "Ring at reception", "Side door, code 4711", "Main door"), ("lat", 42.507, 42.5081, 42.5099)],
)
def test_what_is_seen_on_site_corrected_on_both_sides(
    app: Flask, company: SmallCompany, dispatcher: Office, anna: Tablet, field: str, base: Any, mine: Any, theirs: Any
) -> None:
    """S-35: the technician's stands, the office's is kept with both authors and times; resolved, undone, resolved."""
    site = company.sites[0]
    anna.change(site, "site", at=HOURS_AGO, set={field: mine})
    assert dispatcher.patch(f"/api/v1/sites/{site}", json={field: theirs}).status_code == 200
    (result,) = anna.sync()
    assert (result["status"], result["conflicts"][0]["chosen"]) == ("merged", "mine")
    (conflict,) = open_conflicts(dispatcher)
    assert (conflict["base"], conflict["mine"], conflict["theirs"], conflict["value_now"]) == (base, mine, theirs, mine)
    assert (conflict["mine_by"]["name"], conflict["theirs_by"]["name"]) == ("Anna", "Dispatcher")
    assert conflict["mine_at"] == iso(HOURS_AGO)
    assert conflict["theirs_at"]

    def post(action: str, **values: Any) -> Any:
        answer = dispatcher.post(f"/api/v1/conflicts/{conflict['id']}/{action}", json=values or None)
        anna.sync()
        return answer

    assert post("resolve", choice="theirs").json["state"] == "resolved"
    assert anna.body(site)[field] == theirs
    assert post("resolve", choice="mine").json["code"] == "already-resolved"
    assert post("undo").json["state"] == "open"
    assert anna.body(site)[field] == mine
    assert post("undo").json["code"] == "not-resolved"
    assert post("resolve", choice="value", value=base).json["value_now"] == base
    assert anna.body(site)[field] == base


def test_the_office_corrects_after_the_tablet_and_there_is_no_clash(
    company: SmallCompany, dispatcher: Office, anna: Tablet
) -> None:
    """S-35, the other order: who has seen the other's value corrects it."""
    site = company.sites[0]
    anna.change(site, "site", set={"access_note": "Side door"})
    anna.sync()
    dispatcher.patch(f"/api/v1/sites/{site}", json={"access_note": "Side door, ring twice"})
    anna.sync()
    assert anna.body(site)["access_note"] == "Side door, ring twice"
    assert open_conflicts(dispatcher) == []


def test_an_edit_of_what_the_office_decides_is_a_proposal(dispatcher: Office, visit: str, anna: Tablet) -> None:
    """S-36: the office's value stays until a person takes the proposal."""
    anna.change(visit, set={"instructions": "Bring a ladder"})
    (result,) = anna.sync()
    assert (result["status"], result["conflicts"][0]["kind"]) == ("overridden", "proposal")
    assert anna.body(visit)["instructions"] is None
    (conflict,) = open_conflicts(dispatcher)
    dispatcher.post(f"/api/v1/conflicts/{conflict['id']}/resolve", json={"choice": "mine"})
    anna.sync()
    assert anna.body(visit)["instructions"] == "Bring a ladder"


def test_a_proposal_that_the_rules_forbid_stays_open(dispatcher: Office, visit: str, anna: Tablet) -> None:
    """S-36: taking a proposal is an edit by the office, with the office's checks."""
    anna.change(visit, set={"kind": "no_such_kind"})
    anna.sync()
    (conflict,) = open_conflicts(dispatcher)
    answer = dispatcher.post(f"/api/v1/conflicts/{conflict['id']}/resolve", json={"choice": "mine"})
    assert answer.status_code in (409, 422)
    assert len(open_conflicts(dispatcher)) == 1


def test_defaults_are_accepted_at_once(company: SmallCompany, dispatcher: Office, anna: Tablet) -> None:
    """S-37: what the rules decided stays, and what is settled is left alone."""
    for site_field, value in (("access_note", "a"), ("danger_note", "b")):
        anna.change(company.sites[0], "site", set={site_field: value})
        dispatcher.patch(f"/api/v1/sites/{company.sites[0]}", json={site_field: "office"})
    anna.sync()
    ids = [one["id"] for one in open_conflicts(dispatcher)]
    assert len(ids) == 2
    done = dispatcher.post("/api/v1/conflicts/accept-defaults", json={"ids": ids}).json["items"]
    assert {one["state"] for one in done} == {"resolved"}
    assert dispatcher.post("/api/v1/conflicts/accept-defaults", json={"ids": ids}).json["items"] == []
    assert anna.body(company.sites[0])["access_note"] == "a"


def test_done_is_undone_and_done_again(dispatcher: Office, visit: str, anna: Tablet) -> None:
    """S-38: an undo is an event that syncs like the others."""
    _, done = anna.work(visit, "started", "done", start=HOURS_AGO)
    anna.sync()
    event = done["add"]["events"][0]["id"]
    anna.event(visit, "undo", HOURS_AGO + timedelta(minutes=2), undoes=event)
    anna.sync()
    assert body(dispatcher, visit)["exec_state"] == "working"
    anna.event(visit, "done", HOURS_AGO + timedelta(minutes=9))
    anna.sync()
    finished = datetime.fromisoformat(body(dispatcher, visit)["finished_at"])
    assert abs(finished - (HOURS_AGO + timedelta(minutes=9))) < timedelta(seconds=30)


def test_an_event_out_of_order_is_kept_and_flagged(dispatcher: Office, visit: str, anna: Tablet) -> None:
    """S-38 (law 8)"""
    anna.event(visit, "done", HOURS_AGO)
    anna.sync()
    seen = body(dispatcher, visit)
    assert (seen["exec_state"], seen["flags"], len(seen["events"])) == ("not_started", ["illegal_event"], 1)


def test_a_signature_sent_twice_is_one(dispatcher: Office, visit: str, anna: Tablet) -> None:
    """S-39: the retry makes no second signature, no clash and no new version."""
    signature = {
        "id": str(uuid.uuid4()), "name": "M. Font", "at": iso(HOURS_AGO), "strokes": [[[0, 0, 0], [5, 5, 20]]],
    }  # fmt: skip
    anna.change(visit, set={"signature": signature})
    (first,) = anna.sync()
    anna.change(visit, set={"signature": signature})
    (second,) = anna.sync()
    assert first["version"] == second["version"]
    assert second["conflicts"] == []
    assert body(dispatcher, visit)["signature"]["name"] == "M. Font"


def test_an_unsent_edit_of_what_was_dropped_is_still_judged(
    app: Flask, company: SmallCompany, visit: str, anna: Tablet, dispatcher: Office
) -> None:
    """S-14 (law 5): the tablet hears of the drop first, the note is kept all the same."""
    note = {"id": str(uuid.uuid4()), "at": iso(HOURS_AGO), "text": "Pump hums"}
    anna.change(visit, at=HOURS_AGO, add={"notes": [note]})
    anna.change(company.sites[0], "site", at=HOURS_AGO, set={"danger_note": "Dog"})
    reassign(app, company, visit)
    anna.read()
    assert {visit, company.sites[0]} <= anna.state.dropped.keys()
    assert len(anna.unsent()) == 2
    anna.sync()
    assert [one["text"] for one in body(dispatcher, visit)["notes"]] == ["Pump hums"]
    assert dispatcher.get(f"/api/v1/sites/{company.sites[0]}").json["danger_note"] == "Dog"
    late = dispatcher.get("/api/v1/conflicts?state=settled").json["items"]
    assert {one["class"] for one in late} <= {"late"}


def test_readings_land_on_an_asset_that_was_taken_out_of_service(
    app: Flask, company: SmallCompany, visit: str, anna: Tablet, dispatcher: Office
) -> None:
    """S-32"""
    from server.store.models import Asset

    reading = {
        "id": str(uuid.uuid4()), "at": iso(HOURS_AGO), "asset_id": company.assets[0], "meter": "hours", "value": 12.5,
    }  # fmt: skip
    anna.change(visit, add={"readings": [reading]})
    with app.app_context():
        change(Asset, company.id, company.assets[0], in_service=False)
    (result,) = anna.sync()
    assert result["status"] in ("applied", "merged")
    assert body(dispatcher, visit)["readings"][0]["value"] == 12.5


def test_moved_to_another_day_and_started_today(app: Flask, company: SmallCompany, visit: str, anna: Tablet) -> None:
    """S-32: both go in, for they are different fields."""
    anna.work(visit, "started", start=HOURS_AGO)
    with app.app_context():
        change(Visit, company.id, visit, planned_start=datetime.now(UTC) + timedelta(days=1))
        change(Site, company.id, company.sites[0], access_note="New")
    (result,) = anna.sync()
    assert (result["status"], result["conflicts"]) == ("merged", [])
    assert anna.body(visit)["exec_state"] == "working"


def test_of_two_edits_the_later_one_stands_whichever_came_first(
    app: Flask, company: SmallCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S-35, S-40: `latest` compares when people wrote, by the corrected clock, and not when the office heard of it."""
    rules = COLLECTIONS["site"].rules
    monkeypatch.setitem(rules, "access_note", replace(rules["access_note"], policy="latest"))
    with app.app_context():
        for technician in (company.anna, company.boris):
            publish(company.id, company.visit(), technician)
    anna, boris = (enrol(app, company.id, each) for each in (company.anna, company.boris))
    for tablet in (anna, boris):
        tablet.read()
    site = company.sites[0]
    boris.change(site, "site", at=HOURS_AGO + timedelta(hours=1), set={"access_note": "Later"})
    boris.change(site, "site", set={"danger_note": "Another field, just now"})
    anna.change(site, "site", at=HOURS_AGO, set={"access_note": "Earlier"})
    boris.send()
    (result,) = anna.send()
    assert [(one["field"], one["chosen"]) for one in result["conflicts"]] == [("access_note", "theirs")]
    anna.read()
    boris.change(site, "site", at=HOURS_AGO + timedelta(hours=2), set={"access_note": "Last"})
    anna.change(site, "site", at=HOURS_AGO + timedelta(hours=1, minutes=30), set={"access_note": "In between"})
    anna.send()
    (result,) = boris.send()
    assert [(one["field"], one["chosen"]) for one in result["conflicts"]] == [("access_note", "mine")]
    boris.read()
    assert boris.body(site)["access_note"] == "Last"
