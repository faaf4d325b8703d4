"""A device numbers its mutations without gaps: what came, what is missing, and what is lost for good.

`n` counts from 1. What is missing is kept as ranges, so that a wild number costs one entry.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, islice

MOST_RANGES = 500
"""So many ranges of missing numbers are kept of one device, the newest; only a device that lies has more."""

Range = tuple[int, int]
"""First and last number of a range."""


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """The highest number that came, and the ranges below it that did not, in order and apart from each other."""

    highest: int = 0
    missing: tuple[Range, ...] = ()

    @property
    def missing_count(self) -> int:
        """How many numbers did not come."""
        return sum(last - first + 1 for first, last in self.missing)

    def named(self, most: int) -> tuple[int, ...]:
        """The first `most` numbers that did not come."""
        return tuple(islice(chain.from_iterable(range(first, last + 1) for first, last in self.missing), most))

    def is_new(self, n: int) -> bool:
        """Whether no mutation had this number before."""
        return n > self.highest or any(first <= n <= last for first, last in self.missing)


def take(known: Numbers, came: Iterable[int]) -> Numbers:
    """The numbers of a device after some more of them came, in whatever order; repeated ones change nothing."""
    highest, missing = known.highest, list(known.missing)
    for n in sorted({n for n in came if n > 0}):
        if n > highest:
            if n > highest + 1:
                missing.append((highest + 1, n - 1))
            highest = n
        else:
            missing = [rest for one in missing for rest in _without(one, n, n)]
    return Numbers(highest=highest, missing=tuple(missing[-MOST_RANGES:]))


def lost(known: Numbers, *, next_n: int, first_unsent: int | None) -> tuple[Range, ...]:
    """What neither came nor is on the device any more, as it tells itself: its next number, and its first unsent one.

    A device sends in order of its numbers or says what it still has, so that what is missing below its first unsent
    number was lost with its store.
    """
    end = first_unsent if first_unsent is not None else next_n
    ranges = known.missing if known.highest + 1 >= end else (*known.missing, (known.highest + 1, end - 1))
    return tuple((first, min(last, end - 1)) for first, last in ranges if first < end)


def write_off(known: Numbers, ranges: Iterable[Range]) -> Numbers:
    """The numbers when nobody waits for these ranges any more."""
    highest, missing = known.highest, list(known.missing)
    for first, last in ranges:
        missing = [rest for one in missing for rest in _without(one, first, last)]
        highest = max(highest, last)
    return Numbers(highest=highest, missing=tuple(missing))


def _without(one: Range, start: int, end: int) -> list[Range]:
    first, last = one
    if end < first or last < start:
        return [one]
    return [part for part in ((first, start - 1), (end + 1, last)) if part[0] <= part[1]]
