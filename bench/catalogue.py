"""What a company-wide scope costs: the same steps with a catalogue of a thousand documents and with a hundred thousand.

    python -m bench.catalogue                                    both databases
    python -m bench.catalogue --databases sqlite --sizes 100,5000

A catalogue is product models, which every tablet of a company holds. With each size, on one running server (gunicorn as
in production): the granting of the scopes to a new tablet, the first page of its first pull, and all of that; the
office's edit of one model; a delta of 20 changed models and one of a visit; an empty delta; a push of one edit; the
first page after the catalogue was taken from a tablet. The quickest of 40 runs in ms, but for the rate. What is to be
flat is told with the ratio of the largest size to the smallest. The last line is JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.load import PAGE, Wire, clock, visits
from bench.rounds import Rounds, change_models, enrol
from bench.sync import postgresql
from server.extensions import db
from server.store.feed import next_number
from server.store.models import DeviceScope
from server.store.transaction import transactional

TIMES = 40
CHANGED = 20
FLAT = ("grant", "first_page", "delta_catalogue", "delta_visit", "empty", "push", "office_edit", "end_page")
"""Steps that must cost the same however large the catalogue is."""

Figures = dict[str, float]


def least(work: Callable[[], Any], before: Callable[[], Any] = lambda: None, times: int = TIMES) -> float:
    """The quickest of several runs in ms: what others do on the machine cannot raise it. `before` is not measured."""
    spent = []
    for _ in range(times):
        before()
        started = clock()
        work()
        spent.append((clock() - started) * 1000)
    return round(min(spent), 2)


class Reader:
    """A tablet that reads on."""

    def __init__(self, rounds: Rounds, token: str) -> None:
        self.wire = Wire(rounds.port, {"Authorization": f"Bearer {token}"})
        self.cursor = ""

    def page(self) -> tuple[int, bool]:
        """One page more: how many changes, and whether there is more."""
        cursor = f"&cursor={self.cursor}" if self.cursor else ""
        answer = self.wire("GET", f"/sync/v1/pull?limit={PAGE}{cursor}")
        self.cursor = answer["cursor"]
        return len(answer["changes"]), bool(answer["more"])

    def rest(self) -> int:
        """All that is left; how many changes."""
        count, more = self.page()
        while more:
            found, more = self.page()
            count += found
        return count


def measure(rounds: Rounds) -> Figures:
    """All steps on a running server."""
    found: Figures = {}
    made: list[tuple[str, str]] = []

    def grant() -> None:
        with rounds.app.app_context():
            made.append(enrol(rounds.company))
            db.session.remove()

    found["grant"] = least(grant, times=7)
    found["first_page"] = least(lambda: Reader(rounds, made[0][1]).page())
    device, token = made[-1]
    reader = Reader(rounds, token)
    started = clock()
    count = reader.rest()
    found["pull_per_s"] = round(count / (clock() - started))

    def office(number: int) -> None:
        with rounds.app.app_context():
            change_models(rounds.company.id, number)
            db.session.remove()

    docs = visits(1, 1)
    with rounds.wire() as wire:

        def push() -> None:
            rounds.send(wire, rounds.edits(wire, docs, notes="Seen"))

        def told(wanted: int) -> Callable[[], None]:
            def read() -> None:
                if reader.rest() < wanted:
                    raise RuntimeError("a change was not told")

            return read

        found["office_edit"] = least(lambda: office(1))
        reader.rest()
        found["delta_catalogue"] = least(told(CHANGED), lambda: office(CHANGED))
        found["push"] = least(push)
        reader.rest()
        found["delta_visit"] = least(told(1), push)
        found["empty"] = least(told(0))
    end(rounds, device)
    held = reader.cursor

    def from_the_end() -> None:
        reader.cursor = held

    return found | {"end_page": least(reader.page, from_the_end), "documents": count}


def end(rounds: Rounds, device_id: str) -> None:
    """The catalogue is taken from one tablet."""

    @transactional
    def take() -> None:
        held = db.session.get(DeviceScope, (rounds.company.id, device_id, "everyone"))
        assert held is not None
        held.revoked = next_number(db.session(), rounds.company.id)

    with rounds.app.app_context():
        take()
        db.session.remove()


@contextlib.contextmanager
def address(database: str, folder: Path) -> Iterator[str]:
    """A database of its own."""
    if database == "sqlite":
        yield f"sqlite:///{folder / 'rounds.db'}"
        return
    with postgresql("catalogue") as (found,):
        yield found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--databases", default="postgresql,sqlite", help="which, by commas")
    parser.add_argument("--sizes", default="1000,100000", help="documents of the catalogue, rising, by commas")
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    every: dict[str, dict[str, Figures]] = {}
    for database in options.databases.split(","):
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
            rounds = Rounds(stack.enter_context(address(database, folder)), folder, devices=1)
            rounds.fill(visits(200, 1))
            there = 0
            for size in sizes:
                rounds.add_catalogue(size, there)
                there = size
                with rounds.run():
                    every.setdefault(database, {})[str(size)] = measure(rounds)
        print_table(database, every[database])
    print(json.dumps(every))


def print_table(database: str, found: dict[str, Figures]) -> None:
    """The figures of one database, a column for each size."""
    first, *_, last = found
    print(f"\n{database}\n  {'':18}" + "".join(f"{int(size):>14,}" for size in found) + f"{'ratio':>9}")
    for step in found[first]:
        ratio = f"{found[last][step] / found[first][step]:9.2f}" if step in FLAT and found[first][step] else ""
        print(f"  {step:18}" + "".join(f"{each[step]:14,.2f}" for each in found.values()) + ratio, flush=True)


if __name__ == "__main__":
    main()
