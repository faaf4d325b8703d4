"""Each planted bug is caught, and each checker catches two: a checker that never failed proves nothing."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from sync.simulator.checkers import CHECKERS
from tests.simulator.planted import BUGS, Bug, find
from tests.simulator.planted.base import Found

MOST_FLEETS = 200


@cache
def fleets_until(name: str, laws: frozenset[str]) -> Found | None:
    """The fleet in which one of these laws noticed a bug."""
    return find(next(bug for bug in BUGS if bug.name == name), MOST_FLEETS, laws)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_is_caught(bug: Bug, record_property: Any) -> None:
    found = fleets_until(bug.name, bug.laws)
    assert found is not None, f"{bug.says}: nobody noticed in {MOST_FLEETS} fleets"
    record_property("fleets", found.fleets)
    print(f"{bug.name}: {found.law} after {found.fleets} fleets: {found.text}")


@pytest.mark.parametrize("law", [checker.law for checker in CHECKERS])
def test_a_checker_is_seen_to_fail_on_two_bugs(law: str) -> None:
    caught: list[str] = []
    for bug in sorted(BUGS, key=lambda bug: len(bug.laws)):
        if len(caught) < 2 and law in bug.laws and fleets_until(bug.name, frozenset({law})) is not None:
            caught.append(bug.name)
    assert len(caught) == 2


def test_no_two_bugs_have_one_name() -> None:
    assert len({bug.name for bug in BUGS}) == len(BUGS) >= 30
