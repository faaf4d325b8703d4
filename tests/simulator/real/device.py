"""A tablet as a process of its own, that may be killed at any moment.

Its folder has `plan.json` (who it is), `state.json` (what it has saved, made durable before anybody is told), and
`log.jsonl`: each thing that happened, written before the tablet goes on, with what changed in its state. When the
folder gets a file `stop` it goes home: it sends all and makes a file `sent`; with a file `read`, when everybody has, it
reads all and ends.
"""

from __future__ import annotations

import json
import os
import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from schemas.entities.base import iso
from sync.client import Offline, Refused, State
from sync.simulator.edits import WRITERS, Pen, make
from sync.simulator.moments import ident
from sync.simulator.world import Company
from tests.simulator.real.facts import ENTITIES, WholeReplica
from tests.tablets import OverHttp

LOST_REPLIES, DOUBLES = 0.05, 0.03
"""How often a reply is dropped, and a request sent twice."""

EDITS = (*(what for what in WRITERS if what != "part"), "visit", "note", "event", "event", "finish", "access")


class Tablet:
    """The reference client with a store, a log, and dice that are others after each start."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plan: dict[str, Any] = json.loads((folder / "plan.json").read_text())
        self.log = os.open(folder / "log.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        saved = folder / "state.json"
        self.lives = int(self.plan["lives"])
        self.dice = random.Random(f"{self.plan['seed']} {self.plan['name']} {self.lives}")
        self.http = OverHttp(self.plan["url"], timeout_s=10)
        state = State(**json.loads(saved.read_text())) if saved.exists() else None
        self.replica = WholeReplica(self.call, state)
        self.http.replica = self.replica
        self.told: dict[str, Any] = {}
        self.documents: dict[str, Any] = {}
        self.made = 0
        self.requests = 0
        self.going_home = False
        company = self.plan["company"]
        self.company = Company(
            **{name: tuple(company[name]) for name in ("technicians", "customers", "sites", "assets")}
        )

    # --- what is kept and told ---

    def save(self) -> None:
        """Keep the state: on the disk before anybody is told."""
        part = self.folder / "state.part"
        with part.open("w") as file:
            json.dump(vars(self.replica.state), file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.folder / "state.json")

    def note(self, kind: str, **what: Any) -> None:
        """Write down what happened, and what changed in the state since the last line."""
        state = self.replica.state
        changed = {
            document_id: document
            for document_id, document in state.documents.items()
            if self.documents.get(document_id) is not document
        }
        gone = [document_id for document_id in self.documents if document_id not in state.documents]
        self.documents = dict(state.documents)
        rest = {
            name: value
            for name, value in vars(state).items()
            if name not in ("documents", "results") and self.told.get(name) != value
        }
        self.told |= json.loads(json.dumps(rest))
        line = {"kind": kind, "at": time.time(), "what": what, "put": changed, "gone": gone, "state": rest}
        os.write(self.log, json.dumps(line).encode() + b"\n")

    # --- the network ---

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One request, whose reply may be lost, or that arrives twice."""
        self.requests += 1
        request = f"{self.plan['name']} {self.lives} {self.requests}"
        sent = [one.get("id") for one in (body or {}).get("mutations", ())]
        self.note("send", request=request, method=method, path=path, ids=sent)
        if not self.going_home and self.dice.random() < DOUBLES:
            self.http(method, path, body)
        status, answer = self.http(method, path, body)
        told = {"request": request, "status": status, "path": path, "device": self.replica.state.device_id}
        self.note("serve", **told, body=answer, sent=body)
        if not self.going_home and self.dice.random() < LOST_REPLIES:
            self.note("lost", request=request, how="answer")
            raise Offline
        return status, answer

    def clock(self) -> str:
        """What this tablet's clock shows."""
        return iso(datetime.now(UTC) + timedelta(seconds=self.plan["offset_s"]))

    # --- what people do ---

    def run(self) -> None:
        """Work until told to stop."""
        self.note("up")
        while not (self.folder / "stop").exists():
            try:
                self.step()
            except (Offline, Refused) as error:
                if isinstance(error, Refused):
                    self.note("refused", status=error.status, code=error.code)
                time.sleep(self.dice.random() / 10)
        self.go_home()

    def step(self) -> None:
        """One thing that somebody does, or one request."""
        chance = self.dice.random()
        if not self.replica.state.token:
            self.enrol()
        elif chance < 0.5:
            self.edit()
        elif chance < 0.8 and self.replica.state.outbox:
            self.push(self.dice.choice((1, 3, 500)))
        else:
            self.pull(self.dice.choice((2, 5, 20, 200)))
        time.sleep(self.dice.random() * float(self.plan["pause_s"]))

    def enrol(self) -> None:
        """Become the technician's with the code that lies in the folder."""
        codes = self.plan["codes"]
        for code in codes:
            try:
                self.replica.enrol(code, device_name=self.plan["name"])
            except Refused:
                continue
            self.save()
            self.note("enrol", device=self.replica.state.device_id, person=self.plan["person"])
            return
        raise Offline

    def edit(self) -> None:
        """A person writes something down."""
        self.made += 1
        key = ("process", self.plan["seed"], self.plan["name"], self.lives, self.made)
        at = self.clock()
        pen = Pen(
            replica=self.replica, person=self.plan["person"], company=self.company, entities=ENTITIES, at=at, key=key,
            k=self.dice.randrange(10_000),
        )  # fmt: skip
        edit = make(pen, self.dice.choice(EDITS))
        if edit is None:
            return
        seen = self.replica.view(edit.document_id) or {}
        group = ident(*key, "group") if len(edit.parts) > 1 else None
        made = []
        for n, part in enumerate(edit.parts):
            mutation_id = ident(*key, "mutation", n)
            mutation = self.replica.edit(
                edit.collection, edit.document_id, mutation_id=mutation_id, made_at=at, group=group, **part
            )
            told = {name: seen.get(name) for name in mutation["set"]}
            self.note("edit", mutation=mutation, seen=told, person=self.plan["person"], honest=True)
            made.append(mutation_id)
        self.save()
        self.note("saved", ids=made)

    def push(self, most: int = 500) -> None:
        """Send once."""
        results = self.replica.push(device_time=self.clock(), rtt_ms=5, most=most)
        self.note("result", results=results)
        self.save()

    def pull(self, limit: int | None = None) -> bool:
        """Read one page."""
        more = self.replica.pull(limit)
        self.save()
        self.note("page", more=more, whole=False)
        return more

    def go_home(self) -> None:
        """Send all and say so; when everybody has, read all and say so."""
        self.going_home = True
        while True:
            try:
                if not self.replica.state.token:
                    self.enrol()
                while self.replica.state.outbox:
                    self.push()
                while self.pull():
                    pass
            except (Offline, Refused):
                time.sleep(0.2)
                continue
            if self.replica.state.outbox:
                continue
            if (self.folder / "sent").exists():
                self.note("home")
                return
            (self.folder / "sent").touch()
            while not (self.folder / "read").exists():
                time.sleep(0.02)


def run(folder: Path) -> None:
    """Be the tablet of this folder."""
    Tablet(folder).run()
