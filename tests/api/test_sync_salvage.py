"""Two days of work on a tablet that has lost its access: S-79 to S-82 (F28; the hard case "device revoked")."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from schemas.entities.base import iso
from server.actions import salvage as action
from server.actions.end_device import revoke
from server.actions.enrol_device import make_code
from server.extensions import db
from server.store import documents, engine
from server.store.models import Conflict, Device, Mutation, Salvage, Site
from server.store.queries import devices, fleet
from sync.client import Refused
from tests.api.conftest import problem
from tests.builders import Office, SmallCompany, change, entry, publish
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
def manager(app: Flask, company: SmallCompany) -> Office:
    return company.sign_in(app.test_client(), "manager@small.example")


def revoked(app: Flask, company: SmallCompany, tablet: Tablet) -> None:
    with app.app_context():
        revoke(company.id, tablet.state.device_id, now=datetime.now(UTC))


def handed_over(app: Flask, company: SmallCompany, tablet: Tablet) -> None:
    revoked(app, company, tablet)
    tablet.hand_over(device_time=iso(datetime.now(UTC)))


def pieces(office: Office, **query: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = office.get("/api/v1/salvage", query_string=query).json["items"]
    return items


def raw(tablet: Tablet, data: bytes) -> Any:
    transport: Any = tablet.transport
    headers = {"Authorization": f"Bearer {tablet.state.token}", "Content-Type": "application/json"}
    return transport.client.post("/sync/v1/push", data=data, headers=headers)


def test_two_days_of_work_are_kept_have_no_effect_and_are_in_the_inbox(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str, dispatcher: Office
) -> None:
    """S-80: with author and reason; nothing is merged by itself."""
    anna.work(visit, "started", "done", start=datetime.now(UTC) - timedelta(days=2))
    anna.change(company.sites[0], "site", set={"access_note": "Key at the bar"})
    handed_over(app, company, anna)
    assert anna.state.salvaged == [mutation["id"] for mutation in anna.unsent()]
    [piece] = pieces(dispatcher)
    assert (piece["technician_name"], piece["why"], piece["count"], piece["state"]) == ("Anna", "revoked", 3, "waiting")
    told = dispatcher.get(f"/api/v1/salvage/{piece['id']}").json
    assert [one["n"] for one in told["mutations"]] == [1, 2, 3]
    assert told["mutations"][2]["document_title"] == "Hotel 1"
    assert told["mutations"][2]["set"] == {"access_note": "Key at the bar"}
    assert dispatcher.get(f"/api/v1/visits/{visit}").json["exec_state"] == "not_started"
    with app.app_context():
        assert db.session.query(Mutation).count() == 0
        [notice] = fleet.open_notices(company.id)
        assert (notice.kind, notice.device_id) == ("salvage", anna.state.device_id)


def test_an_import_goes_through_the_ordinary_door_as_that_technician(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str, manager: Office
) -> None:
    """S-81: the times are those of the tablet, the office's edit meanwhile is a recorded clash, the author is Anna."""
    began = datetime.now(UTC) - timedelta(days=2)
    anna.work(visit, "started", "done", start=began)
    anna.change(company.sites[0], "site", set={"access_note": "Key at the bar"})
    anna.change(visit, set={"no_such_field": 1})
    with app.app_context():
        change(Site, company.id, company.sites[0], access_note="Key at the reception")
    handed_over(app, company, anna)
    [piece] = pieces(manager)
    answer = manager.post(f"/api/v1/salvage/{piece['id']}/import", json={})
    assert answer.status_code == 200, answer.text
    done = answer.json
    assert (done["state"], done["decided_by"]) == ("imported", "Manager")
    assert sum(done["outcome"]["counts"].values()) == 4
    assert done["outcome"]["counts"]["rejected"] == 1
    seen = manager.get(f"/api/v1/visits/{visit}").json
    assert seen["exec_state"] == "done"
    assert {event["by_name"] for event in seen["events"]} == {"Anna"}
    assert abs(datetime.fromisoformat(seen["started_at"]) - began) < timedelta(seconds=5)
    with app.app_context():
        assert [one.mine_by for one in db.session.query(Conflict).filter_by(field="access_note")] == ["Anna"]
        assert {row.device_id for row in db.session.query(Mutation)} == {anna.state.device_id}
        newest = documents.history(company.id, visit, 1)[0]
        assert (newest.author_name, newest.device_id) == ("Anna", anna.state.device_id)
        assert fleet.open_notices(company.id) == []
    problem(manager.post(f"/api/v1/salvage/{piece['id']}/import", json={}), 409, "salvage-decided")


def test_work_that_came_both_ways_has_its_effect_once(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str, manager: Office
) -> None:
    """S-81, S-82: handed over, enrolled again and sent, then imported; and the other way round."""
    for first in ("import", "send"):
        note = {"id": str(uuid.uuid4()), "at": iso(datetime.now(UTC)), "text": first}
        anna.change(visit, add={"notes": [note]})
        handed_over(app, company, anna)
        [piece] = pieces(manager, state="waiting")
        if first == "import":
            assert manager.post(f"/api/v1/salvage/{piece['id']}/import", json={}).status_code == 200
        with app.app_context():
            code = make_code(company.id, company.anna, user_id=None, now=datetime.now(UTC)).qr
        anna.enrol(code, device_name="Anna's")
        anna.sync()
        if first == "send":
            told = manager.get(f"/api/v1/salvage/{piece['id']}").json["mutations"][-1]
            assert told["known_as"] == "applied"
            outcome = manager.post(f"/api/v1/salvage/{piece['id']}/import", json={}).json["outcome"]
            assert all(one["repeated"] for one in outcome["results"])
    anna.read()
    assert [one["text"] for one in anna.body(visit)["notes"]] == ["import", "send"]


def test_what_is_discarded_has_a_reason_and_can_be_imported_after_all(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str, manager: Office
) -> None:
    """S-80"""
    anna.change(visit, set={"work_summary": "A"})
    handed_over(app, company, anna)
    [piece] = pieces(manager)
    path = f"/api/v1/salvage/{piece['id']}"
    problem(manager.post(f"{path}/discard", json={"reason": ""}), 422, "invalid-fields", "reason")
    left = manager.post(f"{path}/discard", json={"reason": "Anna has written it down on paper"}).json
    assert (left["state"], left["reason"]) == ("discarded", "Anna has written it down on paper")
    problem(manager.post(f"{path}/discard", json={"reason": "again"}), 409, "salvage-decided")
    assert manager.post(f"{path}/import", json={}).json["state"] == "imported"
    assert manager.get(f"/api/v1/visits/{visit}").json["work_summary"] == "A"


def test_a_tablet_that_was_silent_for_90_days_hands_over_too(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str, manager: Office
) -> None:
    """S-78, S-80"""
    anna.change(visit, set={"work_summary": "A"})
    with app.app_context():
        change(Device, company.id, anna.state.device_id, last_seen_at=datetime.now(UTC) - timedelta(days=91))
    anna.hand_over(device_time=iso(datetime.now(UTC)))
    [piece] = pieces(manager)
    assert (piece["why"], piece["count"]) == ("expired", 1)


def test_a_push_that_comes_again_is_kept_once_and_an_empty_one_not_at_all(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str, dispatcher: Office
) -> None:
    """S-80: the answer was lost, the clock went on."""
    anna.change(visit, set={"work_summary": "A"})
    handed_over(app, company, anna)
    anna.state.salvaged = []
    anna.hand_over(device_time=iso(datetime.now(UTC) + timedelta(seconds=5)))
    with pytest.raises(Refused) as caught:
        anna.push(device_time=iso(datetime.now(UTC)))
    assert "salvaged" not in caught.value.problem
    assert len(pieces(dispatcher)) == 1


def test_no_more_than_the_limit_is_kept_of_a_tablet(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S-80: a stolen token cannot fill the database; the tablet keeps what was not taken."""
    monkeypatch.setattr(action, "MOST_BYTES", 2000)
    revoked(app, company, anna)
    for n in range(3):
        anna.change(visit, set={"work_summary": str(n) * 700})
    told = []
    for _ in range(3):
        with pytest.raises(Refused) as caught:
            anna.push(device_time=iso(datetime.now(UTC)), most=1)
        told.append(caught.value.problem["salvaged"])
    assert told == [True, False, False]
    assert len(anna.state.salvaged) < len(anna.unsent()) == 3
    with app.app_context():
        assert sum(one.size for one in db.session.query(Salvage)) <= 2000


@pytest.mark.parametrize(
    "data",
    [
        b"no json at all",
        b"[1, 2]",
        b'{"mutations": 7}',
        b"\xff\xfe",
        b'{"a": ' * 3000,
        b'{"mutations": [' + b"9" * 9000,
    ],
)
def test_bytes_that_are_no_push_are_kept_and_can_only_be_discarded(
    app: Flask, company: SmallCompany, anna: Tablet, manager: Office, data: bytes
) -> None:
    """S-80"""
    revoked(app, company, anna)
    assert (raw(anna, data).status_code, raw(anna, data).json["salvaged"]) == (401, True)
    [piece] = pieces(manager)
    assert piece["count"] is None
    assert manager.get(f"/api/v1/salvage/{piece['id']}").json["readable"] is False
    problem(manager.post(f"/api/v1/salvage/{piece['id']}/import", json={}), 422, "salvage-unreadable")
    assert manager.post(f"/api/v1/salvage/{piece['id']}/discard", json={"reason": "noise"}).status_code == 200


def test_hostile_edits_are_shown_and_judged_one_by_one(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str, manager: Office
) -> None:
    """S-81, S-29: halves of surrogates, NaN, huge numbers, wrong forms; the good one among them goes in."""
    good = anna.change(visit, set={"work_summary": "good"})
    hostile = [
        '{"id": "\\ud800", "n": 1e999}', "null", "[]", '"x"', "NaN",
        '{"id": 7, "document_id": "x", "set": [], "add": 3, "made_at": "never"}',
        json.dumps(good | {"id": str(uuid.uuid4()), "n": 2, "set": {"work_summary": "\x00"}}),
    ]  # fmt: skip
    body = f'{{"device_time": "{iso(datetime.now(UTC))}", "mutations": [{", ".join([*hostile, json.dumps(good)])}]}}'
    revoked(app, company, anna)
    assert raw(anna, body.encode()).json["salvaged"] is True
    [piece] = pieces(manager)
    told = manager.get(f"/api/v1/salvage/{piece['id']}")
    assert told.status_code == 200, told.text
    assert len(told.json["mutations"]) == len(hostile) + 1
    outcome = manager.post(f"/api/v1/salvage/{piece['id']}/import", json={}).json["outcome"]
    assert outcome["counts"] == {"rejected": len(hostile), "applied": 1}


def test_dispatchers_look_and_managers_decide(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str, dispatcher: Office, neighbour: Any
) -> None:
    """S-80: another company sees nothing of it."""
    anna.change(visit, set={"work_summary": "A"})
    handed_over(app, company, anna)
    [piece] = pieces(dispatcher)
    for verb in ("import", "discard"):
        problem(dispatcher.post(f"/api/v1/salvage/{piece['id']}/{verb}", json={"reason": "x"}), 403, "forbidden")
    theirs = company.sign_in(app.test_client(), "admin@other.example")
    assert pieces(theirs) == []
    problem(theirs.get(f"/api/v1/salvage/{piece['id']}"), 404, "not-found")
    problem(theirs.post(f"/api/v1/salvage/{piece['id']}/import", json={}), 404, "not-found")


def test_a_long_piece_is_one_push(app: Flask, company: SmallCompany, anna: Tablet, visit: str, manager: Office) -> None:
    """S-81: the last of many edits is laid over the first, whatever the wire takes at once."""
    made = str(uuid.uuid4())
    anna.work(visit, "started")
    anna.change(visit, add={"notes": [entry(text="first")]})
    anna.change(made, op="create", set={"kind": "repair_minor", "site_id": company.sites[0]})
    for n in range(500):
        anna.change(company.sites[0], "site", add={"tags": [f"t{n % 5}"]})
    anna.change(visit, add={"notes": [entry(text="last")]})
    anna.work(visit, "done")
    anna.change(made, set={"work_summary": "made on site"})
    revoked(app, company, anna)
    body = {"device_time": iso(datetime.now(UTC)), "mutations": anna.state.outbox}
    assert raw(anna, json.dumps(body).encode()).json["salvaged"] is True
    [piece] = pieces(manager)
    outcome = manager.post(f"/api/v1/salvage/{piece['id']}/import", json={}).json["outcome"]
    assert outcome["counts"] == {"applied": len(anna.state.outbox)}
    fresh = enrol(app, company.id, company.anna, "Fresh")
    fresh.read()
    assert [note["text"] for note in fresh.body(visit)["notes"]] == ["first", "last"]
    assert [event["type"] for event in fresh.body(visit)["events"]] == ["started", "done"]
    assert fresh.body(made)["work_summary"] == "made on site"
    assert manager.get(f"/api/v1/visits/{visit}").json["exec_state"] == "done"


def test_a_push_whose_tablet_is_revoked_while_it_waits_is_salvage(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str, manager: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S-4, S-80: the door has let it in, and the office is faster than its lock of the device."""
    lock_device = devices.lock_device

    def slowly(company_id: str, device_id: str) -> Device:
        monkeypatch.setattr(devices, "lock_device", lock_device)
        db.session.rollback()
        token = engine.writing.set(False)
        revoked(app, company, anna)
        engine.writing.reset(token)
        return lock_device(company_id, device_id)

    anna.change(visit, set={"work_summary": "A"})
    monkeypatch.setattr(devices, "lock_device", slowly)
    body = {"device_time": iso(datetime.now(UTC)), "mutations": anna.state.outbox}
    answer = raw(anna, json.dumps(body).encode())
    assert (answer.status_code, answer.json["code"]) == (401, "device-revoked")
    assert (answer.json["salvaged"], answer.json["wipe"]) == (True, True)
    assert manager.get(f"/api/v1/visits/{visit}").json["work_summary"] is None
    [piece] = pieces(manager)
    assert manager.post(f"/api/v1/salvage/{piece['id']}/import", json={}).status_code == 200
    assert manager.get(f"/api/v1/visits/{visit}").json["work_summary"] == "A"
