from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sync.ordering import MOST_GAPS, sort_push
from tests.sync.builders import mutation


def test_fresh_mutations_come_in_the_devices_order() -> None:
    a, b, c = (mutation(n=n) for n in (3, 1, 2))
    assert [m.n for m in sort_push([a, b, c], seen_ids=[], numbers={}).fresh] == [1, 2, 3]


def test_what_was_seen_is_not_fresh() -> None:
    a, b = mutation(n=1), mutation(n=2)
    found = sort_push([a, b], seen_ids=[a.id], numbers={1: a.id}, last_n=1)
    assert (found.fresh, found.seen, found.forks) == ((b,), (a,), ())


def test_a_mutation_twice_in_one_push_is_fresh_once() -> None:
    a = mutation(n=1)
    found = sort_push([a, a], seen_ids=[], numbers={})
    assert (found.fresh, found.seen) == ((a,), (a,))


def test_numbers_that_never_came_are_named() -> None:
    assert sort_push([mutation(n=5), mutation(n=8)], seen_ids=[], numbers={}, last_n=3).gaps == (4, 6, 7)


def test_a_wild_number_does_not_make_a_wild_list() -> None:
    assert len(sort_push([mutation(n=2**31 - 1)], seen_ids=[], numbers={}).gaps) == MOST_GAPS


def test_a_number_that_another_mutation_has_is_a_fork() -> None:
    again = mutation(n=4)
    assert sort_push([again], seen_ids=[], numbers={4: "other"}, last_n=4).forks == (again.id,)


def test_the_second_of_two_with_one_number_in_a_push_is_a_fork() -> None:
    first, second = mutation(n=4), mutation(n=4)
    assert sort_push([first, second], seen_ids=[], numbers={}).forks == (second.id,)


@given(numbers=st.lists(st.integers(1, 30), unique=True, min_size=1), last_n=st.integers(0, 30))
def test_numbers_are_sent_or_missing_or_behind(numbers: list[int], last_n: int) -> None:
    found = sort_push([mutation(n=n) for n in numbers], seen_ids=[], numbers={}, last_n=last_n)
    assert set(found.gaps) == set(range(last_n + 1, max(numbers))) - set(numbers)
