"""The long run of the fault matrix: the code of its tests (docs/faults.md) with more of everything."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from pathlib import Path

from server.extensions import db
from server.store.models import Visit
from server.store.queries import jobs
from tests import warm
from tests.builders import small_company
from tests.conftest import furnished, migrated
from tests.faults.conftest import killed_at_steps
from tests.faults.flapping import Flapping
from tests.faults.load import Load, some_tablets
from tests.faults.own_postgresql import own_postgresql
from tests.faults.restarted import RestartedServer
from tests.faults.steps import WAYS
from tests.faults.wholeness import unwhole
from tests.maintenance.builders import WEEKLY, a_plan
from tests.serving import ROOT, Server
from tests.simulator.real.databases import Databases, Fresh

DIALECTS = ("sqlite", "postgresql")
AT_ONCE = 60
"""Kills on one database; then another one begins, for one that grows makes each kill slower."""

PLANS = 30
SCHEDULED_S = 90.0


@dataclass(kw_only=True)
class Done:
    """One kind of fault: how often, and what was found."""

    what: str
    runs: int = 0
    kills: int = 0
    found: list[str] = field(default_factory=list)
    left_out: str = ""


def faults(made: Databases, *, kills: int, seed: int) -> Iterator[Done]:
    """All of it, in proportion to `kills` of the server: a fifth of schedulers, a tenth of PostgreSQL, half of runs."""
    for dialect in DIALECTS:
        yield each_step(made, dialect, traced=False)
        yield each_step(made, dialect, traced=True)
    for dialect in DIALECTS:
        yield server_kills(made, dialect, kills // 2)
        yield flapping(made, dialect, kills // 4, seed)
        yield scheduler_kills(made, dialect, kills // 10, seed)
    yield postgresql_kills(made, kills // 10)


def each_step(made: Databases, dialect: str, *, traced: bool) -> Done:
    """F2: every way through the server is killed at each of its steps, or at each system call."""
    done = Done(what=f"F2 killed at each {'system call' if traced else 'step'}, {dialect}")
    if traced and not shutil.which("strace"):
        done.left_out = "F2: there is no strace"
        return done
    for way in WAYS:
        for first in count(0, AT_ONCE):
            with made.fresh(dialect) as one:
                told = killed_at_steps(way, one.url, one.company, one.folder, first=first, most=AT_ONCE, traced=traced)
            done.runs += 1
            done.kills += told["kills"]
            done.found += told["found"]
            if told["kills"] < AT_ONCE:
                break
    return done


def server_kills(made: Databases, dialect: str, kills: int) -> Done:
    """F1: the server is killed under the load of three tablets."""
    done = Done(what=f"F1 the server under load, {dialect}")
    while done.kills < kills and not done.found:
        with made.fresh(dialect) as one:
            server = RestartedServer(one.url, one.folder, workers=2)
            server.start()
            try:
                tablets, visit = some_tablets(one.app, one.company, server.url, 3)
                with Load(tablets, visit, server) as load:
                    for _ in range(min(AT_ONCE, kills - done.kills)):
                        load.pushes(3)
                        server.kill_once()
                        load.forget_pushes()
                        done.kills += 1
                    load.pushes(3)
                _settle(load, one, done)
            finally:
                server.kill()
        done.runs += 1
    return done


def postgresql_kills(made: Databases, kills: int) -> Done:
    """F8: PostgreSQL is killed with all its processes, and started again; the server is left alone."""
    done = Done(what="F8 PostgreSQL under load")
    if not kills:
        return done
    folder = made.folder / "f8"
    folder.mkdir()
    with own_postgresql() as postgresql, ExitStack() as stack:
        app = migrated(postgresql.url, folder)
        company = furnished(app, "", small_company).company
        assert company is not None
        server = Server(postgresql.url, folder, workers=2)
        server.start()
        stack.callback(server.kill)
        one = Fresh(url=postgresql.url, app=app, company=company, folder=folder)
        tablets, visit = some_tablets(app, company, server.url, 3)
        with Load(tablets, visit, server) as load:
            for _ in range(kills):
                load.pushes(3)
                postgresql.kill()
                load.forget_pushes()
                postgresql.start()
                load.pushes(3)
                done.kills += 1
        with app.app_context():
            db.engine.dispose()
        _settle(load, one, done)
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
    done.runs = 1
    return done


def _settle(load: Load, one: Fresh, done: Done) -> None:
    try:
        load.settle()
    except AssertionError as error:
        done.found.append(f"{done.what}: {error}")
    with one.app.app_context():
        done.found += unwhole(one.company.id)
        db.session.remove()


def flapping(made: Databases, dialect: str, runs: int, seed: int) -> Done:
    """F13: the network comes and goes, tablets are killed; then silence."""
    done = Done(what=f"F13 a network that comes and goes, {dialect}")
    while done.runs < runs and not done.found:
        with made.fresh(dialect) as one:
            server = Server(one.url, one.folder)
            server.start()
            try:
                fleet = Flapping(one.app, one.company, server, one.folder, seed + done.runs)
                for _ in range(min(20, runs - done.runs)):
                    done.found += [f"seed {fleet.seed}: {what}" for what in fleet.run()]
                    done.runs += 1
                done.kills += fleet.kills
            finally:
                server.kill()
            with one.app.app_context():
                done.found += unwhole(one.company.id)
                db.session.remove()
    return done


def scheduler_kills(made: Databases, dialect: str, kills: int, seed: int) -> Done:
    """F3: schedulers are killed in the middle of their jobs; the next one ends the slot, and nothing is made twice."""
    done = Done(what=f"F3 the scheduler at work, {dialect}")
    dice = random.Random(f"schedulers {seed}")
    while done.kills < kills and not done.found:
        with made.fresh(dialect) as one:
            with one.app.app_context():
                for n in range(PLANS):
                    a_plan(
                        one.company, asset_id=one.company.assets[n % 3], name=f"Plan {n}", triggers=[WEEKLY],
                        ends_on=date(2026, 5, 5),
                    )  # fmt: skip
                db.session.remove()
            for _ in range(min(3, kills - done.kills)):
                process = _scheduler(one)
                time.sleep(dice.random() * 1.5)
                process.kill()
                process.wait()
                done.kills += 1
            done.found += _ends_well(one)
        done.runs += 1
    return done


def _scheduler(one: Fresh) -> warm.Process:
    return warm.Process(
        warm.run_module,
        ("flask", "scheduler", "--lease", "1"),
        environment=os.environ | {"DATABASE_URL": one.url, "ROUNDS_DATA": str(one.folder), "FLASK_APP": "wsgi"},
        folder=ROOT,
        log=one.folder / "scheduler.log",
    )


def _ends_well(one: Fresh) -> list[str]:
    """Let one scheduler work in peace; what is missing or there twice."""
    process = _scheduler(one)
    deadline = time.monotonic() + SCHEDULED_S
    try:
        while time.monotonic() < deadline:
            with one.app.app_context():
                runs = [run for run in jobs.latest(50) if run.job == "generate_visits"]
                over = bool(runs) and all(run.state == "done" for run in runs)
                slots = [run.slot for run in runs]
                made = db.session.query(Visit).count()
                numbers = {number for (number,) in db.session.query(Visit.number)}
                wrong = unwhole(one.company.id) if over else []
                db.session.remove()
            if over:
                found = [f"{made} visits of {PLANS} plans"] if made != PLANS or len(numbers) != PLANS else []
                return wrong + found + (["a slot was run twice"] if len(slots) != len(set(slots)) else [])
            time.sleep(0.1)
    finally:
        process.kill()
        process.wait()
    return [f"no scheduler ends its slot: {Path(one.folder / 'scheduler.log').read_text()[-500:]}"]
