"""Hand moves on the board: into the draft, undone by their own answer, published like any other draft."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time, timedelta
from threading import Barrier

import pytest
from flask import Flask

from schemas.entities.base import iso
from server.store.models import Visit
from tests.builders import Office, SmallCompany, change, publish

TOMORROW = datetime.now(UTC).date() + timedelta(days=1)


def at(hour: int) -> datetime:
    return datetime.combine(TOMORROW, time(hour), UTC)


@pytest.fixture
def visit(app: Flask, company: SmallCompany) -> str:
    with app.app_context():
        made = company.visit(asset_ids=[company.assets[0]])
        publish(company.id, made, company.anna, at(9))
        return made


def move(dispatcher: Office, company: SmallCompany, *moves: dict[str, object]) -> dict[str, object]:
    body = {"date": TOMORROW.isoformat(), "branch_id": company.branch, "moves": list(moves)}
    answer = dispatcher.post("/api/v1/board/moves", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def test_a_move_stays_in_the_draft_until_it_is_published(dispatcher: Office, company: SmallCompany, visit: str) -> None:
    moved = move(dispatcher, company, {"visit_id": visit, "technician_id": company.boris, "start_at": iso(at(11))})
    assert dispatcher.get(f"/api/v1/visits/{visit}").json["assignee_id"] == company.anna
    assert dispatcher.post(f"/api/v1/plans/{moved['plan_id']}/publish").status_code == 200
    published = dispatcher.get(f"/api/v1/visits/{visit}").json
    assert (published["assignee_id"], published["planned_start"]) == (company.boris, iso(at(11)))


def test_the_answers_undo_brings_back_what_is_published(dispatcher: Office, company: SmallCompany, visit: str) -> None:
    moved = move(dispatcher, company, {"visit_id": visit, "technician_id": company.boris, "start_at": iso(at(11))})
    undone = move(dispatcher, company, *moved["undo"])  # type: ignore[misc]
    assert undone["plan_id"] is None
    board = dispatcher.get(f"/api/v1/board?date={TOMORROW}&branch_id={company.branch}").json
    assert board["draft"] is None


def test_a_day_on_which_work_has_begun_takes_one_move_after_another_and_its_undo(
    app: Flask, dispatcher: Office, company: SmallCompany, visit: str
) -> None:
    with app.app_context():
        begun = company.visit(asset_ids=[company.assets[1]])
        publish(company.id, begun, company.anna, at(7))
        change(Visit, company.id, begun, exec_state="working", performed_by_id=company.anna)
    first = move(dispatcher, company, {"visit_id": visit, "technician_id": company.boris, "start_at": iso(at(11))})
    move(dispatcher, company, {"visit_id": visit, "technician_id": company.boris, "start_at": iso(at(13))})
    move(dispatcher, company, *first["undo"])  # type: ignore[misc]
    board = dispatcher.get(f"/api/v1/board?date={TOMORROW}&branch_id={company.branch}").json
    places = {item["id"]: item["assignee_id"] for item in board["visits"]}
    assert places == {visit: company.anna, begun: company.anna}


def test_a_visit_taken_off_by_hand_is_nobodys_once_published(
    dispatcher: Office, company: SmallCompany, visit: str
) -> None:
    moved = move(dispatcher, company, {"visit_id": visit, "technician_id": None, "start_at": None})
    assert dispatcher.post(f"/api/v1/plans/{moved['plan_id']}/publish").status_code == 200
    taken = dispatcher.get(f"/api/v1/visits/{visit}").json
    assert (taken["plan_state"], taken["assignee_id"]) == ("due", None)


def test_a_locked_visit_is_not_moved(dispatcher: Office, company: SmallCompany, visit: str) -> None:
    assert dispatcher.patch(f"/api/v1/visits/{visit}", json={"locked": True}).status_code == 200
    body = {
        "date": TOMORROW.isoformat(),
        "branch_id": company.branch,
        "moves": [{"visit_id": visit, "technician_id": company.boris, "start_at": iso(at(11))}],
    }
    answer = dispatcher.post("/api/v1/board/moves", json=body)
    assert (answer.status_code, answer.json["code"]) == (409, "visit-locked")


def test_first_moves_made_at_once_land_in_one_draft(app: Flask, dispatcher: Office, company: SmallCompany) -> None:
    """Four dispatchers each move a visit of a day that has no draft yet."""
    with app.app_context():
        visits = [company.visit(asset_ids=[company.assets[0]]) for _ in range(4)]
        for hour, visit in enumerate(visits, start=9):
            publish(company.id, visit, company.anna, at(hour))
    start = Barrier(len(visits))

    def first_move(visit: str) -> object:
        office = Office(client=app.test_client(), token=dispatcher.token)
        start.wait(30)
        return move(office, company, {"visit_id": visit, "technician_id": company.boris, "start_at": iso(at(14))})

    with ThreadPoolExecutor(len(visits)) as pool:
        drafts = {answer["plan_id"] for answer in pool.map(first_move, visits)}  # type: ignore[index]
    (draft,) = drafts
    plan = dispatcher.get(f"/api/v1/plans/{draft}").json
    (route,) = [one for one in plan["routes"] if one["technician_id"] == company.boris]
    assert {stop["visit_id"] for stop in route["stops"]} == set(visits)
