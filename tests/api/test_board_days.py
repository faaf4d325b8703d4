"""The dispatcher's day over HTTP: what is broken by hand, what is published when, and why something found no place."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from server.store.models import Technician, Visit
from tests.api.conftest import enrolled, problem
from tests.builders import Office, SmallCompany, change

DAY = datetime.now(UTC).date() + timedelta(days=7)
NEXT = DAY + timedelta(days=1)


@pytest.fixture
def desk(app: Flask, company: SmallCompany, dispatcher: Office) -> Desk:
    return Desk(app, company, dispatcher)


class Desk:
    """What a dispatcher does on a day of the small company."""

    def __init__(self, app: Flask, company: SmallCompany, office: Office) -> None:
        self.app, self.company, self.office = app, company, office

    def visit(self, **values: Any) -> str:
        with self.app.app_context():
            return self.company.visit(**values)

    def set(self, visit_id: str, **values: Any) -> None:
        with self.app.app_context():
            change(Visit, self.company.id, visit_id, **values)

    def published(self, clock: str, technician: str | None = None, day: date = DAY, **values: Any) -> str:
        """A visit of an hour that is published to Anna, or somebody else, for an hour UTC of a day."""
        visit = self.visit(**values)
        start = datetime.fromisoformat(f"{day}T{clock}:00+00:00")
        self.set(
            visit,
            plan_state="published",
            assignee_id=technician or self.company.anna,
            planned_start=start,
            planned_end=start + timedelta(hours=1),
        )
        return visit

    def board(self, day: date = DAY) -> Any:
        answer = self.office.get(f"/api/v1/board?date={day}&branch_id={self.company.branch}")
        assert answer.status_code == 200, answer.text
        return answer.json

    def shown(self, visit_id: str, day: date = DAY) -> Any:
        return next(one for one in self.board(day)["visits"] if one["id"] == visit_id)

    def move(self, visit_id: str, clock: str | None, technician: str | None = None, day: date = DAY) -> Any:
        move = {"visit_id": visit_id}
        if clock is not None:
            move |= {"technician_id": technician or self.company.anna, "start_at": f"{day}T{clock}:00Z"}
        body = {"date": str(day), "branch_id": self.company.branch, "moves": [move]}
        answer = self.office.post("/api/v1/board/moves", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json

    def review(self, day: date = DAY) -> Any:
        return self.office.get(f"/api/v1/board/changes?date={day}&branch_id={self.company.branch}").json

    def publish(self, day: date = DAY, accepted: list[str] | None = None) -> Any:
        body = {"date": str(day), "branch_id": self.company.branch, "accepted": accepted or []}
        return self.office.post("/api/v1/board/publish", json=body)

    def plan(self, day: date = DAY, days: int = 1) -> Any:
        body = {"date": str(day), "horizon_days": days, "branch_id": self.company.branch, "seconds": 0.2}
        answer = self.office.post("/api/v1/plans", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json

    def state(self, visit_id: str) -> str:
        return str(self.office.get(f"/api/v1/visits/{visit_id}").json["plan_state"])


# Rules that are broken by hand


@pytest.mark.parametrize(
    ("code", "values", "clock"),
    [
        ("skill-missing", {"skills": ["crane"]}, "10:00"),
        ("after-window", {"window_start": f"{DAY}T08:00:00Z", "window_end": f"{DAY}T09:00:00Z"}, "10:30"),
        ("before-window", {"window_start": f"{DAY}T12:00:00Z", "window_end": f"{DAY}T14:00:00Z"}, "10:30"),
        ("before-shift", {}, "05:00"),
        ("overtime", {}, "19:00"),
    ],
    ids=lambda value: value if isinstance(value, str) and "-" in value else "",
)
def test_a_rule_broken_by_hand_is_seen_and_is_published_only_knowingly(
    desk: Desk, code: str, values: dict[str, Any], clock: str
) -> None:
    visit = desk.visit(**values)
    desk.move(visit, clock)
    [broken] = desk.shown(visit)["broken"]
    assert broken["code"] == code
    assert broken["text"] not in ("", code)
    assert "…" not in broken["text"] + broken["short"]
    review = desk.review()
    assert [one["token"] for one in review["broken"]] == [broken["token"]]
    told = problem(desk.publish(), 409, "plan-breaks-rules")
    assert told["broken"] == [broken["token"]]
    assert desk.state(visit) == "due"
    assert desk.publish(accepted=[broken["token"]]).status_code == 200
    assert desk.state(visit) == "published"
    assert [one["code"] for one in desk.shown(visit)["broken"]] == [code]
    assert desk.review()["broken"] == []


def test_a_promise_of_another_day_is_told_with_its_day_and_in_hours(desk: Desk) -> None:
    eve = DAY - timedelta(days=1)
    visit = desk.visit(window_start=f"{eve}T10:00:00Z", window_end=f"{eve}T13:00:00Z")
    desk.move(visit, "10:00")
    [broken] = desk.shown(visit)["broken"]
    assert broken["short"] == "21 h after window"
    assert broken["text"] == f"Begins 21 h after the promised hours end, {eve.day} {eve:%b}, 14:00."


def test_two_visits_that_one_works_on_at_once_need_the_office(desk: Desk) -> None:
    first, second = desk.published("10:00"), desk.published("12:00", site_id=desk.company.sites[1])
    desk.set(first, exec_state="working", started_at=datetime.fromisoformat(f"{DAY}T10:00:00+00:00"))
    assert "two-at-once" not in [one["code"] for one in desk.board()["attention"]]
    desk.set(second, exec_state="on_site", started_at=datetime.fromisoformat(f"{DAY}T10:30:00+00:00"))
    [told] = [one for one in desk.board()["attention"] if one["code"] == "two-at-once"]
    assert told["text"] == "Anna works on 2 visits at once: Hotel 1, Hotel 2"
    assert told["link"] == f"visit:{second}"


def test_overlap_and_a_lost_break_name_the_minutes(desk: Desk) -> None:
    first = desk.published("10:00")
    second = desk.visit(service_minutes=180)
    desk.move(second, "10:45")
    broken = {one["code"]: one for one in desk.shown(second)["broken"]}
    assert broken["overlap"]["params"]["overlap_min"] == 15
    assert "Hotel 1" in broken["overlap"]["text"]
    assert "break-in-work" in broken
    assert desk.shown(first)["broken"] == []


def test_what_is_accepted_counts_for_just_that_place(desk: Desk) -> None:
    visit = desk.visit(skills=["crane"])
    desk.move(visit, "10:00")
    [token] = [one["token"] for one in desk.review()["broken"]]
    desk.move(visit, "11:00", desk.company.boris)
    problem(desk.publish(accepted=[token]), 409, "plan-breaks-rules")
    assert desk.state(visit) == "due"


def test_a_rule_that_was_broken_before_does_not_hold_up_other_changes(desk: Desk) -> None:
    desk.published("10:00", skills=["crane"])
    other = desk.visit(site_id=desk.company.sites[1])
    desk.move(other, "14:00", desk.company.boris)
    assert desk.review()["broken"] == []
    assert desk.publish().status_code == 200


def test_a_whole_plan_is_held_to_the_same_rules(desk: Desk) -> None:
    visit = desk.visit(skills=["crane"])
    made = desk.move(visit, "10:00")
    told = problem(desk.office.post(f"/api/v1/plans/{made['plan_id']}/publish"), 409, "plan-breaks-rules")
    body = {"accepted": told["broken"]}
    assert desk.office.post(f"/api/v1/plans/{made['plan_id']}/publish", json=body).status_code == 200
    kept = desk.office.get(f"/api/v1/plans/{made['plan_id']}").json["objective"]["accepted"]
    assert [one["code"] for one in kept] == ["skill-missing"]


def test_the_break_is_shown_in_the_gap_that_the_day_leaves_for_it(desk: Desk) -> None:
    """Work from 11:10 to 12:10 at the branch: the break of 12:00 is behind it."""
    begin = desk.published("10:10")
    anna = next(one for one in desk.board()["technicians"] if one["id"] == desk.company.anna)
    shown = desk.shown(begin)
    pause = (anna["shift"]["break_start"], anna["shift"]["break_end"])
    assert pause[0] == shown["planned_end"]
    assert shown["broken"] == []


# Days of drafts


def test_a_planned_day_that_nobody_was_told_of_is_counted_and_published(desk: Desk) -> None:
    visit = desk.published("10:00")
    desk.set(visit, plan_state="planned")
    board = desk.board()
    assert board["draft"]["changes"] == 1
    assert board["unpublished"] == [{"date": str(DAY), "changes": 1}]
    assert desk.publish().status_code == 200
    assert desk.state(visit) == "published"
    assert desk.board()["draft"] is None
    problem(desk.publish(), 409, "nothing-to-publish")


def test_days_of_one_draft_are_published_one_by_one(desk: Desk) -> None:
    first, second = desk.visit(), desk.visit(site_id=desk.company.sites[1])
    desk.move(first, "10:00")
    desk.move(second, "10:00", day=NEXT)
    assert [one["date"] for one in desk.board()["unpublished"]] == [str(DAY), str(NEXT)]
    assert desk.publish().status_code == 200
    assert (desk.state(first), desk.state(second)) == ("published", "due")
    assert desk.board(NEXT)["draft"]["changes"] == 1
    assert [one["date"] for one in desk.board()["unpublished"]] == [str(NEXT)]
    assert desk.publish(NEXT).status_code == 200
    assert desk.state(second) == "published"


def test_a_draft_of_several_days_keeps_the_others_when_one_is_planned_published_or_dropped(desk: Desk) -> None:
    last = NEXT + timedelta(days=1)
    days = (DAY, NEXT, last)
    visits = {day: desk.visit(due_from=str(day), due_to=str(day), hard_due=True) for day in days}
    plan = desk.plan(DAY, 3)
    on = {stop["visit_id"]: route["date"] for route in plan["routes"] for stop in route["stops"]}
    assert on == {visit: str(day) for day, visit in visits.items()}
    assert [one["date"] for one in desk.board()["unpublished"]] == [str(day) for day in days]

    again = desk.plan(NEXT)
    assert {stop["visit_id"] for route in again["routes"] for stop in route["stops"]} == {visits[NEXT]}
    for day in days:
        assert desk.board(day)["draft"]["changes"] == 1, day
        assert [one["id"] for one in desk.board(day)["visits"]] == [visits[day]]

    assert desk.publish(DAY).status_code == 200
    assert [desk.state(visits[day]) for day in days] == ["published", "due", "due"]
    draft = f"/api/v1/board/draft?date={last}&branch_id={desk.company.branch}"
    assert desk.office.delete(draft).status_code == 204
    assert desk.board(last)["draft"] is None
    assert [one["date"] for one in desk.board()["unpublished"]] == [str(NEXT)]
    assert desk.publish(NEXT).status_code == 200
    assert [desk.state(visits[day]) for day in days] == ["published", "published", "due"]


def test_one_count_of_changes_and_of_technicians(desk: Desk) -> None:
    """A visit that changes hands is one change and concerns two people."""
    visit = desk.published("10:00")
    enrolled(desk.office, desk.company.anna)
    desk.move(visit, "10:00", desk.company.boris)
    draft, review = desk.board()["draft"], desk.review()
    assert (draft["changes"], draft["technicians"]) == (1, 2)
    assert (review["changes"], len(review["technicians"])) == (1, 2)
    assert {one["name"]: one["told"] for one in review["technicians"]} == {"Anna": True, "Boris": False}
    assert desk.board()["unpublished"] == [{"date": str(DAY), "changes": 1}]


def test_a_visit_taken_off_by_hand_is_nobodys_and_is_published_so(desk: Desk) -> None:
    visit = desk.published("10:00")
    desk.move(visit, None)
    board = desk.board()
    assert [one["id"] for one in board["unscheduled"]] == [visit]
    assert (board["draft"]["changes"], board["unpublished"]) == (1, [{"date": str(DAY), "changes": 1}])
    assert desk.publish().status_code == 200
    assert desk.state(visit) == "due"


# Reasons


def reasons(desk: Desk, visit_id: str, day: date = DAY) -> Any:
    return next(one["reasons"] for one in desk.board(day)["unscheduled"] if one["id"] == visit_id)


def test_a_reason_belongs_to_the_day_that_was_planned(desk: Desk) -> None:
    visit = desk.visit(skills=["crane"])
    desk.plan()
    [reason, *_] = reasons(desk, visit)
    assert reason["code"] == "no-skill"
    assert not reason["stale"]
    assert reasons(desk, visit, NEXT) == []
    assert reasons(desk, visit, DAY - timedelta(days=1)) == []


def test_a_reason_goes_when_its_visit_changes_and_is_marked_when_the_day_does(desk: Desk) -> None:
    visit, other = desk.visit(skills=["crane"]), desk.visit(site_id=desk.company.sites[1])
    desk.plan()
    desk.move(other, "15:00", desk.company.boris)
    assert [one["stale"] for one in reasons(desk, visit)][:1] == [True]
    desk.set(visit, skills=[])
    assert reasons(desk, visit) == []


def test_a_reason_is_marked_when_somebody_learns_the_skill(desk: Desk) -> None:
    visit = desk.visit(skills=["crane"])
    desk.plan()
    with desk.app.app_context():
        change(
            Technician, desk.company.id, desk.company.anna, skills=[{"code": "crane", "level": 2, "expires_on": None}]
        )
    assert all(one["stale"] for one in reasons(desk, visit))


# What a move would do


def test_a_trial_says_what_the_board_says_after_the_move_and_keeps_nothing(desk: Desk) -> None:
    first, second = desk.published("09:00"), desk.visit(site_id=desk.company.sites[2], skills=["crane"])
    before = desk.board()
    move = {"visit_id": second, "technician_id": desk.company.anna, "start_at": f"{DAY}T09:30:00Z"}
    body = {"date": str(DAY), "branch_id": desk.company.branch, "alternatives": [[move]]}
    [outcome] = desk.office.post("/api/v1/board/trial", json=body).json["outcomes"]
    assert desk.board()["visits"] == before["visits"]
    desk.move(second, "09:30")
    after = desk.board()
    assert after["totals"]["driving_s"] - before["totals"]["driving_s"] == outcome["extra_s"]
    assert after["totals"]["driving_m"] - before["totals"]["driving_m"] == outcome["extra_m"]
    assert {one["code"] for one in outcome["broken"]} == {"skill-missing", "overlap"}
    tokens = [one["token"] for visit in after["visits"] for one in visit["broken"]]
    assert sorted(tokens) == sorted(one["token"] for one in outcome["broken"])
    assert desk.shown(first)["broken"] == []


@pytest.mark.parametrize("path", ["moves", "trial"])
def test_a_move_that_ends_before_it_begins_is_refused(desk: Desk, path: str) -> None:
    visit = desk.visit()
    move = {"visit_id": visit, "technician_id": desk.company.anna}
    move |= {"start_at": f"{DAY}T10:00:00Z", "end_at": f"{DAY}T09:00:00Z"}
    moves = {"moves": [move]} if path == "moves" else {"alternatives": [[move]]}
    body = {"date": str(DAY), "branch_id": desk.company.branch} | moves
    told = problem(desk.office.post(f"/api/v1/board/{path}", json=body), 422, "invalid-fields")
    assert told["errors"][0]["code"] == "out-of-range"
    assert desk.board()["draft"] is None


def test_a_trial_of_what_is_not_there_is_not_found(desk: Desk) -> None:
    move = {"visit_id": "01890a5d-ac96-774b-bcce-b302099a8057", "technician_id": None, "start_at": None}
    body = {"date": str(DAY), "branch_id": desk.company.branch, "alternatives": [[move]]}
    problem(desk.office.post("/api/v1/board/trial", json=body), 404, "not-found")


# Planning again


def places(desk: Desk, day: date = DAY) -> Any:
    return {one["id"]: (one["assignee_id"], one["planned_start"]) for one in desk.board(day)["visits"]}


def test_planning_a_day_again_changes_nothing_drafted_or_published(desk: Desk) -> None:
    """At hours that the planner would not choose, as a hand has set them; none of them costs overtime."""
    desk.published("13:00")
    desk.published("14:00", desk.company.boris, site_id=desk.company.sites[1])
    for _ in range(3):
        desk.visit(site_id=desk.company.sites[2])
    before = places(desk)
    desk.plan()
    drafted = places(desk)
    assert len(drafted) == 5
    assert before.items() <= drafted.items()
    desk.plan()
    assert places(desk) == drafted
    assert desk.publish().status_code == 200
    desk.plan()
    assert places(desk) == drafted
    assert desk.board()["draft"] is None


def test_what_a_hand_has_placed_stays_when_the_day_is_planned(desk: Desk) -> None:
    first, second = desk.visit(), desk.visit(site_id=desk.company.sites[1])
    desk.move(first, "14:30", desk.company.boris)
    desk.plan()
    assert places(desk)[first] == (desk.company.boris, f"{DAY}T14:30:00.000Z")
    assert second in places(desk)


# In the reader's language


def told_in(desk: Desk, language: str) -> Any:
    path = f"/api/v1/board?date={DAY}&branch_id={desk.company.branch}"
    answer = desk.office.get(path, headers={"Accept-Language": language}).json
    return {one["id"]: one for one in (*answer["visits"], *answer["unscheduled"])}


def test_the_name_of_a_kind_is_said_in_the_readers_language_and_a_written_title_stays(desk: Desk) -> None:
    kind, written = desk.visit(kind="repair_minor"), desk.visit(kind="repair_minor", title="Pump is loud")
    assert told_in(desk, "en")[kind]["title"] == "Repair minor"
    assert told_in(desk, "ru")[kind]["title"] == "repair_minor"
    assert {told_in(desk, language)[written]["title"] for language in ("en", "ru")} == {"Pump is loud"}


def test_each_line_of_the_cost_says_its_amount_as_the_language_writes_it(desk: Desk) -> None:
    visit = desk.visit(kind="repair_minor")
    for language, labour, travel in (("en", "€120.00", "€35.00"), ("ru", "120,00\u202f€", "35,00\u202f€")):
        coverage = told_in(desk, language)[visit]["coverage"]
        assert coverage["amount"] == "155.00"
        assert [labour in coverage["lines"][0]["reason"]["text"], travel in coverage["lines"][1]["reason"]["text"]] == [
            True, True,
        ]  # fmt: skip
