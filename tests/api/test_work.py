"""What was done on site, as the office reads it, and the visit that it asks for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from schemas.entities.base import iso
from server.store.models import Visit
from tests.api.conftest import NOBODY, enrolled, problem
from tests.builders import Office, SmallCompany, change, entry, publish

NOON = datetime.now(UTC)


@pytest.fixture
def done(app: Flask, company: SmallCompany, dispatcher: Office) -> str:
    """A visit that Anna has done: a seal that is not dry, a pressure above its limit, first given too low."""
    with app.app_context():
        visit = company.visit(asset_ids=[company.assets[0]])
        publish(company.id, visit, company.anna, NOON)
    tablet = enrolled(dispatcher, company.anna)
    tablet.pull()
    begun = NOON - timedelta(minutes=50)

    def at(minutes: int) -> str:
        return iso(begun + timedelta(minutes=minutes))

    added = {
        "events": [entry(type="started", at=at(0)), entry(type="done", at=at(40))],
        "answers": [
            entry(item="pressure", value=1.5, at=at(5)),
            entry(item="pressure", value=4.75, note="Valve stuck", at=at(9)),
            entry(item="seal", value=False, at=at(10)),
            entry(item="old-item", value="said", at=at(11)),
        ],
        "readings": [entry(asset_id=company.assets[0], meter="hours", value=1250.5, unit="h", at=at(12))],
        "findings": [
            entry(asset_id=company.assets[0], item="seal", severity="major", cause="wear", text="Drips", at=at(13))
        ],
        "notes": [entry(text="Key is at the desk", at=at(14))],
    }
    answer = tablet.edit("visit", visit, 2, add=added)
    assert answer["status"] in ("applied", "merged"), answer
    return visit


def work(office: Office, visit_id: str, language: str = "en") -> Any:
    answer = office.get(f"/api/v1/visits/{visit_id}/work", headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    return answer.json


def test_answers_stand_by_item_with_what_they_say(dispatcher: Office, done: str) -> None:
    told = work(dispatcher, done)
    seal, pressure, old = told["checks"]
    assert (seal["text"], seal["verdict"]) == ("Seal dry", "not_ok")
    assert (pressure["verdict"], pressure["off"], pressure["unit"], pressure["note"]) == (
        "above", 0.75, "bar", "Valve stuck",
    )  # fmt: skip
    assert [one["value"] for one in pressure["earlier"]] == [1.5]
    assert (old["text"], old["value"], old["verdict"]) == ("old-item", "said", "said")
    assert told["checklist"] == "Pump service"
    assert work(dispatcher, done, "ru")["checks"][1]["text"] == "Давление"


def test_readings_findings_notes_and_times_are_in_words(dispatcher: Office, done: str) -> None:
    told = work(dispatcher, done, "ru")
    [reading] = told["readings"]
    assert (reading["meter"], reading["value"], reading["unit"]) == ("Наработка", 1250.5, "h")
    assert reading["machine"] == "Pump P-100 · P100-1"
    [finding] = told["findings"]
    assert (finding["severity_text"], finding["item"], finding["text"]) == ("существенно", "Уплотнение сухое", "Drips")
    assert finding["cause"] not in (None, "wear")
    assert [note["text"] for note in told["notes"]] == ["Key is at the desk"]
    assert [event["type"] for event in told["events"]] == ["started", "done"]
    assert all(event["by_name"] == "Anna" for event in told["events"])
    assert told["performed_by"] == "Anna"


def test_a_follow_up_is_made_once_from_what_was_found(dispatcher: Office, company: SmallCompany, done: str) -> None:
    suggested = work(dispatcher, done)["follow_up"]
    assert suggested["visit_id"] is None
    assert [one["code"] for one in suggested["reasons"]] == ["finding-major"]
    assert "Drips" in suggested["reasons"][0]["text"]
    first, second = (dispatcher.post(f"/api/v1/visits/{done}/follow-up") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json["id"] == second.json["id"]
    made = first.json
    assert (made["origin"], made["plan_state"], made["symptom"]) == ("follow_up", "due", "Drips")
    assert made["asset_ids"] == [company.assets[0]]
    assert made["priority"] == 2
    assert work(dispatcher, done)["follow_up"]["number"] == made["number"]
    dispatcher.post(f"/api/v1/visits/{made['id']}/cancel", json={"reason": "not needed"})
    assert work(dispatcher, done)["follow_up"]["visit_id"] is None
    assert dispatcher.post(f"/api/v1/visits/{done}/follow-up").json["plan_state"] == "due"


def test_a_finding_whose_cause_became_known_later_is_told_once(
    dispatcher: Office, company: SmallCompany, done: str
) -> None:
    tablet = enrolled(dispatcher, company.anna)
    tablet.pull()
    own = {"asset_id": company.assets[0], "item": "finding:0193", "severity": "critical", "text": "Cable scorched"}
    first, again = (entry(at=iso(NOON + timedelta(seconds=n)), **own) for n in range(2))
    nameless = entry(at=iso(NOON), asset_id=None, severity="minor", text="Lamp out")
    added = {"findings": [first, again | {"cause": "installation"}, nameless]}
    assert tablet.edit("visit", done, 3, add=added)["status"] in ("applied", "merged")
    told = work(dispatcher, done)
    assert sorted(one["text"] for one in told["findings"]) == ["Cable scorched", "Drips", "Lamp out"]
    assert [one["cause"] is not None for one in told["findings"] if one["text"] == "Cable scorched"] == [True]
    assert len(told["follow_up"]["reasons"]) == 3
    made = dispatcher.post(f"/api/v1/visits/{done}/follow-up").json
    assert (made["priority"], made["symptom"].count("Cable scorched")) == (3, 1)


def test_work_without_anything_left_asks_for_nothing(app: Flask, company: SmallCompany, dispatcher: Office) -> None:
    with app.app_context():
        visit = company.visit()
    assert work(dispatcher, visit)["follow_up"] is None
    problem(dispatcher.post(f"/api/v1/visits/{visit}/follow-up"), 409, "no-follow-up")
    problem(dispatcher.post(f"/api/v1/visits/{NOBODY}/follow-up"), 404, "not-found")
    problem(dispatcher.get(f"/api/v1/visits/{NOBODY}/work"), 404, "not-found")


def test_no_access_asks_for_the_same_visit_again(app: Flask, company: SmallCompany, dispatcher: Office) -> None:
    with app.app_context():
        visit = company.visit(kind="repair_minor", priority=3)
        closed = entry(type="no_access", reason="Closed", by=company.anna, by_name="Anna")
        change(Visit, company.id, visit, exec_state="no_access", events=[closed])
    suggested = work(dispatcher, visit)["follow_up"]
    assert [one["code"] for one in suggested["reasons"]] == ["no_access"]
    made = dispatcher.post(f"/api/v1/visits/{visit}/follow-up").json
    assert (made["kind"], made["priority"], made["symptom"]) == ("repair_minor", 3, "Closed")
