"""Free or paid on real documents: which machines, which day at the site, which causes, and when it is decided again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient

from schemas.entities.base import iso
from server.actions.decide_coverage import moved_day
from server.extensions import db
from server.store.models import Asset, Contract, Site, Visit, WarrantyTerm
from server.store.transaction import transactional
from server.store.types import new_id
from tests.actions.test_query_counts import counted
from tests.builders import Office, SmallCompany, change, entry, publish
from tests.maintenance.builders import a_plan, generate
from tests.tablets import Tablet, enrol


@transactional
def a_contract(company: SmallCompany, **values: Any) -> None:
    plain = {
        "number": "K-1", "customer_id": company.customer, "starts_on": date(2026, 1, 1), "ends_on": date(2026, 12, 31),
        "included_kinds": ["preventive_maintenance"], "included_visits": 1, "currency": "EUR", "price_list": None,
        "items": [],
    }  # fmt: skip
    db.session.add(Contract(company_id=company.id, id=new_id(), **(plain | values)))


def coverage(dispatcher: Office, visit_id: str) -> Any:
    return dispatcher.get(f"/api/v1/visits/{visit_id}").json["coverage"]


def on_route(app: Flask, company: SmallCompany, **values: Any) -> tuple[Tablet, str]:
    with app.app_context():
        visit = company.visit(**({"asset_ids": [company.assets[0]]} | values))
        publish(company.id, visit, company.anna, datetime.now(UTC))
    anna = enrol(app, company.id, company.anna)
    anna.read()
    return anna, visit


def no_warranty(company: SmallCompany, asset: str) -> None:
    change(Asset, company.id, asset, site_id=company.sites[0], warranty_term=None, warranty_ends_on=None)


def test_a_machine_under_warranty_does_not_make_the_one_beside_it_free(
    app: Flask, company: SmallCompany, dispatcher: Office
) -> None:
    with app.app_context():
        no_warranty(company, company.assets[1])
        both = company.visit(asset_ids=company.assets[:2])
        covered = company.visit(asset_ids=company.assets[:1])
        bare = company.visit(asset_ids=company.assets[1:2])
    found = [coverage(dispatcher, one) for one in (covered, both, bare)]
    assert [one["outcome"] for one in found] == ["free", "partly", "paid"]
    # An hour of 80.00 and a trip of 35.00, half of each.
    assert [one["amount"] for one in found] == ["0.00", "57.50", "115.00"]
    told = {(rule["machine"], rule["reason"]["code"]) for rule in found[1]["rules"] if rule["rule"] == "warranty"}
    assert told == {("P100-1", "warranty"), ("P100-2", "no-warranty")}


def test_days_of_a_contract_are_days_at_the_site(app: Flask, company: SmallCompany, dispatcher: Office) -> None:
    """1 January 2026 at eight in Kamchatka is 31 December at twenty in Greenwich."""
    with app.app_context():
        change(Site, company.id, company.sites[0], tz="Asia/Kamchatka")
        no_warranty(company, company.assets[0])
        a_contract(company)
        for number, start in enumerate(
            (datetime(2025, 12, 31, 20, tzinfo=UTC), datetime(2026, 12, 31, 20, tzinfo=UTC))
        ):
            done = company.visit()
            at = {"started_at": start, "finished_at": start + timedelta(hours=1)}
            change(Visit, company.id, done, exec_state="done", performed_by_id=company.anna, **at)
            if number == 0:
                next_one = company.visit(due_from="2026-05-05")
    [rule] = {rule["reason"]["code"] for rule in coverage(dispatcher, next_one)["rules"] if rule["rule"] == "contract"}
    assert rule == "contract-visits-used"


@pytest.mark.parametrize(("days_before", "outcome"), [(0, "free"), (1, "paid")])
def test_finished_work_is_decided_by_the_day_that_it_was_done(
    app: Flask, company: SmallCompany, dispatcher: Office, days_before: int, outcome: str
) -> None:
    """The warranty's last day is the day of the work in Auckland, or the day before; it was planned while it ran."""
    done_at = datetime.now(UTC).replace(hour=11, minute=30) - timedelta(days=2)
    day = done_at.astimezone(ZoneInfo("Pacific/Auckland")).date()
    with app.app_context():
        change(Site, company.id, company.sites[0], tz="Pacific/Auckland")
    anna, visit = on_route(app, company)
    assert coverage(dispatcher, visit)["outcome"] == "free"
    with app.app_context():
        ends_on = day - timedelta(days=days_before)
        change(Asset, company.id, company.assets[0], warranty_starts_on=date(2020, 1, 1), warranty_ends_on=ends_on)
    anna.work(visit, "started", "done", start=done_at)
    anna.sync()
    decided = coverage(dispatcher, visit)
    assert decided["decided_for"] == decided["basis"]["done_on"] == day.isoformat()
    assert decided["outcome"] == outcome


def test_a_cause_found_on_site_that_the_term_excludes_is_paid_for_and_named(
    app: Flask, company: SmallCompany, dispatcher: Office
) -> None:
    anna, visit = on_route(app, company)
    assert coverage(dispatcher, visit)["outcome"] == "free"
    found = {"asset_id": company.assets[0], "severity": "major", "text": "Ran dry for weeks."}
    anna.change(visit, add={"findings": [entry(**found, cause="wear")]})
    anna.sync()
    assert coverage(dispatcher, visit)["outcome"] == "free"
    anna.change(visit, add={"findings": [entry(**found, cause="misuse")]})
    anna.sync()
    decided = coverage(dispatcher, visit)
    assert decided["outcome"] == "paid"
    why = next(rule["reason"] for rule in decided["rules"] if rule["reason"]["code"] == "warranty-excluded-cause")
    assert why["text"]["en"].endswith("misuse.")
    assert "нарушение правил эксплуатации" in why["text"]["ru"]


def test_a_decision_says_what_each_excluded_cause_would_make_of_it_and_is_right(
    app: Flask, company: SmallCompany, dispatcher: Office
) -> None:
    anna, visit = on_route(app, company)
    before = coverage(dispatcher, visit)
    told = {line["line_id"]: line["if_cause"]["misuse"] for line in before["lines"]}
    assert all(set(line["if_cause"]) == {"misuse"} for line in before["lines"])
    assert all(then["reason"]["text"]["en"] != then["reason"]["text"]["ru"] for then in told.values())
    anna.change(visit, add={"findings": [entry(severity="major", text="Ran dry", cause="misuse")]})
    anna.sync()
    after = {line["line_id"]: line for line in coverage(dispatcher, visit)["lines"]}
    assert {name: (one["outcome"], one["amount"]) for name, one in after.items()} == {
        name: (one["outcome"], one["amount"]) for name, one in told.items()
    }
    assert not any("if_cause" in line for line in after.values())


def test_a_cause_that_was_corrected_on_site_counts_as_it_was_said_last(
    app: Flask, company: SmallCompany, dispatcher: Office
) -> None:
    anna, visit = on_route(app, company)
    found = {"asset_id": company.assets[0], "item": "pump", "severity": "major", "text": "Ran dry"}
    anna.change(visit, add={"findings": [entry(**found, cause="misuse")]})
    anna.sync()
    assert coverage(dispatcher, visit)["outcome"] == "paid"
    anna.change(visit, add={"findings": [entry(**found, cause=None)]})
    anna.sync()
    assert coverage(dispatcher, visit)["outcome"] == "free"


def test_a_cause_of_another_kind_than_the_catalogue_has_is_refused(app: Flask, company: SmallCompany) -> None:
    anna, visit = on_route(app, company)
    anna.change(visit, add={"findings": [entry(severity="minor", text="x", cause="ghosts")]})
    [result] = anna.sync()
    assert (result["status"], result["problem"]["code"]) == ("rejected", "invalid-fields")


def test_a_visit_moves_to_another_day_when_its_site_turns_the_page(app: Flask, company: SmallCompany) -> None:
    """23:30 and 00:30 in Andorra in winter are 22:30 and 23:30 in Greenwich: one day there, two at the site."""
    with app.app_context():
        visit_id = company.visit()
        change(Visit, company.id, visit_id, planned_start=datetime(2027, 1, 9, 23, 30, tzinfo=UTC))
        visit = db.session.get(Visit, (company.id, visit_id))
        assert visit is not None
        assert moved_day(visit, datetime(2027, 1, 9, 22, 30, tzinfo=UTC))
        assert not moved_day(visit, datetime(2027, 1, 10, 22, 30, tzinfo=UTC))
        assert moved_day(visit, None)
        db.session.rollback()


def test_visits_that_plans_make_ask_for_what_is_agreed_once(app: Flask, company: SmallCompany) -> None:
    asked_for = []
    with app.app_context():
        a_contract(company)
        for more in (3, 9):
            for number in range(more):
                a_plan(company, asset_id=company.assets[number % 3], starts_on=date(2026, 5, 4 + number))
            with counted() as asked:
                report = generate(company)
            assert report.made >= more
            about = ("contract", "price_item", "warranty_term", "service_kind")
            asked_for.append(sum(any(f"FROM {table} " in one for table in about) for one in asked))
    assert asked_for[1] <= asked_for[0]


@transactional
def a_meter_limit(company: SmallCompany) -> None:
    """The pumps' warranty: 24 months or 2,000 hours, whichever comes first."""
    term = db.session.scalar(db.select(WarrantyTerm).where(WarrantyTerm.code == "W24"))
    assert term is not None
    term.meter, term.meter_limit = "hours", 2000


def hours(company: SmallCompany, value: float, at: datetime | None = None) -> dict[str, Any]:
    read = entry(asset_id=company.assets[0], meter="hours", value=value, unit="h")
    return read | ({"at": iso(at)} if at else {})


@pytest.mark.parametrize(("read", "outcome"), [(1999.5, "free"), (2000, "free"), (2000.5, "paid")])
def test_a_warranty_ends_with_its_months_or_beyond_its_hours_as_read_at_the_visit(
    app: Flask, company: SmallCompany, dispatcher: Office, read: float, outcome: str
) -> None:
    with app.app_context():
        a_meter_limit(company)
    anna, visit = on_route(app, company)
    told = coverage(dispatcher, visit)
    assert told["outcome"] == "free"
    assert "warranty-meter-unread" in [rule["reason"]["code"] for rule in told["rules"]]
    anna.change(visit, add={"readings": [hours(company, read)]})
    anna.work(visit, "started", "done")
    anna.sync()
    told = coverage(dispatcher, visit)
    assert told["outcome"] == outcome
    assert ("warranty-meter-passed" in [rule["reason"]["code"] for rule in told["rules"]]) == (outcome == "paid")


def test_the_last_reading_before_a_visit_decides_until_it_is_read_there(
    app: Flask, company: SmallCompany, dispatcher: Office
) -> None:
    with app.app_context():
        a_meter_limit(company)
    anna, first = on_route(app, company)
    anna.change(first, add={"readings": [hours(company, 2100)]})
    anna.work(first, "started", "done")
    anna.sync()
    _, second = on_route(app, company)
    assert coverage(dispatcher, second)["outcome"] == "paid"
    anna.sync()
    # The first was a slip: the machine shows less.
    anna.change(second, add={"readings": [hours(company, 1900)]})
    anna.sync()
    assert coverage(dispatcher, second)["outcome"] == "free"


@pytest.mark.parametrize("half", [{"meter": "hours"}, {"meter_limit": 2000}])
def test_half_a_meter_limit_is_refused(client: FlaskClient, company: SmallCompany, half: dict[str, Any]) -> None:
    manager = company.sign_in(client, "manager@small.example")
    answer = manager.post("/api/v1/warranty-terms", json={"code": "M", "months": 24} | half)
    assert answer.status_code == 422
    assert [error["code"] for error in answer.json["errors"]] == ["needed-together"]
    whole = manager.post("/api/v1/warranty-terms", json={"code": "M", "months": 24, "meter": "h", "meter_limit": 9})
    assert (whole.status_code, whole.json["meter_limit"]) == (201, 9)
