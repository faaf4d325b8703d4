"""From a draft plan to the tablets: what moves, what never does, and what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import current_app

from server.actions.plan_routes import plan_routes
from server.actions.planning_problem import pose
from server.actions.publish_plan import changes_of, discard_plan, publish_plan
from server.actions.read_board import read_board
from server.actions.visit_options import visit_options
from server.api.plans import plan_item
from server.extensions import db
from server.problems import Problem
from server.store.models import Branch, Device, Site, Technician, Visit
from server.store.queries import planning
from server.store.transaction import transactional
from server.store.types import new_id
from tests.builders import SmallCompany, change

ANDORRA = ZoneInfo("Europe/Andorra")
DAY = datetime.now(UTC).date() + timedelta(days=7)
NOW = datetime.combine(DAY - timedelta(days=1), time(12), ANDORRA)
"""When drafts are published and boards are read, unless a test says another hour."""


def at(hour: float, day: date = DAY) -> datetime:
    """A wall time at the branch."""
    return datetime.combine(day, time(int(hour), int(hour % 1 * 60)), ANDORRA)


pytestmark = pytest.mark.usefixtures("context")


def planned(company: SmallCompany, first: date = DAY, days: int = 1, now: datetime | None = None) -> str:
    """A draft of the company's branch, made now: a week before the day."""
    now = now or datetime.now(UTC)
    plans = plan_routes(
        company.id, first=first, days=days, branch_id=company.branch, seconds=0.2, seed=1, user_id=None, now=now
    )
    return plans[0]


@transactional
def set_on(visit_id: str, company: SmallCompany, **values: Any) -> None:
    visit = db.session.get(Visit, (company.id, visit_id))
    assert visit is not None
    for name, value in values.items():
        setattr(visit, name, value)


def publish_at(company: SmallCompany, visit_id: str, technician: str, start: datetime, **values: Any) -> None:
    end = start + timedelta(hours=1)
    placed = {"assignee_id": technician, "plan_state": "published", "planned_start": start, "planned_end": end}
    set_on(visit_id, company, **placed, **values)


def get(company: SmallCompany, visit_id: str) -> Visit:
    db.session.rollback()
    visit = db.session.get(Visit, (company.id, visit_id), populate_existing=True)
    assert visit is not None
    return visit


def stop_of(company: SmallCompany, plan_id: str, visit_id: str) -> Any:
    return next((stop for stop in planning.stops(company.id, plan_id) if stop.visit_id == visit_id), None)


def refused(code: str) -> Any:
    return pytest.raises(Problem, match=code)


# Draft, changes, publish


def test_a_plan_is_published_once(company: SmallCompany) -> None:
    company.visit()
    plan = planned(company)
    publish_plan(company.id, plan, now=NOW)
    with refused("plan-not-draft"):
        publish_plan(company.id, plan, now=NOW)
    with refused("plan-not-draft"):
        discard_plan(company.id, plan)


def test_a_discarded_plan_changes_nothing_and_cannot_be_published(company: SmallCompany) -> None:
    visit = company.visit()
    plan = planned(company)
    discard_plan(company.id, plan)
    with refused("plan-not-draft"):
        publish_plan(company.id, plan, now=NOW)
    assert get(company, visit).plan_state == "due"
    assert read_board(company.id, DAY, company.branch, now=NOW, locale="en")["draft"] is None


def test_a_new_draft_of_the_day_takes_the_place_of_the_old_one(company: SmallCompany) -> None:
    company.visit()
    old, new = planned(company), planned(company)
    with refused("plan-not-draft"):
        publish_plan(company.id, old, now=NOW)
    publish_plan(company.id, new, now=NOW)


def test_changes_name_added_removed_and_moved(company: SmallCompany) -> None:
    """Anna has one visit at 16:30 (moved: work begins at 8), Boris one with a skill that he has lost (removed)."""
    moved, lost, added = (company.visit(site_id=site) for site in company.sites)
    publish_at(company, moved, company.anna, at(16.5))
    publish_at(company, lost, company.boris, at(9), skills=["crane"])
    plan = planned(company)
    found = {one.technician_id: one for one in changes_of(company.id, plan)}
    assert lost in found[company.boris].removed
    assert added in [each for one in found.values() for each in one.added]
    told = [move["visit_id"] for one in found.values() for move in one.moved]
    stop = stop_of(company, plan, moved)
    assert (moved in told) == (stop.technician_id == company.anna and stop.start_at != at(16.5))
    publish_plan(company.id, plan, now=NOW)
    assert changes_of(company.id, plan) == []
    assert (get(company, lost).plan_state, get(company, lost).assignee_id) == ("due", None)


# What makes a draft stale


@pytest.mark.parametrize(
    "values",
    [
        {"plan_state": "cancelled"},
        {"service_minutes": 240},
        {"window_start": at(15), "window_end": at(16)},
        {"skills": ["crane"]},
        {"plan_state": "published", "planned_start": at(14)},
    ],
    ids=lambda values: next(iter(values)),
)
def test_a_draft_made_from_what_is_no_longer_true_is_not_published(
    company: SmallCompany, values: dict[str, Any]
) -> None:
    visit, other = company.visit(), company.visit(site_id=company.sites[1])
    plan = planned(company)
    if values.get("plan_state") == "published":
        values = values | {"assignee_id": company.boris}
    set_on(visit, company, **values)
    with refused("plan-stale"):
        publish_plan(company.id, plan, now=NOW)
    assert get(company, other).plan_state == "due"


def test_words_about_a_visit_make_no_draft_stale(company: SmallCompany) -> None:
    visit = company.visit()
    plan = planned(company)
    set_on(visit, company, instructions="Ring twice", title="Pump")
    publish_plan(company.id, plan, now=NOW)
    assert get(company, visit).plan_state == "published"


def test_a_visit_that_was_locked_meanwhile_is_not_moved_by_an_older_draft(company: SmallCompany) -> None:
    visit = company.visit()
    publish_at(company, visit, company.anna, at(16.5))
    plan = planned(company)
    stop = stop_of(company, plan, visit)
    set_on(visit, company, locked=True)
    if (stop.technician_id, stop.start_at) == (company.anna, at(16.5)):
        publish_plan(company.id, plan, now=NOW)
    else:
        with refused("plan-stale"):
            publish_plan(company.id, plan, now=NOW)
    assert get(company, visit).planned_start == at(16.5)


def test_work_begun_by_its_own_technician_lets_the_draft_through_and_stays(company: SmallCompany) -> None:
    begun, other = company.visit(), company.visit(site_id=company.sites[1])
    publish_at(company, begun, company.anna, at(16.5))
    plan = planned(company)
    set_on(begun, company, exec_state="working", started_at=at(6))
    stop = stop_of(company, plan, begun)
    if stop.technician_id != company.anna:
        with refused("plan-stale"):
            publish_plan(company.id, plan, now=NOW)
        return
    publish_plan(company.id, plan, now=NOW)
    assert get(company, begun).planned_start == at(16.5)
    assert get(company, other).plan_state == "published"


# What never moves


def test_a_locked_visit_keeps_its_technician_and_its_minute(company: SmallCompany) -> None:
    """At Hotel 3 with Anna at 16:10 would be nobody's free choice: Boris lives nearer and 8:00 is sooner."""
    locked = company.visit(site_id=company.sites[2])
    publish_at(company, locked, company.anna, at(15.5), locked=True)
    company.visit(site_id=company.sites[0])
    plan = planned(company)
    stop = stop_of(company, plan, locked)
    assert (stop.technician_id, stop.start_at) == (company.anna, at(15.5))
    publish_plan(company.id, plan, now=NOW)
    kept = get(company, locked)
    assert (kept.assignee_id, kept.planned_start, kept.plan_state) == (company.anna, at(15.5), "published")


@pytest.mark.parametrize("why", ["no shift", "inactive", "impossible hour"])
def test_a_locked_visit_that_no_plan_could_do_stays_where_it_is(company: SmallCompany, why: str) -> None:
    locked = company.visit()
    start = at(3) if why == "impossible hour" else at(10)
    publish_at(company, locked, company.anna, start, locked=True)
    if why == "no shift":
        change(Technician, company.id, company.anna, shifts=[])
    if why == "inactive":
        change(Technician, company.id, company.anna, active=False)
    company.visit(site_id=company.sites[1])
    plan = planned(company)
    publish_plan(company.id, plan, now=NOW)
    kept = get(company, locked)
    assert (kept.assignee_id, kept.planned_start, kept.plan_state) == (company.anna, start, "published")


@pytest.mark.parametrize("state", ["en_route", "on_site", "working", "paused", "done"])
def test_begun_work_is_no_part_of_a_plan(company: SmallCompany, state: str) -> None:
    begun, other = company.visit(), company.visit(site_id=company.sites[1])
    publish_at(company, begun, company.anna, at(9), exec_state=state, started_at=at(9))
    plan = planned(company, now=at(9.25))
    assert stop_of(company, plan, begun) is None
    publish_plan(company.id, plan, now=at(9.25))
    kept = get(company, begun)
    assert (kept.assignee_id, kept.planned_start, kept.exec_state) == (company.anna, at(9), state)
    assert get(company, other).plan_state == "published"


def test_a_visit_that_a_silent_tablet_may_have_begun_stays_with_it(company: SmallCompany) -> None:
    """Its hour was 9:00, the tablet was last heard of at 8:00, now it is 10:00: nobody knows."""
    maybe, other = company.visit(), company.visit(site_id=company.sites[1])
    publish_at(company, maybe, company.anna, at(9))
    _tablet(company, last_seen_at=at(8))
    plan = planned(company, now=at(10))
    assert stop_of(company, plan, maybe) is None
    publish_plan(company.id, plan, now=at(10))
    kept = get(company, maybe)
    assert (kept.assignee_id, kept.planned_start) == (company.anna, at(9))
    board = read_board(company.id, DAY, company.branch, now=at(10), locale="en")
    assert [item["id"] for item in board["visits"] if item["may_have_started"]] == [maybe]
    assert get(company, other).plan_state == "published"


def test_a_tablet_that_fell_silent_after_the_draft_keeps_what_it_may_have_begun(company: SmallCompany) -> None:
    maybe = company.visit()
    publish_at(company, maybe, company.anna, at(9))
    set_on(maybe, company, window_start=at(13), window_end=at(14))
    _tablet(company, last_seen_at=at(8))
    plan = planned(company, now=at(8.25))
    assert stop_of(company, plan, maybe).start_at >= at(13)
    with refused("plan-stale"):
        publish_plan(company.id, plan, now=at(10))
    assert get(company, maybe).planned_start == at(9)


@transactional
def _tablet(company: SmallCompany, last_seen_at: datetime) -> None:
    db.session.add(
        Device(
            company_id=company.id, id=new_id(), technician_id=company.anna, name="Tab", schema_version=1,
            token_hash="0" * 64, enrolled_at=NOW, last_seen_at=last_seen_at,
        )
    )  # fmt: skip


def test_an_accepted_visit_can_still_be_given_to_somebody_else(company: SmallCompany) -> None:
    accepted = company.visit()
    publish_at(company, accepted, company.anna, at(9), exec_state="accepted")
    change(Technician, company.id, company.anna, shifts=[])
    plan = planned(company)
    publish_plan(company.id, plan, now=NOW)
    assert get(company, accepted).assignee_id == company.boris


# Whom and what a plan asks


def test_a_plan_stays_within_its_branch(company: SmallCompany) -> None:
    mine = company.visit()
    far, theirs, carla = _second_branch(company)
    plan = planned(company)
    assert {stop.visit_id for stop in planning.stops(company.id, plan)} == {mine}
    assert {stop.technician_id for stop in planning.stops(company.id, plan)} <= {company.anna, company.boris}
    plans = plan_routes(company.id, first=DAY, days=1, branch_id=None, seconds=0.2, seed=1, user_id=None, now=NOW)
    assert {stop.visit_id: stop.technician_id for stop in planning.stops(company.id, _of(company, plans, far))} == {
        theirs: carla
    }


def _of(company: SmallCompany, plans: list[str], branch_id: str) -> str:
    found = {plan.branch_id: plan.id for one in plans if (plan := planning.plan(company.id, one)) is not None}
    return found[branch_id]


def _second_branch(company: SmallCompany) -> tuple[str, str, str]:
    ids = _far_people(company)
    return ids[0], company.visit(site_id=ids[1]), ids[2]


@transactional
def _far_people(company: SmallCompany) -> tuple[str, str, str]:
    branch, site, carla = new_id(), new_id(), new_id()
    place = {"lat": 55.75, "lon": 37.61}
    shifts = db.session.get(Technician, (company.id, company.anna)).shifts  # type: ignore[union-attr]
    db.session.add(
        Branch(
            company_id=company.id, id=branch, name="Moscow", locale="ru", tz="Europe/Moscow", currency="RUB", **place
        )
    )
    db.session.flush()
    db.session.add(
        Site(
            company_id=company.id, id=site, customer_id=company.customer, branch_id=branch, name="Отель",
            tz="Europe/Moscow", tags=[], **place,
        )
    )  # fmt: skip
    db.session.add(
        Technician(
            company_id=company.id, id=carla, branch_id=branch, name="Карла", skills=[], shifts=shifts,
            home_lat=55.76, home_lon=37.6, start_from="home", max_overtime_minutes=0, active=True,
        )
    )  # fmt: skip
    return branch, site, carla


def test_a_visit_is_titled_in_its_branchs_language(company: SmallCompany) -> None:
    _, theirs, _ = _second_branch(company)
    assert get(company, theirs).title == "preventive_maintenance"
    assert get(company, company.visit()).title == "Preventive maintenance"


@pytest.mark.parametrize("first", [DAY, DAY - timedelta(days=30)], ids=["nobody works", "the day is over"])
def test_days_without_a_shift_are_refused_with_the_reason(company: SmallCompany, first: date) -> None:
    company.visit()
    if first == DAY:
        for one in (company.anna, company.boris):
            change(Technician, company.id, one, shifts=[])
    with refused("no-planning-data") as caught:
        planned(company, first)
    assert caught.value.status == 422
    for locale in ("en", "ru"):
        body = caught.value.body(locale)
        assert body["field"] == "date"
        assert body["detail"] not in ("", "no-planning-data.detail")


def test_a_visit_whose_planned_day_went_by_unpublished_is_asked_again(company: SmallCompany) -> None:
    late = company.visit()
    set_on(late, company, plan_state="planned", assignee_id=company.anna, planned_start=at(9, DAY - timedelta(days=3)))
    assert stop_of(company, planned(company, now=NOW), late) is not None


def test_an_hour_that_does_not_exist_and_a_day_of_23_hours_are_planned(company: SmallCompany) -> None:
    """28 March 2027, Andorra: 02:00 becomes 03:00. A shift from 01:00 to 05:00 has three hours: two visits of 60 min
    with their ways and a break of 30 min, not three."""
    spring = date(2027, 3, 28)
    night = [{"weekday": 6, "start": "01:00", "end": "05:00", "break_start": "02:30", "break_minutes": 30}]
    for one in (company.anna, company.boris):
        change(Technician, company.id, one, shifts=night if one == company.anna else [], max_overtime_minutes=0)
    visits = [company.visit(site_id=site) for site in company.sites]
    question = pose(company.id, company.branch, spring, 1, now=at(12, spring - timedelta(days=1)))
    [day] = question.problem.days
    assert day.shift_end - day.shift_start == 3 * 3600
    db.session.rollback()
    plan = planned(company, spring, now=at(12, spring - timedelta(days=1)))
    stops = planning.stops(company.id, plan)
    assert len(stops) == 2
    assert all(at(1, spring) <= stop.start_at < stop.end_at <= at(5, spring) for stop in stops)
    assert len(planning.unassigned(company.id, plan)) == len(visits) - 2


def test_a_shift_over_midnight_is_one_day(company: SmallCompany) -> None:
    """22:00 to 06:00 with a break at 02:00. A visit at 01:00 belongs to the evening before: on its board, in its
    plan, and in no plan of the day that the calendar shows."""
    night = [
        {"weekday": weekday, "start": "22:00", "end": "06:00", "break_start": "02:00", "break_minutes": 30}
        for weekday in range(7)
    ]
    for one in (company.anna, company.boris):
        change(Technician, company.id, one, shifts=night if one == company.anna else [])
    late = company.visit()
    morning = DAY + timedelta(days=1)
    publish_at(company, late, company.anna, at(1, morning), locked=True)
    plan = planned(company)
    stop = stop_of(company, plan, late)
    assert (stop.date, stop.start_at) == (DAY, at(1, morning))
    assert stop_of(company, planned(company, morning) if company.visit() else "", late) is None
    for day, shown in ((DAY, [late]), (morning, [])):
        board = read_board(company.id, day, company.branch, now=NOW, locale="en")
        assert [item["id"] for item in board["visits"] if item["locked"]] == shown
        [anna] = [one for one in board["technicians"] if one["id"] == company.anna]
        shift = {name: datetime.fromisoformat(value) for name, value in anna["shift"].items()}
        after = day + timedelta(days=1)
        assert shift == {
            "start": at(22, day), "end": at(6, after), "break_start": at(2, after), "break_end": at(2.5, after),
        }  # fmt: skip


def test_a_horizon_of_days_uses_each_of_them(company: SmallCompany) -> None:
    for site in company.sites * 6:
        company.visit(site_id=site, service_minutes=240)
    plan = planned(company, days=3)
    assert {stop.date for stop in planning.stops(company.id, plan)} == {DAY + timedelta(days=n) for n in range(3)}


# Reasons


def test_each_unassigned_visit_has_a_reason_in_both_languages(company: SmallCompany) -> None:
    today = datetime.combine(DAY, time(), ANDORRA)
    left = {
        "no-skill": company.visit(skills=["crane"]),
        "missing-geo": company.visit(site_id=company.sites[2]),
        "no-shift": company.visit(
            window_start=_utc(today + timedelta(hours=3)), window_end=_utc(today + timedelta(hours=4))
        ),
        "travel-infeasible": company.visit(service_minutes=1440),
    }
    change(Site, company.id, company.sites[2], lat=0.0, lon=0.0)
    plan = planned(company)
    for locale, other in (("en", "ru"), ("ru", "en")):
        told = {one["visit_id"]: one["reasons"] for one in _item(company, plan, locale)["unassigned"]}
        elsewhere = {one["visit_id"]: one["reasons"] for one in _item(company, plan, other)["unassigned"]}
        assert told.keys() == set(left.values())
        for code, visit in left.items():
            assert code in [reason["code"] for reason in told[visit]]
            for reason, twin in zip(told[visit], elsewhere[visit], strict=True):
                assert reason["text"] not in (reason["code"], twin["text"])
                assert "…" not in reason["text"]
                assert "1970" not in reason["text"]
                if reason.get("remedy"):
                    assert reason["remedy"]["text"] not in (reason["remedy"]["code"], twin["remedy"]["text"])


def test_hours_that_are_over_are_not_said_to_lack_a_shift(company: SmallCompany) -> None:
    """Both are met by no shift: one lies in the night to come, the other was over before anything could begin."""
    eve = DAY - timedelta(days=1)
    visits = {
        "promise-past": company.visit(window_start=_utc(at(12, eve)), window_end=_utc(at(13, eve))),
        "no-shift": company.visit(window_start=_utc(at(3)), window_end=_utc(at(4))),
    }
    plan = planned(company, now=at(15, eve))
    told = {one["visit_id"]: one["reasons"] for one in _item(company, plan, "en")["unassigned"]}
    for code, visit in visits.items():
        assert {reason["code"] for reason in told[visit]} & set(visits) == {code}


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _item(company: SmallCompany, plan: str, locale: str) -> dict[str, Any]:
    with current_app.test_request_context(headers={"Accept-Language": locale}):
        return plan_item(company.id, plan)


def test_a_remedy_names_hours_and_not_seconds_since_1970(company: SmallCompany) -> None:
    """The promised hour is before the shift; the remedy is another hour of the same day."""
    visit = company.visit(window_start=_utc(at(5)), window_end=_utc(at(6)))
    plan = planned(company)
    [reasons] = [one["reasons"] for one in _item(company, plan, "en")["unassigned"] if one["visit_id"] == visit]
    texts = " ".join(reason["text"] + reason.get("remedy", {}).get("text", "") for reason in reasons)
    assert "05:00" in texts
    assert not any(word.strip(".,").isdigit() and len(word) > 9 for word in texts.split())


# The board and the options


def test_what_a_draft_leaves_out_is_on_the_board_as_nobodys(company: SmallCompany) -> None:
    lost = company.visit()
    publish_at(company, lost, company.boris, at(9), skills=["crane"])
    planned(company)
    board = read_board(company.id, DAY, company.branch, now=NOW, locale="en")
    assert [item["id"] for item in board["visits"]] == []
    [item] = board["unscheduled"]
    assert item["id"] == lost
    assert item["reasons"][0]["code"] == "no-skill"


def test_options_cost_nothing_and_come_cheapest_first(company: SmallCompany) -> None:
    visit = company.visit(site_id=company.sites[2])
    publish_at(company, company.visit(), company.anna, at(9))
    found = visit_options(company.id, visit, DAY, now=NOW, locale="en")
    assert {one["technician_id"] for one in found} == {company.anna, company.boris}
    assert [one["extra_s"] for one in found] == sorted(one["extra_s"] for one in found)
    assert found[0]["technician_id"] == company.boris
    assert get(company, visit).plan_state == "due"
