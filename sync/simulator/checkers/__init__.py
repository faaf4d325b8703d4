"""One checker for each of the ten laws, and for each invariant of reliability that sync can break."""

from __future__ import annotations

from sync.simulator.checkers.access import FailClosed, ScopeSafety, WritesInScope
from sync.simulator.checkers.base import Checker, Violation
from sync.simulator.checkers.bounds import BoundedFeed, BoundedNumbers
from sync.simulator.checkers.clocks import ClockFree
from sync.simulator.checkers.convergence import Closure, Convergence, NoGap
from sync.simulator.checkers.durability import AcknowledgedIsDurable, EpochIsNoticed, WholeOrNot
from sync.simulator.checkers.effects import ExactlyOnce, OneEffect
from sync.simulator.checkers.lost import NothingLost, NothingVanishes
from sync.simulator.checkers.progress import HonestScreen, OthersGoOn, Progress
from sync.simulator.checkers.replica import Monotonic
from sync.simulator.checkers.states import LegalStates
from sync.simulator.checkers.stock import ConservedStock

CHECKERS: tuple[type[Checker], ...] = (
    Convergence,
    NothingLost,
    ExactlyOnce,
    NoGap,
    ScopeSafety,
    Closure,
    Monotonic,
    LegalStates,
    ConservedStock,
    BoundedFeed,
    AcknowledgedIsDurable,
    OneEffect,
    WholeOrNot,
    NothingVanishes,
    Progress,
    OthersGoOn,
    WritesInScope,
    EpochIsNoticed,
    HonestScreen,
    ClockFree,
    BoundedNumbers,
    FailClosed,
)
"""In the order of the laws, then of the invariants."""


def every_checker() -> list[Checker]:
    """A fresh set for one fleet."""
    return [checker() for checker in CHECKERS]


__all__ = ["CHECKERS", "Checker", "Violation", "every_checker"]
