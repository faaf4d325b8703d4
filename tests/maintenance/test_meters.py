"""Meters through the database: readings of tablets and of the office, doubtful ones, and a meter that nobody reads."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from schemas.entities.base import iso
from server.actions.visit_work import settle
from server.extensions import db
from server.store.models import Visit
from server.store.transaction import transactional
from tests.builders import Office, SmallCompany
from tests.maintenance.builders import a_plan, day, do, generate, ledger, rows, visits_of

HOURS = {"kind": "meter", "id": "t1", "meter": "hours", "every": 500, "most_per_day": 24}


@pytest.fixture
def office(client: FlaskClient, company: SmallCompany) -> Office:
    return company.sign_in(client, "dispatcher@small.example")


def told(office: Office, company: SmallCompany, value: float, on: str, **more: Any) -> Any:
    body = {"meter": "hours", "value": value, "taken_at": f"{on}T10:00:00.000Z"} | more
    return office.post(f"/api/v1/assets/{company.assets[0]}/readings", json=body)


def meter(office: Office, company: SmallCompany) -> dict[str, Any]:
    [found] = office.get(f"/api/v1/assets/{company.assets[0]}/meters").json["items"]
    shown: dict[str, Any] = found
    return shown


@transactional
def read_on_site(company: SmallCompany, visit_id: str, value: float, at: datetime) -> None:
    """A technician reads the meter; a fact on site is kept whatever it says."""
    visit = db.session.get(Visit, (company.id, visit_id))
    assert visit is not None
    entry = {"id": str(uuid.uuid4()), "asset_id": company.assets[0], "meter": "hours", "value": value, "at": iso(at)}
    visit.readings = [*visit.readings, entry | {"by": company.anna}]
    settle(visit)


def test_readings_lead_to_a_date_that_moves_with_the_next_reading(
    app: Flask, company: SmallCompany, office: Office
) -> None:
    assert told(office, company, 4000, "2026-04-04").status_code == 201
    assert told(office, company, 4300, "2026-05-04").status_code == 201
    with app.app_context():
        plan = a_plan(company, triggers=[HOURS], horizon_days=40)
        generate(company)
        assert ledger(company, plan) == [("2026-05-24", "generated", "due")]
        [row] = rows(company, plan)
        assert row.basis["code"] == "meter-projected"
        assert row.basis["params"] | {"n": 0} == {
            "meter": "hours", "at": "4500", "value": "4300", "per_day": "10", "read_on": "2026-05-04", "n": 0,
        }  # fmt: skip
        visit = company.visit(asset_ids=[company.assets[0]], kind="repair_minor")
        read_on_site(company, visit, 4420, day("2026-05-10"))
        assert generate(company, day("2026-05-10", 14)).moved == 1
        [row] = rows(company, plan)
        assert (row.cycle_key, row.due_on.isoformat()) == ("9", "2026-05-17")


def test_a_meter_that_goes_backwards_is_refused_at_its_field(company: SmallCompany, office: Office) -> None:
    told(office, company, 4000, "2026-04-04")
    for language, words in (("en", "stood at 4,000"), ("ru", "показывал 4")):
        answer = told(office, company, 3900, "2026-05-04") if language == "en" else office.post(
            f"/api/v1/assets/{company.assets[0]}/readings",
            json={"meter": "hours", "value": 3900, "taken_at": "2026-05-04T10:00:00.000Z"},
            headers={"Accept-Language": "ru"},
        )  # fmt: skip
        [error] = answer.json["errors"]
        assert (answer.status_code, error["field"], error["code"]) == (422, "value", "meter-backwards")
        assert words in error["detail"]
    assert [each["value"] for each in meter(office, company)["readings"]] == [4000]
    assert told(office, company, 3, "2026-05-04", replaced=True).status_code == 201
    assert meter(office, company)["total"] == 4000


def test_a_use_that_no_day_has_is_refused_and_an_old_value_may_come_late(
    app: Flask, company: SmallCompany, office: Office
) -> None:
    with app.app_context():
        a_plan(company, triggers=[HOURS])
    told(office, company, 4000, "2026-04-04")
    wrong = told(office, company, 9000, "2026-04-14")
    assert wrong.json["errors"][0]["code"] == "meter-too-fast"
    assert told(office, company, 3900, "2026-03-28").status_code == 201
    assert meter(office, company)["per_day"] == pytest.approx(100 / 7, abs=0.01)


def test_a_doubtful_reading_of_a_tablet_is_held_until_a_person_has_judged_it(
    app: Flask, company: SmallCompany, office: Office
) -> None:
    told(office, company, 4000, "2026-04-04")
    with app.app_context():
        visit = company.visit(asset_ids=[company.assets[0]])
        read_on_site(company, visit, 40, day("2026-05-10"))
    shown = meter(office, company)
    [held] = [each for each in shown["readings"] if each["held"]]
    assert (shown["total"], held["value"], held["visit_id"]) == (4000, 40, visit)
    answer = office.patch(f"/api/v1/readings/{held['id']}", json={"judged": "accepted"})
    assert (answer.status_code, answer.json["value"]) == (200, 40)
    assert meter(office, company)["read_on"] == "2026-05-10"
    office.patch(f"/api/v1/readings/{held['id']}", json={"judged": "rejected"})
    assert meter(office, company)["read_on"] == "2026-04-04"
    assert office.patch(f"/api/v1/readings/{held['id']}", json={"judged": "maybe"}).status_code == 422


def test_a_meter_that_nobody_reads_asks_for_a_visit_of_its_own(
    app: Flask, company: SmallCompany, office: Office
) -> None:
    told(office, company, 4000, "2026-04-04")
    told(office, company, 4010, "2026-04-05")
    with app.app_context():
        plan = a_plan(company, triggers=[HOURS | {"stale_days": 30}], horizon_days=5)
        assert generate(company, day("2026-05-05")).made == 0
        assert generate(company, day("2026-05-06")).made == 1
        [visit] = visits_of(company, plan)
        assert (visit.title, visit.origin, visit.service_minutes) == (
            "Read the meter “Operating hours”.",
            "proactive",
            15,
        )
        assert (str(visit.due_from), str(visit.due_to)) == ("2026-05-06", "2026-05-13")
        assert generate(company, day("2026-05-07")).ledger == {}
        read_on_site(company, visit.id, 4100, day("2026-05-08"))
        do(company, visit.id, day("2026-05-08"))
        generate(company, day("2026-05-09"))
        assert ("2026-05-06", "generated", "visit-done") in ledger(company, plan)
        assert not [row for row in rows(company, plan) if row.reason["code"] == "reading-wanted"]


CRACK = {"kind": "condition", "id": "t1", "source": "answer", "code": "belt", "equals": "worn", "within_days": 10}


@transactional
def answer_on_site(company: SmallCompany, visit_id: str, values: dict[str, Any], at: datetime) -> None:
    visit = db.session.get(Visit, (company.id, visit_id))
    assert visit is not None
    visit.answers = [
        {"id": str(uuid.uuid4()), "item": item, "value": value, "at": iso(at), "by": company.anna}
        for item, value in values.items()
    ]
    settle(visit)


def test_an_answer_on_site_asks_for_a_visit(app: Flask, company: SmallCompany) -> None:
    with app.app_context():
        plan = a_plan(company, triggers=[CRACK])
        generate(company)
        assert ledger(company, plan) == []
        inspection = company.visit(asset_ids=[company.assets[0]], kind="repair_minor")
        answer_on_site(company, inspection, {"belt": "worn"}, day("2026-05-06"))
        do(company, inspection, day("2026-05-06"))
        generate(company, day("2026-05-07"))
        assert ledger(company, plan) == [("2026-05-16", "generated", "due")]


def test_tasks_left_undone_are_written_into_the_next_visit_once(app: Flask, company: SmallCompany) -> None:
    tasks = [{"code": code, "name": {"en": code.title(), "ru": code}} for code in ("oil", "belt")]
    with app.app_context():
        plan = a_plan(company, tasks=tasks, horizon_days=70)
        generate(company)
        [first] = visits_of(company, plan)
        assert first.instructions == "Oil\nBelt"
        answer_on_site(company, first.id, {"oil": "ok"}, day("2026-05-05"))
        do(company, first.id, day("2026-05-05"), "partly_done")
        generate(company, day("2026-05-06"))
        second = visits_of(company, plan)[1]
        assert second.instructions == "Oil\nBelt (left undone by the visit due on 4 May 2026)"
        assert generate(company, day("2026-05-07")).ledger == {}


def test_next_to_no_use_leads_to_no_date_and_the_plans_beside_it_go_on(
    app: Flask, company: SmallCompany, office: Office, client: FlaskClient
) -> None:
    assert told(office, company, 0, "2026-04-04").status_code == 201
    assert told(office, company, 1e-310, "2026-05-04").status_code == 201
    with app.app_context():
        still = a_plan(company, triggers=[HOURS])
        sound = a_plan(company, asset_id=company.assets[1])
        report = generate(company)
        assert (report.failed, report.made) == ([], 1)
        assert (ledger(company, still), len(ledger(company, sound))) == ([], 1)
    manager = company.sign_in(client, "manager@small.example")
    assert office.get(f"/api/v1/maintenance-plans/{still}/ledger").status_code == 200
    assert manager.post(f"/api/v1/maintenance-plans/{still}/preview", json={}).status_code == 200


def test_a_plan_whose_numbers_overflow_is_told_and_passed_over(
    app: Flask, company: SmallCompany, office: Office, client: FlaskClient
) -> None:
    assert told(office, company, 1e12, "2026-05-04").status_code == 201
    with app.app_context():
        broken = a_plan(company, triggers=[HOURS | {"every": 1e-310}])
        a_plan(company, asset_id=company.assets[1])
        report = generate(company)
        assert ([each["plan_id"] for each in report.failed], report.made) == ([broken], 1)
    manager = company.sign_in(client, "manager@small.example")
    for answer in (
        office.get(f"/api/v1/maintenance-plans/{broken}/ledger"),
        manager.post(f"/api/v1/maintenance-plans/{broken}/preview", json={}),
    ):
        assert (answer.status_code, answer.json["code"]) == (422, "plan-undecidable")


def test_a_refused_value_is_not_measured_against_a_rejected_one(company: SmallCompany, office: Office) -> None:
    told(office, company, 4000, "2026-04-04")
    wrong = told(office, company, 9000, "2026-04-14").json["id"]
    assert office.patch(f"/api/v1/readings/{wrong}", json={"judged": "rejected"}).status_code == 200
    [error] = told(office, company, 3900, "2026-05-04").json["errors"]
    assert error["code"] == "meter-backwards"
    assert "4,000" in error["detail"]
