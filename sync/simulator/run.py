"""Fleets of the simulated company, from a seed to a verdict; a fleet that breaks a law is shortened."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sync.change import canonical
from sync.simulator.checkers import every_checker
from sync.simulator.checkers.base import Violation
from sync.simulator.fleet import Report, run
from sync.simulator.memory import MemoryServer
from sync.simulator.script import ALWAYS, FAULTS, Script, choose_faults, write_script
from sync.simulator.shrink import shrink
from sync.simulator.world import small_company

Runner = Callable[[Script], Report]


def in_memory(script: Script) -> Report:
    """Run a script against the server in memory, every checker looking on."""
    return run(script, MemoryServer(small_company(script.technicians), seed=script.seed), every_checker())


def script_of(seed: int, *, devices: int, operations: int, faults: Iterable[str] | None = None) -> Script:
    """The script of a seed; without `faults` the seed chooses a few of all."""
    chosen = choose_faults(seed) if faults is None else sorted({*faults})
    return write_script(seed, devices=devices, operations=operations, faults=chosen)


def fingerprint(report: Report) -> str:
    """A text that two runs share only if the same things happened in them, event by event."""
    digest = hashlib.blake2b(digest_size=12)
    for event in report.history.events:
        digest.update(canonical([event.at, event.actor, event.kind, event.operation, event.what]).encode())
    return digest.hexdigest()


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A fleet that broke a law: what was found first, and the shortest history that shows it."""

    seed: int
    violation: Violation
    report: Report
    """Of the shortened fleet."""
    before: int
    """So many operations the whole fleet had."""
    runs: int


def shortened(report: Report, runner: Runner = in_memory) -> Broken:
    """The shortest fleet that breaks the law that this one broke first."""
    law = report.violations[0].law

    def fails(script: Script) -> bool:
        return any(violation.law == law for violation in runner(script).violations)

    found = shrink(report.script, fails)
    short = runner(found.script)
    first = next(violation for violation in short.violations if violation.law == law)
    return Broken(
        seed=report.script.seed,
        violation=first,
        report=short,
        before=report.operations,
        runs=found.runs,
    )


__all__ = ["ALWAYS", "FAULTS", "Broken", "Runner", "fingerprint", "in_memory", "script_of", "shortened"]
