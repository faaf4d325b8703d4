"""Slots and leases: each slot once, one leader at a time, an old leader is recognised."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from server.actions.job_runs import claim_run, finish_run, give_back, take_lease
from server.cli.jobs import jobs as jobs_command
from server.jobs.run import run_job, slot_name
from server.jobs.timetable import TIMETABLE, Job
from server.store.queries import jobs
from tests.builders import SmallCompany
from tests.maintenance.builders import a_plan

NOON = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOURLY = Job(name="hourly", work=lambda company_id, now: {}, minute=5)
NIGHTLY = Job(name="nightly", work=lambda company_id, now: {}, hour=3, minute=10)


@pytest.mark.parametrize(
    ("job", "now", "slot"),
    [
        (HOURLY, "2026-05-04T12:30", "2026-05-04T12:05Z"),
        (HOURLY, "2026-05-04T12:05", "2026-05-04T12:05Z"),
        (HOURLY, "2026-05-04T12:04", "2026-05-04T11:05Z"),
        (HOURLY, "2026-05-04T00:00", "2026-05-03T23:05Z"),
        (NIGHTLY, "2026-05-04T03:10", "2026-05-04T03:10Z"),
        (NIGHTLY, "2026-05-04T03:09", "2026-05-03T03:10Z"),
    ],
)
def test_a_slot_is_the_latest_moment_at_which_the_job_was_due(job: Job, now: str, slot: str) -> None:
    assert slot_name(job.slot(datetime.fromisoformat(now).replace(tzinfo=UTC))) == slot


def test_jobs_have_names_of_their_own() -> None:
    assert len({job.name for job in TIMETABLE}) == len(TIMETABLE)


@pytest.mark.usefixtures("context")
def test_a_slot_is_run_once() -> None:
    first = claim_run("job", "slot", NOON)
    assert first is not None
    assert claim_run("job", "slot", NOON) is None
    finish_run(first, "done", NOON + MINUTE, {"made": 3})
    assert claim_run("job", "slot", NOON, leading=True) is None
    [run] = jobs.latest(5)
    assert (run.state, run.finished_at, run.report) == ("done", NOON + MINUTE, {"tries": 1, "made": 3})


@pytest.mark.usefixtures("context")
def test_a_new_leader_takes_over_what_was_left_running() -> None:
    first = claim_run("job", "slot", NOON)
    assert claim_run("job", "slot", NOON + MINUTE, leading=True) == first
    assert jobs.latest(1)[0].report == {"tries": 2}


@pytest.mark.usefixtures("context")
def test_a_lease_has_one_holder_and_the_next_one_a_higher_fence() -> None:
    mine = take_lease("scheduler", "me", NOON, MINUTE)
    assert mine is not None
    assert take_lease("scheduler", "you", NOON, MINUTE) is None
    assert take_lease("scheduler", "me", NOON + MINUTE * 0.5, MINUTE) == mine
    yours = take_lease("scheduler", "you", NOON + MINUTE * 2, MINUTE)
    assert yours is not None
    assert yours.fence == mine.fence + 1
    assert take_lease("scheduler", "me", NOON + MINUTE * 2, MINUTE) is None


@pytest.mark.usefixtures("context")
def test_a_leader_that_was_followed_cannot_begin_a_run() -> None:
    mine = take_lease("scheduler", "me", NOON, MINUTE)
    yours = take_lease("scheduler", "you", NOON + MINUTE * 2, MINUTE)
    assert claim_run("job", "slot", NOON + MINUTE * 2, mine, leading=True) is None
    assert claim_run("job", "slot", NOON + MINUTE * 2, yours, leading=True) is not None


@pytest.mark.usefixtures("context")
def test_a_leader_held_up_for_long_goes_on_if_nobody_followed() -> None:
    mine = take_lease("scheduler", "me", NOON, MINUTE)
    assert claim_run("job", "slot", NOON + MINUTE * 9, mine, leading=True) is not None
    assert take_lease("scheduler", "me", NOON + MINUTE * 9, MINUTE) == mine


@pytest.mark.usefixtures("context")
def test_a_lease_given_back_is_free_at_once() -> None:
    mine = take_lease("scheduler", "me", NOON, MINUTE)
    assert mine is not None
    give_back(mine, NOON)
    assert take_lease("scheduler", "you", NOON, MINUTE) is not None


@pytest.mark.usefixtures("context", "company")
def test_a_failing_job_is_recorded_with_its_error() -> None:
    def fails(company_id: str, now: datetime) -> dict[str, Any]:
        raise RuntimeError("the disk is full")

    assert run_job(Job(name="fails", work=fails, minute=0), "slot") == "failed"
    [run] = jobs.latest(1)
    assert run.state == "failed"
    assert run.report["errors"][0]["error"] == "RuntimeError: the disk is full"


def test_commands_list_run_and_tell(app: Flask, company: SmallCompany) -> None:
    runner = app.test_cli_runner()
    assert "generate_visits      hourly at :05" in runner.invoke(jobs_command, ["list"]).output
    with app.app_context():
        a_plan(company)
    first = runner.invoke(jobs_command, ["run", "generate_visits", "--slot", "2026-05-04T12:05Z"])
    assert "done in" in first.output
    again = runner.invoke(jobs_command, ["run", "generate_visits", "--slot", "2026-05-04T12:05Z"])
    assert again.output == "generate_visits 2026-05-04T12:05Z has been run, or is being run.\n"
    assert runner.invoke(jobs_command, ["run", "retire_visits"]).exit_code == 0
    told = runner.invoke(jobs_command, ["runs"]).output.splitlines()
    assert [line.split()[2] for line in told] == ["retire_visits", "generate_visits"]


def test_a_plan_that_fails_makes_the_command_fail_and_is_counted(app: Flask, company: SmallCompany) -> None:
    with app.app_context():
        a_plan(company, triggers=[{"kind": "moon", "id": "t"}])
        a_plan(company)
    runner = app.test_cli_runner()
    answer = runner.invoke(jobs_command, ["run", "generate_visits"])
    assert answer.exit_code == 1
    assert "ended as partly" in answer.output
    assert "0 companies and 1 plans failed" in runner.invoke(jobs_command, ["runs"]).output


def test_an_unknown_job_is_said_so(app: Flask) -> None:
    answer = app.test_cli_runner().invoke(jobs_command, ["run", "dance"])
    assert answer.exit_code == 2
    assert "There is no job 'dance'" in answer.output
