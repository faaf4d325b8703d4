"""`flask plan`: the day in words, and its figures as the last line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from flask import Flask

from server.cli.plan import plan
from server.extensions import db
from server.store.models import Visit
from tests.builders import SmallCompany

DAY = (datetime.now(UTC).date() + timedelta(days=7)).isoformat()


def prepared(app: Flask, company: SmallCompany) -> tuple[str, str]:
    """One visit that somebody can do, one that nobody can."""
    with app.app_context():
        return company.visit(), company.visit(site_id=company.sites[1], skills=["crane"])


def state(app: Flask, company: SmallCompany, visit_id: str) -> str:
    with app.app_context():
        visit = db.session.get(Visit, (company.id, visit_id))
        assert visit is not None
        return visit.plan_state


def test_routes_and_reasons_are_told_and_figures_end_the_output(app: Flask, company: SmallCompany) -> None:
    able, _ = prepared(app, company)
    done = app.test_cli_runner().invoke(plan, ["--date", DAY, "--seconds", "0.2"])
    assert done.exit_code == 0, done.output
    assert "Hotel 1" in done.output
    assert "1 visit could not be placed" in done.output
    figures = json.loads(done.output.strip().splitlines()[-1])
    assert (figures["assigned"], figures["unassigned"], figures["seed"], figures["published"]) == (1, 1, 1, False)
    assert figures["travel_s"] > 0
    assert state(app, company, able) == "due"


def test_publishing_gives_the_visits_and_speaks_russian(app: Flask, company: SmallCompany) -> None:
    able, unable = prepared(app, company)
    done = app.test_cli_runner().invoke(
        plan, ["--date", DAY, "--horizon", "2", "--branch", "Valira", "--publish", "--locale", "ru", "--seconds", "0.2"]
    )
    assert done.exit_code == 0, done.output
    assert "1 визит не удалось разместить" in done.output
    assert "Valira: опубликовано." in done.output
    assert state(app, company, able) == "published"
    assert state(app, company, unable) == "due"


def test_what_cannot_be_planned_is_said(app: Flask, company: SmallCompany) -> None:
    past = app.test_cli_runner().invoke(plan, ["--date", "2020-01-01", "--locale", "ru"])
    assert past.exit_code == 1
    assert "В эти дни в филиале нет ни одной смены." in past.output
    nowhere = app.test_cli_runner().invoke(plan, ["--date", DAY, "--branch", "Atlantis"])
    assert nowhere.exit_code == 2
    assert "Atlantis" in nowhere.output
