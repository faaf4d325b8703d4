"""The real application on a real database as a side of the simulator: its doors, its actions, in virtual time.

It goes down at a step as a process does: a statement or a commit is as far as it got, nobody hears an answer, and what
the next one starts with is the database alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import time_machine
from flask import Flask
from sqlalchemy import event, select

from schemas.entities.base import iso
from server.actions.back_up import back_up
from server.actions.edit_document import edit_document
from server.actions.end_device import revoke
from server.actions.enrol_device import make_code
from server.actions.make_visit import make_visit
from server.actions.resolve_conflict import resolve, undo
from server.actions.restore import begin_histories, put_back
from server.extensions import db
from server.problems import Problem
from server.store import marks
from server.store.files import current_files
from server.store.models import Conflict, Visit
from server.store.transaction import transactional
from sync.change import Json
from sync.simulator.facts import Facts, Truth
from sync.simulator.moments import moment
from sync.simulator.side import REFUSED, Act, Crashed, Outcome
from sync.simulator.world import Company
from tests.builders import SmallCompany
from tests.simulator.real.facts import ENTITIES, read_facts, read_truth

ACTS = frozenset({"make-visit", "edit", "publish", "archive", "resolve", "undo", "code", "revoke"})


class RealSide:
    """One company on one database; nothing of a request outlives a crash but what the database has."""

    exact_clock = True

    def __init__(self, app: Flask, company: SmallCompany, folder: Path) -> None:
        self.app = app
        self.folder = folder
        self.company_id = company.id
        self.company = Company(
            technicians=(company.anna, company.boris),
            customers=(company.customer,),
            sites=tuple(company.sites),
            assets=tuple(company.assets),
        )
        self.entities = ENTITIES
        self.start_of_time = datetime.now(UTC).replace(microsecond=0)
        self.up = True
        self.steps: int | None = None
        self.copy: Path | None = None
        self.known: Truth | None = None
        with app.app_context():
            self.can = ACTS | ({"restore"} if db.engine.dialect.name == "sqlite" else set())
            self._listen()

    def _listen(self) -> None:
        event.listen(db.engine, "before_cursor_execute", lambda *_: self.step())
        event.listen(db.engine, "commit", lambda *_: self.step())
        event.listen(db.session, "after_commit", lambda *_: self.step())

    # --- doors ---

    def request(self, at: float, token: str, method: str, path: str, body: Json | None) -> tuple[int, Json]:
        """One request of a device, over the application's own client."""
        if not self.up:
            raise Crashed
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        with self._moment(at):
            answer = self.app.test_client().open(path, method=method, json=body, headers=headers)
            text = answer.get_data()
        return answer.status_code, json.loads(text or b"{}")

    def act(self, at: float, act: Act) -> Outcome:
        """One act of the office, as its action does it."""
        if not self.up:
            raise Crashed
        method: Callable[[datetime, Mapping[str, Json]], Outcome] = getattr(self, "_" + act.name.replace("-", "_"))
        with self._moment(at), self.app.app_context():
            try:
                return method(moment(at, self.start_of_time), act.what)
            except Problem as problem:
                return Outcome(done=False, code=problem.code)
            finally:
                db.session.remove()

    @contextmanager
    def _moment(self, at: float) -> Iterator[None]:
        """Virtual time; a crash puts the server down, and what was planned is over."""
        try:
            with time_machine.travel(moment(at, self.start_of_time), tick=False):
                yield
        except Crashed:
            self.go_down(power=False)
            raise
        finally:
            self.steps = None

    # --- going down ---

    def step(self) -> None:
        """A statement or a commit: here it may end."""
        if self.steps is None:
            return
        if self.steps == 0:
            self.steps = None
            raise Crashed
        self.steps -= 1

    def crash_at(self, step: int, *, power: bool) -> None:
        """Go down at this statement or commit of the next request or act."""
        self.steps = step

    def go_down(self, *, power: bool) -> None:
        """All connections are gone with what was open on them."""
        self.up, self.steps = False, None
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()

    def start(self) -> None:
        """A new process knows what is written down, and nothing else."""
        self.up, self.steps = True, None
        marks.install(self.app)

    def backup(self) -> None:
        """A whole backup, without files."""
        with self.app.app_context():
            self.copy = back_up(self.folder / "backups", current_files(), now=self.start_of_time, with_files=False).path
            db.session.remove()

    def restore(self) -> bool:
        """Put the last backup in the database's place, as `flask restore` does."""
        if self.copy is None:
            return False
        with self.app.app_context():
            done = put_back(self.copy, self.folder / "aside")
            begin_histories(done.made_at, self.start_of_time)
            db.session.remove()
        self.known = None
        return True

    # --- acts ---

    def _make_visit(self, now: datetime, what: Mapping[str, Json]) -> Outcome:
        @transactional
        def make() -> None:
            values: dict[str, Any] = {
                "kind": "preventive_maintenance",
                "site_id": what["site_id"],
                "asset_ids": what["asset_ids"],
                "title": what["title"],
            }
            if what["technician_id"]:
                values |= {"assignee_id": what["technician_id"], "plan_state": "published"} | _times(now)
            make_visit(self.company_id, values, origin="request", now=now, visit_id=what["visit_id"])

        make()
        return Outcome(done=True, value=what["visit_id"], wrote={what["visit_id"]: {"title": what["title"]}})

    def _edit(self, now: datetime, what: Mapping[str, Json]) -> Outcome:
        values = dict(what["values"])
        more = _times(now) if values.get("plan_state") == "published" else {}
        edit_document(self.company_id, what["collection"], what["document_id"], values | more, now=now)
        return Outcome(done=True, wrote={what["document_id"]: values})

    def _publish(self, now: datetime, what: Mapping[str, Json]) -> Outcome:
        wrote: dict[str, Mapping[str, Json]] = {}

        @transactional
        def publish() -> None:
            wrote.clear()
            for visit_id, technician_id in sorted(what["visits"]):
                values = {"assignee_id": technician_id, "plan_state": "published"}
                try:
                    edit_document(self.company_id, "visit", visit_id, values | _times(now), now=now)
                except Problem:
                    continue
                wrote[visit_id] = values

        publish()
        return Outcome(done=True, wrote=wrote)

    def _archive(self, now: datetime, what: Mapping[str, Json]) -> Outcome:
        @transactional
        def archive() -> bool:
            visit = db.session.get(Visit, (self.company_id, what["visit_id"]))
            if visit is not None:
                visit.archived = True
            return visit is not None

        return Outcome(done=True, wrote={what["visit_id"]: {"archived": True}}) if archive() else REFUSED

    def _resolve(self, now: datetime, what: Mapping[str, Json]) -> Outcome:
        conflict_id = self._nth("open", what["index"])
        if conflict_id is None:
            return REFUSED
        done = resolve(self.company_id, conflict_id, what["choice"], None, user_id=None, now=now)
        resolution: Any = done.resolution
        wrote = {done.document_id: {done.field: resolution["value"]}} if resolution["written"] else {}
        if "." in done.field or done.kind == "refused":
            wrote = {}
        return Outcome(done=True, value=conflict_id, wrote=wrote)

    def _undo(self, now: datetime, what: Mapping[str, Json]) -> Outcome:
        conflict_id = self._nth("resolved", what["index"])
        if conflict_id is None:
            return REFUSED
        undo(self.company_id, conflict_id, now=now)
        return Outcome(done=True, value=conflict_id)

    def _nth(self, state: str, index: int) -> str | None:
        found = db.session.scalars(
            select(Conflict.id)
            .where(Conflict.company_id == self.company_id, Conflict.state == state)
            .order_by(Conflict.created_at, Conflict.mutation_id, Conflict.field)
        ).all()
        return found[index % len(found)] if found else None

    def _code(self, now: datetime, what: Mapping[str, Json]) -> Outcome:
        made = make_code(self.company_id, what["technician_id"], user_id=None, now=now)
        return Outcome(done=True, value=made.code)

    def _revoke(self, now: datetime, what: Mapping[str, Json]) -> Outcome:
        revoke(self.company_id, what["device_id"], now=now)
        return Outcome(done=True)

    # --- a look inside ---

    def truth(self) -> Truth:
        """The committed documents now; read again when something was committed."""
        with self.app.app_context():
            found = read_truth(self.company_id, self.known)
            db.session.remove()
        self.known = found
        return found

    def facts(self) -> Facts:
        """All that is committed now."""
        with self.app.app_context():
            found = read_facts(self.company_id)
            db.session.remove()
        return found


def _times(now: datetime) -> dict[str, Json]:
    start = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return {"planned_start": iso(start), "planned_end": iso(start + timedelta(hours=1))}
