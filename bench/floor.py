"""A bare Flask server over ready JSON: what HTTP, JSON and the disk cost, with no law of sync kept.

No merge, no scopes, no journal, and on PostgreSQL its cursor misses rows that commit out of order. It is the floor that
Rounds is measured against, on the same machine in the same run.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
from flask import Flask, Response, request

from bench.load import Doc, Peer, Wire, batches, free_port, served

ROOT = Path(__file__).resolve().parent.parent
ADDRESS = "FLOOR_DATABASE"


class Rows:
    """One table: a growing number, an id, a text; who writes a document gives it a new number."""

    def __init__(self, address: str) -> None:
        self.postgresql = address.startswith("postgresql")
        if self.postgresql:
            import psycopg

            self.base: Any = psycopg.connect(address, autocommit=True)
        else:
            self.base = sqlite3.connect(address, isolation_level=None, timeout=60, check_same_thread=False)
            self.base.execute("PRAGMA journal_mode = WAL")
            self.base.execute("PRAGMA synchronous = FULL")

    def create(self) -> None:
        key = "BIGSERIAL PRIMARY KEY" if self.postgresql else "INTEGER PRIMARY KEY AUTOINCREMENT"
        self.base.execute(f"CREATE TABLE IF NOT EXISTS doc (n {key}, id TEXT UNIQUE, body TEXT)")

    def put(self, docs: Sequence[Doc]) -> None:
        values = [(doc["id"], orjson.dumps(doc).decode()) for doc in docs]
        if self.postgresql:
            statement = (
                "INSERT INTO doc (id, body) VALUES (%s, %s)"
                " ON CONFLICT (id) DO UPDATE SET body = excluded.body, n = excluded.n"
            )
            with self.base.transaction(), self.base.cursor() as cursor:
                cursor.executemany(statement, values)
            return
        self.base.execute("BEGIN IMMEDIATE")
        self.base.executemany("INSERT OR REPLACE INTO doc (id, body) VALUES (?, ?)", values)
        self.base.execute("COMMIT")

    def after(self, n: int, limit: int) -> tuple[int, list[str]]:
        sql = "SELECT n, body FROM doc WHERE n > ? ORDER BY n LIMIT ?"
        found = self.base.execute(sql.replace("?", "%s") if self.postgresql else sql, (n, limit)).fetchall()
        return (found[-1][0] if found else n), [row[1] for row in found]


def app() -> Flask:
    """The server; the address of its database is in the environment."""
    flask = Flask("floor")
    local = threading.local()

    def rows() -> Rows:
        if not hasattr(local, "rows"):
            local.rows = Rows(os.environ[ADDRESS])
        found: Rows = local.rows
        return found

    @flask.get("/pull")
    def pull() -> Response:
        n, bodies = rows().after(int(request.args["after"]), int(request.args["limit"]))
        return Response(f'{{"next":{n},"rows":[{",".join(bodies)}]}}', mimetype="application/json")

    @flask.post("/push")
    def push() -> dict[str, Any]:
        rows().put(orjson.loads(request.get_data()))
        return {}

    return flask


class Floor(Peer):
    """The bare server on a database of its own."""

    name = "bare Flask"
    key = "floor"

    def __init__(self, address: str, folder: Path) -> None:
        self.address, self.folder, self.port = address, folder, free_port()
        Rows(address).create()

    @contextlib.contextmanager
    def run(self) -> Iterator[None]:
        command = [sys.executable, "-m", "gunicorn", "-w", "2", "--threads", "8", "-b", f"127.0.0.1:{self.port}"]
        environment = {ADDRESS: self.address, "PYTHONPATH": str(ROOT)}
        with served(self, [*command, "bench.floor:app()"], self.folder, **environment):
            yield

    def wire(self, lane: int = 0) -> Wire:
        return Wire(self.port, lane=lane)

    def fill(self, docs: Sequence[Doc]) -> None:
        rows = Rows(self.address)
        for part in batches(docs, 1000):
            rows.put(part)
        rows.base.close()

    def push(self, wire: Wire, docs: Sequence[Doc]) -> None:
        wire("POST", "/push", docs)

    def edits(self, wire: Wire, docs: Sequence[Doc], **values: str) -> list[Doc]:
        return [doc | values for doc in docs]

    def send(self, wire: Wire, request: Any) -> None:
        wire("POST", "/push", request)

    def pull(self, wire: Wire, cursor: Any, limit: int) -> tuple[list[Any], Any, bool]:
        page = wire("GET", f"/pull?after={cursor or 0}&limit={limit}")
        return page["rows"], page["next"], len(page["rows"]) == limit

    def key_of(self, doc: Doc) -> str:
        return str(doc["id"])

    def id_of(self, document: Any) -> str:
        return str(document["id"])

    def status_of(self, document: Any) -> str:
        return str(document["status"])

    def notes_of(self, document: Any) -> str:
        return str(document["notes"])
