"""After the work: the office reviews it, closes it, or gives it back; the tablet hears of each."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask

from server.store.models import Asset
from tests.api.conftest import problem
from tests.builders import Office, SmallCompany, change, publish
from tests.tablets import Tablet, enrol


@pytest.fixture
def anna(app: Flask, company: SmallCompany) -> Tablet:
    return enrol(app, company.id, company.anna)


@pytest.fixture
def done(app: Flask, company: SmallCompany, anna: Tablet) -> str:
    """A visit that Anna has done."""
    with app.app_context():
        visit = company.visit(asset_ids=company.assets[:1])
        publish(company.id, visit, company.anna, datetime.now(UTC))
    anna.read()
    anna.work(visit, "started", "done")
    anna.sync()
    return visit


def test_finished_work_is_reviewed_and_closed_and_stays_with_who_did_it(
    company: SmallCompany, dispatcher: Office, anna: Tablet, done: str
) -> None:
    finished_at = anna.body(done)["finished_at"]
    for verb, state in (("review", "reviewed"), ("close", "closed")):
        answer = dispatcher.post(f"/api/v1/visits/{done}/{verb}")
        assert answer.status_code == 200, answer.text
        told = answer.json
        assert (told["exec_state"], told["performed_by_id"], told["finished_at"], told["flags"]) == (
            state, company.anna, finished_at, [],
        )  # fmt: skip
        assert (told["events"][-1]["type"], told["events"][-1]["by_name"]) == (state, "Dispatcher")
        anna.sync()
        assert anna.body(done)["exec_state"] == state


def test_a_word_out_of_order_is_refused(app: Flask, company: SmallCompany, dispatcher: Office, done: str) -> None:
    problem(dispatcher.post(f"/api/v1/visits/{done}/close"), 409, "state-move")
    with app.app_context():
        due = company.visit()
    for verb in ("review", "close"):
        problem(dispatcher.post(f"/api/v1/visits/{due}/{verb}"), 409, "state-move")
    problem(dispatcher.post(f"/api/v1/visits/{due}/return", json={"reason": "x"}), 409, "state-move")
    problem(dispatcher.post(f"/api/v1/visits/{done}/return", json={}), 422, "invalid-fields")
    problem(dispatcher.post(f"/api/v1/visits/{done}/review", headers={"If-Match": '"1"'}), 412, "version-changed")
    problem(dispatcher.post(f"/api/v1/visits/{company.branch}/review"), 404, "not-found")


def test_what_is_returned_is_the_technicians_again_and_can_be_done_again(
    company: SmallCompany, dispatcher: Office, anna: Tablet, done: str
) -> None:
    dispatcher.post(f"/api/v1/visits/{done}/review")
    answer = dispatcher.post(f"/api/v1/visits/{done}/return", json={"reason": "The act has no signature."})
    assert answer.status_code == 200, answer.text
    anna.sync()
    shown = anna.body(done)
    assert (shown["exec_state"], shown["plan_state"], shown["assignee_id"]) == ("accepted", "published", company.anna)
    assert (shown["finished_at"], shown["performed_by_id"]) == (None, None)
    assert shown["events"][-1]["reason"] == "The act has no signature."
    after = datetime.fromisoformat(shown["events"][-1]["at"]) + timedelta(seconds=30)
    anna.work(done, "started", "done", start=after)
    anna.sync()
    assert anna.body(done)["exec_state"] == "done"
    assert anna.body(done)["flags"] == []
    assert dispatcher.post(f"/api/v1/visits/{done}/review").json["exec_state"] == "reviewed"


def test_a_tablet_judges_nothing_and_undoes_nothing_that_was_judged(
    dispatcher: Office, anna: Tablet, done: str
) -> None:
    """Rule S-38."""
    anna.event(done, "reviewed")
    [result] = anna.sync()
    assert (result["status"], result["problem"]["code"]) == ("rejected", "invalid-fields")
    review = dispatcher.post(f"/api/v1/visits/{done}/review").json["events"][-1]
    anna.event(done, "undo", at=datetime.fromisoformat(review["at"]), undoes=review["id"])
    anna.sync()
    visit = dispatcher.get(f"/api/v1/visits/{done}").json
    assert (visit["exec_state"], visit["flags"]) == ("reviewed", ["illegal_event"])


def test_who_pays_for_a_closed_visit_stays_as_it_was(
    app: Flask, company: SmallCompany, dispatcher: Office, anna: Tablet, done: str
) -> None:
    dispatcher.post(f"/api/v1/visits/{done}/review")
    before = dispatcher.post(f"/api/v1/visits/{done}/close").json["coverage"]
    assert before["outcome"] == "free"
    with app.app_context():
        change(Asset, company.id, company.assets[0], warranty_ends_on=date(2026, 1, 1))
    finding = {"severity": "major", "text": "Ran dry.", "cause": "misuse", "asset_id": company.assets[0]}
    anna.change(done, add={"findings": [{"id": done, "at": "2026-11-24T10:00:00Z"} | finding]})
    [result] = anna.sync()
    assert result["status"] != "rejected"
    assert dispatcher.get(f"/api/v1/visits/{done}").json["coverage"] == before


def test_a_technicians_account_judges_nothing(company: SmallCompany, done: str, app: Flask) -> None:
    technician = company.sign_in(app.test_client(), "anna@small.example")
    for verb in ("review", "close", "return"):
        problem(technician.post(f"/api/v1/visits/{done}/{verb}", json={"reason": "x"}), 403, "forbidden")
