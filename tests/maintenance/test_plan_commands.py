"""`flask plans`: the ledger in words."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask

from server.cli.plans import plans
from tests.builders import SmallCompany
from tests.maintenance.builders import WEEKLY, a_plan, ledger


def week(number: int) -> str:
    return (datetime.now(UTC).date() + timedelta(weeks=number)).isoformat()


@pytest.fixture
def plan(app: Flask, company: SmallCompany) -> str:
    with app.app_context():
        return a_plan(company, triggers=[WEEKLY], starts_on=datetime.now(UTC).date(), horizon_days=8)


@pytest.mark.parametrize(
    ("locale", "states", "sentences"),
    [
        ("en", ["visit made", "held", "forecast"], ["Due on", "Waits: the visit due on", "Forecast for"]),
        ("ru", ["визит создан", "ждёт", "прогноз"], ["Срок", "Ждёт: визит со сроком", "Прогноз на"]),
    ],
)
def test_a_plan_is_explained_in_words(
    app: Flask, plan: str, locale: str, states: list[str], sentences: list[str]
) -> None:
    answer = app.test_cli_runner().invoke(plans, ["explain", plan, "--to", week(2), "--locale", locale])
    assert answer.exit_code == 0, answer.output
    lines = answer.output.splitlines()
    days = [line.split()[0] for line in lines]
    assert days == sorted(date.fromisoformat(day).isoformat() for day in days)
    assert [line[12:26].strip() for line in lines] == states
    assert all(sentence in line for sentence, line in zip(sentences, lines, strict=True))
    assert "{" not in answer.output
    assert "…" not in answer.output


def test_explaining_writes_nothing(app: Flask, company: SmallCompany, plan: str) -> None:
    app.test_cli_runner().invoke(plans, ["explain", plan])
    with app.app_context():
        assert ledger(company, plan) == []


def test_one_plan_is_generated_by_hand(app: Flask, plan: str) -> None:
    runner = app.test_cli_runner()
    assert runner.invoke(plans, ["generate", plan]).output == "1 made, 0 moved, 0 withdrawn.\n"
    assert runner.invoke(plans, ["generate", plan]).output == "0 made, 0 moved, 0 withdrawn.\n"


@pytest.mark.parametrize("name", ["none", "01a20ad8-e003-7378-8b59-20ea2c6ff49a"])
def test_a_plan_that_is_not_there_is_said_so(app: Flask, plan: str, name: str) -> None:
    answer = app.test_cli_runner().invoke(plans, ["explain", name])
    assert answer.exit_code == 2
    assert f"There is no maintenance plan {name}" in answer.output


def test_a_plan_is_found_by_its_reference(app: Flask, company: SmallCompany) -> None:
    with app.app_context():
        made = a_plan(company, triggers=[WEEKLY], starts_on=datetime.now(UTC).date(), external_ref="MP-7", name="Pumps")
    runner = app.test_cli_runner()
    assert runner.invoke(plans, ["explain", "MP-7"]).output == runner.invoke(plans, ["explain", made]).output
    for part in ("mp-7", "pump", "nothing"):
        listed = runner.invoke(plans, ["list", "--find", part]).output
        assert (made in listed) == (part != "nothing")


def test_a_day_that_is_still_to_come_is_not_said_to_be_over(app: Flask, company: SmallCompany) -> None:
    today = datetime.now(UTC).date()
    with app.app_context():
        ending = a_plan(company, triggers=[WEEKLY], starts_on=today, ends_on=today + timedelta(days=10), horizon_days=8)
    for locale, last, past in (("en", "last day is", "ended"), ("ru", "Последний день плана", "закончился")):
        told = app.test_cli_runner().invoke(plans, ["explain", ending, "--to", week(4), "--locale", locale]).output
        assert last in told
        assert past not in told
