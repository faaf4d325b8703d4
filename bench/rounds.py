"""Rounds as a measured server: the load in its wire form, its company, its tablets.

A document of the load is a visit of one technician, whose tablets all measured devices are: `customer` and `equipment`
are its title, `address` and the coordinates its symptom, `notes` its instructions (new ones a note), `status` its
summary, the window the time that it is planned for; the checklist's steps are the checklist of its kind, their `ok` is
written behind the instructions. `number` and `updated_at` are the server's to give. Ids are UUIDv7 of the same order.
"""

from __future__ import annotations

import contextlib
import itertools
import pickle
import sys
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import flask_migrate
from sqlalchemy import select

from bench.load import CHANGED, LANES, PAGE, STEPS, Doc, Peer, Wire, batches, clock, free_port, served, spread
from schemas.entities.base import EVERYONE, iso, technician_scope
from schemas.push import MOST_MUTATIONS
from server.actions.contact import Contact
from server.actions.decide_coverage import Agreements
from server.actions.drafts import Sender
from server.actions.make_visit import make_visit
from server.actions.push_changes import push_changes
from server.actions.renew_token import new_token
from server.actions.sign_in import token_hash
from server.app import create_app
from server.extensions import db
from server.store.author import Author, acting
from server.store.feed import next_number
from server.store.models import Asset, Checklist, Customer, Device, DeviceScope, ProductModel, ServiceKind, Site
from server.store.transaction import transactional
from server.store.types import new_id
from tests.builders import SmallCompany, publish, small_company

ROOT = Path(__file__).resolve().parent.parent
KIND = "service"
KEPT = "rounds.known"
REMEMBERED = ("company", "filler", "devices", "numbers", "pushed", "versions")
STORED_AT_MS, PUSHED_AT_MS = 1_762_000_000_000, 1_764_000_000_000


class Rounds(Peer):
    """Rounds on a database of its own, with one technician whose tablets are the devices."""

    name = "Rounds"
    key = "rounds"

    def __init__(self, url: str, folder: Path, devices: int) -> None:
        self.url, self.folder, self.port = url, folder, free_port()
        self.app = create_app({"DATABASE_URL": url, "DATA_FOLDER": folder})
        self.pushed: set[str] = set()
        self.versions: dict[str, int] = {}
        with self.app.app_context():
            flask_migrate.upgrade()
            if (folder / KEPT).exists():
                self.__dict__ |= pickle.loads((folder / KEPT).read_bytes())
                return
            self.company = small_company()
            _add_kind(self.company.id)
            publish(self.company.id, self.company.visit(), self.company.anna)
            self.filler = _add_devices(self.company, self.company.anna, 1)[0][0]
            self.devices = _add_devices(self.company, self.company.anna, LANES + devices)
        self.numbers = [itertools.count(1) for _ in self.devices]

    def keep(self) -> None:
        """Write down what the devices know, for another run over the same database."""
        known = {name: self.__dict__[name] for name in REMEMBERED}
        (self.folder / KEPT).write_bytes(pickle.dumps(known))

    @contextlib.contextmanager
    def run(self) -> Iterator[None]:
        """As in production, but for the port."""
        config = ["--config", str(ROOT / "server" / "gunicorn_conf.py"), "--no-control-socket"]
        command = [sys.executable, "-m", "gunicorn", *config, "-b", f"127.0.0.1:{self.port}", "wsgi:app"]
        environment = {"DATABASE_URL": self.url, "ROUNDS_DATA": str(self.folder), "PYTHONPATH": str(ROOT)}
        environment |= {"WEB_PROCESSES": "2", "WEB_THREADS": "8"}
        with served(self, command, self.folder, **environment):
            yield

    def wire(self, lane: int = 0) -> Wire:
        return Wire(self.port, {"Authorization": f"Bearer {self.devices[lane][1]}"}, lane)

    def fill(self, docs: Sequence[Doc]) -> None:
        """Through the action that the door calls, in this process."""
        numbers = itertools.count(len(self.versions) + 1)
        with self.app.app_context(), acting(Author(name=self.filler.name, device_id=self.filler.device_id)):
            for part in batches(docs, MOST_MUTATIONS):
                now = _now()
                mutations = [self._mutation(numbers, "create", doc, set=self._values(doc)) for doc in part]
                pushed = push_changes(self.filler, mutations, contact=Contact(device_time=now), now=now, locale="en")
                self._take(mutations, pushed.results)
                db.session.remove()

    def push(self, wire: Wire, docs: Sequence[Doc]) -> None:
        self.pushed |= {doc["id"] for doc in docs}
        numbers = self.numbers[wire.lane]
        new = [self._mutation(numbers, "create", doc, set=self._values(doc)) for doc in docs]
        self.send(wire, {"device_time": iso(_now()), "mutations": new})

    def edits(self, wire: Wire, docs: Sequence[Doc], **values: str) -> Any:
        edits = []
        for doc in docs:
            part: dict[str, Any] = {}
            if "status" in values:
                part["set"] = {"work_summary": values["status"]}
            if "notes" in values:
                part["add"] = {"notes": [{"id": str(uuid.uuid4()), "at": iso(_now()), "text": values["notes"]}]}
            edits.append(self._mutation(self.numbers[wire.lane], "update", doc, **part))
        return {"device_time": iso(_now()), "mutations": edits}

    def send(self, wire: Wire, request: Any) -> None:
        self._take(request["mutations"], wire("POST", "/sync/v1/push", request)["results"])

    def pull(self, wire: Wire, cursor: Any, limit: int) -> tuple[list[Any], Any, bool]:
        page = wire("GET", f"/sync/v1/pull?limit={limit}" + (f"&cursor={cursor}" if cursor else ""))
        found = [
            change
            for change in page["changes"]
            if change["collection"] == "visit" and change["document"].get("kind") == KIND
        ]
        return found, page["cursor"], page["more"]

    def key_of(self, doc: Doc) -> str:
        """A document's id as a UUIDv7: its place in the order for a time, its own bits for the rest."""
        moment = (PUSHED_AT_MS if doc["id"] in self.pushed else STORED_AT_MS) + doc["number"]
        text = f"{moment:012x}"
        return f"{text[:8]}-{text[8:]}-7{doc['id'][15:]}"

    def id_of(self, document: Any) -> str:
        return str(document["id"])

    def status_of(self, document: Any) -> str:
        return str(document["document"]["work_summary"])

    def notes_of(self, document: Any) -> str:
        return " ".join(note["text"] for note in document["document"].get("notes", ()))

    def saw(self, document: Any) -> None:
        self.versions[document["id"]] = document["version"]

    def work_package(self, count: int) -> dict[str, float]:
        """How long a new tablet of another technician takes for its first pull, and how many documents it gets."""
        with self.app.app_context():
            _add_package(self.company, count)
            token = _add_devices(self.company, self.company.boris, 1)[0][1]
            db.session.remove()
        documents, cursor, more = 0, "", True
        with Wire(self.port, {"Authorization": f"Bearer {token}"}) as wire:
            started = clock()
            while more:
                page = wire("GET", f"/sync/v1/pull?limit={PAGE}" + (f"&cursor={cursor}" if cursor else ""))
                documents, cursor, more = documents + len(page["changes"]), page["cursor"], page["more"]
            return {"documents": documents, "seconds": clock() - started}

    def add_catalogue(self, count: int, there: int = 0) -> float:
        """Put product models, which every tablet holds, into the store until there are so many; seconds."""
        started = clock()
        with self.app.app_context():
            for first in range(there, count, 1000):
                _add_models(self.company.id, range(first, min(first + 1000, count)))
                db.session.remove()
        return clock() - started

    def catalogue_deltas(self) -> list[str]:
        """What a tablet that has the catalogue pays for what changes in it, and one that has not for all of it."""
        told = []
        with self.wire() as wire:
            started, count, cursor, more = clock(), 0, "", True
            while more:
                page = wire("GET", f"/sync/v1/pull?limit={PAGE}" + (f"&cursor={cursor}" if cursor else ""))
                count, cursor, more = count + len(page["changes"]), page["cursor"], page["more"]
            told.append(f"first pull of all {count:,} documents: {count / (clock() - started):,.0f} a second")
            with self.app.app_context():
                changed = change_models(self.company.id, CHANGED)
                db.session.remove()
            path = f"/sync/v1/pull?limit={PAGE}&cursor={cursor}"
            rows, p50, p95 = spread(lambda: len(wire("GET", path)["changes"]))
            told.append(f"delta of {rows} documents of the catalogue: p50 {p50:.2f} ms, p95 {p95:.2f} ms")
            if rows != changed:
                raise RuntimeError(f"{changed} documents were changed")
        return told

    def _values(self, doc: Doc) -> Doc:
        checks = "".join("+" if step["ok"] else "-" for step in doc["checklist"])
        return {
            "kind": KIND,
            "site_id": self.company.sites[0],
            "title": f"{doc['equipment']}, {doc['customer']}",
            "instructions": f"{doc['notes'].strip()} {checks}",
            "symptom": f"{doc['address']}, {doc['latitude']}, {doc['longitude']}",
            "planned_start": doc["window_start"],
            "planned_end": doc["window_end"],
            "work_summary": doc["status"],
        }

    def _mutation(self, numbers: Iterator[int], op: str, doc: Doc, **part: Any) -> dict[str, Any]:
        visit_id = self.key_of(doc)
        return {
            "id": str(uuid.uuid4()),
            "n": next(numbers),
            "collection": "visit",
            "document_id": visit_id,
            "op": op,
            "base_version": self.versions.get(visit_id),
            "set": {},
            "add": {},
            "remove": {},
            "made_at": iso(_now()),
            "group": None,
        } | part

    def _take(self, mutations: Sequence[dict[str, Any]], results: Sequence[dict[str, Any]]) -> None:
        for mutation, result in zip(mutations, results, strict=True):
            if result["status"] == "rejected":
                raise RuntimeError(f"rejected: {result['problem']}")
            self.versions[mutation["document_id"]] = result["version"]


def _now() -> datetime:
    return datetime.now(UTC)


def enrol(company: SmallCompany) -> tuple[str, str]:
    """One more tablet of the first technician: its id and token."""
    sender, token = _add_devices(company, company.anna, 1)[0]
    return sender.device_id, token


@transactional
def _add_devices(company: SmallCompany, technician_id: str, count: int) -> list[tuple[Sender, str]]:
    """Tablets of a technician, as enrolment leaves them, and their tokens."""
    now, made = _now(), []
    for number in range(count):
        token = new_token()
        device = Device(
            company_id=company.id, id=new_id(), technician_id=technician_id, user_id=None, name=f"Tablet {number}",
            schema_version=1, token_hash=token_hash(token), missing=[], enrolled_at=now, token_issued_at=now,
            last_seen_at=now,
        )  # fmt: skip
        db.session.add(device)
        db.session.flush()
        for scope in (technician_scope(technician_id), EVERYONE):
            granted = next_number(db.session(), company.id)
            db.session.add(DeviceScope(company_id=company.id, device_id=device.id, scope=scope, granted=granted))
        sender = Sender(
            company_id=company.id, device_id=device.id, technician_id=technician_id, name="Anna", user_id=None
        )  # fmt: skip
        made.append((sender, token))
    return made


@transactional
def _add_kind(company_id: str) -> None:
    checklist = new_id()
    db.session.add(
        Checklist(
            company_id=company_id, id=checklist, code="steps", revision=1, title={"en": "Steps", "ru": "Шаги"},
            items=[
                {"key": f"step-{n}", "kind": "check", "text": {"en": step, "ru": step}, "unit": None, "min": None,
                 "max": None, "meter": None, "mandatory": True}
                for n, step in enumerate(STEPS)
            ],
        )
    )  # fmt: skip
    db.session.add(
        ServiceKind(
            company_id=company_id, id=new_id(), code=KIND, name={"en": "Service", "ru": "Сервис"}, minutes=60,
            skills=[], checklist_id=checklist, included_in_warranty=False, preventive=False, active=True,
        )
    )  # fmt: skip


@transactional
def _add_package(company: SmallCompany, count: int) -> None:
    """Visits of the second technician, each at a site of its own with a machine: four documents each, about."""
    agreed = Agreements(company.id)
    for number in range(count // 4):
        customer, site, asset = new_id(), new_id(), new_id()
        db.session.add(Customer(company_id=company.id, id=customer, name=f"Customer {number}", locale="en"))
        db.session.flush()
        db.session.add(
            Site(
                company_id=company.id, id=site, customer_id=customer, branch_id=company.branch, name=f"Site {number}",
                lat=42.5, lon=1.5, tz="Europe/Andorra", access_note="Access by the back door", tags=[],
            )
        )  # fmt: skip
        db.session.flush()
        db.session.add(
            Asset(
                company_id=company.id, id=asset, site_id=site, model_id=company.model, serial=f"S-{number}",
                in_service=True, recent_visits=[],
            )
        )  # fmt: skip
        db.session.flush()
        values = {"kind": KIND, "site_id": site, "asset_ids": [asset], "assignee_id": company.boris}
        planned = {"plan_state": "published", "planned_start": iso(_now()), "planned_end": iso(_now())}
        make_visit(company.id, values | planned, origin="request", now=_now(), agreed=agreed)


@transactional
def _add_models(company_id: str, numbers: range) -> None:
    for number in numbers:
        meters = [{"code": "hours", "unit": "h", "name": {"en": "Operating hours", "ru": "Наработка"}}]
        db.session.add(
            ProductModel(
                company_id=company_id, id=new_id(), code=f"M-{number}", name=f"Pump {number}", family="pumps",
                maker="Rounds Works", meters=meters,
            )
        )  # fmt: skip


@transactional
def change_models(company_id: str, count: int) -> int:
    statement = select(ProductModel).where(ProductModel.company_id == company_id).order_by(ProductModel.id.desc())
    found = list(db.session.scalars(statement.limit(count)))
    for model in found:
        model.maker = f"Changed {new_id()[-6:]}"
    return len(found)
