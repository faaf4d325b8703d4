"""The health of the fleet, as the office sees it: list, details, figures, notices, the board's device line."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from schemas.entities.base import iso
from server.actions.end_device import leave, revoke
from server.config import APP_VERSION
from server.domain.fleet import Signs, clock_is_wrong, is_older, state_of, unsent_estimate
from server.store.models import Device
from tests.api.conftest import problem
from tests.builders import Office, SmallCompany, change, publish
from tests.tablets import Tablet, enrol

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
ROOT = Path(__file__).resolve().parent.parent.parent


def signs(**values: Any) -> Signs:
    usual: dict[str, Any] = {
        "last_seen_at": NOW, "ended": None, "clock_offset_s": 0.0, "missing": 0, "told_unsent": 0,
    }  # fmt: skip
    return Signs(**(usual | values))


@pytest.mark.parametrize(
    ("minutes", "state"), [(44, "fresh"), (46, "quiet"), (12 * 60 + 1, "silent"), (90 * 24 * 60 + 1, "expired")]
)
def test_a_tablet_is_as_fresh_as_its_last_contact(minutes: int, state: str) -> None:
    assert state_of(signs(last_seen_at=NOW - timedelta(minutes=minutes)), NOW) == state
    assert state_of(signs(last_seen_at=NOW, ended="revoked"), NOW) == "revoked"


def test_what_is_missing_is_among_what_it_told_and_each_visit_begun_is_one_more() -> None:
    assert unsent_estimate(signs(missing=2, told_unsent=3), may_have_started=2) == 5
    assert unsent_estimate(signs(missing=4, told_unsent=3), may_have_started=0) == 4


@pytest.mark.parametrize(("offset", "wrong"), [(299, False), (301, True), (-301, True), (None, False)])
def test_a_clock_is_wrong_by_more_than_five_minutes(offset: float | None, wrong: bool) -> None:
    assert clock_is_wrong(signs(clock_offset_s=offset)) is wrong


@pytest.mark.parametrize(
    ("version", "old"),
    [("0.0.9", True), ("0.1.0", False), ("0.10.0", False), ("1", False), ("", False), (None, False), ("mine", False)],
)
def test_an_app_is_old_by_its_numbers(version: str | None, old: bool) -> None:
    assert is_older(version, "0.1.0") is old


def test_the_tablet_app_and_the_server_name_the_same_version() -> None:
    text = (ROOT / "server" / "web" / "technician" / "sync.js").read_text("utf-8")
    assert re.findall(r'APP_VERSION = "(.+)"', text) == [APP_VERSION]


# --- as the office sees it ------------------------------------------------------------------------------------------


@pytest.fixture
def visit(app: Flask, company: SmallCompany) -> str:
    with app.app_context():
        made = company.visit()
        publish(company.id, made, company.anna, datetime.now(UTC) - timedelta(hours=1))
        return made


@pytest.fixture
def anna(app: Flask, company: SmallCompany, visit: str) -> Tablet:
    tablet = enrol(app, company.id, company.anna, "Anna's")
    tablet.read()
    return tablet


def seen(office: Office, tablet: Tablet) -> dict[str, Any]:
    answer = office.get(f"/api/v1/devices/{tablet.state.device_id}")
    assert answer.status_code == 200, answer.text
    item: dict[str, Any] = answer.json
    return item


def push(tablet: Tablet, *mutations: Any, at: datetime | None = None, **more: Any) -> None:
    body = {"device_time": iso(at or datetime.now(UTC)), "mutations": list(mutations)} | more
    assert tablet.transport("POST", "/sync/v1/push", body)[0] == 200


def aged(app: Flask, company: SmallCompany, tablet: Tablet, **values: Any) -> None:
    with app.app_context():
        change(Device, company.id, tablet.state.device_id, **values)


def test_the_office_sees_what_a_tablet_tells(dispatcher: Office, anna: Tablet, visit: str) -> None:
    told = {"next_n": 5, "first_unsent": 2, "unsent": 3, "unsent_since": iso(NOW), "photos": 2, "room_quota": 100}
    push(anna, anna.change(visit, set={"work_summary": "A"}), told=told, app_version="0.0.9", schema_version=2)
    item = seen(dispatcher, anna)
    assert (item["state"], item["technician_name"], item["name"]) == ("fresh", "Anna", "Anna's")
    assert (item["unsent_told"], item["unsent_estimate"], item["unsent_since"]) == (3, 3, iso(NOW))
    assert (item["photos"], item["room_quota"], item["room_used"]) == (2, 100, None)
    assert (item["app_version"], item["app_is_old"], item["schema_version"]) == ("0.0.9", True, 2)
    assert (item["has_restored"], item["notices"], item["may_have_started"]) == (True, [], [])


def test_a_silent_tablet_may_have_begun_what_was_due(
    app: Flask, company: SmallCompany, dispatcher: Office, anna: Tablet, visit: str
) -> None:
    aged(app, company, anna, last_seen_at=datetime.now(UTC) - timedelta(hours=2))
    item = seen(dispatcher, anna)
    assert (item["state"], item["unsent_estimate"]) == ("quiet", 1)
    assert [one["id"] for one in item["may_have_started"]] == [visit]
    assert item["may_have_started"][0]["site_name"] == "Hotel 1"


def test_clashes_refusals_holes_and_clocks_are_counted_for_each_tablet(
    app: Flask, company: SmallCompany, dispatcher: Office, anna: Tablet, visit: str
) -> None:
    anna.change(company.sites[0], "site", set={"contact_name": "Ines"})
    assert dispatcher.patch(f"/api/v1/sites/{company.sites[0]}", json={"contact_name": "Pol"}).status_code == 200
    anna.change(str(uuid.uuid4()), set={"work_summary": "nowhere"})
    lost = anna.change(visit, set={"work_summary": "lost"})
    anna.state.outbox.remove(lost)
    anna.push(device_time=iso(datetime.now(UTC) - timedelta(minutes=10)))
    item = seen(dispatcher, anna)
    assert (item["conflicts_open"], item["refused"], item["last_n"]) == (1, 1, 2)
    assert item["clock_is_wrong"]
    assert item["clock_offset_s"] == pytest.approx(600, abs=5)
    assert [one["code"] for one in item["notices"]] == ["hole"]
    assert item["notices"][0]["text"].startswith("1 change was made on the tablet and never came: number 3")
    fleet = dispatcher.get("/api/v1/fleet").json
    assert (fleet["devices"], fleet["clocks_wrong"], fleet["silent"], fleet["backed_up_at"]) == (1, 1, 0, None)


def test_a_notice_is_closed_by_who_has_seen_to_it(dispatcher: Office, anna: Tablet, visit: str, neighbour: Any) -> None:
    anna.state.outbox.remove(anna.change(visit, set={"work_summary": "lost"}))
    anna.send()
    [notice] = seen(dispatcher, anna)["notices"]
    theirs = dispatcher.client
    other = Office(client=theirs, token=theirs.post(
        "/api/v1/auth/login", json={"email": "admin@other.example", "password": "correct horse battery"}
    ).json["token"])  # fmt: skip
    problem(other.post(f"/api/v1/devices/notices/{notice['id']}/close"), 404, "not-found")
    assert dispatcher.post(f"/api/v1/devices/notices/{notice['id']}/close").status_code == 204
    assert seen(dispatcher, anna)["notices"] == []


def test_ended_tablets_say_how_they_ended(
    app: Flask, company: SmallCompany, dispatcher: Office, anna: Tablet, visit: str
) -> None:
    boris = enrol(app, company.id, company.boris)
    with app.app_context():
        revoke(company.id, anna.state.device_id, now=NOW)
        leave(company.id, boris.state.device_id, now=NOW)
    assert (seen(dispatcher, anna)["state"], seen(dispatcher, boris)["state"]) == ("revoked", "left")
    assert seen(dispatcher, anna)["wipe_told_at"] is None
    assert anna.transport("GET", "/sync/v1/pull")[0] == 401
    assert seen(dispatcher, anna)["wipe_told_at"] is not None


def test_the_boards_device_line_and_what_needs_somebody(
    app: Flask, company: SmallCompany, dispatcher: Office, anna: Tablet, visit: str
) -> None:
    anna.state.outbox.remove(anna.change(visit, set={"work_summary": "lost"}))
    anna.push(device_time=iso(datetime.now(UTC) - timedelta(minutes=10)))
    aged(app, company, anna, app_version="0.0.9", last_seen_at=datetime.now(UTC) - timedelta(hours=2))
    board = dispatcher.get(
        "/api/v1/board", query_string={"date": date.today().isoformat(), "branch_id": company.branch}
    )
    device = next(one["device"] for one in board.json["technicians"] if one["id"] == company.anna)
    assert (device["state"], device["notices"], device["app_is_old"], device["clock_is_wrong"]) == (
        "quiet", 1, True, True,
    )  # fmt: skip
    told = {one["code"]: one for one in board.json["attention"]}
    assert told["device-hole"]["text"].startswith("Anna: 1 change was made")
    assert told["device-hole"]["link"] == "/devices"
    assert told["clock-wrong"]["text"] == "Anna: the tablet's clock is off by 10 minutes"
