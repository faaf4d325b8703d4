"""Why a date is expected is told in names, in the language of whoever reads: no code of a kind, meter or item."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from schemas.entities.base import iso
from server.actions.meter_readings import record_reading
from server.actions.visit_work import settle
from server.extensions import db
from server.store.models import Visit
from server.store.transaction import transactional
from tests.builders import SmallCompany
from tests.maintenance.builders import a_plan, day, do, edit_asset, generate, visits_of

SEAL = {"kind": "condition", "id": "t1", "source": "answer", "code": "seal", "equals": False}
PRESSURE = {"kind": "condition", "id": "t1", "source": "answer", "code": "pressure", "below": 2}
HOURS_ABOVE = {"kind": "condition", "id": "t1", "source": "reading", "code": "hours", "above": 400}
METER = {"kind": "meter", "id": "t1", "meter": "hours", "every": 500}


def event(on: str) -> dict[str, Any]:
    return {"kind": "event", "id": "t1", "on": [on], "after_days": [3]}


TOLD: list[tuple[dict[str, Any], str, str]] = [
    (event("repair_minor"), "3 days after the work “Repair minor” on", "Через 3 дня после работы «repair_minor»,"),
    (event("installed"), "3 days after the installation on", "Через 3 дня после монтажа,"),
    (event("commissioned"), "3 days after the commissioning on", "Через 3 дня после пусконаладки,"),
    (METER, "The meter “Operating hours” reached 500 on", "Счётчик «Наработка» дошёл до 500"),
    (HOURS_ABOVE, "Operating hours was 600 on", "Наработка: 600 от"),
    (SEAL, "Seal dry was answered “no” on", "Уплотнение сухое: ответ «нет» от"),
    (PRESSURE, "Pressure was 1.5 on", "Давление: 1.5 от"),
]


@transactional
def answered(company: SmallCompany, visit_id: str) -> None:
    visit = db.session.get(Visit, (company.id, visit_id))
    assert visit is not None
    visit.answers = [
        {"id": str(uuid.uuid4()), "item": item, "value": value, "at": iso(day("2026-05-04")), "by": company.anna}
        for item, value in (("seal", False), ("pressure", 1.5))
    ]
    settle(visit)


@pytest.mark.parametrize(("trigger", "english", "russian"), TOLD, ids=lambda each: str(each)[:30])
def test_reasons_name_things_as_their_reader_does(
    app: Flask, company: SmallCompany, client: FlaskClient, trigger: dict[str, Any], english: str, russian: str
) -> None:
    with app.app_context():
        edit_asset(company, installed_on=day("2026-05-04").date(), commissioned_on=day("2026-05-04").date())
        visit = company.visit(asset_ids=[company.assets[0]], kind="repair_minor")
        answered(company, visit)
        do(company, visit, day("2026-05-04"))
        for value, taken_at in ((100, "2026-04-04T10:00:00.000Z"), (600, "2026-05-04T10:00:00.000Z")):
            record_reading(company.id, company.assets[0], {"meter": "hours", "value": value, "taken_at": taken_at})
        plan = a_plan(company, triggers=[trigger], starts_on=day("2026-04-01").date())
        generate(company, day("2026-05-05"))
    office = company.sign_in(client, "manager@small.example")
    ledger = f"/api/v1/maintenance-plans/{plan}/ledger?from=2026-04-01&to=2026-05-31"
    for language, told in (("en", english), ("ru", russian)):
        for path in (ledger, f"/api/v1/occurrences?plan_id={plan}"):
            row = office.get(path, headers={"Accept-Language": language}).json["items"][0]
            assert row["basis"]["text"].startswith(told)


def test_a_tablet_is_asked_to_read_a_meter_by_its_name(app: Flask, company: SmallCompany) -> None:
    with app.app_context():
        taken = {"meter": "hours", "value": 100, "taken_at": "2026-04-04T10:00:00.000Z"}
        record_reading(company.id, company.assets[0], taken)
        plan = a_plan(company, triggers=[METER | {"stale_days": 30}])
        generate(company, day("2026-05-06"))
        [visit] = visits_of(company, plan)
        assert (visit.title, visit.instructions) == ("Read the meter “Operating hours”.",) * 2


def test_a_plan_that_waits_for_its_own_work_is_refused_by_the_works_name(
    company: SmallCompany, client: FlaskClient
) -> None:
    office = company.sign_in(client, "manager@small.example")
    plan = {"asset_id": company.assets[0], "name": "After itself", "kind": "preventive_maintenance"}
    plan |= {"triggers": [event("preventive_maintenance")], "starts_on": "2026-05-04"}
    [error] = office.post("/api/v1/maintenance-plans", json=plan).json["errors"]
    assert error["detail"].startswith("“Preventive maintenance” is the plan's own work")
