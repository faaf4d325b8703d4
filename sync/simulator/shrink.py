"""From a fleet that breaks a law to a short history that breaks it too.

A script decides nothing while it runs, so that any part of it can be left out: first operations, in halves, quarters
and one by one, then what goes wrong in those that are left, then tablets that are not needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from sync.simulator.script import Operation, Script, TabletPlan

Fails = Callable[[Script], bool]

MOST_RUNS = 3000
"""A shrinker that has run so many fleets says what it has."""


@dataclass(frozen=True, kw_only=True)
class Shrunk:
    """The shortest script that was found, and how many fleets that took."""

    script: Script
    runs: int


def shrink(script: Script, fails: Fails, *, most: int = MOST_RUNS) -> Shrunk:
    """The script with all left out without which it still `fails`; it must fail as it is."""
    work = _Shrinking(script, fails, most)
    before: Script | None = None
    while before != work.script:
        before = work.script
        work.fewer_operations()
        work.simpler_operations()
        work.fewer_tablets()
    return Shrunk(script=work.script, runs=work.runs)


class _Shrinking:
    """The shortest script so far."""

    def __init__(self, script: Script, fails: Fails, most: int) -> None:
        self.script = script
        self.fails = fails
        self.left = most
        self.runs = 0

    def try_it(self, script: Script) -> bool:
        """Take a script if it fails too."""
        if script == self.script or self.left <= 0:
            return False
        self.left -= 1
        self.runs += 1
        if self.fails(script):
            self.script = script
            return True
        return False

    def fewer_operations(self) -> None:
        """Leave out parts of the list, the last ones first, from halves down to single operations."""
        size = max(len(self.script.operations) // 2, 1)
        while size:
            end = len(self.script.operations)
            while end > 0:
                kept = self.script.operations
                start = max(end - size, 0)
                self.try_it(self.script.only((*kept[:start], *kept[end:])))
                end = start
            size //= 2

    def simpler_operations(self) -> None:
        """Let nothing go wrong in an operation in which it need not."""
        for n in range(len(self.script.operations)):
            while any(self.try_it(self._with(n, simpler)) for simpler in _simpler(self.script.operations[n])):
                pass

    def fewer_tablets(self) -> None:
        """Leave out tablets on which nobody does anything, and what is odd about the others."""
        for plan in reversed(self.script.tablets):
            if len(self.script.tablets) > 1 and not self._is_needed(plan):
                kept = tuple(each for each in self.script.tablets if each != plan)
                self.try_it(replace(self.script, tablets=kept))
        for n in range(len(self.script.tablets)):
            plans = self.script.tablets
            for simpler in _plainer(plans[n]):
                if self.try_it(replace(self.script, tablets=(*plans[:n], simpler, *plans[n + 1 :]))):
                    break

    def _with(self, n: int, operation: Operation) -> Script:
        kept = self.script.operations
        return self.script.only((*kept[:n], operation, *kept[n + 1 :]))

    def _is_needed(self, plan: TabletPlan) -> bool:
        return any(plan.name in (one.actor, one.args.get("tablet")) for one in self.script.operations)


def _simpler(operation: Operation) -> Iterator[Operation]:
    """The operation with less that goes wrong in it, the plainest first."""
    args = dict(operation.args)
    for name in ("die", "crash"):
        if args.get(name) is not None:
            yield replace(operation, args={key: value for key, value in args.items() if key not in (name, "how")})
    net = args.get("net") or []
    if net:
        yield replace(operation, args=args | {"net": []})
        for n, outcome in enumerate(net):
            if outcome != "ok":
                yield replace(operation, args=args | {"net": [*net[:n], "ok", *net[n + 1 :]]})
        if net[-1] == "ok":
            yield replace(operation, args=args | {"net": net[:-1]})
    for name, plain in (("limit", 200), ("most", 500)):
        if args.get(name) not in (None, plain):
            yield replace(operation, args=args | {name: plain})
    pairs = args.get("pairs") or []
    for n in range(len(pairs)):
        yield replace(operation, args=args | {"pairs": [*pairs[:n], *pairs[n + 1 :]]})


def _plainer(plan: TabletPlan) -> Iterator[TabletPlan]:
    yield replace(plan, offset_s=0.0, old=False, liar=False, people=plan.people[:1])
    yield replace(plan, offset_s=0.0)
    yield replace(plan, old=False)
    yield replace(plan, liar=False)
    yield replace(plan, people=plan.people[:1])
