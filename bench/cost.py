"""What each step of the load costs in CPU time: of the server, its client and the database, on Rounds and on the floor.

    python -m bench.cost                       on SQLite
    python -m bench.cost --database postgresql

On a machine where others work too the clock on the wall tells of them; this does not. Microseconds for each document,
or for each request of W3 and each tablet of W4. What PostgreSQL's own processes take is counted while they live.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from bench.floor import Floor
from bench.load import CHANGED, LANES, PAGE, TIMES, batches, first_pull, here, push, storm, visits
from bench.rounds import Rounds
from bench.sync import PUSHED_SEED, STORED_SEED, postgresql

Costs = dict[str, float]


def spent(process: psutil.Process) -> float:
    """CPU seconds of a process and all below it."""
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.Error):
            times = one.cpu_times()
            total += times.user + times.system
    return total


def spent_by_database(address: str) -> float:
    """CPU seconds of PostgreSQL's processes that serve this database; SQLite has none of its own."""
    name, total = address.partition("?")[0].rpartition("/")[2], 0.0
    for one in psutil.process_iter(["cmdline", "cpu_times"]):
        called = " ".join(one.info["cmdline"] or ())
        if called.startswith("postgres") and name in called:
            total += one.info["cpu_times"].user + one.info["cpu_times"].system
    return total


def cost(peer: Floor | Rounds, count: int, work: Callable[[], Any]) -> Costs:
    """Microseconds of CPU for each of `count`."""
    assert peer.process is not None
    server = psutil.Process(peer.process.pid)
    address = peer.url if isinstance(peer, Rounds) else peer.address
    before = spent(server), time.process_time(), spent_by_database(address)
    work()
    after = spent(server), time.process_time(), spent_by_database(address)
    server_us, client_us, database_us = ((b - a) / count * 1e6 for a, b in zip(before, after, strict=True))
    return {"server": server_us, "client": client_us, "database": database_us}


def measure(peer: Floor | Rounds, stored: int, pushed: int, devices: int) -> dict[str, Costs]:
    """All steps on one server that holds the documents."""
    base, fresh = visits(stored, STORED_SEED), visits(2 * pushed, PUSHED_SEED)
    found = {"pull": cost(peer, stored, lambda: first_pull(peer))}
    found["push1"] = cost(peer, pushed, lambda: push(peer, fresh[:pushed], 1))
    found["push8"] = cost(peer, pushed, lambda: push(peer, fresh[pushed:], LANES))
    with peer.wire() as wire:
        cursor = here(peer, wire)
        for part in batches(base[:CHANGED]):
            peer.change(wire, part, status=f"changed {uuid.uuid4().hex[:6]}")
        found["delta"] = cost(peer, TIMES, lambda: [peer.pull(wire, cursor, PAGE) for _ in range(TIMES)])
        newest = here(peer, wire, cursor)
        found["empty"] = cost(peer, 4 * TIMES, lambda: [peer.pull(wire, newest, PAGE) for _ in range(4 * TIMES)])
    found["storm"] = cost(peer, devices, lambda: storm(peer, base, cursor, devices))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--stored", type=int, default=20_000)
    parser.add_argument("--pushed", type=int, default=4000)
    parser.add_argument("--devices", type=int, default=200)
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        if options.database == "postgresql":
            addresses = stack.enter_context(postgresql())
        else:
            addresses = (str(folder / "floor.db"), f"sqlite:///{folder / 'rounds.db'}")
        found = {}
        for peer in (Floor(addresses[0], folder), Rounds(addresses[1], folder, options.devices)):
            peer.fill(visits(options.stored, STORED_SEED))
            with peer.run():
                found[peer.key] = measure(peer, options.stored, options.pushed, options.devices)
    print(f"{options.database}, {options.stored:,} stored: microseconds of CPU, server + client + database")
    for step, costs in found["rounds"].items():
        floor = found["floor"][step]
        told = " + ".join(f"{value:,.0f}" for value in costs.values())
        below = " + ".join(f"{value:,.0f}" for value in floor.values())
        ratio = sum(costs.values()) / max(sum(floor.values()), 1e-9)
        print(f"  {step:6} Rounds {told:>24}   floor {below:>24}   {ratio:6.1f} times")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
