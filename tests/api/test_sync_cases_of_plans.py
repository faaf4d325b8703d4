"""Hard cases, on: what the office changed around a visit (its checklist, plan, place, machine, tablet) meanwhile.

Each is played in both orders: the office wrote first and the tablet had not heard of it, or the work was in first.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from schemas.entities.base import iso
from server.actions.end_device import revoke
from server.extensions import db
from server.store.models import Asset, Checklist, ServiceKind, Site, Visit
from server.store.transaction import transactional
from server.store.types import new_id
from tests.builders import Office, SmallCompany, change, entry, publish
from tests.maintenance.builders import WEEKLY, a_plan, edit_plan, generate, ledger, rows, visits_of
from tests.tablets import Tablet, enrol

BOTH_ORDERS = pytest.mark.parametrize("office_first", [True, False], ids=["office-first", "tablet-first"])


@pytest.fixture
def visit(app: Flask, company: SmallCompany) -> str:
    with app.app_context():
        made = company.visit(asset_ids=[company.assets[0]])
        publish(company.id, made, company.anna)
        return made


@pytest.fixture
def anna(app: Flask, company: SmallCompany, visit: str) -> Tablet:
    tablet = enrol(app, company.id, company.anna, "Anna's")
    tablet.read()
    return tablet


def meet(app: Flask, anna: Tablet, office: Callable[[], object], *, office_first: bool) -> list[Any]:
    """The office writes and the tablet pushes what it wrote before it knew, in one order or the other; the results."""
    results: list[Any] = []
    if not office_first:
        results = anna.sync()
    with app.app_context():
        office()
        db.session.remove()
    results = results or anna.sync()
    anna.read()
    return results


def clashes(dispatcher: Office, field: str) -> list[Any]:
    items = dispatcher.get("/api/v1/conflicts?limit=200").json["items"]
    return [one for one in items if one["field"] == field]


@BOTH_ORDERS
def test_moved_to_another_day_and_started_today(
    app: Flask, company: SmallCompany, visit: str, anna: Tablet, office_first: bool
) -> None:
    """S-32: facts and plan are different fields, and both go in."""
    tomorrow = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    anna.work(visit, "started", start=datetime.now(UTC) - timedelta(hours=1))
    move = lambda: change(Visit, company.id, visit, planned_start=tomorrow)  # noqa: E731
    (result,) = meet(app, anna, move, office_first=office_first)
    assert (result["status"], result["conflicts"]) == ("merged" if office_first else "applied", [])
    shown = anna.body(visit)
    assert (shown["exec_state"], datetime.fromisoformat(shown["planned_start"])) == ("working", tomorrow)


@transactional
def another_checklist(company: SmallCompany, visit: str) -> str:
    """The next revision of the visit's checklist, with one more compulsory item, given to kind and visit."""
    held = db.session.get(Visit, (company.id, visit))
    assert held is not None
    old = db.session.get(Checklist, (company.id, held.checklist_id))
    assert old is not None
    more = {"key": "hoses", "kind": "check", "text": {"en": "Hoses", "ru": "Шланги"}, "mandatory": True}
    items = [*old.items, dict.fromkeys(old.items[0]) | more]
    new = Checklist(company_id=company.id, id=new_id(), code=old.code, revision=2, title=old.title, items=items)
    db.session.add(new)
    db.session.flush()
    for kind in db.session.query(ServiceKind).filter_by(company_id=company.id, checklist_id=old.id):
        kind.checklist_id = new.id
    held.checklist_id = new.id
    return new.id


@BOTH_ORDERS
def test_the_checklist_got_another_revision_and_the_old_one_was_filled_in(
    app: Flask, company: SmallCompany, dispatcher: Office, visit: str, anna: Tablet, office_first: bool
) -> None:
    """S-32: the old revision is valid: its answers stay, and it stays on the tablet to read them by."""
    old = anna.body(visit)["checklist_id"]
    anna.change(visit, add={"answers": [entry(item="seal", value=True), entry(item="pressure", value=3.0)]})
    made: list[str] = []
    (result,) = meet(app, anna, lambda: made.append(another_checklist(company, visit)), office_first=office_first)
    assert (result["status"], result["conflicts"]) == ("merged" if office_first else "applied", [])
    shown = dispatcher.get(f"/api/v1/visits/{visit}").json
    assert {one["item"]: one["value"] for one in shown["answers"]} == {"seal": True, "pressure": 3.0}
    assert shown["checklist_id"] == anna.body(visit)["checklist_id"] == made[0]
    assert {old, made[0]} <= anna.ids


@BOTH_ORDERS
def test_the_place_was_corrected_on_both_sides(
    app: Flask, company: SmallCompany, dispatcher: Office, anna: Tablet, office_first: bool
) -> None:
    """S-35: a clash shows both pins and the old one; who has seen the other's correction makes none."""
    site = company.sites[0]
    anna.change(site, "site", set={"lat": 42.508, "lon": 1.521})
    pin = lambda: change(Site, company.id, site, lat=42.6, lon=1.6)  # noqa: E731
    (result,) = meet(app, anna, pin, office_first=office_first)
    shown = anna.body(site)
    if not office_first:
        assert (result["status"], shown["lat"], shown["lon"]) == ("applied", 42.6, 1.6)
        assert clashes(dispatcher, "lat") == []
        return
    assert (shown["lat"], shown["lon"]) == (42.508, 1.521)
    (lat,), (lon,) = clashes(dispatcher, "lat"), clashes(dispatcher, "lon")
    assert (lat["base"], lat["mine"], lat["theirs"]) == (42.507, 42.508, 42.6)
    assert (lon["base"], lon["mine"], lon["theirs"]) == (1.52, 1.521, 1.6)


@BOTH_ORDERS
def test_readings_of_a_machine_that_was_taken_out_of_service(
    app: Flask, company: SmallCompany, dispatcher: Office, visit: str, anna: Tablet, office_first: bool
) -> None:
    """S-32: they land in its history all the same."""
    asset = company.assets[0]
    anna.change(visit, add={"readings": [entry(asset_id=asset, meter="hours", value=12.5)]})
    retire = lambda: change(Asset, company.id, asset, in_service=False)  # noqa: E731
    (result,) = meet(app, anna, retire, office_first=office_first)
    assert result["status"] in ("applied", "merged")
    readings = dispatcher.get(f"/api/v1/visits/{visit}").json["readings"]
    assert [(one["asset_id"], one["value"]) for one in readings] == [(asset, 12.5)]
    assert anna.body(asset)["in_service"] is False


@BOTH_ORDERS
def test_the_plan_got_another_rule_and_its_old_date_was_done(
    app: Flask, company: SmallCompany, anna: Tablet, office_first: bool
) -> None:
    """S-32: the work counts for the occurrence that it was made for, by its key, and is not asked for again."""
    now = datetime.now(UTC)
    with app.app_context():
        plan = a_plan(company, triggers=[WEEKLY], starts_on=now.date(), horizon_days=10)
        generate(company, now)
        first = visits_of(company, plan)[0]
        visit, occurrence = first.id, first.occurrence_id
        publish(company.id, visit, company.anna, now)
    anna.read()
    anna.work(visit, "started", "done", start=now - timedelta(minutes=30))

    def another_rule() -> None:
        edit_plan(company, plan, triggers=[WEEKLY | {"rule": "FREQ=MONTHLY"}], version=2)
        generate(company, now)

    (*_, result) = meet(app, anna, another_rule, office_first=office_first)
    assert result["status"] in ("applied", "merged")
    with app.app_context():
        generate(company, now)
        done = next(row for row in rows(company, plan) if row.id == occurrence)
        assert (done.visit_id, done.reason["code"]) == (visit, "visit-done"), ledger(company, plan)
        assert [one.id for one in visits_of(company, plan) if one.exec_state != "done"] == []
        db.session.remove()


@BOTH_ORDERS
def test_the_visit_was_closed_and_more_work_comes_to_it(
    app: Flask, company: SmallCompany, dispatcher: Office, visit: str, anna: Tablet, office_first: bool
) -> None:
    """S-32: nothing of it is lost, who pays stays decided, and a person hears that the closed visit was added to."""
    anna.work(visit, "started", "done", start=datetime.now(UTC) - timedelta(minutes=30))
    anna.sync()
    dispatcher.post(f"/api/v1/visits/{visit}/review")
    found = {"asset_id": company.assets[0], "severity": "major", "text": "Ran dry.", "cause": "misuse"}
    anna.change(visit, add={"findings": [entry(**found)], "notes": [entry(text="One more seal used")]})
    close = lambda: dispatcher.post(f"/api/v1/visits/{visit}/close")  # noqa: E731
    (result,) = meet(app, anna, close, office_first=office_first)
    shown = dispatcher.get(f"/api/v1/visits/{visit}").json
    assert (shown["exec_state"], shown["flags"]) == ("closed", [])
    assert [one["text"] for one in [*shown["findings"], *shown["notes"]]] == ["Ran dry.", "One more seal used"]
    told = dispatcher.get("/api/v1/conflicts?state=open").json["items"]
    if not office_first:
        assert (result["conflicts"], told, shown["coverage"]["outcome"]) == ([], [], "paid")
        return
    assert shown["coverage"]["outcome"] == "free"
    assert {one["field"]: one["reason"]["code"] for one in told} == dict.fromkeys(
        ("findings", "notes"), "amended-after-close"
    )
    anna.change(visit, add={"notes": [entry(text="And a hose")]})
    anna.sync()
    assert len(dispatcher.get("/api/v1/conflicts?state=open").json["items"]) == 2
    for one in told:
        assert dispatcher.post(f"/api/v1/conflicts/{one['id']}/resolve", json={"choice": "theirs"}).status_code == 200
    assert len(dispatcher.get(f"/api/v1/visits/{visit}").json["notes"]) == 2


@BOTH_ORDERS
def test_f28_the_tablet_was_revoked_with_two_days_of_work_on_it(
    app: Flask, company: SmallCompany, dispatcher: Office, visit: str, anna: Tablet, office_first: bool
) -> None:
    """S-80, S-81: what was in stands; what was not has effect when the office approves it."""
    anna.work(visit, "started", "done", start=datetime.now(UTC) - timedelta(days=2))
    if not office_first:
        anna.sync()
    with app.app_context():
        revoke(company.id, anna.state.device_id, now=datetime.now(UTC))
    anna.hand_over(device_time=iso(datetime.now(UTC)))
    pieces = dispatcher.get("/api/v1/salvage").json["items"]
    state = dispatcher.get(f"/api/v1/visits/{visit}").json["exec_state"]
    if not office_first:
        assert (pieces, state) == ([], "done")
        return
    assert state == "not_started"
    manager = company.sign_in(app.test_client(), "manager@small.example")
    assert manager.post(f"/api/v1/salvage/{pieces[0]['id']}/import", json={}).status_code == 200
    shown = dispatcher.get(f"/api/v1/visits/{visit}").json
    assert (shown["exec_state"], shown["performed_by_id"]) == ("done", company.anna)
