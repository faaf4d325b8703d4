"""A network that comes and goes every few milliseconds, and tablets that are killed meanwhile; then silence. F13

Tablets are processes with a store of their own. When the network stays all go home: each outbox empties without a
person, and each replica proves against the server that it is whole (S-147).
"""

from __future__ import annotations

import json
import os
import random
import time
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask

from server.actions.enrol_device import make_code
from server.actions.make_visit import make_visit
from server.extensions import db
from server.store.transaction import transactional
from server.store.types import new_id
from sync.client import Replica
from tests import warm
from tests.builders import SmallCompany, publish
from tests.faults.proxy import FaultProxy
from tests.serving import ROOT, Server
from tests.simulator.real import device
from tests.tablets import OverHttp, Tablet

FLIPS = 5
"""So often the network goes away in one run."""

LONGEST_AWAY_S, LONGEST_THERE_S = 0.05, 0.15
HOME_S = 60.0
"""When the network stays, everybody is home so soon (I5)."""


class Flapping:
    """Two of Anna's tablets before a server behind a proxy."""

    def __init__(self, app: Flask, company: SmallCompany, server: Server, folder: Path, seed: int) -> None:
        self.app, self.company, self.server, self.folder = app, company, server, folder
        self.dice = random.Random(f"flapping {seed}")
        self.seed = seed
        self.tablets: dict[str, warm.Process] = {}
        self.kills = 0
        self.people = {"anna-1": company.anna, "anna-2": company.anna}
        with app.app_context():
            for technician in (company.anna, company.boris):
                publish(company.id, company.visit(asset_ids=company.assets[:1]), technician, datetime.now(UTC))
            codes = {
                name: make_code(company.id, who, user_id=None, now=datetime.now(UTC)).code
                for name, who in self.people.items()
            }
            db.session.remove()
        for name, code in codes.items():
            tablet = Tablet(OverHttp(server.url))
            tablet.enrol(code, device_name=name)
            (folder / name).mkdir()
            (folder / name / "state.json").write_text(json.dumps(tablet.save()))

    def run(self) -> list[str]:
        """One run: the network flaps, tablets die, the office writes; then silence. What is stuck or differs."""
        with FaultProxy(self.server.port) as proxy:
            for name in self.people:
                self._start(name, proxy.url)
            try:
                self._flap(proxy)
                proxy.refuse(False)
                return self._home()
            finally:
                for process in self.tablets.values():
                    process.kill()
                    process.wait()

    def _flap(self, proxy: FaultProxy) -> None:
        for flip in range(FLIPS):
            proxy.refuse()
            proxy.cut_all("reset" if flip % 2 else "close")
            if flip % 3 == 1:
                name = self.dice.choice(sorted(self.tablets))
                self.tablets[name].kill()
                self.tablets[name].wait()
                self.kills += 1
                self._start(name, proxy.url)
            if flip % 4 == 2:
                self._office()
            time.sleep(self.dice.random() * LONGEST_AWAY_S)
            proxy.refuse(False)
            time.sleep(self.dice.random() * LONGEST_THERE_S)

    def _start(self, name: str, url: str) -> None:
        folder = self.folder / name
        for mark in ("stop", "sent", "read"):
            (folder / mark).unlink(missing_ok=True)
        plan = folder / "plan.json"
        lives = json.loads(plan.read_text())["lives"] if plan.exists() else 0
        company = {
            "technicians": [self.company.anna, self.company.boris], "customers": [self.company.customer],
            "sites": self.company.sites, "assets": self.company.assets,
        }  # fmt: skip
        told = {
            "name": name, "seed": self.seed, "lives": lives + 1, "url": url, "person": self.people[name],
            "codes": [], "company": company, "offset_s": 0.0, "pause_s": 0.1,
        }  # fmt: skip
        plan.write_text(json.dumps(told))
        log = folder / "errors.log"
        self.tablets[name] = warm.Process(device.run, [folder], environment=os.environ, folder=ROOT, log=log)

    def _office(self) -> None:
        """The office makes a visit for somebody."""

        @transactional
        def make() -> None:
            whose = self.dice.choice((self.company.anna, self.company.boris))
            now = datetime.now(UTC)
            values = {"kind": "preventive_maintenance", "site_id": self.dice.choice(self.company.sites)}
            values |= {"assignee_id": whose, "plan_state": "published", "planned_start": now.isoformat()}
            make_visit(self.company.id, values, origin="request", now=now, visit_id=new_id())

        with self.app.app_context():
            make()
            db.session.remove()

    def _home(self) -> list[str]:
        deadline = time.monotonic() + HOME_S
        for name in self.people:
            (self.folder / name / "stop").touch()
        while not all((self.folder / name / "sent").exists() for name in self.people):
            if time.monotonic() > deadline:
                return [
                    f"{name} has not sent all" for name in self.people if not (self.folder / name / "sent").exists()
                ]
            for name, process in self.tablets.items():
                if process.poll() is not None:
                    return [f"{name} ended: {(self.folder / name / 'errors.log').read_text()[-2000:]}"]
            time.sleep(0.01)
        for name in self.people:
            (self.folder / name / "read").touch()
        found = []
        for name, process in self.tablets.items():
            try:
                code = process.wait(max(deadline - time.monotonic(), 1.0))
            except TimeoutError:
                found.append(f"{name} has not read all")
            else:
                found += [f"{name} ended with {code}"] if code else []
        return found or self._differences()

    def _differences(self) -> list[str]:
        """Outboxes that are not empty, and replicas that are not what the server holds for them."""
        found, seen = [], {}
        for name in self.people:
            transport = OverHttp(self.server.url)
            saved = json.loads((self.folder / name / "state.json").read_text())
            replica = transport.replica = Replica.load(transport, saved)
            if replica.state.outbox:
                found.append(f"{name} has {len(replica.state.outbox)} edits left")
            checked = replica.verify()
            if not checked.whole:
                found.append(f"{name} is not whole: {checked}")
            seen[name] = {doc: (held["version"], held["document"]) for doc, held in replica.state.documents.items()}
        if seen["anna-1"] != seen["anna-2"]:
            found.append("Anna's two tablets are not alike")
        return found
