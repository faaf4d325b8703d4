"""However much has happened, it can be read page by page: a visit's versions, a tablet's journal."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from server.store.models import Visit
from tests.api.conftest import Tablet, problem
from tests.builders import Office, SmallCompany, change


@pytest.fixture
def visit(app: Flask, company: SmallCompany) -> str:
    """A visit with twelve versions."""
    with app.app_context():
        made = company.visit()
        for number in range(11):
            change(Visit, company.id, made, instructions=f"Step {number}")
    return made


@pytest.mark.parametrize("limit", [1, 4, 5, 12, 200])
def test_pages_of_any_size_tell_the_same_history(dispatcher: Office, visit: str, limit: int) -> None:
    path = f"/api/v1/visits/{visit}/history"
    whole = dispatcher.get(path).json
    assert whole["next_before"] is None
    assert [item["version"] for item in whole["items"]] == list(range(12, 0, -1))
    found: list[Any] = []
    query: dict[str, Any] = {"limit": limit}
    while True:
        page = dispatcher.get(path, query_string=query).json
        assert len(page["items"]) <= limit
        found += page["items"]
        if page["next_before"] is None:
            break
        query["before"] = page["next_before"]
    assert found == whole["items"]
    assert found[0]["changes"] == [{"field": "instructions", "old": "Step 9", "new": "Step 10"}]


def test_beyond_the_first_version_there_is_nothing_and_elsewhere_no_visit(dispatcher: Office, visit: str) -> None:
    assert dispatcher.get(f"/api/v1/visits/{visit}/history?before=1").json == {"items": [], "next_before": None}
    problem(dispatcher.get(f"/api/v1/visits/{uuid.uuid4()}/history?before=1"), 404, "not-found")
    problem(dispatcher.get(f"/api/v1/visits/{visit}/history?before=0"), 422, "invalid-fields")


def test_what_came_without_a_number_is_read_page_by_page_too(
    company: SmallCompany, tablet_of: Callable[[str], Tablet]
) -> None:
    """S-30: all of them have the number 0."""
    tablet = tablet_of(company.anna)
    sent = [str(uuid.uuid4()) for _ in range(7)]
    body = {"device_time": "2026-11-25T08:00:00Z", "mutations": [{"id": each, "n": "none"} for each in sent]}
    assert {row["status"] for row in tablet.call("POST", "/sync/v1/push", json=body).json["results"]} == {"rejected"}
    tablet.edit("site", company.sites[0], 1, set={"access_note": "x"})
    found: list[Any] = []
    query: dict[str, Any] = {"limit": 3}
    while True:
        page = tablet.call("GET", "/sync/v1/mutations", query_string=query).json
        found += page["mutations"]
        if not page["more"]:
            assert page["next"] is None
            break
        query |= page["next"]
    assert [row["n"] for row in found] == [0] * 7 + [1]
    assert sorted(row["id"] for row in found[:7]) == sorted(sent)
