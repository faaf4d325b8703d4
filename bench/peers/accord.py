"""Accord (`accordsync-server`) on PostgreSQL: a document is a record of fields, each change of a field an operation."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.load import BATCH, Doc, Peer, Wire, batches, free_port, served
from bench.peers.rooms import python_room, run

SECRET = "a secret that is long enough for a signature of tokens"
FIELDS = (
    "number", "status", "customer", "address", "latitude", "longitude", "equipment", "window_start", "window_end",
    "notes", "checklist", "updated_at",
)  # fmt: skip
APP = f"""
import os
from accordsync_core import define_schema, lww
from accordsync_server import Access, AccordServer, Auth, Limits, create_pool, define_server

everything = Access(read=["all"], write=["all"])
definition = define_server(
    schema=define_schema({{"visit": {{name: lww() for name in {FIELDS!r}}}}}),
    scopes={{"visit": lambda record: ["all"]}},
    access=lambda claims: everything,
    auth=Auth.hs256({SECRET!r}),
    rate_limit=False,
    limits=Limits(max_push_ops=2000),
)
app = AccordServer(definition, create_pool(os.environ["ACCORD_DATABASE_URL"], size=20)).wsgi
"""


class Accord(Peer):
    """One scope that every device reads and writes; a hundred documents are one push."""

    name = "Accord, PostgreSQL"
    key = "accord"

    def __init__(self, address: str, folder: Path) -> None:
        self.address, self.folder, self.port = address, folder, free_port()
        self.python = python_room(folder, "accordsync-server", "gunicorn")
        (folder / "accord_app.py").write_text(APP)
        run([str(self.python), "-m", "accordsync_server", "migrate"], folder, ACCORD_DATABASE_URL=address)
        self.numbers: dict[int, Iterator[int]] = {}
        self.held: dict[str, Doc] = {}
        self.clocks: dict[tuple[str, str], str] = {}

    @contextlib.contextmanager
    def run(self) -> Iterator[None]:
        command = [str(self.python), "-m", "gunicorn", "-w", "2", "--threads", "8", "-b", f"127.0.0.1:{self.port}"]
        command += ["--chdir", str(self.folder), "accord_app:app"]
        with served(self, command, self.folder, ACCORD_DATABASE_URL=self.address):
            yield

    def wire(self, lane: int = 0) -> Wire:
        return Wire(self.port, {"Authorization": f"Bearer {_token(lane)}", "Accord-Device": _device(lane)}, lane)

    def fill(self, docs: Sequence[Doc]) -> None:
        with self.run(), self.wire() as wire:
            for part in batches(docs, BATCH):
                self.push(wire, part)

    def push(self, wire: Wire, docs: Sequence[Doc]) -> None:
        self.send(wire, [self._op(wire.lane, doc, name, doc[name]) for doc in docs for name in FIELDS])

    def edits(self, wire: Wire, docs: Sequence[Doc], **values: str) -> Any:
        return [self._op(wire.lane, doc, name, value) for doc in docs for name, value in values.items()]

    def send(self, wire: Wire, request: Any) -> None:
        refused = wire("POST", "/v1/push", {"ops": request})["refused"]
        if refused:
            raise RuntimeError(f"refused: {refused[0]}")

    def pull(self, wire: Wire, cursor: Any, limit: int) -> tuple[list[Any], Any, bool]:
        """Operations laid over what is known, as its client does it; of a field the newest clock counts."""
        page = wire("GET", f"/v1/pull?cursor={cursor or 0}&limit={limit}")
        touched: dict[str, Doc] = {}
        for item in page["items"]:
            if item["type"] != "op":
                continue
            op = item["op"]
            record = op["record"]
            doc = touched[record] = self.held.setdefault(record, {"id": record.partition(":")[2]})
            key = (record, op["field"])
            if op["hlc"] >= self.clocks.get(key, ""):
                self.clocks[key] = op["hlc"]
                doc[op["field"]] = op["value"]
        return list(touched.values()), page["cursor"], page["has_more"]

    def key_of(self, doc: Doc) -> str:
        return str(doc["id"])

    def id_of(self, document: Any) -> str:
        return str(document["id"])

    def status_of(self, document: Any) -> str:
        return str(document.get("status"))

    def notes_of(self, document: Any) -> str:
        return str(document.get("notes"))

    def _op(self, lane: int, doc: Doc, name: str, value: Any) -> dict[str, Any]:
        number = next(self.numbers.setdefault(lane, itertools.count(1)))
        device = _device(lane)
        return {
            "op_id": f"{device}:{number}",
            "record": f"visit:{doc['id']}",
            "field": name,
            "hlc": f"{time.time_ns() // 1_000_000}:{number % 100_000:05d}:{device}",
            "kind": "assign",
            "value": value,
            "deps": [],
        }


def _device(lane: int) -> str:
    return f"device-{lane}"


def _token(lane: int) -> str:
    """A JSON Web Token, signed with the secret that both sides know."""

    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    now = int(time.time())
    claims = {"sub": f"user-{lane}", "iat": now, "exp": now + 86_400}
    signed = f"{part(json.dumps({'alg': 'HS256', 'typ': 'JWT'}).encode())}.{part(json.dumps(claims).encode())}"
    return f"{signed}.{part(hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).digest())}"
