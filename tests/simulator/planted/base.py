"""What a planted bug is, and how the fleet that shows it is found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.change import Json
from sync.simulator.checkers import every_checker
from sync.simulator.fleet import Report, run
from sync.simulator.memory import MemoryServer
from sync.simulator.script import EDITS, Operation, Script, TabletPlan, write_script
from sync.simulator.tablet import Parts
from sync.simulator.world import small_company


def with_(**parts: type[Any]) -> type[MemoryServer]:
    """An in-memory server with some of its parts exchanged."""
    return type("Planted", (MemoryServer,), parts)


def one_tablet(seed: int, steps: Sequence[tuple[str, str, dict[str, Json]]]) -> Script:
    """A script of steps a minute apart, with one tablet."""
    operations = tuple(
        Operation(i=n, at=60.0 * (n + 1), actor=actor, do=do, args=args) for n, (actor, do, args) in enumerate(steps)
    )
    tablet = TabletPlan(name="tablet-1", people=(0,))
    return Script(seed=seed, technicians=2, tablets=(tablet,), operations=operations, faults=("written",))


@dataclass(frozen=True, kw_only=True)
class Bug:
    """A planted bug: what it is called and does, in which faults it shows, and which laws may notice it."""

    name: str
    says: str
    faults: tuple[str, ...]
    laws: frozenset[str]
    server: type[MemoryServer] = MemoryServer
    parts: Callable[[], Parts] = field(default=Parts)
    edits: tuple[str, ...] = EDITS
    operations: int = 40
    written: Callable[[int], Script] | None = None
    """A script by seed for a bug that a random one meets too seldom."""

    def script(self, seed: int) -> Script:
        """The fleet of a seed, in the faults in which the bug shows."""
        if self.written is not None:
            return self.written(seed)
        return write_script(seed, devices=3, operations=self.operations, faults=self.faults, edits=self.edits)

    def run(self, script: Script) -> Report:
        """That fleet with the bug in it."""
        server = self.server(small_company(script.technicians), seed=script.seed)
        return run(script, server, every_checker(), parts=self.parts())


@dataclass(frozen=True, kw_only=True)
class Found:
    """The fleet that showed a bug: how many it took, and what was said."""

    bug: str
    fleets: int
    report: Report
    law: str
    text: str


def find(bug: Bug, most: int = 200, laws: frozenset[str] | None = None) -> Found | None:
    """The first fleet in which a checker of the right law (or of one of `laws`) notices the bug."""
    for seed in range(most):
        report = bug.run(bug.script(seed))
        for violation in report.violations:
            if violation.law in (laws or bug.laws):
                return Found(bug=bug.name, fleets=seed + 1, report=report, law=violation.law, text=violation.text)
    return None
