"""Holes in a device's numbers: S-21, S-83."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sync.numbers import MOST_RANGES, Numbers, lost, take, write_off


def test_a_number_out_of_turn_leaves_a_hole_that_a_later_one_fills() -> None:
    """S-21: 1, 5 came: 2 to 4 are missing; then 3 comes."""
    known = take(Numbers(), [1, 5])
    assert (known.highest, known.missing, known.missing_count) == (5, ((2, 4),), 3)
    known = take(known, [3])
    assert known.missing == ((2, 2), (4, 4))
    assert known.named(10) == (2, 4)
    assert take(known, [2, 4]) == Numbers(highest=5)


@given(batches=st.lists(st.lists(st.integers(1, 40), max_size=6), max_size=12))
def test_each_number_came_or_is_missing_in_whatever_order_and_however_often_they_come(
    batches: list[list[int]],
) -> None:
    """S-21"""
    known = Numbers()
    for batch in batches:
        known = take(known, batch)
    came = {n for batch in batches for n in batch}
    assert known.highest == max(came, default=0)
    assert set(known.named(100)) == set(range(1, known.highest + 1)) - came
    assert known.missing_count == len(known.named(100))
    assert all(known.is_new(n) == (n not in came) for n in range(1, 45))


def test_a_wild_number_costs_one_range_and_a_liar_is_bounded() -> None:
    """S-21"""
    assert take(Numbers(), [2**31 - 1]).missing == ((1, 2**31 - 2),)
    assert len(take(Numbers(), range(2, 10 * MOST_RANGES, 2)).missing) == MOST_RANGES


def test_what_is_still_on_the_device_is_not_lost() -> None:
    """S-83: 1 to 3 came, 4 to 6 are unsent."""
    assert lost(take(Numbers(), [1, 2, 3]), next_n=7, first_unsent=4) == ()


def test_a_hole_below_the_first_unsent_number_is_lost() -> None:
    """S-83: 1 and 5 came, the device says that it has 4 and 6: 2 and 3 are nowhere."""
    assert lost(take(Numbers(), [1, 5]), next_n=7, first_unsent=4) == ((2, 3),)


def test_a_tail_that_the_device_made_and_does_not_have_is_lost() -> None:
    """S-83: 3 came, the next number is 8 and nothing is unsent: 4 to 7 are nowhere."""
    assert lost(take(Numbers(), [1, 2, 3]), next_n=8, first_unsent=None) == ((4, 7),)
    assert lost(take(Numbers(), [1, 2, 3]), next_n=4, first_unsent=None) == ()


@given(made=st.integers(0, 30), came=st.sets(st.integers(1, 30)), unsent=st.sets(st.integers(1, 30)))
def test_an_honest_device_is_told_of_its_lost_numbers_and_of_no_others(
    made: int, came: set[int], unsent: set[int]
) -> None:
    """S-83: among the numbers up to the first unsent one."""
    came = {n for n in came if n <= made}
    unsent = {n for n in unsent if n <= made} - came
    first = min(unsent, default=None)
    nowhere = set(range(1, first or made + 1)) - came
    ranges = lost(take(Numbers(), came), next_n=made + 1, first_unsent=first)
    assert {n for start, end in ranges for n in range(start, end + 1)} == nowhere


def test_what_was_written_off_is_waited_for_no_more() -> None:
    """S-83: 2 to 9 are missing, 4 to 6 and the tail 11 to 12 are lost."""
    known = write_off(take(Numbers(), [1, 10]), [(4, 6), (11, 12)])
    assert known == Numbers(highest=12, missing=((2, 3), (7, 9)))
    assert lost(known, next_n=13, first_unsent=2) == ()
