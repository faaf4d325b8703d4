"""A company that starts from nothing, through public doors alone: the command, then the API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient

from tests.builders import PASSWORD, Office, SmallCompany

SHIFT = {"weekday": 0, "start": "08:00", "end": "17:00", "break_start": None, "break_minutes": 0}
TODAY = datetime.now(UTC).date()
PLACE = ["--tz", "Europe/Andorra", "--currency", "EUR", "--lat", "42.556", "--lon", "1.533"]
NAMED = ["--name", "Ordino Service", "--email", "Ana@ordino.example", "--password", PASSWORD, "--branch", "Ordino"]


def made(office: Office, path: str, **values: Any) -> dict[str, Any]:
    answer = office.post(f"/api/v1{path}", json=values)
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


def signed_in(client: FlaskClient, email: str) -> Office:
    answer = client.post("/api/v1/auth/login", json={"email": email, "password": PASSWORD})
    return Office(client=client, token=answer.json["token"])


def founded(app: Flask, place: list[str]) -> Result:
    """`flask init` as somebody types it."""
    with app.app_context():
        return app.test_cli_runner().invoke(args=["init", *NAMED, *place])


@pytest.fixture
def admin(app: Flask, client: FlaskClient) -> Office:
    """Signed in to an installation that had nothing before `flask init`."""
    done = founded(app, PLACE)
    assert done.exit_code == 0, done.output
    return signed_in(client, "ana@ordino.example")


def test_a_new_installation_has_all_kinds_of_work_with_checklists_in_both_languages(admin: Office) -> None:
    kinds = admin.get("/api/v1/service-kinds?limit=200").json["items"]
    assert {kind["code"] for kind in kinds} == {
        "installation", "supervised_installation", "commissioning", "adjustment", "parts_supply", "repair_minor",
        "repair_current", "repair_overhaul", "part_replacement", "training", "construction_advice",
        "operation_control", "proactive_inspection", "preventive_maintenance", "remote_support",
    }  # fmt: skip
    lists = {one["id"]: one for one in admin.get("/api/v1/checklists?limit=200").json["items"]}
    for kind in kinds:
        assert kind["name"]["en"] != kind["name"]["ru"]
        assert kind["checklist_id"] in {None, *lists}
    assert all(item["text"]["ru"] for one in lists.values() for item in one["items"])


def test_from_nothing_to_a_visit_that_is_free_and_one_that_is_paid(client: FlaskClient, admin: Office) -> None:
    [branch] = admin.get("/api/v1/branches").json["items"]
    assert (branch["name"], branch["currency"], branch["tz"]) == ("Ordino", "EUR", "Europe/Andorra")
    technician = made(
        admin, "/technicians", name="Carla", branch_id=branch["id"], home_lat=42.55, home_lon=1.53, shifts=[SHIFT]
    )
    account = {"email": "carla@ordino.example", "name": "Carla", "role": "technician", "password": PASSWORD}
    made(admin, "/users", **account, technician_id=technician["id"])
    term = made(admin, "/warranty-terms", code="W12", months=12, excluded_causes=["misuse"])
    for line, unit, amount in (("labour", "hour", "80.00"), ("travel", "visit", "35.00")):
        made(admin, "/price-items", line=line, unit=unit, amount=amount, currency="EUR", valid_from="2020-01-01")
    customer = made(admin, "/customers", name="Ordino Hotels", locale="en")
    spot = {"branch_id": branch["id"], "lat": 42.555, "lon": 1.534, "tz": "Europe/Andorra"}
    site = made(admin, "/sites", name="Hotel Ordino", customer_id=customer["id"], **spot)
    model = made(admin, "/product-models", code="X-1", name="Pump X-1")
    machine = {"site_id": site["id"], "model_id": model["id"]}
    dates = {"warranty_starts_on": str(TODAY), "warranty_ends_on": str(TODAY.replace(year=TODAY.year + 1, day=1))}
    new = made(admin, "/assets", **machine, serial="X1-1", warranty_term=term["code"], **dates)
    old = made(admin, "/assets", **machine, serial="X1-0")

    def coverage(asset: dict[str, Any], kind: str = "preventive_maintenance") -> tuple[str, str]:
        visit = made(admin, "/visits", kind=kind, site_id=site["id"], asset_ids=[asset["id"]], service_minutes=60)
        assert visit["number"].startswith("V-")
        return visit["coverage"]["outcome"], visit["coverage"]["amount"]

    assert coverage(new) == ("free", "0.00")
    assert coverage(old) == ("paid", "115.00")
    contract = made(
        admin, "/contracts", number="C-1", customer_id=customer["id"], starts_on="2020-01-01", ends_on="2099-12-31",
        currency="EUR", items=[{"line": "labour", "unit": "visit", "amount": "50.00"}],
    )  # fmt: skip
    assert coverage(old) == ("paid", "85.00")
    change = {"included_kinds": ["preventive_maintenance"]}
    answer = admin.patch(f"/api/v1/contracts/{contract['id']}", json=change)
    assert (answer.status_code, answer.json["number"], answer.json["items"][0]["amount"]) == (200, "C-1", "50.00")
    assert coverage(old) == ("free", "0.00")
    assert coverage(old, "repair_minor") == ("paid", "85.00")
    assert signed_in(client, "carla@ordino.example").get("/api/v1/visits").json["items"] == []


@pytest.mark.parametrize(
    ("wrong", "says"),
    [(["--tz", "Mars/Olympus"], "tz"), (["--currency", "EURO"], "currency"), (["--lat", "95"], "lat")],
)
def test_a_branch_that_cannot_be_leaves_no_half_a_company(app: Flask, wrong: list[str], says: str) -> None:
    place = dict(zip(PLACE[::2], PLACE[1::2], strict=True)) | {wrong[0]: wrong[1]}
    done = founded(app, [part for pair in place.items() for part in pair])
    assert done.exit_code == 2
    assert f"{says}:" in done.output
    again = founded(app, PLACE)
    assert again.exit_code == 0, again.output


@pytest.mark.parametrize(
    ("path", "change", "field", "code"),
    [
        ("/price-items", {"amount": "0.00"}, "amount", "invalid-fields"),
        ("/price-items", {"amount": "1e5"}, "amount", "invalid-fields"),
        ("/price-items", {"currency": "EUR\n"}, "currency", "invalid-fields"),
        ("/price-items", {"valid_to": "2019-12-31"}, "valid_to", "invalid-fields"),
        ("/price-items", {"kind": "magic"}, "kind", "unknown-reference"),
        ("/price-items", {"branch_id": "01890a5d-ac96-774b-bcce-b302099a8057"}, "branch_id", "unknown-reference"),
        ("/warranty-terms", {"excluded_causes": ["preventive_maintenance"]}, "excluded_causes.0", "invalid-fields"),
        ("/warranty-terms", {"months": 0}, "months", "invalid-fields"),
        ("/contracts", {"included_kinds": ["magic"]}, "included_kinds", "unknown-reference"),
        ("/contracts", {"ends_on": "2019-12-31"}, "ends_on", "invalid-fields"),
    ],
)
def test_what_cannot_be_agreed_is_refused_by_field(
    client: FlaskClient, company: SmallCompany, path: str, change: dict[str, Any], field: str, code: str
) -> None:
    price = {"line": "labour", "unit": "hour", "amount": "1.00", "currency": "EUR", "valid_from": "2021-01-01"}
    deal = {"number": "C-1", "starts_on": "2020-01-01", "ends_on": "2020-12-31", "currency": "EUR"}
    plain = {
        "/price-items": price,
        "/warranty-terms": {"code": "W1", "months": 1},
        "/contracts": deal | {"customer_id": company.customer},
    }[path]
    manager = company.sign_in(client, "manager@small.example")
    answer = manager.post(f"/api/v1{path}", json=plain | change)
    assert (answer.status_code, answer.json["code"]) == (422, code), answer.text
    assert [error["field"] for error in answer.json["errors"]] == [field]
    made(manager, path, **plain)


def test_a_document_that_refers_to_nothing_is_refused_by_field(dispatcher: Office, company: SmallCompany) -> None:
    answer = dispatcher.post(
        "/api/v1/assets", json={"site_id": company.model, "model_id": company.model, "serial": "1"}
    )
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json["errors"]] == ["site_id"]


def test_two_accounts_never_share_an_address(client: FlaskClient, company: SmallCompany) -> None:
    admin = company.sign_in(client, "admin@small.example")
    body = {"email": "Manager@small.example", "name": "M", "role": "manager", "password": "correct horse battery"}
    answer = admin.post("/api/v1/users", json=body)
    assert (answer.status_code, answer.json["code"]) == (409, "conflict")
