"""First pull, push and deltas of Rounds, with a bare Flask server over the same rows in the same run.

    python -m bench.sync [--stored 2000] [--pushed 1000] [--seed 1]      on SQLite
    DATABASE_URL=postgresql://… python -m bench.sync      on a PostgreSQL server (makes two databases)

W1: one client pulls a filled store from no cursor, pages of 1,000. W2: new documents in batches of 100, one, then
eight clients. W3: 200 documents change; 100 pulls from before, 100 from the newest cursor. Both are gunicorn with
2 processes of 8 threads, on the same two cores as the client; nothing is switched off. Figures of a run are to be
read against its floor. The last line is JSON.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).resolve().parent.parent
STEPS = ("Visual inspection", "Tighten terminals", "Measure insulation", "Replace filter", "Test run")
STREETS = ("Lenina", "Sadovaya", "Carrer Major", "Avinguda Meritxell", "Hauptstrasse")
BATCH = 100
TIMES = 100
CHANGED = 200

Doc = dict[str, Any]


def visits(count: int, seed: int) -> list[Doc]:
    """The load: `count` service visits of about 600 bytes of JSON, the same for the same seed."""
    rng = random.Random(seed)
    made = []
    for number in range(count):
        made.append(
            {
                "id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
                "number": number,
                "status": rng.choice(["planned", "published", "done"]),
                "customer": f"Customer {rng.randrange(5000)}",
                "address": f"{rng.choice(STREETS)} {rng.randrange(1, 200)}",
                "latitude": round(42.43 + rng.random() * 0.3, 6),
                "longitude": round(1.42 + rng.random() * 0.33, 6),
                "equipment": f"PUMP-{rng.randrange(10**6):06d}",
                "window_start": "2026-11-24T08:00:00Z",
                "window_end": "2026-11-24T10:00:00Z",
                "notes": "Access by the back door, ask for the caretaker. " * rng.randrange(1, 3),
                "checklist": [{"step": step, "ok": rng.random() < 0.9} for step in STEPS],
                "updated_at": f"2026-11-{rng.randrange(1, 24):02d}T12:00:00Z",
            }
        )
    return made


class Wire:
    """One keep-alive connection, JSON both ways."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self.wire = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.headers = headers
        self.received = 0

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else orjson.dumps(body)
        self.wire.request(method, path, data, self.headers | ({"Content-Type": "application/json"} if data else {}))
        answer = self.wire.getresponse()
        text = answer.read()
        self.received += len(text)
        if answer.status >= 400:
            raise RuntimeError(f"{answer.status} {text[:300]!r}")
        return orjson.loads(text) if text else None


class Peer:
    """A measured server: how it is spoken to."""

    name = ""
    port = 0

    def wire(self, lane: int = 0) -> Wire:
        raise NotImplementedError

    def push(self, wire: Wire, docs: list[Doc]) -> None:
        """New documents, in one request and one commit."""
        raise NotImplementedError

    def change(self, wire: Wire, docs: list[Doc]) -> None:
        """Documents that are there get a new status."""
        raise NotImplementedError

    def pull(self, wire: Wire, cursor: Any, limit: int) -> tuple[list[Any], Any, bool]:
        """Changes, the cursor after them, whether there is more."""
        raise NotImplementedError


# --- the floor ------------------------------------------------------------------------------------------------------


def floor_app() -> Any:
    """Ready JSON under a growing number: what HTTP, JSON and the disk cost, and no law of sync kept."""
    from flask import Flask, Response, request

    app = Flask("floor")
    local = threading.local()
    address = os.environ["FLOOR_DATABASE"]

    def rows() -> Any:
        if not hasattr(local, "rows"):
            local.rows = FloorRows(address)
        return local.rows

    @app.get("/pull")
    def pull() -> Response:
        after, bodies = rows().after(int(request.args["after"]), int(request.args["limit"]))
        return Response(f'{{"next":{after},"rows":[{",".join(bodies)}]}}', mimetype="application/json")

    @app.post("/push")
    def push() -> dict[str, Any]:
        rows().put(orjson.loads(request.get_data()))
        return {}

    return app


class FloorRows:
    """The floor's one table, on either database."""

    def __init__(self, address: str) -> None:
        self.sqlite = not address.startswith("postgresql")
        if self.sqlite:
            self.base: Any = sqlite3.connect(address, isolation_level=None, timeout=60, check_same_thread=False)
            self.base.execute("PRAGMA journal_mode = WAL")
            self.base.execute("PRAGMA synchronous = FULL")
        else:
            import psycopg

            self.base = psycopg.connect(address, autocommit=True)

    def create(self) -> None:
        key = "INTEGER PRIMARY KEY AUTOINCREMENT" if self.sqlite else "BIGSERIAL PRIMARY KEY"
        self.base.execute(f"CREATE TABLE doc (n {key}, id TEXT UNIQUE, body TEXT)")

    def put(self, docs: list[Doc]) -> None:
        values = [(doc["id"], orjson.dumps(doc).decode()) for doc in docs]
        if self.sqlite:
            self.base.execute("BEGIN IMMEDIATE")
            self.base.executemany("INSERT OR REPLACE INTO doc (id, body) VALUES (?, ?)", values)
            self.base.execute("COMMIT")
            return
        statement = (
            "INSERT INTO doc (id, body) VALUES (%s, %s) "
            "ON CONFLICT (id) DO UPDATE SET body = excluded.body, n = excluded.n"
        )
        with self.base.transaction(), self.base.cursor() as cursor:
            cursor.executemany(statement, values)

    def after(self, n: int, limit: int) -> tuple[int, list[str]]:
        mark = "?" if self.sqlite else "%s"
        found = self.base.execute(
            f"SELECT n, body FROM doc WHERE n > {mark} ORDER BY n LIMIT {mark}",  # noqa: S608 - a placeholder's sign
            (n, limit),
        ).fetchall()
        return (found[-1][0] if found else n), [row[1] for row in found]


class Floor(Peer):
    name = "bare Flask"

    def __init__(self, port: int) -> None:
        self.port = port

    def wire(self, lane: int = 0) -> Wire:
        return Wire(self.port, {})

    def push(self, wire: Wire, docs: list[Doc]) -> None:
        wire("POST", "/push", docs)

    def change(self, wire: Wire, docs: list[Doc]) -> None:
        wire("POST", "/push", [doc | {"status": "changed"} for doc in docs])

    def pull(self, wire: Wire, cursor: Any, limit: int) -> tuple[list[Any], Any, bool]:
        page = wire("GET", f"/pull?after={cursor or 0}&limit={limit}")
        return page["rows"], page["next"], len(page["rows"]) == limit


# --- Rounds ---------------------------------------------------------------------------------------------------------


class Rounds(Peer):
    """Tablets of one technician; a document is a visit, its content in the fields that a visit has."""

    name = "Rounds"

    def __init__(self, port: int, tokens: list[str], site: str) -> None:
        self.port, self.tokens, self.site = port, tokens, site
        self.numbers = [0] * len(tokens)

    def wire(self, lane: int = 0) -> Wire:
        wire = Wire(self.port, {"Authorization": f"Bearer {self.tokens[lane]}"})
        wire.lane = lane  # type: ignore[attr-defined]
        return wire

    def push(self, wire: Wire, docs: list[Doc]) -> None:
        self._send(wire, [("create", doc["id"], self._values(doc)) for doc in docs])

    def change(self, wire: Wire, docs: list[Doc]) -> None:
        self._send(wire, [("update", doc["id"], {"work_summary": "changed"}) for doc in docs])

    def pull(self, wire: Wire, cursor: Any, limit: int) -> tuple[list[Any], Any, bool]:
        page = wire("GET", f"/sync/v1/pull?limit={limit}" + (f"&cursor={cursor}" if cursor else ""))
        found = [change for change in page["changes"] if change["collection"] == "visit"]
        return found, page["cursor"], page["more"]

    def _values(self, doc: Doc) -> Doc:
        return {
            "kind": "repair_minor",
            "site_id": self.site,
            "title": f"{doc['equipment']}, {doc['customer']}",
            "instructions": doc["notes"] + ", ".join(step["step"] for step in doc["checklist"]),
            "symptom": f"{doc['address']} {doc['latitude']} {doc['longitude']}",
            "window_start": doc["window_start"],
            "window_end": doc["window_end"],
        }

    def _send(self, wire: Any, edits: list[tuple[str, str, Doc]]) -> None:
        now = datetime.now(UTC).isoformat()
        mutations = []
        for op, document_id, values in edits:
            self.numbers[wire.lane] += 1
            mutations.append(
                {
                    "id": str(uuid.uuid4()), "n": self.numbers[wire.lane], "collection": "visit", "op": op,
                    "document_id": document_id, "base_version": None, "set": values, "made_at": now,
                }
            )  # fmt: skip
        answer = wire("POST", "/sync/v1/push", {"device_time": now, "mutations": mutations})
        if bad := [result for result in answer["results"] if result["status"] == "rejected"]:
            raise RuntimeError(str(bad[0])[:300])


def prepare(url: str, folder: Path) -> tuple[str, list[str]]:
    """An empty Rounds with one technician, nine tablets and a visit at the site; the site and the tablets' tokens."""
    import flask_migrate

    from server.actions.enrol_device import enrol, make_code
    from server.app import create_app
    from tests.builders import publish, small_company

    app = create_app({"DATABASE_URL": url, "DATA_FOLDER": folder})
    with app.app_context():
        flask_migrate.upgrade()
        company = small_company()
        publish(company.id, company.visit(), company.anna)
        tokens = []
        for lane in range(9):
            now = datetime.now(UTC)
            code = make_code(company.id, company.anna, user_id=None, now=now).code
            name = f"Tablet {lane}"
            tokens.append(enrol(code, device_name=name, app_version=None, schema_version=1, now=now).token)
    return company.sites[0], tokens


# --- running --------------------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def served(target: str, port: int, ready: str, **environment: str) -> Iterator[None]:
    """gunicorn with 2 processes of 8 threads, until the block ends."""
    command = [sys.executable, "-m", "gunicorn", "--no-control-socket", "-w", "2", "-k", "gthread", "--threads", "8"]
    process = subprocess.Popen(
        [*command, "--keep-alive", "60", "--timeout", "120", "-b", f"127.0.0.1:{port}", target],
        cwd=ROOT,
        env=os.environ | environment | {"PYTHONPATH": str(ROOT)},
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}{ready}", timeout=2).close()
                break
            except OSError:
                continue
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def batches(docs: list[Doc]) -> list[list[Doc]]:
    return [docs[start : start + BATCH] for start in range(0, len(docs), BATCH)]


def push_all(peer: Peer, docs: list[Doc], lanes: int, first_lane: int = 0) -> float:
    """Seconds until all are answered."""
    parts = batches(docs)
    errors: list[Exception] = []

    def lane(number: int) -> None:
        wire = peer.wire(first_lane + number)
        try:
            for part in parts[number::lanes]:
                peer.push(wire, part)
        except (RuntimeError, OSError) as error:
            errors.append(error)

    threads = [threading.Thread(target=lane, args=(number,)) for number in range(lanes)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return time.perf_counter() - started


def everything(peer: Peer, wire: Wire) -> tuple[int, Any]:
    """How many documents there are, and the cursor after them."""
    count, cursor, more = 0, None, True
    while more:
        rows, cursor, more = peer.pull(wire, cursor, 1000)
        count += len(rows)
    return count, cursor


def spread(call: Callable[[], int]) -> tuple[int, float, float]:
    """What the last call gave, p50 and p95 in ms."""
    spent, found = [], 0
    for _ in range(TIMES):
        started = time.perf_counter()
        found = call()
        spent.append((time.perf_counter() - started) * 1000)
    spent.sort()
    return found, spent[TIMES // 2], spent[TIMES * 95 // 100]


def measure(peer: Peer, *, stored: int, pushed: int, seed: int) -> dict[str, Any]:
    """W1 to W3 of one server."""
    base, fresh = visits(stored, seed), visits(2 * pushed, seed + 1)
    push_all(peer, base, 4)
    wire = peer.wire()
    started, before = time.perf_counter(), wire.received
    count, cursor = everything(peer, wire)
    figures: dict[str, Any] = {
        "server": peer.name,
        "pulled": count,
        "pull_docs_s": count / (time.perf_counter() - started),
        "bytes_doc": (wire.received - before) / max(count, 1),
    }
    for part in batches(base[:CHANGED]):
        peer.change(wire, part)
    rows, figures["delta_p50_ms"], figures["delta_p95_ms"] = spread(lambda: len(peer.pull(wire, cursor, 1000)[0]))
    figures["delta_rows"] = rows
    newest = everything(peer, wire)[1]
    rows, figures["empty_p50_ms"], figures["empty_p95_ms"] = spread(lambda: len(peer.pull(wire, newest, 1000)[0]))
    figures["empty_rows"] = rows
    figures["push1_docs_s"] = pushed / push_all(peer, fresh[:pushed], 1)
    figures["push8_docs_s"] = pushed / push_all(peer, fresh[pushed:], 8)
    return figures


def databases(folder: Path) -> tuple[str, str, str]:
    """Which database, the address of the floor's and of Rounds'."""
    given = os.environ.get("DATABASE_URL")
    if not given:
        return "SQLite", str(folder / "floor.db"), f"sqlite:///{folder / 'rounds.db'}"
    import psycopg

    head, mark, query = given.partition("?")
    names = [f"bench_{part}_{uuid.uuid4().hex[:8]}" for part in ("floor", "rounds")]
    with psycopg.connect(given, autocommit=True) as connection:
        for name in names:
            connection.execute(f"CREATE DATABASE {name}")
    floor, rounds = (head.rsplit("/", 1)[0] + "/" + name + mark + query for name in names)
    return "PostgreSQL", floor, rounds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stored", type=int, default=2000)
    parser.add_argument("--pushed", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    sizes = {"stored": options.stored, "pushed": options.pushed, "seed": options.seed}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database, floor_address, rounds_url = databases(folder)
        FloorRows(floor_address).create()
        port = free_port()
        with served("bench.sync:floor_app()", port, "/pull?after=0&limit=1", FLOOR_DATABASE=floor_address):
            floor = measure(Floor(port), **sizes)
        site, tokens = prepare(rounds_url, folder)
        port = free_port()
        with served("wsgi:app", port, "/healthz", DATABASE_URL=rounds_url, ROUNDS_DATA=str(folder)):
            rounds = measure(Rounds(port, tokens, site), **sizes)
    names = [key for key in floor if key not in ("server", "pulled", "delta_rows", "empty_rows")]
    print(f"{database:14}" + "".join(f"{key:>14}" for key in names))
    for figures in (floor, rounds):
        print(f"{figures['server']:14}" + "".join(f"{figures[key]:14.1f}" for key in names))
    print(f"{'ratio':14}" + "".join(f"{rounds[key] / floor[key]:14.3f}" for key in names))
    print(json.dumps({"database": database, **sizes, "floor": floor, "rounds": rounds}))


if __name__ == "__main__":
    main()
