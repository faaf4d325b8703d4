"""Which days of work fit on a tablet."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from server.domain.package import ALWAYS, last_day

TODAY = date(2026, 11, 25)


def on(days: int) -> date:
    return TODAY + timedelta(days=days)


def test_days_are_left_out_from_the_far_end() -> None:
    load = {on(-3): 10, on(0): 40, on(1): 40, on(2): 10, on(3): 5}
    assert last_day(load, TODAY, on(14), 105) == on(14)
    assert last_day(load, TODAY, on(14), 104) == on(2)
    assert last_day(load, TODAY, on(14), 99) == on(1)
    assert last_day(load, TODAY, on(14), 1) == on(1)
    assert last_day(load, TODAY, on(0), 1) == on(0)


@given(st.dictionaries(st.integers(-5, 20), st.integers(1, 100)), st.integers(0, 500), st.integers(0, 20))
def test_what_is_there_fits_or_is_near_and_one_day_more_would_not(
    sizes: dict[int, int], budget: int, days: int
) -> None:
    load = {on(each): size for each, size in sizes.items()}
    last = last_day(load, TODAY, on(days), budget)
    assert TODAY <= last <= on(days)
    weight = sum(size for day, size in load.items() if day <= last)
    assert weight <= budget or last <= on(ALWAYS - 1) or not load.get(last)
    if last < on(days):
        assert weight + load[last + timedelta(days=1)] > budget
