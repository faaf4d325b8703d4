"""An office at work: visits in every state, a tablet with edits and a clash, a draft plan."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from schemas.entities import COLLECTIONS
from schemas.entities.base import iso
from server.actions.found_company import found_company
from server.app import create_app
from server.extensions import db
from server.store.models import Branch, User
from server.store.transaction import transactional
from server.store.types import new_id
from tests.builders import PASSWORD, Office, SmallCompany, entry, hashed, publish
from tests.conftest import DATABASES, copied

NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"


def problem(answer: TestResponse, status: int, code: str, field: str | None = None) -> dict[str, Any]:
    """The problem of an answer, checked to be a whole one."""
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    told: dict[str, Any] = answer.json
    assert told["code"] == code
    assert told["status"] == status
    assert told["type"] == f"urn:rounds:problem:{code}"
    assert told["title"] not in ("", code)
    assert told["detail"] not in ("", f"{code}.detail")
    assert "…" not in told["title"] + told["detail"]
    assert told["request_id"]
    if field is not None:
        assert told["field"] == field
    return told


@dataclass
class Tablet:
    """A technician's tablet that speaks the protocol through the test client."""

    client: FlaskClient
    token: str
    device_id: str
    n: int = 0

    def call(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}"} | kwargs.pop("headers", {})
        return self.client.open(path, method=method, headers=headers, **kwargs)

    def pull(self) -> dict[str, tuple[str, dict[str, Any] | None]]:
        """All that the feed holds for it: id -> (op, document)."""
        found, cursor = {}, None
        while True:
            query = {"limit": "500"} | ({"cursor": cursor} if cursor else {})
            answer = self.call("GET", "/sync/v1/pull", query_string=query)
            assert answer.status_code == 200, answer.text
            for change in answer.json["changes"]:
                document = (
                    COLLECTIONS[change["collection"]].whole(change["document"]) if change["op"] == "put" else None
                )
                found[change["id"]] = (change["op"], document)
            cursor = answer.json["cursor"]
            if not answer.json["more"]:
                return found

    def edit(self, collection: str, document_id: str, base: int, **parts: Any) -> dict[str, Any]:
        """Push one edit; its result."""
        self.n += 1
        mutation = {
            "id": str(uuid.uuid4()), "n": self.n, "collection": collection, "document_id": document_id, "op": "update",
            "base_version": base, "set": {}, "add": {}, "remove": {}, "made_at": iso(datetime.now(UTC)), "group": None,
        } | parts  # fmt: skip
        answer = self.call(
            "POST", "/sync/v1/push", json={"device_time": iso(datetime.now(UTC)), "mutations": [mutation]}
        )
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json["results"][0]
        return result


def enrolled(office: Office, technician_id: str) -> Tablet:
    """A tablet made a technician's with a code from the office."""
    code = office.post("/api/v1/devices/enrolment-codes", json={"technician_id": technician_id}).json["code"]
    answer = office.client.post(
        "/sync/v1/enrol", json={"code": code, "device_name": "Tab", "app_version": "1", "schema_version": 1}
    )
    assert answer.status_code == 201, answer.text
    return Tablet(client=office.client, token=answer.json["token"], device_id=answer.json["device_id"])


@dataclass
class AtWork:
    """Ids of what an office at work has."""

    company: SmallCompany
    due: str
    published: str
    done: str
    cancelled: str
    tablet: Tablet
    plan: str
    conflict: str


@pytest.fixture
def tablet_of(dispatcher: Office) -> Callable[[str], Tablet]:
    return lambda technician_id: enrolled(dispatcher, technician_id)


@pytest.fixture
def at_work(app: Flask, company: SmallCompany, dispatcher: Office) -> AtWork:
    """Visits due, published, done and cancelled; Anna's tablet, one clash over an access note, one draft plan."""
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)
    with app.app_context():
        due = company.visit(due_from=tomorrow.date().isoformat(), symptom="Drips")
        published, done, cancelled = (company.visit(asset_ids=[company.assets[0]]) for _ in range(3))
        publish(company.id, published, company.anna, tomorrow)
        publish(company.id, done, company.anna, tomorrow + timedelta(hours=2))
    cancelling = dispatcher.post(f"/api/v1/visits/{cancelled}/cancel", json={"reason": "Sold"})
    assert cancelling.status_code == 200, cancelling.text
    tablet = enrolled(dispatcher, company.anna)
    documents = tablet.pull()
    for kind in ("started", "done"):
        tablet.edit("visit", done, 2, add={"events": [entry(type=kind)]})
    work = {
        "readings": [entry(asset_id=company.assets[0], meter="hours", value=120.5, unit="h")],
        "notes": [entry(text="Bearing is loud")],
        "answers": [entry(item="seal", value=True)],
        "findings": [entry(asset_id=company.assets[0], severity="minor", text="Rust")],
    }
    assert tablet.edit("visit", done, 2, add=work)["status"] in ("applied", "merged")
    site = company.sites[0]
    assert documents[site][0] == "put"
    dispatcher.patch(f"/api/v1/sites/{site}", json={"access_note": "Use the back door"})
    tablet.edit("site", site, 1, set={"access_note": "Code 4711"})
    conflict = dispatcher.get("/api/v1/conflicts").json["items"][0]["id"]
    plan = dispatcher.post("/api/v1/plans", json={"date": tomorrow.date().isoformat(), "seconds": 0.3})
    assert plan.status_code == 201, plan.text
    return AtWork(
        company=company, due=due, published=published, done=done, cancelled=cancelled, tablet=tablet,
        plan=plan.json["id"], conflict=conflict,
    )  # fmt: skip


@dataclass
class Calm:
    """An office where nothing happens: for tests whose every request is refused or only reads."""

    app: Flask
    client: FlaskClient
    company: SmallCompany
    dispatcher: Office
    visit: str


@pytest.fixture(scope="module", params=DATABASES)
def calm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calm]:
    """One office on each database for all tests of a file."""
    folder = tmp_path_factory.mktemp("calm")
    with copied(request, request.param, "company", folder) as url:
        app = create_app({"DATABASE_URL": url, "DATA_FOLDER": folder, "TESTING": True})
        company = copy.deepcopy(request.getfixturevalue(f"{request.param}_company").company)
        with app.app_context():
            visit = company.visit()
        client = app.test_client(use_cookies=False)
        dispatcher = company.sign_in(client, "dispatcher@small.example")
        yield Calm(app=app, client=client, company=company, dispatcher=dispatcher, visit=visit)
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@dataclass
class Neighbour:
    """Another company on the same installation."""

    id: str
    branch: str


@pytest.fixture
def neighbour(app: Flask, company: SmallCompany) -> Neighbour:
    """Another company with a branch and a dispatcher, dispatcher@other.example."""
    with app.app_context():
        other, _ = found_company("Other", email="admin@other.example", password=PASSWORD)
        return Neighbour(id=other.id, branch=_furnished(other.id))


@transactional
def _furnished(company_id: str) -> str:
    branch = Branch(
        company_id=company_id, id=new_id(), name="Far", city=None, locale="en", tz="Europe/Andorra", currency="EUR",
        lat=42.5, lon=1.5,
    )  # fmt: skip
    user = User(
        company_id=company_id, id=new_id(), email="dispatcher@other.example", name="Other", role="dispatcher",
        locale="en", password_hash=hashed(PASSWORD), active=True,
    )  # fmt: skip
    db.session.add_all([branch, user])
    return branch.id
