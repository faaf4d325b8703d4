"""The work package: which days a tablet holds, how that moves on, and what comes first."""

from __future__ import annotations

import random
from datetime import UTC, datetime, time, timedelta
from typing import Any

import orjson
import pytest
from flask import Flask
from sqlalchemy import select

from schemas.entities.base import technician_scope
from server.actions import make_exchange
from server.actions.move_windows import move_windows, window_on
from server.actions.pull_changes import pull_changes
from server.actions.set_package import set_package
from server.extensions import db
from server.store import windows
from server.store.models import Company, Document, Site, SyncClock, Visit
from server.store.queries import packages
from server.store.transaction import transactional
from tests.builders import Office, SmallCompany, change, entry, publish
from tests.carriers import Carrier, made
from tests.tablets import Tablet, enrol

NOON = datetime.combine(datetime.now(UTC).date(), time(12), UTC)
DAY = timedelta(days=1)
DAYS = Company.__table__.c.package_days.default.arg


@transactional
def hold(company: SmallCompany, days: int) -> None:
    db.session.get_one(Company, company.id).package_days = days


@pytest.fixture(autouse=True)
def days_of_a_new_company(app: Flask, company: SmallCompany) -> None:
    with app.app_context():
        hold(company, DAYS)


def planned(app: Flask, company: SmallCompany, days: float, site: int = 0, to: str | None = None) -> str:
    """A visit that is published for so many days after today."""
    with app.app_context():
        made = company.visit(site_id=company.sites[site], asset_ids=[company.assets[site]])
        publish(company.id, made, to or company.anna, NOON + days * DAY)
        return made


def days_pass(app: Flask, company: SmallCompany, days: float) -> dict[str, Any]:
    with app.app_context():
        return move_windows(company.id, NOON + days * DAY)


def documents_at() -> dict[str, int]:
    found = {row.id: row.version for row in db.session.execute(select(Document.id, Document.version))}
    db.session.rollback()
    return found


def seq(app: Flask, company: SmallCompany) -> int:
    with app.app_context():
        found = db.session.get_one(SyncClock, company.id).n
        db.session.rollback()
        return found


def test_a_tablet_holds_the_visits_of_the_days_around_today_with_what_they_need(
    app: Flask, company: SmallCompany
) -> None:
    """S-220: not the one of the third week, nor the site that only it needs."""
    today, soon, late = planned(app, company, 0), planned(app, company, 14, 1), planned(app, company, 16, 2)
    past, long_past = planned(app, company, -14), planned(app, company, -16, 2)
    anna = enrol(app, company.id, company.anna)
    anna.read()
    assert {today, soon, past, company.sites[0], company.sites[1], company.customer} <= anna.ids
    assert not {late, long_past, company.sites[2], company.assets[2]} & anna.ids
    assert anna.verify().whole


def test_visits_come_and_go_as_days_pass_and_nobody_writes_to_them(app: Flask, company: SmallCompany) -> None:
    """S-220, S-221 (laws 1, 5 and 6)."""
    goes, comes = planned(app, company, -13), planned(app, company, 16, 2)
    anna = enrol(app, company.id, company.anna)
    anna.read()
    assert (goes in anna.ids, comes in anna.ids) == (True, False)
    with app.app_context():
        versions = documents_at()
    assert days_pass(app, company, 2)["moved"] == 2
    anna.read()
    assert anna.state.dropped[goes] == "out-of-window"
    assert anna.state.dropped[company.sites[0]] == "not-needed"
    assert {comes, company.sites[2], company.assets[2], company.customer} <= anna.ids
    assert anna.verify().whole
    with app.app_context():
        assert documents_at() == versions


def test_a_run_with_nothing_to_move_writes_nothing(app: Flask, company: SmallCompany) -> None:
    """S-220: the hourly run of a company in one zone moves its windows once a day."""
    planned(app, company, 0)
    days_pass(app, company, 0)
    before = seq(app, company)
    assert days_pass(app, company, 0.2) == {"moved": 0, "entered": 0, "left": 0}
    assert seq(app, company) == before


def test_what_was_begun_stays_however_many_days_pass(app: Flask, company: SmallCompany) -> None:
    """S-220: work in progress never leaves for its date."""
    begun, not_begun = planned(app, company, 0), planned(app, company, 0, 1)
    anna = enrol(app, company.id, company.anna)
    anna.read()
    anna.event(begun, "started")
    anna.sync()
    days_pass(app, company, 100)
    anna.read()
    assert (begun in anna.ids, not_begun in anna.ids) == (True, False)


def test_work_that_begins_after_its_days_brings_the_visit_back(app: Flask, company: SmallCompany) -> None:
    """S-221, S-14: written without contact, pushed after the visit had left."""
    visit = planned(app, company, 0)
    anna = enrol(app, company.id, company.anna)
    anna.read()
    anna.work(visit, "started", "done")
    anna.change(company.sites[0], "site", set={"access_note": "Ring twice"})
    days_pass(app, company, 20)
    anna.read()
    assert visit not in anna.ids
    results = anna.sync()
    assert {one["status"] for one in results} <= {"applied", "merged"}, results
    assert {visit, company.sites[0]} <= anna.ids
    assert anna.body(visit)["exec_state"] == "done"
    assert anna.body(company.sites[0])["access_note"] == "Ring twice"


def test_an_edit_of_what_left_for_its_date_is_judged(app: Flask, company: SmallCompany) -> None:
    """S-221, S-14 (law 2): a note alone begins nothing, and stands."""
    visit = planned(app, company, 0)
    anna = enrol(app, company.id, company.anna)
    anna.read()
    days_pass(app, company, 20)
    anna.read()
    anna.change(visit, add={"notes": [entry(text="The pump hums")]})
    (result,) = anna.sync()
    assert result["status"] in ("applied", "merged")
    assert visit not in anna.ids
    with app.app_context():
        assert [each["text"] for each in db.session.get_one(Visit, (company.id, visit)).notes] == ["The pump hums"]
        db.session.rollback()


def test_the_office_moves_a_visit_out_and_in_again(app: Flask, company: SmallCompany) -> None:
    """S-220, S-221: who writes a visit places it by the window of that moment, and by no other."""
    visit = planned(app, company, 0)
    anna = enrol(app, company.id, company.anna)
    anna.read()
    with app.app_context():
        publish(company.id, visit, company.anna, NOON + 40 * DAY)
    anna.read()
    assert anna.state.dropped[visit] == "out-of-window"
    with app.app_context():
        publish(company.id, visit, company.boris, NOON + 40 * DAY)
        publish(company.id, visit, company.anna, NOON + 3 * DAY)
    anna.read()
    assert visit in anna.ids
    with app.app_context():
        publish(company.id, visit, company.boris, NOON + 3 * DAY)
    anna.read()
    assert anna.state.dropped[visit] == "reassigned"


def test_a_visit_without_a_day_is_of_every_day(app: Flask, company: SmallCompany) -> None:
    """S-220."""
    with app.app_context():
        visit = company.visit()
        publish(company.id, visit, company.anna)
        wanted = company.visit(site_id=company.sites[1], due_from=str((NOON + 30 * DAY).date()))
        publish(company.id, wanted, company.anna)
    anna = enrol(app, company.id, company.anna)
    anna.read()
    assert (visit in anna.ids, wanted in anna.ids) == (True, False)


def test_what_a_tablet_makes_for_a_later_month_stays_its_own_to_edit(app: Flask, company: SmallCompany) -> None:
    """S-221 (law 2)."""
    planned(app, company, 0)
    anna = enrol(app, company.id, company.anna)
    anna.read()
    made = "0198a000-0000-7000-8000-00000000abcd"
    values = {"kind": "preventive_maintenance", "site_id": company.sites[0], "title": "In summer",
              "planned_start": (NOON + 90 * DAY).isoformat()}  # fmt: skip
    anna.change(made, op="create", set=values)
    (result,) = anna.sync()
    assert result["status"] == "applied", result
    assert made not in anna.ids
    anna.change(made, add={"notes": [entry(text="Bring the long ladder")]})
    (result,) = anna.sync()
    assert result["status"] == "applied", result


def test_the_company_says_how_many_days(app: Flask, company: SmallCompany) -> None:
    """S-222: fewer days take away, more bring, at the next run."""
    visit = planned(app, company, 5)
    anna = enrol(app, company.id, company.anna)
    anna.read()
    for days, there in ((3, False), (7, True)):
        with app.app_context():
            hold(company, days)
        days_pass(app, company, 0)
        anna.read()
        assert (visit in anna.ids) == there


def test_days_that_do_not_fit_are_left_out_from_the_far_end_and_named(app: Flask, company: SmallCompany) -> None:
    """S-223, S-225: today and tomorrow come whatever they weigh; what was left out comes when its day is near."""
    visits = [planned(app, company, days, days % 3) for days in (0, 1, 4, 8)]
    with app.app_context():
        set_package(company.id, NOON, days=None, size=1)
    anna = enrol(app, company.id, company.anna)
    anna.read()
    assert [each in anna.ids for each in visits] == [True, True, False, False]
    day = (NOON + 4 * DAY).date()
    assert anna.transport("GET", "/sync/v1/package")[1] == {
        "first_day": str((NOON - DAYS * DAY).date()), "last_day": str(day - DAY),
        "visits_beyond": 2, "first_beyond": str(day),
    }  # fmt: skip
    days_pass(app, company, 3)
    anna.read()
    assert [each in anna.ids for each in visits] == [True, True, True, False]
    with app.app_context():
        set_package(company.id, NOON, days=None, size=10_000_000)
    anna.read()
    assert set(visits) <= anna.ids
    assert anna.transport("GET", "/sync/v1/package")[1]["visits_beyond"] == 0
    assert anna.verify().whole


def test_what_a_visit_weighs_is_counted_in_bytes_and_what_is_under_way_counts_too(
    app: Flask, company: SmallCompany
) -> None:
    """S-223: a Cyrillic letter takes two; what was begun stays on the tablet, however old it is."""
    today, old = planned(app, company, 0), planned(app, company, -DAYS - 2)
    window = window_on(NOON, "Europe/Andorra", DAYS)
    scope = technician_scope(company.anna)

    def weighed() -> list[int]:
        with app.app_context():
            found = [one.size for one in packages.weights(company.id, scope, window)]
            db.session.rollback()
            return found

    [plain] = weighed()
    with app.app_context():
        change(Visit, company.id, today, work_summary="насос")
    assert weighed() == [plain + len(',"work_summary":"насос"'.encode())]
    with app.app_context():
        change(Visit, company.id, old, exec_state="working")
    assert len(weighed()) == 2


def test_a_day_is_the_branchs(app: Flask, company: SmallCompany) -> None:
    """S-220: from midnight to midnight on the wall of the branch, also over a change of the clock."""
    window = window_on(datetime(2026, 3, 28, 23, 30, tzinfo=UTC), "Europe/Andorra", 1)
    assert window.since == datetime(2026, 3, 27, 23, tzinfo=UTC)
    assert window.until == datetime(2026, 3, 30, 22, tzinfo=UTC)
    assert window.reaches(("2026-03-30T21:59:00.000Z", "2026-03-30T23:00:00.000Z"))
    assert not window.reaches(("2026-03-30T22:00:00.000Z", "2026-03-30T23:00:00.000Z"))
    assert windows.OUT_OF_WINDOW == "out-of-window"


def test_the_work_of_today_comes_first_with_all_that_it_needs(app: Flask, company: SmallCompany) -> None:
    """S-224: in the order of the day, nothing before what it refers to, the checklist and the model included."""
    later = [planned(app, company, 1 + n / 10, 2) for n in range(6)]
    second, first, left = planned(app, company, 0.05, 1), planned(app, company, 0), planned(app, company, -1)
    never = planned(app, company, -DAYS - 2)
    anna = enrol(app, company.id, company.anna)
    status, page = anna.transport("GET", "/sync/v1/pull?limit=20")
    assert status == 200
    assert (page["more"], page["first_sync_complete"], page["today_complete"]) == (True, False, True)
    ids = [each["id"] for each in page["changes"]]
    assert [each for each in ids if each in {first, second, left, never, *later}] == [left, first, second]
    kinds = {each["collection"] for each in page["changes"]}
    assert {"visit", "site", "customer", "asset", "product_model", "checklist", "service_kind", "branch"} <= kinds
    assert company.anna in ids
    assert company.boris not in ids
    seen: set[str] = set()
    for each in page["changes"]:
        body = each["document"]
        for name in ("site_id", "customer_id", "model_id", "checklist_id", "coverage_id"):
            assert body.get(name) in {None, *seen}, (each["collection"], name)
        seen.add(each["id"])


def test_a_file_that_was_cut_after_the_work_of_today_says_that_it_is_there(
    app: Flask, company: SmallCompany, dispatcher: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S-224, S-211: whichever of its pages brought it."""
    for n in range(10):
        planned(app, company, 1 + n / 20, 2)
    planned(app, company, 0)
    anna = enrol(app, company.id, company.anna)
    carrier = Carrier(anna)
    _, first = anna.transport("GET", "/sync/v1/pull?limit=20")
    monkeypatch.setattr(make_exchange, "MOST", 20)
    monkeypatch.setattr(make_exchange, "MOST_CHANGES_BYTES", len(orjson.dumps(first)) + 100)
    page = carrier.unseal(made(dispatcher, anna))["pull"]
    assert len(page["changes"]) > len(first["changes"])
    assert (first["today_complete"], page["more"], page["today_complete"]) == (True, True, True)


@pytest.mark.parametrize("limit", [1, 3, 7, 1000])
def test_pages_of_any_size_end_alike_with_the_work_of_today_ahead(
    app: Flask, company: SmallCompany, limit: int
) -> None:
    """S-224, S-10, S-13: the work of today is said to be there before, or with, all the rest."""
    for n in range(4):
        planned(app, company, n, n % 3)
    anna, other = enrol(app, company.id, company.anna), enrol(app, company.id, company.anna)
    other.read()
    told: list[tuple[bool, bool]] = []
    while anna.pull(limit):
        told.append((anna.state.today_complete, anna.state.complete))
    assert (anna.state.today_complete, anna.state.complete) == (True, True)
    assert told == sorted(told)
    assert anna.state.documents == other.state.documents
    assert anna.verify().whole
    if limit == 7:
        assert (False, False) in told or (True, False) in told


def test_what_leaves_after_the_page_of_today_is_dropped_in_the_end(app: Flask, company: SmallCompany) -> None:
    """S-224, S-14 (law 5): that page was read in another snapshot than the ones that follow."""
    visits = [planned(app, company, 0, n) for n in range(3)]
    anna = enrol(app, company.id, company.anna)
    anna.pull(limit=20)
    anna.pull(limit=1)
    assert visits[2] in anna.ids
    with app.app_context():
        publish(company.id, visits[2], company.boris, NOON)
        change(Site, company.id, company.sites[0], access_note="New")
    anna.read(limit=2)
    assert visits[2] not in anna.ids
    assert anna.body(company.sites[0])["access_note"] == "New"
    assert anna.verify().whole


def test_a_pull_later_has_no_page_of_today(app: Flask, company: SmallCompany) -> None:
    """S-224: it is said only where there is a rest to wait for."""
    planned(app, company, 0)
    anna = enrol(app, company.id, company.anna)
    with app.app_context():
        text, cursor, more = pull_changes(company.id, anna.state.device_id, None, 1000, schema_version=1, now=NOON)
        assert not more
        assert '"today_complete":true' in text
        assert pull_changes(company.id, anna.state.device_id, cursor, 1, schema_version=1)[2] is False


def test_random_days_windows_and_edits_end_whole(app: Flask, company: SmallCompany) -> None:
    """S-220 (laws 1, 5 and 6): days pass in leaps, the office moves and reassigns, tablets read by halves."""
    rng = random.Random(7)
    visits = [planned(app, company, rng.randint(-20, 20), n % 3) for n in range(8)]
    tablets: list[Tablet] = [enrol(app, company.id, each) for each in (company.anna, company.boris)]
    day = 0.0
    for _ in range(40):
        step = rng.random()
        if step < 0.3:
            day += rng.choice([1, 1, 5])
            days_pass(app, company, day)
        elif step < 0.6:
            with app.app_context():
                to = rng.choice([company.anna, company.boris, None])
                publish(company.id, rng.choice(visits), to, NOON + (day + rng.randint(-25, 25)) * DAY)
        else:
            rng.choice(tablets).pull(rng.choice([1, 3, 50]))
    with app.app_context():
        reached = {
            (visit.assignee_id, visit.id)
            for visit in db.session.scalars(select(Visit).where(Visit.plan_state == "published"))
            if window_on(NOON + day * DAY, "Europe/Andorra", DAYS).reaches(
                (visit.planned_start.strftime("%Y-%m-%dT%H:%M:%S.000Z"),) * 2
            )
        }
        db.session.rollback()
    days_pass(app, company, day)
    for who, tablet in zip((company.anna, company.boris), tablets, strict=True):
        tablet.read(limit=3)
        assert {each for each in visits if each in tablet.ids} == {each for one, each in reached if one == who}
        found = tablet.verify()
        assert (found.whole, found.repaired, found.strangers) == (True, [], [])
