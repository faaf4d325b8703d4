"""A path of the server that is killed at each of its steps, one after the other, and then taken again.

A step is a statement, a commit, or a call that brings bytes to the disk. For each of them a child process goes down the
path and ends there by `kill -9`; then the caller comes again, as a tablet or a job does that got no answer, and all
that the database holds is looked at. With `strace` the child is ended at each of its system calls instead.

`run` is for a process that starts warm: it has one thread, so that its children may be forked.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from flask import Flask
from sqlalchemy import event

from schemas.entities.base import iso
from server.actions.generate_visits import generate_visits
from server.actions.plan_routes import plan_routes
from server.actions.publish_plan import publish_plan
from server.actions.resolve_conflict import resolve
from server.app import create_app
from server.extensions import db
from server.store.models import Conflict, RoutePlan, Visit
from tests import pictures, uploads
from tests.builders import SmallCompany, publish
from tests.faults.wholeness import unwhole
from tests.maintenance.builders import WEEKLY, a_plan, ledger
from tests.tablets import enrol

TO_THE_DISK = ("fsync", "fdatasync", "pwrite", "link", "rename", "replace", "unlink")
"""Functions of `os` that are steps too."""

MOST_STEPS = 2_000
"""A path with more steps does not end."""

SYSTEM_CALLS = "write,pwrite64,fsync,fdatasync,sendto,sendmsg,rename,link,unlink,ftruncate"
"""What `strace` counts: all that leaves the process."""


class Way(Protocol):
    """A path through the server, taken again and again."""

    def prepare(self) -> None:
        """What is to be done next, written down where it is not lost."""

    def go(self) -> None:
        """Take the path once; the process may end in it."""

    def again(self) -> None:
        """What the caller does that got no answer. Raises AssertionError when that does not end well."""


class Push:
    """A tablet sends a step of the work, a note, a reading, a visit that it made, and a group over two documents."""

    def __init__(self, app: Flask, company: SmallCompany, folder: Path) -> None:
        with app.app_context():
            self.visit = company.visit(asset_ids=company.assets[:1])
            publish(company.id, self.visit, company.anna)
        self.company = company
        self.tablet = enrol(app, company.id, company.anna)
        self.tablet.read()
        self.notes: list[str] = []
        self.made: list[str] = []

    def prepare(self) -> None:
        now, group = iso(datetime.now(UTC)), str(uuid.uuid4())
        note, made = str(uuid.uuid4()), str(uuid.uuid4())
        self.notes.append(note)
        self.made.append(made)
        site = self.company.sites[0]
        self.tablet.event(self.visit, ("paused", "resumed")[len(self.notes) % 2] if len(self.notes) > 1 else "started")
        self.tablet.change(self.visit, add={"notes": [{"id": note, "at": now, "text": "Dry"}]})
        self.tablet.change(made, op="create", set={"site_id": site, "kind": "repair_minor"})
        self.tablet.change(self.visit, set={"work_summary": note}, group=group)
        self.tablet.change(site, "site", set={"access_note": note}, group=group)

    def go(self) -> None:
        self.tablet.send()

    def again(self) -> None:
        results = self.tablet.send()
        assert {one["status"] for one in results} <= {"applied", "merged"}, results
        self.tablet.read()
        seen = [one["id"] for one in self.tablet.body(self.visit)["notes"]]
        assert sorted(seen) == sorted(self.notes), "a note is lost or doubled"
        assert self.tablet.body(self.visit)["work_summary"] == self.notes[-1]
        assert self.tablet.body(self.company.sites[0])["access_note"] == self.notes[-1]
        assert self.tablet.ids >= set(self.made)


class Patch:
    """A tablet sends the second half of a photo, with which it is complete, is looked at and is kept."""

    def __init__(self, app: Flask, company: SmallCompany, folder: Path) -> None:
        with app.app_context():
            self.visit = company.visit()
            publish(company.id, self.visit, company.anna)
        self.tablet = enrol(app, company.id, company.anna)
        self.tablet.read()
        self.number = 0
        self.data, self.place = b"", ""

    def prepare(self) -> None:
        self.number += 1
        self.data = pictures.PDF + f"%{self.number} {uuid.uuid4()}\n".encode()
        self.place = uploads.announce(
            self.tablet, self.data, media_type="application/pdf", filename=f"{self.number}.pdf"
        ).headers["Location"]
        self.half = len(self.data) // 2
        assert uploads.send(self.tablet, self.place, self.data[: self.half]).status_code == 204

    def go(self) -> None:
        uploads.send(self.tablet, self.place, self.data[self.half :], self.half)

    def again(self) -> None:
        head = uploads.ask(self.tablet, "HEAD", self.place)
        if head.status_code != 404:
            assert head.status_code == 200, head.text
            at = int(head.headers["Upload-Offset"])
            assert at in (self.half, len(self.data)), at
            if at < len(self.data):
                assert uploads.send(self.tablet, self.place, self.data[at:], at).status_code == 204
        assert uploads.receipt(self.tablet, self.data)["state"] == "verified"
        got = uploads.ask(self.tablet, "GET", f"/sync/v1/attachments/{pictures.sha256(self.data)}")
        assert got.data == self.data


class Publish:
    """The office publishes a planned day."""

    def __init__(self, app: Flask, company: SmallCompany, folder: Path) -> None:
        self.app, self.company = app, company
        self.day = datetime.now(UTC).date()
        self.plan, self.visits = "", list[str]()

    def prepare(self) -> None:
        self.day += timedelta(days=1)
        with self.app.app_context():
            self.visits = [
                self.company.visit(site_id=site, due_from=self.day.isoformat(), due_to=self.day.isoformat())
                for site in self.company.sites
            ]
            (self.plan,) = plan_routes(
                self.company.id, first=self.day, days=1, branch_id=self.company.branch, seconds=10, seed=1,
                user_id=None, now=datetime.now(UTC), iterations=1,
            )  # fmt: skip
            db.session.remove()

    def go(self) -> None:
        with self.app.app_context():
            publish_plan(self.company.id, self.plan, now=datetime.now(UTC))

    def again(self) -> None:
        with self.app.app_context():
            state = db.session.get_one(RoutePlan, (self.company.id, self.plan)).state
            db.session.remove()
        if state == "draft":
            self.go()
        with self.app.app_context():
            found = [db.session.get_one(Visit, (self.company.id, visit)) for visit in self.visits]
            assert {visit.plan_state for visit in found} == {"published"}
            db.session.remove()


class Resolve:
    """A person at the office lets the other value of a clash stand."""

    def __init__(self, app: Flask, company: SmallCompany, folder: Path) -> None:
        self.app, self.company = app, company
        with app.app_context():
            visit = company.visit()
            publish(company.id, visit, company.anna)
        self.tablet = enrol(app, company.id, company.anna)
        self.tablet.read()
        self.conflict = ""

    def prepare(self) -> None:
        site = self.company.sites[0]
        self.tablet.change(site, "site", set={"name": f"Hotel {uuid.uuid4()}"})
        self.conflict = self.tablet.sync()[0]["conflicts"][0]["id"]
        self.wanted = self.tablet.state.kept[-1]["mutation"]["set"]["name"]

    def go(self) -> None:
        with self.app.app_context():
            resolve(self.company.id, self.conflict, "mine", None, user_id=None, now=datetime.now(UTC))

    def again(self) -> None:
        with self.app.app_context():
            entry = db.session.get_one(Conflict, (self.company.id, self.conflict))
            done = entry.state != "open"
            db.session.remove()
        if not done:
            self.go()
        self.tablet.read()
        assert self.tablet.body(self.company.sites[0])["name"] == self.wanted


class Generate:
    """The hourly job makes the visits of a plan."""

    def __init__(self, app: Flask, company: SmallCompany, folder: Path) -> None:
        self.app, self.company = app, company
        self.plan = ""

    def prepare(self) -> None:
        with self.app.app_context():
            self.plan = a_plan(
                self.company,
                asset_id=self.company.assets[0],
                name=f"Plan {uuid.uuid4()}",
                triggers=[WEEKLY],
                ends_on=date(2026, 5, 5),
            )
            db.session.remove()

    def go(self) -> None:
        with self.app.app_context():
            report = generate_visits(self.company.id, datetime(2026, 5, 4, 12, tzinfo=UTC))
            assert not report.failed

    def again(self) -> None:
        self.go()
        with self.app.app_context():
            told = [line[1] for line in ledger(self.company, self.plan)].count("generated")
            made = db.session.query(Visit).filter_by(plan_id=self.plan).count()
            assert made == told > 0, f"{made} visits are there, the ledger tells of {told}"
            db.session.remove()


WAYS: dict[str, Callable[[Flask, SmallCompany, Path], Way]] = {
    "push": Push, "patch": Patch, "publish": Publish, "resolve": Resolve, "generate": Generate,
}  # fmt: skip


class Steps:
    """Counts the steps of this process from now on, and ends it at one."""

    def __init__(self, last: int) -> None:
        self.left = last
        engine = db.engine
        event.listen(engine, "before_cursor_execute", lambda *_: self.step())
        event.listen(engine, "commit", lambda *_: self.step())
        event.listen(db.session, "after_commit", lambda *_: self.step())
        for name in TO_THE_DISK:
            setattr(os, name, self._before(getattr(os, name)))

    def step(self) -> None:
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def _before(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def stepping(*arguments: Any, **named: Any) -> Any:
            self.step()
            return function(*arguments, **named)

        return stepping


def run(
    name: str, company: SmallCompany, folder: Path, out: Path, first: int, every: int, most: int, traced: bool
) -> None:
    """Kill a path at steps `first`, `first + every` …, `most` times at most; `out` gets kills and what was found."""
    app = create_app({"TESTING": True})
    way = WAYS[name](app, company, folder)
    kills, found = 0, list[str]()
    for step in range(first, MOST_STEPS, every):
        way.prepare()
        died = _fork(app, way, step, traced)
        kills += died
        try:
            way.again()
        except AssertionError as error:
            found.append(f"{name}, killed at step {step}: {error}")
        with app.app_context():
            found += [f"{name}, killed at step {step}: {what}" for what in unwhole(company.id)]
            db.session.remove()
        if not died or found or kills == most:
            break
    else:
        found.append(f"{name} has more than {MOST_STEPS} steps")
    out.write_text(json.dumps({"kills": kills, "found": found}))


def _fork(app: Flask, way: Way, step: int, traced: bool) -> bool:
    """Take the path in a child that is killed at a step; False when it came to its end."""
    with app.app_context():
        db.session.remove()
    ready, go = os.pipe()
    child = os.fork()
    if not child:
        os.close(go)
        with app.app_context():
            # The parent's connections stay the parent's.
            db.engine.dispose(close=False)
            if not traced:
                Steps(step)
        os.read(ready, 1)
        way.go()
        os._exit(0)
    os.close(ready)
    tracer = _trace(child, step) if traced else None
    os.write(go, b"x")
    os.close(go)
    _, status = os.waitpid(child, 0)
    if tracer is not None:
        tracer.wait()
    if os.WIFSIGNALED(status):
        return True
    assert os.waitstatus_to_exitcode(status) == 0
    return False


def _trace(child: int, step: int) -> subprocess.Popen[bytes]:
    """Have `strace` end a process at its system call number `step`; it holds the process when this returns."""
    strace = shutil.which("strace")
    assert strace is not None
    inject = f"inject={SYSTEM_CALLS}:signal=KILL:when={step + 1}"
    command = [strace, "-f", "-qq", "-o", os.devnull, "-p", str(child), "-e", f"trace={SYSTEM_CALLS}", "-e", inject]
    tracer = subprocess.Popen(command)
    status = Path(f"/proc/{child}/status")
    while f"TracerPid:\t{tracer.pid}" not in status.read_text():
        if tracer.poll() is not None:
            raise RuntimeError("strace may not hold a process here")
    return tracer
