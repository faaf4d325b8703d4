"""A company that starts from nothing: branch, technician with an account, customer, site, equipment, a first visit."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient

from tests.builders import Office, SmallCompany

SHIFT = {"weekday": 0, "start": "08:00", "end": "17:00", "break_start": None, "break_minutes": 0}


def made(office: Office, path: str, **values: Any) -> dict[str, Any]:
    answer = office.post(f"/api/v1{path}", json=values)
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


def test_all_that_a_company_needs_can_be_made_over_the_api(client: FlaskClient, company: SmallCompany) -> None:
    admin = company.sign_in(client, "admin@small.example")
    branch = made(
        admin, "/branches", name="Ordino", locale="en", tz="Europe/Andorra", currency="EUR", lat=42.556, lon=1.533
    )
    technician = made(
        admin, "/technicians", name="Carla", branch_id=branch["id"], home_lat=42.55, home_lon=1.53, shifts=[SHIFT]
    )
    made(
        admin,
        "/users",
        email="carla@small.example",
        name="Carla",
        role="technician",
        password="correct horse battery",
        technician_id=technician["id"],
    )
    customer = made(admin, "/customers", name="Ordino Hotels", locale="en")
    site = made(
        admin,
        "/sites",
        name="Hotel Ordino",
        customer_id=customer["id"],
        branch_id=branch["id"],
        lat=42.555,
        lon=1.534,
        tz="Europe/Andorra",
    )
    model = made(admin, "/product-models", code="X-1", name="Pump X-1")
    asset = made(admin, "/assets", site_id=site["id"], model_id=model["id"], serial="X1-1")
    visit = made(admin, "/visits", kind="repair_minor", site_id=site["id"], asset_ids=[asset["id"]])
    assert visit["number"].startswith("V-")
    assert company.sign_in(client, "carla@small.example").get("/api/v1/visits").json["items"] == []


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
