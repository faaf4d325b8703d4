"""The demo company is the same each time, whole, and could have come about by using the product."""

from __future__ import annotations

import json
import runpy
from collections import defaultdict
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import func, select

from schemas.entities import COLLECTIONS
from server.actions.decide_coverage import decide_coverage
from server.actions.generate_visits import generate_visits
from server.actions.planning_problem import local_span
from server.config import ROOT
from server.demo import DemoReport, load_demo
from server.demo.people import latin
from server.extensions import db
from server.store.models import (
    Asset,
    Branch,
    Checklist,
    Conflict,
    Device,
    Document,
    MaintenancePlan,
    MeterReading,
    Occurrence,
    PriceItem,
    ProductModel,
    ServiceKind,
    Site,
    Technician,
    User,
    Visit,
)
from server.store.transaction import transactional
from sync.states import fold
from tests.conftest import DEMO_NOW as NOW
from tests.demo.conftest import serving_demo


def rows(model: Any, demo: DemoReport, *where: Any) -> list[Any]:
    return list(db.session.scalars(select(model).where(model.company_id == demo.company_id, *where)))


def count(model: Any) -> int:
    return int(db.session.scalar(select(func.count()).select_from(model)) or 0)


def documents() -> dict[str, dict[str, Any]]:
    """Bodies by id, read, for PostgreSQL keeps the keys of an object in an order of its own."""
    return {row.id: json.loads(row.body) for row in db.session.execute(select(Document.id, Document.body))}


def test_it_has_the_promised_size(demo: DemoReport) -> None:
    assert count(Branch) == 2
    assert count(Technician) == 40
    assert count(Site) == 717 + 624
    assert 880 <= count(Asset) <= 920
    assert count(ProductModel) == 12
    assert count(ServiceKind) == 15
    assert count(MaintenancePlan) > 900
    assert 2500 <= demo.counts["past_visits"] <= 4000
    assert count(PriceItem) > 0


def test_everybody_can_sign_in_with_the_demo_password(demo_app: tuple[Flask, DemoReport]) -> None:
    client = demo_app[0].test_client()
    for email in ("admin@rounds.example", "dispatcher@rounds.example", "jordi.vila@rounds.example",
                  "maksim.shcherbakov@rounds.example"):  # fmt: skip
        answer = client.post("/api/v1/auth/login", json={"email": email, "password": "rounds-demo"})
        assert answer.status_code == 200, email
        assert answer.get_json()["token"]


def test_each_technician_has_an_account(demo: DemoReport) -> None:
    accounts = rows(User, demo, User.role == "technician")
    assert {account.technician_id for account in accounts} == {one.id for one in rows(Technician, demo)}
    assert len({account.email for account in accounts}) == 40


def test_names_become_addresses_in_latin_letters() -> None:
    assert latin("Núria") == "nuria"
    assert latin("Щербаков") == "shcherbakov"


def test_a_second_loading_changes_nothing(demo: DemoReport) -> None:
    before = count(Document)
    again = load_demo(seed=8, now=NOW)
    assert again.there
    assert again.company_id == demo.company_id
    assert count(Document) == before


def test_every_document_passes_its_own_schema(demo: DemoReport) -> None:
    for model in (Site, Asset, Technician, Visit, ServiceKind):
        schema = COLLECTIONS[model.collection]
        kept = {name for name, rule in schema.rules.items() if rule.owner != "server"}
        for item in rows(model, demo)[:150]:
            body = schema.dump(item)
            stamped = {"by", "by_name", "device_id", "at_corrected"}
            values = {
                name: [{key: part for key, part in entry.items() if key not in stamped} for entry in value]
                if name in ("events", "answers", "readings", "notes", "findings")
                else {key: part for key, part in value.items() if key not in stamped}
                if name == "signature" and value
                else value
                for name, value in body.items()
                if name in kept
            }
            schema.validated(values)


def test_visits_of_a_technician_do_not_overlap_and_keep_to_the_shift(demo: DemoReport) -> None:
    people = {one.id: one for one in rows(Technician, demo)}
    zones = {branch.id: branch.tz for branch in rows(Branch, demo)}
    reassigned = {clash.document_id for clash in rows(Conflict, demo, Conflict.field == "assignee_id")}
    days: dict[tuple[str, Any], list[Visit]] = defaultdict(list)
    for visit in rows(Visit, demo, Visit.planned_start.is_not(None)):
        tz = ZoneInfo(zones[people[visit.assignee_id].branch_id])
        # A visit that the office gave to somebody else is on no route: the tablet had done it already.
        if visit.id not in reassigned:
            days[visit.assignee_id, visit.planned_start.astimezone(tz).date()].append(visit)
    for (technician_id, day), visits in days.items():
        person = people[technician_id]
        tz = zones[person.branch_id]
        shift = next(each for each in person.shifts if each["weekday"] == day.weekday())
        start, end = local_span(day, shift["start"], shift["end"], tz)
        visits.sort(key=lambda visit: visit.planned_start)
        assert visits[0].planned_start.timestamp() >= start
        assert visits[-1].planned_end.timestamp() <= end
        positions = [visit.route_position for visit in visits]
        assert positions == sorted(set(positions))
        for one, following in pairwise(visits):
            way = timedelta(seconds=following.travel_s)
            assert following.planned_start >= one.planned_end + way


def test_what_is_counted_is_answered_with_a_whole_number(demo: DemoReport) -> None:
    counted = {
        (one.id, item["key"])
        for one in rows(Checklist, demo)
        for item in one.items
        if item["kind"] == "measure" and item["unit"] is None
    }
    answers = [
        each["value"]
        for visit in rows(Visit, demo)
        for each in visit.answers
        if (visit.checklist_id, each["item"]) in counted
    ]
    assert answers
    assert all(value == int(value) for value in answers)


def test_states_follow_from_the_events(demo: DemoReport) -> None:
    for visit in rows(Visit, demo, Visit.exec_state != "not_started"):
        done = fold(visit.events)
        assert done.state == visit.exec_state
        assert not done.illegal


def test_what_is_old_has_left_the_tablets(demo: DemoReport) -> None:
    edge = NOW - timedelta(days=14)
    over = rows(Visit, demo, Visit.finished_at.is_not(None))
    assert {visit.archived for visit in over if visit.finished_at < edge} == {True}
    assert {visit.archived for visit in over if visit.finished_at >= edge} == {False}


def test_today_is_half_done_and_nothing_is_done_in_the_future(demo: DemoReport) -> None:
    today = rows(Visit, demo, Visit.plan_state == "published", Visit.planned_start >= NOW - timedelta(hours=8),
                 Visit.planned_start <= NOW + timedelta(hours=8))  # fmt: skip
    states = {visit.exec_state for visit in today}
    assert {"done", "working", "not_started"} <= states
    moments = [event["at"] for visit in rows(Visit, demo) for event in visit.events]
    assert max(moments) <= NOW.isoformat().replace("+00:00", ".000Z")


def test_tomorrow_is_published_and_requests_wait(demo: DemoReport) -> None:
    tomorrow = NOW.date() + timedelta(days=1)
    planned = [visit for visit in rows(Visit, demo, Visit.plan_state == "published") if
               visit.planned_start and visit.planned_start.date() == tomorrow]  # fmt: skip
    assert len(planned) > 60
    waiting = rows(Visit, demo, Visit.plan_state == "due", Visit.origin == "request")
    assert len(waiting) >= 28
    assert any(visit.symptom for visit in waiting)


def test_coverage_is_what_the_product_decides(demo: DemoReport) -> None:
    visits = rows(Visit, demo)[::97]
    stored = {visit.id: visit.coverage_id for visit in visits}

    @transactional
    def decide() -> dict[str, Any]:
        found = {}
        for visit in rows(Visit, demo, Visit.id.in_(list(stored))):
            decide_coverage(visit, now=NOW)
            found[visit.id] = visit.coverage_id
        return found

    assert decide() == stored
    outcomes = {visit.coverage.outcome for visit in rows(Visit, demo)}
    assert outcomes == {"free", "paid", "partly", "needs_quote"}


def test_readings_are_rows_that_plans_can_ask_for(demo: DemoReport) -> None:
    entries = sum(len(visit.readings) for visit in rows(Visit, demo))
    assert count(MeterReading) == entries > 1000


def test_tablets_and_clashes_are_there(demo: DemoReport) -> None:
    assert count(Device) == 38
    found = {(clash.collection, clash.kind) for clash in rows(Conflict, demo, Conflict.state == "open")}
    assert found == {("site", "value"), ("visit", "proposal"), ("visit", "late")}


def test_the_scheduler_agrees_with_the_ledger(demo: DemoReport) -> None:
    """Only what went wrong on site today, after the ledger was written, leads to anything new."""
    undone = {visit.occurrence_id for visit in rows(Visit, demo, Visit.occurrence_id.is_not(None)) if
              visit.finished_at and visit.finished_at > NOW - timedelta(hours=14)}  # fmt: skip
    known = {row.id for row in rows(Occurrence, demo)}
    report = generate_visits(demo.company_id, NOW)
    assert report.failed == []
    assert report.withdrawn == report.moved == 0
    assert report.made <= len(undone)
    assert len({row.id for row in rows(Occurrence, demo)} - known) <= len(undone)


@pytest.mark.postgresql
def test_the_same_seed_and_moment_make_the_same_company(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """It was loaded twice, once on each kind of database."""
    found = []
    for dialect in ("sqlite", "postgresql"):
        with serving_demo(request, dialect, tmp_path) as (app, report), app.app_context():
            found.append((report.counts, documents()))
            db.session.remove()
    (counts, bodies), (other_counts, others) = found
    assert counts == other_counts
    assert bodies.keys() == others.keys()
    differing = [ident for ident, body in bodies.items() if others[ident] != body]
    assert [(bodies[ident], others[ident]) for ident in differing] == []


def test_the_start_script_names_a_technician_of_each_branch(demo: DemoReport) -> None:
    told: dict[str, str] = runpy.run_path(str(ROOT / "script" / "_prepare_codes.py"))["DEMO_TECHNICIANS"]
    statement = (
        select(Branch.name, User.email)
        .join(Technician, (Technician.company_id == Branch.company_id) & (Technician.branch_id == Branch.id))
        .join(User, (User.company_id == Branch.company_id) & (User.technician_id == Technician.id))
        .where(Branch.company_id == demo.company_id)
    )
    accounts = {(row.name, row.email) for row in db.session.execute(statement)}
    assert set(told.items()) <= accounts
    assert set(told) == {branch for branch, _ in accounts}
