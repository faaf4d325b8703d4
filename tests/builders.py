"""Valid small things for tests: a company, its people, a tablet."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from schemas.entities.base import iso
from server.actions.found_company import found_company
from server.actions.make_visit import make_visit
from server.actions.passwords import hash_password
from server.extensions import db
from server.store.models import (
    Asset,
    Branch,
    Checklist,
    Company,
    Customer,
    PriceItem,
    ProductModel,
    ServiceKind,
    Site,
    Technician,
    User,
    Visit,
    WarrantyTerm,
)
from server.store.transaction import transactional
from server.store.types import new_id

PASSWORD = "correct horse battery"
_hashes: dict[str, str] = {}

WEEK = [
    {"weekday": day, "start": "08:00", "end": "17:00", "break_start": "12:00", "break_minutes": 30} for day in range(7)
]


def hashed(password: str) -> str:
    """The hash of a test's password, made once for all tests."""
    return _hashes.setdefault(password, hash_password(password))


@dataclass
class Office:
    """A signed-in person at the office: the test client with the token."""

    client: FlaskClient
    token: str

    def __getattr__(self, method: str) -> Any:
        def call(path: str, **kwargs: Any) -> TestResponse:
            headers = {"Authorization": f"Bearer {self.token}"} | kwargs.pop("headers", {})
            return self.client.open(path, method=method.upper(), headers=headers, **kwargs)

        return call


@dataclass
class SmallCompany:
    """Ids of the small company."""

    id: str
    branch: str
    anna: str
    boris: str
    customer: str
    sites: list[str]
    assets: list[str]
    model: str
    emails: dict[str, str] = field(default_factory=dict)

    def sign_in(self, client: FlaskClient, email: str) -> Office:
        answer = client.post("/api/v1/auth/login", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return Office(client=client, token=answer.json["token"])

    def visit(self, **values: Any) -> str:
        """Make a visit as the office would; returns its id. Needs an application context."""
        return _visit(self.id, {"kind": "preventive_maintenance", "site_id": self.sites[0]} | values)


@transactional
def _visit(company_id: str, values: dict[str, Any]) -> str:
    return make_visit(company_id, values, origin="request", now=datetime.now(UTC)).id


def small_company() -> SmallCompany:
    """One branch in Andorra, technicians Anna and Boris, three sites with a pump under warranty at each."""
    company, _ = found_company("Small", email="admin@small.example", password=PASSWORD)
    return _people_and_places(company.id)


@transactional
def _people_and_places(company_id: str) -> SmallCompany:
    def add(item: Any) -> Any:
        db.session.add(item)
        db.session.flush()
        return item

    # Recorded sessions and other tests plan for days of their own: the window is what `test_sync_package` is about.
    db.session.get_one(Company, company_id).package_days = 20_000
    branch = add(
        Branch(
            company_id=company_id, id=new_id(), name="Valira", city="Andorra la Vella", locale="en",
            tz="Europe/Andorra", currency="EUR", lat=42.5063, lon=1.5218,
        )
    )  # fmt: skip
    technicians = [
        add(
            Technician(
                company_id=company_id, id=new_id(), branch_id=branch.id, name=name, phone=None,
                skills=[{"code": "pumps", "level": 2, "expires_on": None}], shifts=WEEK, home_lat=lat, home_lon=1.52,
                start_from="home", van=None, max_overtime_minutes=30, active=True,
            )
        )
        for name, lat in (("Anna", 42.51), ("Boris", 42.56))
    ]  # fmt: skip
    for email, role, technician in (
        ("manager@small.example", "manager", None),
        ("dispatcher@small.example", "dispatcher", None),
        ("anna@small.example", "technician", technicians[0].id),
        ("boris@small.example", "technician", technicians[1].id),
    ):
        add(
            User(
                company_id=company_id, id=new_id(), email=email, name=email.split("@")[0].title(), role=role,
                locale="en", password_hash=hashed(PASSWORD), technician_id=technician, active=True,
            )
        )  # fmt: skip
    checklist = add(
        Checklist(
            company_id=company_id, id=new_id(), code="pump", revision=1,
            title={"en": "Pump service", "ru": "Обслуживание насоса"},
            items=[
                {"key": "seal", "kind": "check", "text": {"en": "Seal dry", "ru": "Уплотнение сухое"}, "unit": None,
                 "min": None, "max": None, "meter": None, "mandatory": True},
                {"key": "pressure", "kind": "measure", "text": {"en": "Pressure", "ru": "Давление"}, "unit": "bar",
                 "min": 2.0, "max": 4.0, "meter": None, "mandatory": True},
            ],
        )
    )  # fmt: skip
    for code, minutes, included, preventive in (
        ("preventive_maintenance", 60, True, True),
        ("proactive_inspection", 30, True, True),
        ("repair_minor", 90, False, False),
    ):
        add(
            ServiceKind(
                company_id=company_id, id=new_id(), code=code, 
                name={"en": code.replace("_", " ").capitalize(), "ru": code},
                minutes=minutes, skills=[], checklist_id=checklist.id, included_in_warranty=included,
                preventive=preventive, active=True,
            )
        )  # fmt: skip
    add(
        WarrantyTerm(
            company_id=company_id, id=new_id(), code="W24", months=24, starts_at="installation", covers_labour=True,
            covers_parts=True, covers_travel=True, excluded_causes=["misuse"],
        )
    )  # fmt: skip
    for line, amount in (("labour", "80.00"), ("travel", "35.00")):
        add(
            PriceItem(
                company_id=company_id, id=new_id(), list_code="base", branch_id=None, kind="*", line=line,
                unit="hour" if line == "labour" else "visit", amount=amount, currency="EUR",
                valid_from=date(2020, 1, 1), valid_to=None,
            )
        )  # fmt: skip
    model = add(
        ProductModel(
            company_id=company_id, id=new_id(), code="P-100", name="Pump P-100", family="pumps", maker="Rounds Works",
            meters=[{"code": "hours", "unit": "h", "name": {"en": "Operating hours", "ru": "Наработка"}}],
        )
    )  # fmt: skip
    customer = add(Customer(company_id=company_id, id=new_id(), name="Hotel Group", locale="en", external_ref="C-1"))
    sites, assets = [], []
    today = datetime.now(UTC).date()
    for number, lat in enumerate((42.507, 42.53, 42.55), start=1):
        site = add(
            Site(
                company_id=company_id, id=new_id(), customer_id=customer.id, branch_id=branch.id,
                name=f"Hotel {number}",
                lat=lat, lon=1.52, tz="Europe/Andorra", access_note="Ring at reception", tags=[],
                external_ref=f"S-{number}",
            )
        )  # fmt: skip
        asset = add(
            Asset(
                company_id=company_id, id=new_id(), site_id=site.id, model_id=model.id, serial=f"P100-{number}",
                installed_on=today.replace(day=1), commissioned_on=today.replace(day=1), in_service=True,
                warranty_term="W24", warranty_starts_on=today.replace(day=1),
                warranty_ends_on=today.replace(day=1, year=today.year + 2), recent_visits=[],
                external_ref=f"A-{number}",
            )
        )  # fmt: skip
        sites.append(site.id)
        assets.append(asset.id)
    return SmallCompany(
        id=company_id,
        branch=branch.id,
        anna=technicians[0].id,
        boris=technicians[1].id,
        customer=customer.id,
        sites=sites,
        assets=assets,
        model=model.id,
    )


@transactional
def change(model: type[Any], company_id: str, item_id: str, **values: Any) -> None:
    """Change an object as any writer would: set attributes and commit."""
    item = db.session.get(model, (company_id, item_id))
    for name, value in values.items():
        setattr(item, name, value)


@transactional
def publish(company_id: str, visit_id: str, technician_id: str | None, start: datetime | None = None) -> None:
    """Give a published visit to a technician, as the office does."""
    visit = db.session.get(Visit, (company_id, visit_id))
    assert visit is not None
    visit.assignee_id = technician_id
    visit.plan_state = "published" if technician_id else "due"
    visit.planned_start = start


def entry(**values: Any) -> dict[str, Any]:
    """An entry of an append list with its own id."""
    return {"id": str(uuid.uuid4()), "at": iso(datetime.now(UTC))} | values
