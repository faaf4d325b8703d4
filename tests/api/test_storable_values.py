"""What the office API takes is what every later reader and both databases can hold."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Tablet, problem
from tests.builders import WEEK, Office, SmallCompany

TEXT = {"en": "a", "ru": "b"}
BRANCH = {"name": "B", "locale": "en", "tz": "Europe/Andorra", "currency": "EUR", "lat": 1.0, "lon": 1.0}
KIND = {"code": "x", "name": TEXT}
STEP = {"key": "k", "kind": "check", "text": TEXT, "mandatory": True}
LIST = {"code": "z", "title": TEXT, "items": [STEP]}


@pytest.fixture
def admin(client: FlaskClient, company: SmallCompany) -> Office:
    return company.sign_in(client, "admin@small.example")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/branches", BRANCH | {"currency": "EUR\n"}, "currency"),
        ("/service-kinds", KIND | {"skills": ["a\x00b"]}, "skills.0"),
        ("/service-kinds", KIND | {"skills": ["a" * 61]}, "skills.0"),
        ("/checklists", LIST | {"revision": 10**12}, "revision"),
        ("/checklists", LIST | {"items": [STEP | {"mandatory": "perhaps"}]}, "items.0.mandatory"),
    ],
)
def test_what_no_database_holds_is_refused_by_field(admin: Office, path: str, body: dict[str, Any], field: str) -> None:
    answer = admin.post(f"/api/v1{path}", json=body)
    assert answer.status_code == 422, answer.text
    assert [error["field"] for error in answer.json["errors"]] == [field]


@pytest.mark.parametrize("clock", ["08:00\n", "٠٨:00", "0８:00", "8:00", "24:00"])
def test_a_clock_is_five_plain_characters_and_the_board_stays_readable(
    admin: Office, company: SmallCompany, clock: str
) -> None:
    shifts = [WEEK[0] | {"start": clock}, *WEEK[1:]]
    answer = admin.patch(f"/api/v1/technicians/{company.anna}", json={"shifts": shifts})
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == "shifts.0.start"
    assert admin.get("/api/v1/board?date=2026-12-01").status_code == 200


@pytest.mark.parametrize("value", ["false", 1, 0, "on"])
def test_what_only_resembles_a_truth_is_refused_by_name(admin: Office, value: object) -> None:
    answer = admin.post("/api/v1/checklists", json=LIST | {"items": [STEP | {"mandatory": value}]})
    told = problem(answer, 422, "invalid-fields", "items.0.mandatory")
    assert told["errors"][0]["code"] == "not-true-or-false"


@pytest.mark.parametrize("sha256", ["a" * 64 + "\n", "A" * 64, "٠" * 64])
def test_a_hash_is_sixty_four_characters_and_no_more(
    tablet_of: Callable[[str], Tablet], company: SmallCompany, sha256: str
) -> None:
    told = "sha256 " + base64.b64encode(sha256.encode()).decode()
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "10", "Upload-Metadata": told}
    answer = tablet_of(company.anna).call("POST", "/sync/v1/uploads", headers=headers)
    assert answer.status_code == 400
    assert answer.json["code"] == "invalid-fields"
