"""Kinto on PostgreSQL: whole records, a push is a batch of `PUT`, sent again whole when the server answers 409."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.load import BATCH, Doc, Peer, Wire, batches, free_port, served
from bench.peers.rooms import python_room, run

RECORDS = "/buckets/rounds/collections/visits/records"
TRIES = 50
SETTINGS = """
[app:main]
use = egg:kinto
kinto.storage_backend = kinto.core.storage.postgresql
kinto.storage_url = {address}
kinto.permission_backend = kinto.core.permission.postgresql
kinto.permission_url = {address}
kinto.cache_backend = kinto.core.cache.memory
kinto.userid_hmac_secret = a secret of this run alone
multiauth.policies = basicauth
kinto.bucket_create_principals = system.Authenticated
kinto.paginate_by = 1000
kinto.batch_max_requests = {batch}
"""


class Kinto(Peer):
    """One collection, one account."""

    name = "Kinto, PostgreSQL"
    key = "kinto"

    def __init__(self, address: str, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.python = python_room(folder, "kinto[postgresql]", "gunicorn", "setuptools<81")
        self.settings = folder / "kinto.ini"
        plain = address.partition("?")[0] if "host=" not in address else address
        self.settings.write_text(SETTINGS.format(address=plain.replace("%", "%%"), batch=BATCH + 1))
        run([str(self.python.parent / "kinto"), "migrate", "--ini", str(self.settings)], folder)

    @contextlib.contextmanager
    def run(self) -> Iterator[None]:
        command = [str(self.python), "-m", "gunicorn", "-w", "2", "--threads", "8", "-b", f"127.0.0.1:{self.port}"]
        with served(self, [*command, "--paste", str(self.settings)], self.folder):
            yield

    def prepare(self) -> None:
        with self.wire() as wire:
            wire("PUT", "/v1/buckets/rounds", {})
            wire("PUT", "/v1/buckets/rounds/collections/visits", {})

    def wire(self, lane: int = 0) -> Wire:
        return Wire(self.port, {"Authorization": "Basic " + base64.b64encode(b"rounds:rounds").decode()}, lane)

    def fill(self, docs: Sequence[Doc]) -> None:
        with self.run(), self.wire() as wire:
            for part in batches(docs, BATCH):
                self.push(wire, part)

    def push(self, wire: Wire, docs: Sequence[Doc]) -> None:
        self.send(wire, [dict(doc) for doc in docs])

    def edits(self, wire: Wire, docs: Sequence[Doc], **values: str) -> Any:
        return [doc | values for doc in docs]

    def send(self, wire: Wire, request: Any) -> None:
        puts = [{"method": "PUT", "path": f"{RECORDS}/{doc['id']}", "body": {"data": doc}} for doc in request]
        for _ in range(TRIES):
            worst = max(each["status"] for each in wire("POST", "/v1/batch", {"requests": puts})["responses"])
            if worst < 400:
                return
            if worst != 409:
                break
        raise RuntimeError(f"a batch was answered with {worst}")

    def pull(self, wire: Wire, cursor: Any, limit: int) -> tuple[list[Any], Any, bool]:
        since = f"&_since={cursor}" if cursor else ""
        found = wire("GET", f"/v1{RECORDS}?_sort=last_modified&_limit={limit}{since}")["data"]
        return found, (found[-1]["last_modified"] if found else cursor), len(found) == limit

    def key_of(self, doc: Doc) -> str:
        return str(doc["id"])

    def id_of(self, document: Any) -> str:
        return str(document["id"])

    def status_of(self, document: Any) -> str:
        return str(document["status"])

    def notes_of(self, document: Any) -> str:
        return str(document["notes"])
