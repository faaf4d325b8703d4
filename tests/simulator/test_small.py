"""Small histories in a part of their orders; `script/prove` runs every one."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest

from sync.simulator.run import in_memory
from sync.simulator.small import SITUATIONS, Situation, every_order

DENSE, EVERY, EVERY_DENSE = "one field, three writers", 100, 4


def red(situation: Situation, every: int) -> list[str]:
    found: list[str] = []
    for script in islice(every_order(situation), 0, None, every):
        order = " · ".join(f"{one.actor} {one.do}" for one in script.operations)
        found += [f"{order}: {violation}" for violation in in_memory(script).violations]
    return found


def test_there_are_as_many_orders_as_there_can_be() -> None:
    orders = [tuple(one.i for one in script.operations) for script in every_order(SITUATIONS[0])]
    assert len(orders) == len(set(orders)) == 1680
    assert all(
        [i for i in order if i // 10 == who] == [10 * who, 10 * who + 1, 10 * who + 2]
        for order in orders
        for who in range(3)
    )


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.name)
def test_small_histories_keep_every_law(situation: Situation) -> None:
    assert red(situation, EVERY_DENSE if situation.name == DENSE else EVERY) == []


def test_the_situations_are_about_different_things() -> None:
    steps = Counter(repr((one.first, one.second, one.office)) for one in SITUATIONS)
    assert max(steps.values()) == 1
