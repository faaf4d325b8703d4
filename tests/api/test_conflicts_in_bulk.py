"""Several conflicts settled alike: looked at first, all of them or each with its own reason, taken back as one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from schemas.entities.base import iso
from server.store.models import Site, Visit
from tests.api.conftest import problem
from tests.builders import Office, SmallCompany, change, publish
from tests.tablets import Tablet, enrol

SEEN = {"access_note": "Side door", "danger_note": "Dog", "contact_phone": "+376 700 001"}
SAID = {"access_note": "Main door", "danger_note": "Steps", "contact_phone": "+376 700 002"}
BULK = "/api/v1/conflicts/settle"


@pytest.fixture
def anna(app: Flask, company: SmallCompany) -> Tablet:
    with app.app_context():
        publish(company.id, company.visit(), company.anna, datetime.now(UTC))
    tablet = enrol(app, company.id, company.anna)
    tablet.read()
    return tablet


@pytest.fixture
def clashes(app: Flask, company: SmallCompany, anna: Tablet, dispatcher: Office) -> list[dict[str, Any]]:
    """Three fields of one site that both sides wrote: two stand as seen on site, one as the office said."""
    site = company.sites[0]
    with app.app_context():
        change(Site, company.id, site, **SAID)
    anna.change(site, "site", set=SEEN)
    anna.sync()
    found = dispatcher.get(f"/api/v1/conflicts?document_id={site}&sort=id").json["items"]
    assert {one["field"] for one in found} == set(SEEN)
    return list(found)


def wanted(clashes: list[dict[str, Any]], choice: str, **more: Any) -> dict[str, Any]:
    items = [{"id": one["id"], "seen": one["document_version"]} for one in clashes]
    return {"items": items, "choice": choice} | more


def body(dispatcher: Office, company: SmallCompany) -> dict[str, Any]:
    site = dispatcher.get(f"/api/v1/sites/{company.sites[0]}").json
    return {name: site[name] for name in SEEN}


def test_a_preview_says_what_would_change_and_changes_nothing(
    company: SmallCompany, dispatcher: Office, clashes: list[dict[str, Any]]
) -> None:
    before = body(dispatcher, company)
    answer = dispatcher.post(f"{BULK}/preview", json=wanted(clashes, "theirs"))
    assert answer.status_code == 200, answer.text
    told = {one["field"]: out for one, out in zip(clashes, answer.json["outcomes"], strict=True)}
    for name, out in told.items():
        expected = {} if before[name] == SAID[name] else {name: [before[name], SAID[name]]}
        assert (out["changes"], out["problem"]) == (expected, None)
    assert any(out["changes"] for out in told.values())
    assert answer.json["written"] == 0
    assert body(dispatcher, company) == before
    again = dispatcher.get(f"/api/v1/conflicts?document_id={company.sites[0]}&sort=id").json["items"]
    assert again == clashes


def test_several_are_restored_by_one_action_reach_the_tablet_and_are_taken_back_as_one(
    company: SmallCompany, dispatcher: Office, anna: Tablet, clashes: list[dict[str, Any]]
) -> None:
    """A resolution is an ordinary write: it syncs like any other."""
    before = body(dispatcher, company)
    answer = dispatcher.post(BULK, json=wanted(clashes, "theirs"))
    assert (answer.status_code, answer.json["written"]) == (200, 3)
    assert body(dispatcher, company) == SAID
    anna.sync()
    shown = anna.body(company.sites[0])
    assert {name: shown[name] for name in SAID} == SAID
    settled = dispatcher.get(f"/api/v1/conflicts?document_id={company.sites[0]}").json["items"]
    assert {(one["state"], one["resolved_by"]) for one in settled} == {("resolved", "Dispatcher")}
    back = dispatcher.post("/api/v1/conflicts/undo", json={"ids": [one["id"] for one in clashes]})
    assert (back.status_code, back.json["written"]) == (200, 3)
    assert body(dispatcher, company) == before


def test_when_something_moved_meanwhile_nothing_is_written_and_each_says_why(
    app: Flask, company: SmallCompany, dispatcher: Office, clashes: list[dict[str, Any]]
) -> None:
    with app.app_context():
        change(Site, company.id, company.sites[0], danger_note="Ice")
    before = body(dispatcher, company)
    told = problem(dispatcher.post(BULK, json=wanted(clashes, "theirs")), 409, "conflicts-moved")
    assert [one["problem"]["code"] for one in told["outcomes"]] == ["moved-meanwhile"] * 3
    assert told["written"] == 0
    assert body(dispatcher, company) == before


def test_those_that_can_be_are_settled_and_the_others_are_told(
    company: SmallCompany, dispatcher: Office, clashes: list[dict[str, Any]]
) -> None:
    first = clashes[0]
    dispatcher.post(f"/api/v1/conflicts/{first['id']}/resolve", json={"choice": "theirs"})
    loose = {"items": [{"id": one["id"]} for one in clashes], "choice": "theirs"}
    told = problem(dispatcher.post(BULK, json=loose), 409, "conflicts-moved")
    assert [one["problem"] and one["problem"]["code"] for one in told["outcomes"]] == ["already-resolved", None, None]
    answer = dispatcher.post(BULK, json=loose | {"together": False})
    assert (answer.status_code, answer.json["written"]) == (200, 2)
    assert answer.json["outcomes"][0]["problem"]["code"] == "already-resolved"
    assert body(dispatcher, company) == SAID


def test_the_log_is_asked_by_event_tablet_field_and_rule(
    dispatcher: Office, anna: Tablet, clashes: list[dict[str, Any]]
) -> None:
    def found(query: str) -> set[str]:
        return {one["field"] for one in dispatcher.get(f"/api/v1/conflicts?{query}").json["items"]}

    assert found("policy=technician") == {one["field"] for one in clashes if one["policy"] == "technician"}
    assert found("policy=office") == {one["field"] for one in clashes if one["policy"] == "office"}
    assert found("field=danger_note") == {"danger_note"}
    assert found(f"device_id={clashes[0]['device']['id']}") == set(SEEN)


def test_a_clash_says_since_when_the_tablet_was_out_of_contact(
    app: Flask, company: SmallCompany, anna: Tablet, dispatcher: Office, clashes: list[dict[str, Any]]
) -> None:
    """That is its last contact before it wrote, and not the time of the version that it had."""
    for one in clashes:
        assert one["base_at"] < one["apart_since"] <= one["mine_at_corrected"] <= one["created_at"]


def hours(
    app: Flask, company: SmallCompany, dispatcher: Office, visit: str, seen: dict[str, Any], said: dict[str, Any]
) -> list[dict[str, Any]]:
    """The clashes of a visit whose hours the tablet and the office both changed; the office's stand."""
    tablet = enrol(app, company.id, company.anna)
    tablet.read()
    with app.app_context():
        change(Visit, company.id, visit, **said)
    for name, at in seen.items():
        tablet.change(visit, set={name: iso(at)})
    tablet.sync()
    found = dispatcher.get(f"/api/v1/conflicts?document_id={visit}&sort=id").json["items"]
    assert {one["field"] for one in found} == set(seen)
    return list(found)


def test_what_one_side_wrote_of_hours_long_past_is_restored_and_taken_back(
    app: Flask, company: SmallCompany, dispatcher: Office
) -> None:
    past = datetime.now(UTC).replace(microsecond=0) - timedelta(days=40)
    with app.app_context():
        visit = company.visit()
        publish(company.id, visit, company.anna, datetime.now(UTC))
        change(Visit, company.id, visit, window_start=past, window_end=past + timedelta(days=60))
    office, tablet = past + timedelta(hours=1), past + timedelta(hours=2)
    (clash,) = hours(app, company, dispatcher, visit, {"window_start": tablet}, {"window_start": office})
    before = dispatcher.get(f"/api/v1/visits/{visit}").json["window_start"]
    assert before == iso(office)
    path = f"/api/v1/conflicts/{clash['id']}"
    new = {"choice": "value", "value": iso(past + timedelta(hours=3))}
    told = problem(dispatcher.post(f"{path}/resolve", json=new), 422, "invalid-fields")
    assert told["errors"][0]["code"] == "long-past"
    assert dispatcher.post(f"{path}/resolve", json={"choice": "mine"}).status_code == 200
    assert dispatcher.get(f"/api/v1/visits/{visit}").json["window_start"] == iso(tablet)
    back = dispatcher.post(f"{path}/undo")
    assert back.status_code == 200, back.text
    assert dispatcher.get(f"/api/v1/visits/{visit}").json["window_start"] == before


@pytest.fixture
def exclusive(app: Flask, company: SmallCompany, dispatcher: Office) -> list[dict[str, Any]]:
    """Two clashes of one visit: the tablet's start or its end can be kept, not both: it would end before it starts."""
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=3)
    with app.app_context():
        visit = company.visit(window_start=iso(day + timedelta(hours=9)), window_end=iso(day + timedelta(hours=19)))
        publish(company.id, visit, company.anna, datetime.now(UTC))
    said = {"window_start": day + timedelta(hours=12), "window_end": day + timedelta(hours=18)}
    seen = {"window_start": day + timedelta(hours=16), "window_end": day + timedelta(hours=15)}
    return hours(app, company, dispatcher, visit, seen, said)


def window(dispatcher: Office, clashes: list[dict[str, Any]]) -> list[Any]:
    visit = dispatcher.get(f"/api/v1/visits/{clashes[0]['document_id']}").json
    return [visit[one["field"]] for one in clashes]


def test_clashes_that_exclude_each_other_are_not_told_as_kept(
    dispatcher: Office, exclusive: list[dict[str, Any]]
) -> None:
    before = window(dispatcher, exclusive)
    looked = dispatcher.post(f"{BULK}/preview", json=wanted(exclusive, "mine"))
    assert looked.status_code == 200, looked.text
    codes = [one["problem"] and one["problem"]["code"] for one in looked.json["outcomes"]]
    assert codes == [None, "invalid-fields"]
    told = problem(dispatcher.post(BULK, json=wanted(exclusive, "mine")), 409, "conflicts-moved")
    assert [one["problem"] and one["problem"]["code"] for one in told["outcomes"]] == codes
    assert told["written"] == 0
    assert window(dispatcher, exclusive) == before
    some = dispatcher.post(BULK, json=wanted(exclusive, "mine", together=False))
    assert (some.status_code, some.json["written"]) == (200, 1)
    assert window(dispatcher, exclusive) == [exclusive[0]["mine"], before[1]]


def test_keeping_those_that_can_be_does_not_stumble_over_what_it_wrote_itself(
    company: SmallCompany, dispatcher: Office, clashes: list[dict[str, Any]]
) -> None:
    """All were decided on one version of a site; that one is settled already is no reason against the others."""
    dispatcher.post(f"/api/v1/conflicts/{clashes[1]['id']}/resolve", json={"choice": "theirs"})
    now = dispatcher.get(f"/api/v1/conflicts?document_id={company.sites[0]}&sort=id").json["items"]
    answer = dispatcher.post(BULK, json=wanted(now, "theirs", together=False))
    assert answer.status_code == 200, answer.text
    codes = [one["problem"] and one["problem"]["code"] for one in answer.json["outcomes"]]
    assert codes == [None, "already-resolved", None]
    assert answer.json["written"] == 2
    assert body(dispatcher, company) == SAID


def test_a_skill_that_nobody_has_any_more_is_restored(app: Flask, company: SmallCompany, dispatcher: Office) -> None:
    with app.app_context():
        visit = company.visit()
        publish(company.id, visit, company.anna, datetime.now(UTC))
    tablet = enrol(app, company.id, company.anna)
    tablet.read()
    tablet.change(visit, set={"skills": ["steam"]})
    tablet.sync()
    (clash,) = dispatcher.get(f"/api/v1/conflicts?document_id={visit}").json["items"]
    answer = dispatcher.post(BULK, json=wanted([clash], "mine"))
    assert (answer.status_code, answer.json["written"]) == (200, 1), answer.text
    assert dispatcher.get(f"/api/v1/visits/{visit}").json["skills"] == ["steam"]


def test_resolutions_that_cannot_be_taken_back_together_are_not_told_as_taken_back(
    app: Flask, company: SmallCompany, dispatcher: Office
) -> None:
    """Two clashes of one field settled one after the other: the first is taken back only after the second."""
    with app.app_context():
        visit = company.visit()
        publish(company.id, visit, company.anna, datetime.now(UTC))
    tablet = enrol(app, company.id, company.anna)
    tablet.read()
    for priority in (2, 3):
        tablet.change(visit, set={"priority": priority})
        tablet.sync()
    found = dispatcher.get(f"/api/v1/conflicts?document_id={visit}").json["items"]
    first, second = sorted(found, key=lambda one: one["mine"])
    for one in (first, second):
        assert dispatcher.post(f"/api/v1/conflicts/{one['id']}/resolve", json={"choice": "mine"}).status_code == 200
    wrong = dispatcher.post("/api/v1/conflicts/undo", json={"ids": [second["id"], first["id"]]})
    told = problem(wrong, 409, "conflicts-moved")
    assert told["written"] == 0
    assert dispatcher.get(f"/api/v1/visits/{visit}").json["priority"] == 3
    back = dispatcher.post("/api/v1/conflicts/undo", json={"ids": [first["id"], second["id"]]})
    assert (back.status_code, back.json["written"]) == (200, 2), back.text
    assert dispatcher.get(f"/api/v1/visits/{visit}").json["priority"] == 1
