"""Nonsense is refused by field and in words, the same at the API, in an import and from a tablet, which keeps it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from schemas.entities.base import iso
from schemas.hours import readable
from server.actions.import_sites import import_sites
from server.store.models import Asset
from tests.api.conftest import Calm, Tablet, problem
from tests.builders import PASSWORD, Office, SmallCompany, change, publish

BOTH = {"en": "a", "ru": "b"}
BRANCH = {"name": "B", "locale": "en", "tz": "Europe/Andorra", "currency": "EUR", "lat": 42.5, "lon": 1.5}
STEP = {"key": "k", "kind": "measure", "text": BOTH, "mandatory": True}
LIST = {"code": "z", "title": BOTH, "items": [STEP]}
METER = {"code": "h", "unit": "h", "name": BOTH}
ACCOUNT = {"email": "m@small.example", "name": "M", "role": "manager", "password": PASSWORD}
PLACE = "/api/v1/sites/{site}"
THING = "/api/v1/assets/{asset}"
PERSON = "/api/v1/technicians/{anna}"
WORK = "/api/v1/visits/{visit}"

CHANGES: list[tuple[str, dict[str, Any], str, str]] = [
    (PLACE, {"name": " "}, "name", "blank"),
    (PLACE, {"name": ""}, "name", "too-short"),
    (PLACE, {"opening_hours": "whenever they like"}, "opening_hours", "not-opening-hours"),
    (PLACE, {"opening_hours": "Mo-Fr 25:99-26:00"}, "opening_hours", "not-opening-hours"),
    (PLACE, {"contact_phone": "nope"}, "contact_phone", "not-a-phone"),
    (PLACE, {"tz": "Mars/Base"}, "tz", "not-one-of"),
    (PLACE, {"lat": 90.001}, "lat", "out-of-range"),
    (PLACE, {"lon": -180.5}, "lon", "out-of-range"),
    (PLACE, {"lat": 0, "lon": 0}, "lat", "nowhere"),
    (PLACE, {"tags": [" "]}, "tags.0", "blank"),
    ("/api/v1/customers/{customer}", {"email": "nope"}, "email", "not-an-email"),
    ("/api/v1/customers/{customer}", {"phone": "?"}, "phone", "not-a-phone"),
    (THING, {"serial": "\t"}, "serial", "blank"),
    (THING, {"serial": "P100-2"}, "serial", "serial-taken"),
    (THING, {"warranty_term": "NOPE"}, "warranty_term", "unknown-reference"),
    (THING, {"warranty_ends_on": "1999-12-31"}, "warranty_ends_on", "order"),
    (THING, {"installed_on": "9000-01-01"}, "commissioned_on", "before-installation"),
    (PERSON, {"phone": "call Anna"}, "phone", "not-a-phone"),
    (PERSON, {"max_overtime_minutes": -1}, "max_overtime_minutes", "out-of-range"),
    (PERSON, {"skills": [{"code": "a", "level": 1, "expires_on": None}] * 2}, "skills.1.code", "twice"),
    (WORK, {"title": " "}, "title", "blank"),
    (WORK, {"service_minutes": -30}, "service_minutes", "out-of-range"),
    (WORK, {"cancel_reason": "Sold"}, "cancel_reason", "not-cancelled"),
    (WORK, {"kind": "tea"}, "kind", "unknown-reference"),
    (WORK, {"due_from": "2026-12-02", "due_to": "2026-12-01"}, "due_to", "order"),
    (WORK, {"hard_due": 1}, "hard_due", "not-true-or-false"),
    (WORK, {"locked": "yes"}, "locked", "not-true-or-false"),
    (WORK, {"skills": ["tea"]}, "skills", "unknown-skill"),
    (WORK, {"promised_by": "1970-01-01T10:00:00Z"}, "promised_by", "long-past"),
    (WORK, {"promised_by": "2100-01-01T10:00:00Z"}, "promised_by", "far-ahead"),
    (THING, {"in_service": 0}, "in_service", "not-true-or-false"),
]
NEW: list[tuple[str, dict[str, Any], str, str]] = [
    ("/branches", BRANCH | {"name": "\u2003"}, "name", "blank"),
    ("/branches", BRANCH | {"currency": "ZZZ"}, "currency", "not-a-currency"),
    ("/product-models", {"code": "x", "name": "x", "meters": [METER, METER]}, "meters.1.code", "twice"),
    ("/service-kinds", {"code": "x", "name": {"en": " ", "ru": "b"}}, "name.en", "blank"),
    ("/checklists", LIST | {"items": [STEP, STEP]}, "items.1.key", "twice"),
    ("/checklists", LIST | {"items": [STEP | {"min": 5, "max": 4}]}, "items.0.max", "below-minimum"),
    ("/users", ACCOUNT | {"name": "  "}, "name", "blank"),
    ("/users", ACCOUNT | {"email": "nope"}, "email", "not-an-email"),
    ("/visits", {"kind": "repair_minor", "site_id": "{site}", "cancel_reason": "Sold"}, "cancel_reason",
     "not-cancelled"),
    ("/visits", {"kind": "repair_minor", "site_id": "{site}", "title": "   "}, "title", "blank"),
    ("/visits", {"kind": "repair_minor", "site_id": "{site}", "skills": ["tea"]}, "skills", "unknown-skill"),
    ("/visits", {"kind": "repair_minor", "site_id": "{site}", "hard_due": 1}, "hard_due", "not-true-or-false"),
    ("/visits", {"kind": "repair_minor", "site_id": "{site}", "promised_by": "1970-01-01T10:00:00Z"}, "promised_by",
     "long-past"),
    ("/assets", {"site_id": "{site}", "model_id": "{model}", "serial": "P100-1"}, "serial", "serial-taken"),
    ("/assets", {"site_id": "{site}", "model_id": "{model}", "serial": "N", "warranty_term": "NOPE"}, "warranty_term",
     "unknown-reference"),
    ("/assets", {"site_id": "{site}", "model_id": "{model}", "serial": "N", "warranty_starts_on": "2026-02-01",
     "warranty_ends_on": "2026-01-31"}, "warranty_ends_on", "order"),
    ("/contracts", {"number": "C", "customer_id": "{customer}", "starts_on": "2026-02-01", "ends_on": "2026-01-01",
     "currency": "EUR"}, "ends_on", "order"),
    ("/price-items", {"line": "labour", "unit": "hour", "amount": "1.00", "currency": "Eur",
     "valid_from": "2026-01-01"}, "currency", "not-a-currency"),
]  # fmt: skip


def named(calm: Calm) -> dict[str, str]:
    one = calm.company
    return {
        "site": one.sites[0], "asset": one.assets[0], "customer": one.customer, "anna": one.anna, "model": one.model,
        "visit": calm.visit,
    }  # fmt: skip


@pytest.fixture(scope="module")
def admin(calm: Calm) -> Office:
    return calm.company.sign_in(calm.client, "admin@small.example")


@pytest.mark.parametrize(("path", "values", "field", "code"), CHANGES)
def test_a_change_to_nonsense_is_refused_by_field(
    calm: Calm, admin: Office, path: str, values: dict[str, Any], field: str, code: str
) -> None:
    answer = admin.patch(path.format(**named(calm)), json=values)
    told = problem(answer, 422, "unknown-reference" if code == "unknown-reference" else "invalid-fields")
    assert [(error["field"], error["code"]) for error in told["errors"]] == [(field, code)]
    assert told["errors"][0]["detail"] != f"field.{code}"


@pytest.mark.parametrize(("path", "values", "field", "code"), NEW)
def test_nothing_is_made_of_nonsense(
    calm: Calm, admin: Office, path: str, values: dict[str, Any], field: str, code: str
) -> None:
    ids = named(calm)
    body = {
        name: ids.get(value.strip("{}"), value) if isinstance(value, str) else value for name, value in values.items()
    }
    told = problem(
        admin.post(f"/api/v1{path}", json=body),
        422,
        "unknown-reference" if code == "unknown-reference" else "invalid-fields",
    )
    assert [(error["field"], error["code"]) for error in told["errors"]] == [(field, code)]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [("contact_phone", "nope", "not-a-phone"), ("lat", 91, "out-of-range"), ("tags", [" "], "blank")],
)
def test_a_tablet_is_refused_the_same_and_what_was_entered_is_kept(
    company: SmallCompany,
    tablet_of: Callable[[str], Tablet],
    dispatcher: Office,
    app: Flask,
    field: str,
    value: Any,
    code: str,
) -> None:
    """S-29: the edit is rejected with the field's code, stays in the journal, and holds up no other."""
    with app.app_context():
        visit = company.visit()
        publish(company.id, visit, company.anna)
    tablet = tablet_of(company.anna)
    tablet.pull()
    site = company.sites[0]
    result = tablet.edit("site", site, 1, set={field: value})
    assert result["status"] == "rejected"
    assert [error["code"] for error in result["problem"]["errors"]] == [code]
    assert tablet.edit("site", site, 1, set={"access_note": " "})["status"] == "applied"
    journal = tablet.call("GET", "/sync/v1/mutations?after=0").json["mutations"]
    assert journal[0]["payload"]["raw"]["set"] == {field: value}


def test_an_import_says_the_same_of_the_same_values(app: Flask, company: SmallCompany) -> None:
    head = "external_ref,name,customer_ref,customer_name,customer_email,customer_phone,lat,lon,opening_hours,"
    with app.app_context():
        report = import_sites(
            company.id,
            (head + 'contact_phone\nX,Place,K,Kappa,nope,?,42.5,1.5,"whenever",nope\n').encode(),
            dry_run=True,
        )
    assert {(bad.column, bad.code) for bad in report.problems} == {
        ("customer_email", "field.not-an-email"),
        ("customer_phone", "field.not-a-phone"),
        ("opening_hours", "field.not-opening-hours"),
        ("contact_phone", "field.not-a-phone"),
    }


def test_old_nonsense_holds_up_no_edit_of_something_else(app: Flask, company: SmallCompany, dispatcher: Office) -> None:
    with app.app_context():
        change(Asset, company.id, company.assets[0], warranty_ends_on=date(1999, 1, 1))
    path = f"/api/v1/assets/{company.assets[0]}"
    assert dispatcher.patch(path, json={"position": "Cellar"}).status_code == 200
    assert dispatcher.patch(path, json={"warranty_ends_on": "1999-01-02"}).status_code == 422
    assert dispatcher.patch(path, json={"warranty_ends_on": "2040-01-02"}).status_code == 200


def test_a_visit_that_is_taken_up_again_has_no_reason_for_being_cancelled(
    company: SmallCompany, dispatcher: Office, app: Flask
) -> None:
    with app.app_context():
        visit = company.visit()
    assert dispatcher.post(f"/api/v1/visits/{visit}/cancel", json={"reason": "Sold"}).status_code == 200
    answer = dispatcher.patch(f"/api/v1/visits/{visit}", json={"plan_state": "due"})
    assert (answer.status_code, answer.json["cancel_reason"]) == (200, None)


@pytest.mark.parametrize(
    "text",
    [
        "24/7", "Mo-Fr 09:00-18:00", "Mo-Fr 09:30-13:30, 15:00-20:00; Sa 09:30-13:30", "08:00+", "tu,th,fr 13:00-18:00",
        "Tu-Th, Su 08:00-02:00, Fr-Sa 10:30-03:00", "Mo-Su 09:00-24:00; PH off", "Jun-Sep Mo[1,3] 10:00-12:00",
        "2026 Dec 24-26 off", "sunrise-sunset", 'Mo-Fr 10:00-12:00 "by appointment"', "Mo 10:00-12:00 || closed",
    ],
)  # fmt: skip
def test_opening_hours_are_read(text: str) -> None:
    assert readable(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "nope",
        "9 to 5",
        "Mo-Fr 9-18",
        "Mo-Fr 09:00",
        "Mo,,Tu",
        "Mo-Fr 09:00-18:00 or so",
        "Mo 24:61-25:00",
        ";",
    ],
)
def test_what_are_no_opening_hours_is_told(text: str) -> None:
    assert not readable(text)


def test_promised_hours_that_nobody_can_keep_are_refused(calm: Calm, admin: Office) -> None:
    opens = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    body = {"kind": "repair_minor", "site_id": calm.company.sites[0], "service_minutes": 1440}
    hours = {"window_start": iso(opens), "window_end": iso(opens + timedelta(minutes=1))}
    told = problem(admin.post("/api/v1/visits", json=body | hours), 422, "invalid-fields", "window_end")
    assert [error["code"] for error in told["errors"]] == ["narrow-window"]
    hours["window_end"] = iso(opens + timedelta(minutes=15))
    assert admin.post("/api/v1/visits", json=body | hours).status_code == 201


def test_a_skill_that_a_technician_has_or_a_kind_of_work_asks_for_is_known(
    company: SmallCompany, dispatcher: Office, client: FlaskClient
) -> None:
    manager = company.sign_in(client, "manager@small.example")
    kind = {"code": "lift", "name": {"en": "Lift", "ru": "Лифт"}, "minutes": 30, "skills": ["lifts"]}
    assert manager.post("/api/v1/service-kinds", json=kind).status_code == 201
    body = {"kind": "lift", "site_id": company.sites[0]}
    assert dispatcher.post("/api/v1/visits", json=body | {"skills": ["pumps", "lifts"]}).status_code == 201
    refused = problem(
        dispatcher.post("/api/v1/visits", json=body | {"skills": ["pumps", "tea"]}), 422, "invalid-fields"
    )
    assert refused["errors"][0]["detail"] == "Nobody has the skill “tea”. Known are: lifts, pumps."


def test_no_two_base_prices_have_one_key(company: SmallCompany, client: FlaskClient) -> None:
    """Without a branch the database sees no twin: each absent branch is another to it."""
    manager = company.sign_in(client, "manager@small.example")
    price = {"line": "parts", "unit": "piece", "amount": "10.00", "currency": "EUR", "valid_from": "2026-01-01"}
    made = manager.post("/api/v1/price-items", json=price)
    assert made.status_code == 201, made.text
    told = problem(manager.post("/api/v1/price-items", json=price | {"amount": "12.00"}), 409, "conflict", "valid_from")
    assert told["errors"][0]["code"] == "price-twice"
    later = manager.post("/api/v1/price-items", json=price | {"valid_from": "2026-07-01"})
    assert later.status_code == 201
    path = f"/api/v1/price-items/{later.json['id']}"
    problem(manager.patch(path, json={"valid_from": "2026-01-01"}), 409, "conflict", "valid_from")
    assert manager.patch(path, json={"amount": "13.00"}).status_code == 200
    assert manager.post("/api/v1/price-items", json=price | {"branch_id": company.branch}).status_code == 201


@pytest.mark.parametrize(
    "path",
    [
        "/fleet?x=1",
        "/auth/me?x=1",
        "/visits/{visit}?x=1",
        "/visits/{visit}/work?verbose=1",
        "/board?date=2026-11-24&x=1",
        "/visits?stat=open",
    ],
)
def test_a_parameter_that_is_not_there_is_refused_by_name(calm: Calm, admin: Office, path: str) -> None:
    told = problem(admin.get("/api/v1" + path.format(**named(calm))), 422, "invalid-fields")
    assert told["field"] in path
    assert all(error["code"] in ("unknown-parameter", "unknown") for error in told["errors"])


def test_a_page_ignores_parameters_that_it_does_not_know(calm: Calm) -> None:
    """What others hang on to an address, a mail's tracking for one, breaks no page."""
    for path in ("/board?utm_source=mail", "/conflicts?x=1", "/devices?x=1", "/files?x=1", "/tablet/?x=1"):
        assert calm.client.get(path).status_code == 200
