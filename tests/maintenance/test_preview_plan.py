"""The preview of an edit says exactly what the edit then does."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from server.actions.preview_plan import preview_edit, preview_new
from server.actions.write_plan import create_plan, edit_plan
from server.store.queries import maintenance as queries
from tests.builders import SmallCompany, publish
from tests.maintenance.builders import NOON, WEEKLY, a_plan, day, do, edit_visit, generate, rows, visits_of

TUESDAYS = {"kind": "calendar_fixed", "id": "t1", "rule": "FREQ=WEEKLY;BYDAY=TU"}
EDITS: tuple[dict[str, Any], ...] = (
    {"triggers": [TUESDAYS]},
    {"early_days": 0, "late_days": 1},
    {"horizon_days": 5},
    {"horizon_days": 60},
    {"active": False},
    {"open_previous": "hold"},
    {"season": [1, 2]},
    {"starts_on": "2026-05-20"},
    {"tasks": [{"code": "oil", "name": {"en": "Oil", "ru": "Масло"}}]},
    {"name": "Another name"},
)


def a_plan_at_work(company: SmallCompany) -> str:
    """Six visits: done, published, cancelled, and three that nobody has touched."""
    plan = a_plan(company, triggers=[WEEKLY], horizon_days=35, open_previous="stack")
    generate(company)
    made = visits_of(company, plan)
    assert len(made) == 6
    do(company, made[0].id, day("2026-05-04"))
    publish(company.id, made[1].id, company.anna, day("2026-05-11", 9))
    edit_visit(company, made[2].id, plan_state="cancelled", cancel_reason="Holiday")
    generate(company)
    return plan


def state(company: SmallCompany, plan: str) -> dict[str, Any]:
    """All that the database holds of a plan's ledger and visits."""
    visits = {visit.id: visit for visit in visits_of(company, plan)}
    names = ("due_on", "window_from", "window_to", "state", "reason", "target_on", "basis", "tasks", "visit_id")
    found = {}
    for row in rows(company, plan):
        visit = visits.get(row.visit_id)
        about = (visit.plan_state, visit.due_from, visit.due_to, visit.instructions) if visit else None
        found[row.id] = ([getattr(row, name) for name in names], about)
    return found


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: next(iter(edit)))
def test_what_is_applied_is_what_was_shown(company: SmallCompany, edit: dict[str, Any]) -> None:
    plan = a_plan_at_work(company)
    before = state(company, plan)
    shown = preview_edit(company.id, plan, edit, NOON)
    assert state(company, plan) == before, "a preview writes nothing"
    edit_plan(company.id, plan, edit)
    report = generate(company, plan_id=plan)
    after = state(company, plan)
    differing = {one for one in before.keys() | after.keys() if before.get(one) != after.get(one)}
    assert {each.occurrence_id for each in shown} == differing
    effects = Counter(each.effect.value for each in shown)
    assert (effects["made"], effects["withdrawn"], effects["changed"]) == (report.made, report.withdrawn, report.moved)
    for each in shown:
        row = next((row for row in rows(company, plan) if row.id == each.occurrence_id), None)
        assert (each.decision.state.value if each.decision else None) == (row.state if row else None)


@pytest.mark.usefixtures("context")
def test_what_people_have_touched_is_in_no_preview_as_taken_back(company: SmallCompany) -> None:
    plan = a_plan_at_work(company)
    touched = {row.id for row in rows(company, plan)[:3]}
    shown = preview_edit(company.id, plan, {"active": False}, NOON)
    withdrawn = {each.occurrence_id for each in shown if each.effect == "withdrawn"}
    assert len(withdrawn) == 3
    assert not withdrawn & touched


@pytest.mark.usefixtures("context")
def test_a_new_plan_is_previewed_without_being_there(company: SmallCompany) -> None:
    values = {
        "asset_id": company.assets[0], "name": "New", "kind": "preventive_maintenance", "triggers": [WEEKLY],
        "starts_on": "2026-05-06", "horizon_days": 20,
    }  # fmt: skip
    shown = preview_new(company.id, values, NOON)
    assert [(each.effect.value, str(each.decision.due_on)) for each in shown if each.decision] == [
        ("made", "2026-05-06"), ("said", "2026-05-13"), ("said", "2026-05-20"),
    ]  # fmt: skip
    assert queries.plan_ids(company.id) == []
    plan = create_plan(company.id, values)
    assert generate(company, NOON + timedelta(minutes=5), plan.id).made == 1


def test_the_office_is_shown_the_difference_in_words(app: Flask, client: FlaskClient, company: SmallCompany) -> None:
    office = company.sign_in(client, "admin@small.example")
    with app.app_context():
        plan = a_plan_at_work(company)
    path = f"/api/v1/maintenance-plans/{plan}/preview"
    answer = office.post(path, json={"active": False}, headers={"Accept-Language": "ru"})
    assert answer.status_code == 200, answer.text
    texts = {each["after"]["reason"]["text"] for each in answer.json["items"] if each["effect"] == "withdrawn"}
    assert texts == {"План выключен."}
    wrong = office.post(path, json={"triggers": [TUESDAYS | {"rule": "FREQ=SECONDLY"}]})
    assert (wrong.status_code, wrong.json["errors"][0]["field"]) == (422, "triggers.0.rule")
