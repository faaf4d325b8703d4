"""The long run: fleets in memory, small histories, fleets on the real server, fleets of processes, planted bugs.

`script/prove` starts it. It prints a table of what it did and what it found, with the way back to whatever is red; its
last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from sync.simulator.run import in_memory, script_of, shortened
from sync.simulator.small import SITUATIONS, every_order
from tests.serving import Server
from tests.simulator.planted import BUGS, find
from tests.simulator.prove_faults import faults
from tests.simulator.real.databases import Databases, databases
from tests.simulator.real.fleets import on_real, real_script
from tests.simulator.real.processes import Plan, Processes

PART = 200
"""Fleets of one task of a worker."""

ORDERS = 1680
KILLS_AT_ONCE = 20
"""A fleet of processes is killed so often; then another one begins."""

MOST_SHOWN = 5

A = TypeVar("A")
B = TypeVar("B")


@dataclass(kw_only=True)
class Row:
    """One line of the table."""

    what: str
    fleets: int = 0
    operations: int = 0
    kills: str = "0"
    violations: int = 0
    seconds: float = 0.0


@dataclass(kw_only=True)
class Proof:
    """All that was done and found."""

    rows: list[Row] = field(default_factory=list)
    red: list[str] = field(default_factory=list)
    real_kills: int = 0
    planted: int = 0
    caught: int = 0
    left_out: list[str] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """Keep a line and print it."""
        self.rows.append(row)
        told = f"{row.fleets:>9,}{row.operations:>13,}{row.kills:>34}{row.violations:>12}{row.seconds:>9.0f} s"
        print(f"{row.what:<50}{told}", flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run it; 1 when something is red, a planted bug was not caught, or something that was asked for was not done."""
    given = parser().parse_args(arguments)
    logging.disable(logging.CRITICAL)
    started = time.monotonic()
    proof = Proof()
    print(f"{'':<50}{'fleets':>9}{'operations':>13}{'kill -9':>34}{'violations':>12}{'time':>11}")
    if given.planted:
        plant(proof, given.jobs)
    memory(proof, given)
    small(proof, given)
    if given.real or given.kills or given.faults:
        real(proof, given)
    for text in proof.red[:MOST_SHOWN]:
        print(text)
    if len(proof.red) > MOST_SHOWN:
        print(f"… and {len(proof.red) - MOST_SHOWN} more")
    for text in proof.left_out:
        print(f"LEFT OUT: {text}")
    last = {
        "fleets": sum(row.fleets for row in proof.rows),
        "operations": sum(row.operations for row in proof.rows),
        "kills": proof.real_kills,
        "violations": sum(row.violations for row in proof.rows),
        "planted": proof.planted,
        "caught": proof.caught,
        "left_out": len(proof.left_out),
        "seconds": round(time.monotonic() - started),
    }
    print(json.dumps(last))
    return 1 if last["violations"] or proof.caught < proof.planted or proof.left_out else 0


def parser() -> argparse.ArgumentParser:
    """What may be asked for; anything else is refused."""

    def count(text: str) -> int:
        if not text.isdecimal():
            raise argparse.ArgumentTypeError(f"{text!r} is no count")
        return int(text)

    made = argparse.ArgumentParser(prog="script/prove", description=__doc__.splitlines()[0], allow_abbrev=False)
    made.add_argument("--fleets", type=count, default=2000, help="fleets in memory (2000)")
    made.add_argument("--devices", type=count, default=3, help="tablets of each fleet (3)")
    made.add_argument("--operations", type=count, default=40, help="operations of each fleet (40)")
    made.add_argument("--kills", type=count, default=40, help="kill -9 of real processes, half on each database (40)")
    made.add_argument("--seed", type=count, default=0, help="the first seed (0)")
    made.add_argument(
        "--real", type=count, default=None, help="fleets on the real server, on each database (fleets / 100)"
    )
    made.add_argument(
        "--faults",
        type=count,
        default=None,
        help="kills of the server in the fault matrix, the rest in proportion (kills)",
    )
    made.add_argument("--planted", action="store_true", help="also run every planted bug until it is caught")
    made.add_argument("--jobs", type=count, default=1, help="processes for fleets in memory (1)")
    made.set_defaults(real=None)
    parse = made.parse_args

    def checked(arguments: list[str] | None = None, namespace: None = None) -> argparse.Namespace:
        given = parse(arguments, namespace)
        if not given.devices:
            made.error("argument --devices: at least 1")
        given.real = given.fleets // 100 if given.real is None else given.real
        given.faults = given.kills if given.faults is None else given.faults
        given.jobs = max(given.jobs, 1)
        return given

    made.parse_args = checked  # type: ignore[method-assign,assignment]
    return made


# --- planted bugs ---


def plant(proof: Proof, jobs: int) -> None:
    """Every planted bug, with the number of fleets that it took."""
    started, fleets, lines = time.monotonic(), 0, []
    for name, took, law in each_of(caught_after, [bug.name for bug in BUGS], jobs):
        proof.planted += 1
        proof.caught += took is not None
        fleets += took or 200
        lines.append(f"  {name:<34}{law:<8}after {took} fleets" if took else f"  {name:<34}NOT CAUGHT in 200 fleets")
        if took is None:
            proof.red.append(f"Nobody noticed the planted bug “{name}”.")
    proof.add(
        Row(what=f"planted bugs, {proof.caught} of {proof.planted} caught", fleets=fleets, seconds=since(started))
    )
    print("\n".join(lines), flush=True)


def caught_after(name: str) -> tuple[str, int | None, str]:
    """The number of fleets until a planted bug was noticed, and by which law."""
    bug = next(bug for bug in BUGS if bug.name == name)
    found = find(bug)
    return name, found.fleets if found else None, found.law if found else ""


# --- in memory ---


def memory(proof: Proof, given: argparse.Namespace) -> None:
    """Random fleets in virtual time."""
    started = time.monotonic()
    row = Row(what="fleets in memory, virtual time", operations=given.fleets * given.operations)
    parts = [
        (first, min(PART, given.seed + given.fleets - first), given.devices, given.operations)
        for first in range(given.seed, given.seed + given.fleets, PART)
    ]
    kills = 0
    for done, downs, red in each_of(fleets_from, parts, given.jobs):
        row.fleets += done
        kills += downs
        row.violations += sum(count for _, count, _ in red)
        for seed, _, text in red:
            if len(proof.red) < MOST_SHOWN:
                proof.red.append(history(seed, given.devices, given.operations))
            else:
                proof.red.append(f"Seed {seed}: {text}")
    row.kills, row.seconds = f"({kills:,} simulated)", since(started)
    proof.add(row)


def fleets_from(part: tuple[int, int, int, int]) -> tuple[int, int, list[tuple[int, int, str]]]:
    """Some fleets: how many, how many went down in them, and what is red: seed, violations, the first of them."""
    first, number, devices, operations = part
    kills, red = 0, []
    for seed in range(first, first + number):
        report = in_memory(script_of(seed, devices=devices, operations=operations))
        kills += report.kills
        if report.violations:
            red.append((seed, len(report.violations), str(report.violations[0])))
    return number, kills, red


def history(seed: int, devices: int, operations: int) -> str:
    """What a red fleet broke, how to run it again, and its short history."""
    broken = shortened(in_memory(script_of(seed, devices=devices, operations=operations)))
    steps = "\n".join(f"  {operation}" for operation in broken.report.script.operations)
    again = f"flask simulate --seed {seed} --devices {devices} --operations {operations}"
    return f"Seed {seed} breaks {broken.violation}\n  {again}\n{steps}"


def small(proof: Proof, given: argparse.Namespace) -> None:
    """Small histories: whole from 10,000 fleets on, else every so-manieth order."""
    started = time.monotonic()
    every = 1 if given.fleets >= 10_000 else max(1, 20_000 // max(given.fleets, 1))
    row = Row(what="small histories, " + ("every order" if every == 1 else f"each {every}th order"))
    for done, red in each_of(orders_of, [(n, every) for n in range(len(SITUATIONS))], given.jobs):
        row.fleets += done
        row.violations += len(red)
        proof.red += red
    row.operations, row.seconds = row.fleets * 9, since(started)
    proof.add(row)


def orders_of(part: tuple[int, int]) -> tuple[int, list[str]]:
    """The orders of one situation, each `every`-th, and what is red."""
    situation, done, red = SITUATIONS[part[0]], 0, []
    for script in islice(every_order(situation), 0, None, part[1]):
        done += 1
        order = " · ".join(f"{one.actor} {one.do}" for one in script.operations)
        red += [f"{situation.name}: {order}: {violation}" for violation in in_memory(script).violations]
    return done, red


# --- the real server ---


def real(proof: Proof, given: argparse.Namespace) -> None:
    """Fleets in virtual time on the real application, and fleets of processes, on each database."""
    with databases(with_postgresql=True) as made:
        for dialect in ("sqlite", "postgresql"):
            if given.real:
                application(proof, given, made, dialect)
        for dialect, kills in (("sqlite", given.kills - given.kills // 2), ("postgresql", given.kills // 2)):
            if kills:
                processes(proof, given, made, dialect, kills)
        if given.faults:
            matrix(proof, given, made)


def matrix(proof: Proof, given: argparse.Namespace, made: Databases) -> None:
    """The rows of the fault matrix that need real processes (docs/faults.md)."""
    started = time.monotonic()
    for done in faults(made, kills=given.faults, seed=given.seed):
        proof.real_kills += done.kills
        proof.red += done.found
        proof.left_out += [done.left_out] if done.left_out else []
        row = Row(what=done.what, fleets=done.runs, kills=f"{done.kills:,}", violations=len(done.found))
        row.seconds, started = since(started), time.monotonic()
        proof.add(row)


def application(proof: Proof, given: argparse.Namespace, made: Databases, dialect: str) -> None:
    """Fleets in virtual time on the real application."""
    started = time.monotonic()
    row = Row(what=f"the real application, virtual time, {dialect}")
    kills = 0
    for seed in range(given.seed, given.seed + given.real):
        with made.fresh(dialect) as one:
            script = real_script(seed, devices=given.devices, operations=given.operations)
            report = on_real(one.app, one.company, one.folder, script)
        row.fleets += 1
        row.operations += report.operations
        kills += report.kills
        row.violations += len(report.violations)
        proof.red += [f"{dialect}, seed {seed} on the real application: {one}" for one in report.violations]
    row.kills, row.seconds = f"({kills:,} simulated)", since(started)
    proof.add(row)


def processes(proof: Proof, given: argparse.Namespace, made: Databases, dialect: str, kills: int) -> None:
    """Fleets of processes, each killed up to `KILLS_AT_ONCE` times."""
    started = time.monotonic()
    row = Row(what=f"real processes, gunicorn with 2 workers, {dialect}")
    total = {"server": 0, "worker": 0, "tablet": 0}
    seed = given.seed
    while kills > 0:
        plan = Plan(
            seed=seed, devices=given.devices, kills=min(kills, KILLS_AT_ONCE), operations=3 * given.operations,
            seconds=120 + 30 * min(kills, KILLS_AT_ONCE),
        )  # fmt: skip
        with made.fresh(dialect) as one:
            server = Server(one.url, one.folder, workers=plan.workers)
            judged = Processes(one.app, one.company, server, one.folder, plan).run()
        row.fleets += 1
        row.operations += judged.operations
        row.violations += len(judged.violations)
        proof.red += [f"{dialect}, seed {seed} with processes: {violation}" for violation in judged.violations]
        for name, number in judged.kills.items():
            total[name] += number
        missing = plan.kills - sum(judged.kills.values())
        if missing:
            proof.left_out.append(
                f"{missing} of {plan.kills} kills on {dialect}, seed {seed}: {plan.seconds:.0f} s were over"
            )
        kills -= plan.kills
        seed += 1
    proof.real_kills += sum(total.values())
    row.kills = ", ".join(f"{number} {name}s" for name, number in total.items())
    row.seconds = since(started)
    proof.add(row)


# --- work ---


def since(started: float) -> float:
    return time.monotonic() - started


def each_of(work: Callable[[A], B], parts: list[A], jobs: int) -> Iterator[B]:
    """The results of `work` on all parts, in their order, in so many processes."""
    if jobs == 1:
        yield from map(work, parts)
        return
    with ProcessPoolExecutor(max_workers=jobs) as pool:
        yield from pool.map(work, parts)


if __name__ == "__main__":
    sys.exit(main())
