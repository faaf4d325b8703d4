"""The scheduler as real processes: two at once, killed, restarted, stopped."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from flask import Flask

from server.extensions import db
from server.store.models import Visit
from server.store.queries import jobs
from tests.builders import SmallCompany
from tests.jobs.processes import COMMAND, Process, started
from tests.maintenance.builders import WEEKLY, a_plan, ledger

GENERATE = """
import sys
from datetime import datetime, UTC
from server.app import create_app
from server.actions.generate_visits import generate_visits
app = create_app()
with app.app_context():
    print("ready", flush=True)
    report = generate_visits(sys.argv[1], datetime(2026, 5, 4, 12, tzinfo=UTC))
    print("made", report.made, "failed", report.failed, flush=True)
"""

# Few plans are written at once, and the first ones are told, so that the kill comes in the middle of a run.
SLOWLY = (
    """
import sys, threading
from server.actions import generate_visits as module
module.MOST = 2
original, told = module._write_batch, []
def slowly(*args):
    report = original(*args)
    told.append(report.made)
    print("a batch is done", flush=True)
    if len(told) == 2:
        print("in the middle", flush=True)
        threading.Event().wait()
    return report
module._write_batch = slowly
"""
    + COMMAND
)


@pytest.fixture
def plans(app: Flask, company: SmallCompany) -> list[str]:
    """Sixty plans, each with one visit to be made on 4 May 2026; long overdue for the real clock."""
    with app.app_context():
        return [
            a_plan(company, asset_id=company.assets[n % 3], name=f"Plan {n}", triggers=[WEEKLY],
                   ends_on=date(2026, 5, 5))
            for n in range(60)
        ]  # fmt: skip


@pytest.fixture
def where(database_url: str, tmp_path: Path) -> dict[str, object]:
    return {"url": database_url, "folder": tmp_path}


@pytest.fixture
def look(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def numbers() -> list[str]:
    db.session.rollback()
    return sorted(visit.number for visit in db.session.query(Visit))


@pytest.mark.usefixtures("look")
def test_two_generators_at_once_make_the_same_visits_once(
    company: SmallCompany, plans: list[str], where: dict[str, object]
) -> None:
    two = [Process(GENERATE, company.id, **where) for _ in range(2)]  # type: ignore[arg-type]
    with started(*two):
        made = [process.wait_for("made") for process in two]
        assert [process.end() for process in two] == [0, 0]
    assert all("failed []" in line for line in made), made
    assert sum(int(line.split()[1]) for line in made) == 60
    # Each visit has a number of its own, without a gap.
    assert numbers() == [f"V-{20001 + n}" for n in range(60)]
    assert all(ledger(company, plan)[0][1] == "generated" for plan in plans)


@pytest.mark.usefixtures("look")
def test_a_scheduler_killed_in_mid_run_is_followed_by_one_that_ends_the_slot(
    company: SmallCompany, plans: list[str], where: dict[str, object]
) -> None:
    first = Process(SLOWLY, "scheduler", "--lease", "1", **where)  # type: ignore[arg-type]
    with started(first):
        first.wait_for("in the middle")
        first.signal(signal.SIGKILL)
        first.end()
    half = len(numbers())
    assert half == 4
    [unfinished] = [run for run in jobs.latest(9) if run.job == "generate_visits"]
    assert unfinished.state == "running"

    second = Process(COMMAND, "scheduler", "--lease", "1", **where)  # type: ignore[arg-type]
    with started(second):
        second.wait_for("leading")
        second.wait_for("generate_visits")
        second.wait_for("retire_visits")
        second.wait_for("done in")
        second.signal(signal.SIGTERM)
        assert second.end() == 0
    assert second.seen[-1].endswith("stopped")
    assert len(set(numbers())) == len(numbers()) == 60
    db.session.rollback()
    [run] = [run for run in jobs.latest(9) if run.job == "generate_visits" and run.slot == unfinished.slot]
    assert (run.state, run.report["tries"]) == ("done", 2)
    assert run.report["companies"][company.id]["failed"] == []


@pytest.mark.usefixtures("look")
def test_of_two_schedulers_one_works_and_the_other_follows(plans: list[str], where: dict[str, object]) -> None:
    first = Process(COMMAND, "scheduler", "--lease", "1", **where)  # type: ignore[arg-type]
    with started(first):
        first.wait_for("retire_visits")
        first.wait_for("done in")
        second = Process(COMMAND, "scheduler", "--lease", "1", **where)  # type: ignore[arg-type]
        with started(second):
            # The second can only lead once the first has given up; until then it has nothing to say.
            first.signal(signal.SIGTERM)
            assert first.end() == 0
            second.wait_for("leading")
            second.signal(signal.SIGINT)
            assert second.end() == 0
    assert not any("started" in line for line in second.seen), second.seen
    slots = [(run.job, run.slot) for run in jobs.latest(50)]
    assert len(slots) == len(set(slots))
    assert {run.state for run in jobs.latest(50)} == {"done"}
