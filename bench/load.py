"""The load that sync is measured under: the documents, the client, and the steps W1 to W4.

Every server gets the same documents for the same seed, the same batches, the same clients. What a server is spoken to
with is a `Peer`; what is measured of it are plain functions over one.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import signal
import socket
import statistics
import subprocess
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import psutil

BATCH = 100
"""Documents in one push, one commit."""
PAGE = 1000
TIMES = 100
CHANGED = 200
LANES = 8
SILENCE_S = 1.0
"""A connection that was silent so long is opened anew: the server may have closed it."""

STREETS = ("Lenina", "Sadovaya", "Carrer Major", "Avinguda Meritxell", "Hauptstrasse")
STEPS = ("Visual inspection", "Tighten terminals", "Measure insulation", "Replace filter", "Test run")
NOTE = "Access by the back door, ask for the caretaker. "

Doc = dict[str, Any]
clock = time.perf_counter


def visits(count: int, seed: int) -> list[Doc]:
    """`count` service visits of 593 bytes of JSON on average, the same for the same seed."""
    return list(each_visit(count, seed))


def each_visit(count: int, seed: int) -> Iterator[Doc]:
    """The same one after the other, for a million of them is more than a memory holds."""
    rng = random.Random(seed)
    return (_visit(rng, number) for number in range(count))


def _visit(rng: random.Random, number: int) -> Doc:
    return {
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
        "notes": NOTE * rng.randrange(1, 3),
        "checklist": [{"step": step, "ok": rng.random() < 0.9} for step in STEPS],
        "updated_at": f"2026-11-{rng.randrange(1, 24):02d}T12:00:00Z",
    }


class Wire:
    """One keep-alive connection, JSON both ways, no compression asked for."""

    def __init__(self, port: int, headers: dict[str, str] | None = None, lane: int = 0) -> None:
        self.wire = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.headers = headers or {}
        self.lane = lane
        self.used = clock()
        self.received = 0

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *error: object) -> None:
        self.wire.close()

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's JSON; raises RuntimeError for an answer of 400 and above."""
        if clock() - self.used > SILENCE_S:
            self.wire.close()
        data = None if body is None else orjson.dumps(body)
        self.wire.request(method, path, data, self.headers | ({"Content-Type": "application/json"} if data else {}))
        answer = self.wire.getresponse()
        text = answer.read()
        self.used = clock()
        self.received += len(text)
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]!r}")
        return orjson.loads(text) if text else None


class Refused(RuntimeError):
    """A push was refused as a whole: its sender must read, merge and send again."""


class Peer:
    """A measured server: how it is started, filled and spoken to."""

    name = ""
    key = ""
    process: subprocess.Popen[bytes] | None = None
    port = 0

    def wire(self, lane: int = 0) -> Wire:
        """A connection of the device with this number."""
        raise NotImplementedError

    def prepare(self) -> None:
        """What must be there before the server is asked anything."""

    def fill(self, docs: Sequence[Doc]) -> None:
        """Store documents before anything is measured."""
        raise NotImplementedError

    def push(self, wire: Wire, docs: Sequence[Doc]) -> None:
        """New documents, in one request and one commit."""
        raise NotImplementedError

    def edits(self, wire: Wire, docs: Sequence[Doc], **values: str) -> Any:
        """What is sent to give documents that are there a new `status`, or new `notes`."""
        raise NotImplementedError

    def send(self, wire: Wire, request: Any) -> None:
        """Push what `edits` made; it may be sent again."""
        raise NotImplementedError

    def change(self, wire: Wire, docs: Sequence[Doc], **values: str) -> None:
        """Give documents that are there a new `status`, or new `notes`."""
        self.send(wire, self.edits(wire, docs, **values))

    def pull(self, wire: Wire, cursor: Any, limit: int) -> tuple[list[Any], Any, bool]:
        """The documents of a page (of the load alone), the cursor after them, whether there is more."""
        raise NotImplementedError

    def key_of(self, doc: Doc) -> str:
        """The id that the server knows a document of the load by."""
        raise NotImplementedError

    def id_of(self, document: Any) -> str:
        """The id of a document as it was pulled."""
        raise NotImplementedError

    def status_of(self, document: Any) -> str:
        """Its status."""
        raise NotImplementedError

    def notes_of(self, document: Any) -> str:
        """What its notes say."""
        raise NotImplementedError

    def saw(self, document: Any) -> None:
        """The devices have this document as it was pulled."""

    def rss_mb(self) -> float:
        """Resident memory of the server's processes."""
        assert self.process is not None
        main = psutil.Process(self.process.pid)
        return float(sum(one.memory_info().rss for one in (main, *main.children(recursive=True))) / 1e6)


# --- the steps ------------------------------------------------------------------------------------------------------


def batches(docs: Sequence[Doc], size: int = BATCH) -> list[Sequence[Doc]]:
    return [docs[start : start + size] for start in range(0, len(docs), size)]


def everything(peer: Peer, wire: Wire, cursor: Any = None) -> Iterator[tuple[list[Any], Any]]:
    """Page after page to the end of the feed, each with the cursor after it."""
    more = True
    while more:
        documents, cursor, more = peer.pull(wire, cursor, PAGE)
        yield documents, cursor


def here(peer: Peer, wire: Wire, cursor: Any = None) -> Any:
    """The newest cursor, read up to from an older one."""
    return deque(everything(peer, wire, cursor), maxlen=1).pop()[1]


def first_pull(peer: Peer) -> dict[str, float]:
    """W1: one client reads a filled store from no cursor."""
    ids: set[str] = set()
    with peer.wire() as wire:
        started = clock()
        for documents, _ in everything(peer, wire):
            ids.update(map(peer.id_of, documents))
        seconds = clock() - started
        return {"pulled": len(ids), "pull": len(ids) / seconds, "bytes_per_document": wire.received / max(1, len(ids))}


def push(peer: Peer, docs: Sequence[Doc], lanes: int) -> float:
    """W2: documents a second, in batches, each answered before the next of its client."""
    parts = batches(docs)

    def lane(number: int) -> None:
        with peer.wire(number) as wire:
            for part in parts[number::lanes]:
                peer.push(wire, part)

    seconds, _, errors = at_once(lanes, lane)
    if errors:
        raise RuntimeError(errors[0])
    return len(docs) / seconds


def deltas(peer: Peer, wire: Wire, cursor: Any) -> dict[str, float]:
    """W3: pulls after a cursor since which `CHANGED` documents changed, and after the newest one."""
    found: dict[str, float] = {}
    rows, found["delta_p50_ms"], found["delta_p95_ms"] = spread(lambda: len(peer.pull(wire, cursor, PAGE)[0]))
    newest = peer.pull(wire, cursor, PAGE)[1]
    none, found["empty_p50_ms"], found["empty_p95_ms"] = spread(lambda: len(peer.pull(wire, newest, PAGE)[0]))
    if (rows, none) != (CHANGED, 0):
        raise RuntimeError(f"{peer.name}: a delta of {rows} and an empty one of {none} documents")
    return found


def storm(peer: Peer, base: Sequence[Doc], cursor: Any, devices: int) -> dict[str, float]:
    """W4: devices at once, each on a new connection: 50 changed documents read, 20 of its own edited."""
    with peer.wire() as wire:
        before = here(peer, wire, cursor)

    def own(number: int) -> Sequence[Doc]:
        first = (300 + number * 20) % (len(base) - 20)
        return base[first : first + 20]

    def device(number: int) -> None:
        with peer.wire(LANES + number) as wire:
            peer.pull(wire, cursor, 50)
            peer.change(wire, own(number), notes=f"edited offline by {number}")

    seconds, times, errors = at_once(devices, device)
    kept: set[str] = set()
    with peer.wire() as wire:
        for documents, _ in everything(peer, wire, before):
            kept |= {peer.id_of(each) for each in documents if "edited offline by" in peer.notes_of(each)}
    wanted = len({doc["id"] for number in range(devices) for doc in own(number)})
    return {
        "storm_s": seconds,
        "storm_p95_ms": sorted(times)[devices * 95 // 100] * 1000,
        "storm_errors": len(errors),
        "lost": wanted - len(kept),
    } | ({"first_error": errors[0]} if errors else {})  # type: ignore[dict-item]


def at_once(count: int, work: Callable[[int], None]) -> tuple[float, list[float], list[str]]:
    """Seconds until all are done, seconds of each, and what went wrong."""
    times: list[float] = []
    errors: list[str] = []

    def run(number: int) -> None:
        started = clock()
        try:
            work(number)
        except (RuntimeError, OSError, http.client.HTTPException) as error:
            errors.append(repr(error)[:300])
        times.append(clock() - started)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    started = clock()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return clock() - started, times, errors


def spread(call: Callable[[], int], times: int = TIMES) -> tuple[int, float, float]:
    """What the last call gave, p50 and p95 in ms."""
    spent, found = [], 0
    for _ in range(times):
        started = clock()
        found = call()
        spent.append((clock() - started) * 1000)
    return found, statistics.median(spent), sorted(spent)[times * 95 // 100]


def warm(peer: Peer) -> None:
    """Ask all threads of all processes something, so that nothing is loaded or connected while it is measured."""

    def ask(lane: int) -> None:
        with peer.wire(lane % LANES) as wire:
            for _ in range(20):
                peer.pull(wire, None, 1)

    for _ in range(2):
        at_once(2 * LANES, ask)


# --- a server in processes of its own -------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def served(peer: Peer, command: Sequence[str], folder: Path, **environment: str) -> Iterator[None]:
    """The peer's server until the block ends; its log is in the folder."""
    with (folder / f"{peer.key}.log").open("ab") as log:
        peer.process = subprocess.Popen(
            command, cwd=folder, env=os.environ | environment, start_new_session=True, stdout=log, stderr=log
        )
        try:
            deadline = clock() + 60
            while True:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", peer.port)) == 0:
                        break
                if clock() > deadline or peer.process.poll() is not None:
                    raise RuntimeError(f"{peer.name} did not start, see {log.name}")
                time.sleep(0.05)
            peer.prepare()
            warm(peer)
            yield
        finally:
            os.killpg(peer.process.pid, signal.SIGTERM)
            peer.process.wait(30)
