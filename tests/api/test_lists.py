"""Lists: every item exactly once whatever the page and the order, filters, and what did not change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from server.extensions import db
from server.store.listing import Sort, page
from server.store.models import Asset, Customer, Visit
from server.store.queries.filters import visits_of_technician
from server.store.transaction import transactional
from server.store.types import new_id
from tests.api.conftest import Calm
from tests.builders import Office, SmallCompany

LONG = "Ж" * 198


@pytest.fixture(scope="module")
def many(calm: Calm) -> Calm:
    """Names and dates that are equal, missing, long and in two alphabets."""
    with calm.app.app_context():
        _fill(calm.company)
    return calm


@transactional
def _fill(company: SmallCompany) -> None:
    now = datetime(2026, 5, 1, 9, tzinfo=UTC)
    for n in range(23):
        name = ("Same", "same", "Ёлка", "ёлка", "Zoo", "Ä", f"{LONG}{n % 2}")[n % 7]
        db.session.add(Customer(company_id=company.id, id=new_id(), name=name, locale="en", external_ref=f"L-{n}"))
        installed = None if n % 3 == 0 else date(2020, 1, 1 + n % 4)
        db.session.add(
            Asset(
                company_id=company.id, id=new_id(), site_id=company.sites[n % 3], model_id=company.model,
                serial=f"S{n % 5}", installed_on=installed, in_service=n % 2 == 0, recent_visits=[],
            )
        )  # fmt: skip
        planned = None if n % 4 == 0 else now + timedelta(hours=n % 3, microseconds=n % 2)
        db.session.add(
            Visit(
                company_id=company.id, id=new_id(), number=f"V-{n % 6}", origin="request", kind="repair_minor",
                title="T", site_id=company.sites[n % 3], customer_id=company.customer, priority=n % 4,
                planned_start=planned, due_to=None if n % 5 == 0 else date(2026, 5, 1 + n % 3), plan_state="due",
                asset_ids=[], skills=[], events=[], answers=[], readings=[], notes=[], findings=[], attachments=[],
                flags=[], locked=False, hard_due=False, archived=False, exec_state="not_started",
            )
        )  # fmt: skip


def walk(office: Office, path: str, **query: Any) -> list[dict[str, Any]]:
    """All items of a list, page by page; each page but the last is full."""
    items: list[dict[str, Any]] = []
    cursor = None
    while True:
        answer = office.get(f"/api/v1/{path}", query_string=query | ({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        items += answer.json["items"]
        cursor = answer.json["next_cursor"]
        if cursor is None:
            return items
        assert len(answer.json["items"]) == query["limit"]


ORDERS = [
    ("customers", "name"), ("customers", "id"), ("assets", "serial"), ("assets", "installed_on"),
    ("visits", "id"), ("visits", "number"), ("visits", "priority"), ("visits", "planned_start"), ("visits", "due_to"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "field"), ORDERS, ids=lambda value: str(value))
@pytest.mark.parametrize("limit", [1, 4, 23, 200])
def test_every_item_comes_exactly_once_in_both_orders(many: Calm, path: str, field: str, limit: int) -> None:
    whole = {item["id"] for item in walk(many.dispatcher, path, limit=200)}
    assert len(whole) > 20
    up = walk(many.dispatcher, path, sort=field, limit=limit)
    down = walk(many.dispatcher, path, sort=f"-{field}", limit=limit)
    assert [item["id"] for item in down] == [item["id"] for item in reversed(up)]
    assert len(up) == len(whole)
    assert {item["id"] for item in up} == whole


@pytest.mark.parametrize(("path", "field"), [("visits", "planned_start"), ("visits", "due_to"), ("visits", "priority"),
                                             ("assets", "installed_on")])  # fmt: skip
def test_items_are_in_order_and_those_without_a_value_come_last(many: Calm, path: str, field: str) -> None:
    values = [item[field] for item in walk(many.dispatcher, path, sort=field, limit=5)]
    there = [value for value in values if value is not None]
    assert values == sorted(there) + [None] * (len(values) - len(there))


def test_items_made_while_a_list_is_read_move_no_other(many: Calm) -> None:
    before = [item["id"] for item in walk(many.dispatcher, "customers", sort="name", limit=50)]
    seen, cursor, made = [], None, 0
    while True:
        query = {"sort": "name", "limit": 3} | ({"cursor": cursor} if cursor else {})
        answer = many.dispatcher.get("/api/v1/customers", query_string=query).json
        seen += [item["id"] for item in answer["items"]]
        cursor = answer["next_cursor"]
        if cursor is None:
            break
        with many.app.app_context():
            _add_customer(many.company, ("AAA", "Same", "яяя")[made % 3])
        made += 1
    assert made > 5
    assert [one for one in seen if one in set(before)] == before
    assert len(seen) == len(set(seen))


@transactional
def _add_customer(company: SmallCompany, name: str) -> None:
    db.session.add(Customer(company_id=company.id, id=new_id(), name=name, locale="en"))


FILTERS: list[tuple[str, dict[str, Any], Any]] = [
    ("assets", {"in_service": "false"}, lambda item: not item["in_service"]),
    ("visits", {"due_before": "2026-05-02"}, lambda item: item["due_from"] and item["due_from"] <= "2026-05-02"),
    ("visits", {"plan_state": "due"}, lambda item: item["plan_state"] == "due"),
    ("visits", {"kind": "repair_minor", "q": "v-3"}, lambda item: item["number"] == "V-3"),
    ("visits", {"date": "2026-05-01"}, lambda item: (item["planned_start"] or "").startswith("2026-05-01")),
    (
        "visits",
        {"date_from": "2026-05-01T10:00:00Z", "date_to": "2026-05-01T10:30:00+00:00"},
        lambda item: (item["planned_start"] or "").startswith("2026-05-01T10"),
    ),
    ("customers", {"external_ref": "L-7"}, lambda item: item["external_ref"] == "L-7"),
]


@pytest.mark.parametrize(("path", "query", "holds"), FILTERS, ids=[str(query) for _, query, _ in FILTERS])
def test_filters_leave_in_exactly_what_holds(many: Calm, path: str, query: dict[str, str], holds: Any) -> None:
    every = walk(many.dispatcher, path, limit=200)
    found = walk(many.dispatcher, path, limit=7, **query)
    assert {item["id"] for item in found} == {item["id"] for item in every if holds(item)}


def test_filter_by_site_and_by_branch(many: Calm) -> None:
    company = many.company
    site = company.sites[1]
    assert {item["site_id"] for item in walk(many.dispatcher, "visits", limit=9, site_id=site)} == {site}
    assert len(walk(many.dispatcher, "visits", limit=200, branch_id=company.branch)) == len(
        walk(many.dispatcher, "visits", limit=200)
    )
    assert walk(many.dispatcher, "visits", limit=200, branch_id=new_id()) == []


def test_a_technician_without_a_person_sees_nobodys_visits_either(many: Calm) -> None:
    with many.app.app_context():
        conditions = [visits_of_technician(None)]
        found = page(Visit, many.company.id, conditions, {"id": Sort(column=Visit.id)}, "id", None, 10)
    assert found.rows == []


def test_what_did_not_change_is_not_sent_again(calm: Calm) -> None:
    path = f"/api/v1/sites/{calm.company.sites[0]}"
    for encoding in ("identity", "gzip"):
        headers = {"Accept-Encoding": encoding}
        answer = calm.dispatcher.get(path, headers=headers)
        again = calm.dispatcher.get(path, headers=headers | {"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        tag = {"If-Match": answer.headers["ETag"]}
        assert calm.dispatcher.patch(path, json={"access_note": encoding}, headers=tag).status_code == 200
        assert calm.dispatcher.get(path, headers=headers | {"If-None-Match": answer.headers["ETag"]}).status_code == 200
