from __future__ import annotations

from sync.ordering import sort_push
from tests.sync.builders import mutation


def test_fresh_mutations_come_in_the_devices_order() -> None:
    a, b, c = (mutation(n=n) for n in (3, 1, 2))
    assert [m.n for m in sort_push([a, b, c], seen_ids=[], numbers={}).fresh] == [1, 2, 3]


def test_what_was_seen_is_not_fresh() -> None:
    a, b = mutation(n=1), mutation(n=2)
    found = sort_push([a, b], seen_ids=[a.id], numbers={1: a.id})
    assert (found.fresh, found.seen, found.forks) == ((b,), (a,), ())


def test_a_mutation_twice_in_one_push_is_fresh_once() -> None:
    a = mutation(n=1)
    found = sort_push([a, a], seen_ids=[], numbers={})
    assert (found.fresh, found.seen) == ((a,), (a,))


def test_a_number_that_another_mutation_has_is_a_fork() -> None:
    again = mutation(n=4)
    assert sort_push([again], seen_ids=[], numbers={4: "other"}).forks == (again.id,)


def test_the_second_of_two_with_one_number_in_a_push_is_a_fork() -> None:
    first, second = mutation(n=4), mutation(n=4)
    assert sort_push([first, second], seen_ids=[], numbers={}).forks == (second.id,)
