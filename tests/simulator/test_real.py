"""The same fleets and the same checkers, with the real application in the server's place, on both databases."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from server.app import create_app
from server.extensions import db
from sync.simulator.script import Script, write_script
from tests.builders import SmallCompany
from tests.conftest import Template
from tests.serving import Server
from tests.simulator.planted.base import one_tablet
from tests.simulator.planted.client import DeletesOnSend, ForgetsOwnWrites, ForgetsWhatWasSent
from tests.simulator.real.facts import WholeReplica
from tests.simulator.real.fleets import on_real, real_script
from tests.simulator.real.processes import Plan, Processes

SEEDS = 1


@pytest.mark.parametrize("seed", range(SEEDS))
def test_fleets_on_the_real_server_keep_every_law(app: Flask, company: SmallCompany, tmp_path: Path, seed: int) -> None:
    report = on_real(app, company, tmp_path, real_script(seed))
    assert [str(violation) for violation in report.violations] == []
    assert len(report.laws) >= 18


def test_a_real_server_that_dies_at_any_step_keeps_every_law(app: Flask, company: SmallCompany, tmp_path: Path) -> None:
    script = write_script(8, devices=3, operations=40, faults=("kill", "no-reply", "twice", "reassign"))
    report = on_real(app, company, tmp_path, script)
    assert [str(violation) for violation in report.violations] == []
    assert report.kills > 1


class TakesAnyLoss(DeletesOnSend, WholeReplica):
    """What was sent is gone, answered or not."""


class ShowsOld(ForgetsOwnWrites, WholeReplica):
    """What was answered is not shown until it is read."""


class KeepsNothing(ForgetsWhatWasSent, WholeReplica):
    """What was answered is kept nowhere."""


def restored(seed: int) -> Script:
    """A tablet has its answer, and the server goes back to before."""
    steps: list[tuple[str, str, dict[str, Any]]] = [
        ("operator", "backup", {}),
        ("tablet-1", "edit", {"what": "note", "k": seed}),
        ("tablet-1", "sync", {}),
        ("operator", "restore", {}),
    ]
    return one_tablet(seed, steps)


@pytest.mark.parametrize(
    ("replica", "law", "script"),
    [
        (TakesAnyLoss, "I4", write_script(1, devices=2, operations=60, faults=("offline",))),
        (ShowsOld, "law 7", write_script(1, devices=2, operations=60, faults=("offline",))),
        (KeepsNothing, "I1", restored(1)),
    ],
)
def test_the_checkers_see_through_the_real_server_too(
    sqlite_company: Template, tmp_path: Path, replica: type[WholeReplica], law: str, script: Script
) -> None:
    found = {}
    for each in (replica, WholeReplica):
        folder = tmp_path / each.__name__
        folder.mkdir()
        shutil.copyfile(sqlite_company.source, folder / "rounds.db")
        app = create_app({"DATABASE_URL": f"sqlite:///{folder / 'rounds.db'}", "DATA_FOLDER": folder, "TESTING": True})
        assert sqlite_company.company is not None
        report = on_real(app, sqlite_company.company, folder, script, each)
        found[each] = {violation.law for violation in report.violations}
        with app.app_context():
            db.engine.dispose()
    assert law in found[replica]
    assert found[WholeReplica] == set()


def test_processes_that_are_killed_keep_every_law(
    app: Flask, company: SmallCompany, database_url: str, tmp_path: Path
) -> None:
    plan = Plan(seed=1, devices=2, kills=3, operations=24, pause_s=0.02, seconds=90)
    server = Server(database_url, tmp_path, workers=2)
    judged = Processes(app, company, server, tmp_path, plan).run()
    assert [str(violation) for violation in judged.violations] == []
    assert sum(judged.kills.values()) == 3
    assert judged.acknowledged > 10
