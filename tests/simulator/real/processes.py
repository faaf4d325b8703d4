"""Fleets of real processes: gunicorn with several workers, tablets that are processes, and kill -9 for all of them.

What happened is read from the tablets' logs in the order of one clock, and judged by the same checkers as every other
fleet; what the server holds is read from its database.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask

from server.actions.enrol_device import make_code
from server.extensions import db
from sync.simulator.checkers import every_checker
from sync.simulator.checkers.base import Violation
from sync.simulator.fleet import Fleet
from sync.simulator.script import Script, TabletPlan
from sync.simulator.tablet import Parts
from tests import warm
from tests.builders import SmallCompany
from tests.serving import ROOT, Server
from tests.simulator.real import device
from tests.simulator.real.facts import WholeReplica
from tests.simulator.real.side import RealSide

HOME_S = 60.0
"""So long may it take until every tablet is home when the faults have ended (I5)."""

EDITS_BETWEEN, MOST_BETWEEN_S = 4, 3.0
"""The next kill comes after so many edits, or after so long."""

SPREAD_S = (0.0, 90.0, -3_600.0, 400 * 86_400.0)
"""How far the clocks of the tablets are off."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a fleet of processes is to do."""

    seed: int
    devices: int = 3
    kills: int = 6
    operations: int = 60
    """So many edits on tablets at least."""
    pause_s: float = 0.05
    workers: int = 2
    seconds: float = 600.0
    """The longest that the faults may go on."""


@dataclass(kw_only=True)
class Judged:
    """What a fleet of processes did, and what was found."""

    operations: int = 0
    kills: dict[str, int] = field(default_factory=dict)
    acknowledged: int = 0
    violations: list[Violation] = field(default_factory=list)
    laws: frozenset[str] = frozenset()
    seconds: float = 0.0


class Processes:
    """One fleet: a server, tablets, an office in this process."""

    def __init__(self, app: Flask, company: SmallCompany, server: Server, folder: Path, plan: Plan) -> None:
        self.app = app
        self.server = server
        self.folder = folder
        self.plan = plan
        self.side = RealSide(app, company, folder)
        self.side.exact_clock = False
        self.dice = random.Random(f"processes {plan.seed}")
        people = self.side.company.technicians
        tablets = tuple(TabletPlan(name=f"tablet-{n + 1}", people=(n % len(people),)) for n in range(plan.devices))
        script = Script(seed=plan.seed, technicians=2, tablets=tablets, operations=(), faults=("kill", "die"))
        self.fleet = Fleet(script, self.side, every_checker(), parts=Parts(replica=WholeReplica))
        self.fleet.steady = False
        self.running: dict[str, warm.Process] = {}
        self.read: dict[tuple[str, str], int] = {}
        self.counted: dict[str, int] = {}
        self.operations = 0
        self.kills = {"server": 0, "worker": 0, "tablet": 0}

    # --- running ---

    def run(self) -> Judged:
        """Work and kills, the way home, the judgement."""
        started = time.monotonic()
        try:
            self.server.start()
            for n in range(2 + self.plan.devices):
                self.fleet.office.make_visit("planner", n, n)
            for plan in self.fleet.script.tablets:
                self._prepare(plan)
                self._start(plan.name)
            self._work()
            late = self._home()
        finally:
            for process in self.running.values():
                process.kill()
                process.wait()
            self.server.kill()
        self._replay()
        for name in late:
            self.fleet.away.append(name)
        self.fleet.note("fleet", "quiet")
        report = self.fleet.judge()
        edits = sum(1 for _ in self.fleet.history.of("edit"))
        return Judged(
            operations=edits + self.operations,
            kills=self.kills,
            acknowledged=len({one["id"] for event in self.fleet.history.of("result") for one in event.what["results"]}),
            violations=list(report.violations),
            laws=report.laws,
            seconds=time.monotonic() - started,
        )

    def _work(self) -> None:
        """Faults until all have been, and people have done what they were to do; both at random moments."""
        until = time.monotonic() + self.plan.seconds
        while time.monotonic() < until and self._seen("enrol") < len(self.running):
            time.sleep(0.05)
            self._look_after()
        left, before, since = self.plan.kills, self._seen("edit"), time.monotonic()
        while time.monotonic() < until and (left > 0 or self._seen("edit") < self.plan.operations):
            time.sleep(self.dice.random() * 0.2)
            self._look_after()
            self._office()
            done = self._seen("edit")
            if left > 0 and (done >= before + EDITS_BETWEEN or time.monotonic() > since + MOST_BETWEEN_S):
                time.sleep(self.dice.random() * 0.05)
                self.dice.choices((self._kill_server, self._kill_worker, self._kill_tablet), (2, 3, 5))[0]()
                left, before, since = left - 1, done, time.monotonic()

    def _seen(self, kind: str) -> int:
        """How often something has happened on all tablets."""
        wanted = f'{{"kind": "{kind}"'.encode()
        for name in self.running:
            path = self.folder / name / "log.jsonl"
            if not path.exists():
                continue
            with path.open("rb") as log:
                log.seek(self.read.get((name, kind), 0))
                fresh = log.read()
                whole = fresh[: fresh.rfind(b"\n") + 1]
                self.read[name, kind] = self.read.get((name, kind), 0) + len(whole)
                self.counted[kind] = self.counted.get(kind, 0) + whole.count(wanted)
        return self.counted.get(kind, 0)

    def _office(self) -> None:
        """An act of the office, as the dice will have it."""
        office, k = self.fleet.office, self.dice.randrange(10_000)
        people = self.side.company.technicians
        visit = office.visits[k % len(office.visits)]
        site = self.side.company.sites[k % 3]
        self.fleet.at = self._now()
        acts: list[Callable[[], object]] = [
            lambda: office.make_visit("scheduler", k, k),
            lambda: self._edit("visit", visit, {"assignee_id": people[k % 2], "plan_state": "published"}),
            lambda: self._edit("visit", visit, {"plan_state": ("due", "cancelled", "withdrawn")[k % 3]}),
            lambda: self._edit("visit", visit, {"title": f"office {self.operations}"}),
            lambda: self._edit("site", site, {"access_note": f"office {self.operations}"}),
            lambda: self._edit("site", site, {"tags": ["roof", f"office {self.operations}"]}),
            lambda: self.fleet.act("planner", "publish", visits=[[one, people[k % 2]] for one in office.visits[-3:]]),
            lambda: self.fleet.act("office", "resolve", index=k, choice=("mine", "theirs")[k % 2]),
            lambda: self.fleet.act("office", "undo", index=k),
        ]
        self.dice.choice(acts)()
        self.operations += 1

    def _edit(self, collection: str, document_id: str, values: dict[str, Any]) -> None:
        self.fleet.act("office", "edit", collection=collection, document_id=document_id, values=values)

    def _now(self) -> float:
        return time.time() - self.side.start_of_time.timestamp()

    # --- tablets ---

    def _prepare(self, plan: TabletPlan) -> None:
        number = int(plan.name.rpartition("-")[2])
        folder = self.folder / plan.name
        folder.mkdir()
        person = self.side.company.technicians[plan.people[0]]
        with self.app.app_context():
            # One more than is needed: the answer to an enrolment may be lost with its code.
            codes = [
                make_code(self.side.company_id, person, user_id=None, now=datetime.now(UTC)).code for _ in range(3)
            ]
            db.session.remove()
        company = {
            name: list(getattr(self.side.company, name)) for name in ("technicians", "customers", "sites", "assets")
        }
        told = {
            "name": plan.name, "seed": self.plan.seed, "lives": 0, "url": self.server.url, "person": person,
            "codes": codes, "company": company, "offset_s": SPREAD_S[number % len(SPREAD_S)],
            "pause_s": self.plan.pause_s,
        }  # fmt: skip
        (folder / "plan.json").write_text(json.dumps(told))

    def _start(self, name: str) -> None:
        folder = self.folder / name
        told = json.loads((folder / "plan.json").read_text())
        told["lives"] += 1
        (folder / "plan.json").write_text(json.dumps(told))
        self.running[name] = warm.Process(
            device.run, [folder], environment=os.environ, folder=ROOT, log=folder / "errors.log"
        )

    def _look_after(self) -> None:
        """A tablet that fell over by itself is a bug of its own, and is told with its last words."""
        for name, process in self.running.items():
            if process.poll() is not None:
                raise RuntimeError(f"{name} ended: {(self.folder / name / 'errors.log').read_text()[-2000:]}")

    def _home(self) -> list[str]:
        """Everybody goes home; the names of those that did not come in time."""
        for name in self.running:
            (self.folder / name / "stop").touch()
        until = time.monotonic() + HOME_S
        while time.monotonic() < until and not all((self.folder / name / "sent").exists() for name in self.running):
            time.sleep(0.05)
            self._look_after()
        for name in self.running:
            (self.folder / name / "read").touch()
        late = []
        for name, process in self.running.items():
            try:
                code = process.wait(max(until - time.monotonic(), 0.1))
            except TimeoutError:
                late.append(name)
            else:
                if code:
                    raise RuntimeError(f"{name} ended: {(self.folder / name / 'errors.log').read_text()[-2000:]}")
        return late

    # --- kill -9 ---

    def _kill_server(self) -> None:
        """All processes of the server at once; another one is started on what they leave."""
        self.server.kill()
        self.kills["server"] += 1
        time.sleep(self.dice.random() / 5)
        self.server.start()

    def _kill_worker(self) -> None:
        """One worker; the others go on, and gunicorn starts another."""
        assert self.server.process is not None
        workers = _children(self.server.process.pid)
        if workers:
            os.kill(self.dice.choice(workers), signal.SIGKILL)
            self.kills["worker"] += 1

    def _kill_tablet(self) -> None:
        """A tablet in the middle of whatever it does; it wakes up with what it has saved."""
        name = self.dice.choice(sorted(self.running))
        self.running[name].kill()
        self.running[name].wait()
        self.kills["tablet"] += 1
        self._start(name)

    # --- judging ---

    def _replay(self) -> None:
        """Tell the checkers what happened, in the order of one clock; office acts have been told as they were made."""
        own = self.fleet.history.events
        self.fleet.history.events = []
        lines: list[tuple[float, int, str, dict[str, Any]]] = []
        for event in own:
            lines.append((event.at, len(lines), event.actor, {"kind": event.kind, "what": event.what, "own": True}))
        start = self.side.start_of_time.timestamp()
        for name in self.running:
            for text in (self.folder / name / "log.jsonl").read_text().splitlines():
                try:
                    line = json.loads(text)
                except ValueError:
                    continue  # The tablet was killed in the middle of this line.
                lines.append((line["at"] - start, len(lines), name, line))
        for checker in self.fleet.checkers:
            checker.__init__()  # type: ignore[misc]
        for at, _, actor, line in sorted(lines, key=lambda each: each[:2]):
            self.fleet.at = at
            if "own" not in line:
                self._follow(actor, line)
            if line["kind"] != "home":
                self.fleet.note(actor, line["kind"], **line["what"])

    def _follow(self, name: str, line: dict[str, Any]) -> None:
        """Bring the shadow of a tablet to where the tablet was."""
        seat = self.fleet.seats[name][1]
        state = seat.replica.state
        if line["kind"] == "up":
            state.documents = {}
        state.documents = {doc: one for doc, one in state.documents.items() if doc not in line["gone"]} | line["put"]
        for field_name, value in line["state"].items():
            setattr(state, field_name, value)
        if line["kind"] == "result":
            state.results |= {result["id"]: result for result in line["what"]["results"]}
        if line["kind"] == "enrol":
            seat.device_ids.add(line["what"]["device"])


def _children(pid: int) -> list[int]:
    """The processes that one has started."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(each) for each in text.split()]


def clean(folder: Path) -> None:
    """Take a fleet's folder away."""
    shutil.rmtree(folder, ignore_errors=True)
