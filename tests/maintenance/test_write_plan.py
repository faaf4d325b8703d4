"""Maintenance plans over HTTP: what is wrong is told at its field, and the ledger answers in both languages."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.builders import Office, SmallCompany
from tests.maintenance.builders import edit_asset, generate

TODAY = datetime.now(UTC).date()
MONTHLY = {"kind": "calendar_fixed", "id": "month", "rule": "FREQ=MONTHLY"}
HALF_YEARLY = {"kind": "calendar_floating", "id": "half", "every": {"count": 6, "unit": "months"}}


@pytest.fixture
def manager(client: FlaskClient, company: SmallCompany) -> Office:
    return company.sign_in(client, "admin@small.example")


def a_body(company: SmallCompany, **changes: Any) -> dict[str, Any]:
    return {
        "asset_id": company.assets[0],
        "name": "Pump service",
        "kind": "preventive_maintenance",
        "triggers": [MONTHLY],
        "starts_on": TODAY.isoformat(),
    } | changes


def made(manager: Office, company: SmallCompany, **changes: Any) -> dict[str, Any]:
    answer = manager.post("/api/v1/maintenance-plans", json=a_body(company, **changes))
    assert answer.status_code == 201, answer.text
    plan: dict[str, Any] = answer.json
    return plan


TASK = {"code": "belt", "name": {"en": "Belt", "ru": "Ремень"}, "every_k_cycles": 2}


def test_a_plan_is_made_read_back_and_changed(company: SmallCompany, manager: Office) -> None:
    plan = made(manager, company, season=[4, 5, 6], shift="forward", tasks=[TASK], triggers=[MONTHLY, HALF_YEARLY],
                nesting={"half": ["month"]}, open_previous="supersede")  # fmt: skip
    assert (plan["version"], plan["nesting"], plan["season"]) == (1, {"half": ["month"]}, [4, 5, 6])
    assert plan["tasks"] == [TASK | {"triggers": []}]
    changed = manager.patch(f"/api/v1/maintenance-plans/{plan['id']}", json={"late_days": 5})
    assert (changed.status_code, changed.json["version"], changed.json["late_days"]) == (200, 2, 5)
    same = manager.patch(f"/api/v1/maintenance-plans/{plan['id']}", json={"late_days": 5})
    assert same.json["version"] == 2, "nothing was changed"


YEARLY_NEVER = "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"
CIRCLE = {"half": ["month"], "month": ["half"]}
WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"triggers": [MONTHLY | {"rule": "FREQ=SECONDLY"}]}, "triggers.0.rule", "rule-within-a-day"),
    ({"triggers": [MONTHLY | {"rule": YEARLY_NEVER}]}, "triggers.0.rule", "rule-impossible-day"),
    ({"triggers": [MONTHLY | {"rule": "FREQ=DAILY;UNTIL=20000101"}]}, "triggers.0.rule", "rule-never-fires"),
    ({"triggers": [MONTHLY | {"rule": "each Monday"}]}, "triggers.0.rule", "rule-unreadable"),
    ({"triggers": [HALF_YEARLY], "starts_on": None}, "starts_on", "null"),
    ({"triggers": [MONTHLY, HALF_YEARLY], "nesting": CIRCLE}, "nesting.half", "nesting-circle"),
    ({"triggers": [{"kind": "meter", "id": "m", "meter": "hours"}]}, "triggers.0.every", "trigger-field-missing"),
    ({"triggers": [{"kind": "moon", "id": "m"}]}, "triggers.0.kind", "trigger-kind-unknown"),
    ({"triggers": []}, "triggers", "length"),
    ({"season": [13]}, "season.0", "out-of-range"),
    ({"shift": "sideways"}, "shift", "not-one-of"),
    ({"ends_on": "2020-01-01"}, "ends_on", "ends-before-start"),
]


def test_what_is_wrong_is_told_at_its_field_and_nothing_is_saved(
    app: Flask, company: SmallCompany, manager: Office
) -> None:
    for changes, field, code in WRONG:
        answer = manager.post("/api/v1/maintenance-plans", json=a_body(company, **changes))
        assert (answer.status_code, answer.json["code"]) == (422, "invalid-fields"), answer.text
        told = {each["field"]: each for each in answer.json["errors"]}
        assert told[field]["code"] == code
        assert told[field]["detail"] not in ("", code)
    assert manager.get("/api/v1/maintenance-plans").json["items"] == []


def test_a_floating_plan_without_a_start_is_refused_at_the_start(company: SmallCompany, manager: Office) -> None:
    body = a_body(company, triggers=[HALF_YEARLY])
    del body["starts_on"]
    answer = manager.post("/api/v1/maintenance-plans", json=body)
    assert [(each["field"], each["code"]) for each in answer.json["errors"]] == [("starts_on", "required")]


def test_a_retired_machine_gets_no_plan_in_either_language(app: Flask, company: SmallCompany, manager: Office) -> None:
    with app.app_context():
        edit_asset(company, in_service=False)
    for language, words in (("en", "out of service"), ("ru", "выведено из эксплуатации")):
        answer = manager.post("/api/v1/maintenance-plans", json=a_body(company), headers={"Accept-Language": language})
        [error] = answer.json["errors"]
        assert (error["field"], error["code"]) == ("asset_id", "asset-retired")
        assert words in error["detail"]


def test_an_edit_that_is_refused_changes_nothing(company: SmallCompany, manager: Office) -> None:
    plan = made(manager, company)
    path = f"/api/v1/maintenance-plans/{plan['id']}"
    answer = manager.patch(path, json={"late_days": 9, "triggers": [MONTHLY | {"rule": "FREQ=NEVER"}]})
    assert answer.json["errors"][0]["field"] == "triggers.0.rule"
    assert manager.get(path).json == plan


def test_only_managers_write_plans(company: SmallCompany, dispatcher: Office) -> None:
    assert dispatcher.post("/api/v1/maintenance-plans", json=a_body(company)).status_code == 403


def test_the_ledger_says_why_and_why_on_that_day_in_both_languages(company: SmallCompany, manager: Office) -> None:
    plan = made(manager, company, triggers=[HALF_YEARLY])
    path = f"/api/v1/maintenance-plans/{plan['id']}/ledger"
    said = {}
    for language in ("en", "ru"):
        [row] = manager.get(path, headers={"Accept-Language": language}).json["items"]
        assert (row["state"], row["reason"]["code"], row["basis"]["code"]) == (
            "forecast", "beyond-horizon", "after-start-months",
        )  # fmt: skip
        said[language] = row["basis"]["text"]
    assert said["en"].startswith("6 months after the plan starts")
    assert said["ru"].startswith("Через 6 месяцев после начала плана")
    wrong = manager.get(path, query_string={"from": "2026-02-01", "to": "2026-01-01"})
    assert (wrong.status_code, wrong.json["errors"][0]["field"]) == (422, "to")


def test_days_off_at_the_site_move_the_visit_and_not_the_plan(
    app: Flask, company: SmallCompany, manager: Office
) -> None:
    site = f"/api/v1/sites/{company.sites[0]}/calendar"
    start = TODAY + timedelta(days=10)
    closed = {"first": start.isoformat(), "last": (start + timedelta(days=2)).isoformat(), "name": "Stocktaking"}
    assert manager.put(site, json={"closed": [closed]}).status_code == 200
    assert manager.get(site).json["closed"] == [closed]
    plan = made(manager, company, starts_on=start.isoformat(), shift="forward")
    with app.app_context():
        generate(company, datetime.now(UTC))
    [row, *_] = manager.get(f"/api/v1/occurrences?plan_id={plan['id']}").json["items"]
    moved = (start + timedelta(days=3)).isoformat()
    assert (row["due_on"], row["target_on"], row["reason"]["code"]) == (start.isoformat(), moved, "due-moved")
    visit = manager.get(f"/api/v1/visits/{row['visit_id']}").json
    assert (visit["due_from"], visit["due_to"]) == (moved, moved)


def test_a_calendar_that_is_none_is_told_at_its_field(company: SmallCompany, manager: Office) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"country": "XX"}, "country"),
        ({"weekend": [7]}, "weekend.0"),
        ({"closed": [{"first": "2026-02-02", "last": "2026-02-01"}]}, "closed.0.last"),
        ({"weekend": [0, 1, 2, 3, 4, 5, 6]}, "weekend"),
    ]
    for calendar, field in wrong:
        answer = manager.put(f"/api/v1/sites/{company.sites[0]}/calendar", json=calendar)
        assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, field), answer.text


def test_the_office_of_russia_has_russias_working_days(app: Flask, company: SmallCompany, manager: Office) -> None:
    site = f"/api/v1/sites/{company.sites[0]}/calendar"
    assert manager.put(site, json={"weekend": [5, 6], "country": "RU"}).status_code == 200
    plan = made(manager, company, starts_on="2026-05-09", shift="backward")
    query = {"from": "2026-05-01", "to": "2026-05-31"}
    with app.app_context():
        generate(company, datetime(2026, 5, 1, tzinfo=UTC))
    [row] = [
        each
        for each in manager.get(f"/api/v1/maintenance-plans/{plan['id']}/ledger", query_string=query).json["items"]
        if each["due_on"] == "2026-05-09"
    ]
    assert row["target_on"] == date(2026, 5, 8).isoformat()
