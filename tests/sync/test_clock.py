from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sync.clock import (
    EARLIEST,
    FUTURE_BOUND,
    UNMEASURED_UNCERTAINTY_S,
    ClockOffset,
    corrected,
    in_order,
    jump,
    measure_offset,
    uncertainty,
)
from tests.sync.builders import AT

ANY_TIME = st.datetimes(datetime(1970, 1, 1), datetime(9998, 12, 31), timezones=st.just(UTC))


def test_half_the_round_trip_is_spent_on_the_way_here() -> None:
    """Sent at 09:00:00, here at 09:00:10.250, a round trip of 500 ms: 10 s apart, give or take 250 ms."""
    found = measure_offset(device_time=AT, received_at=AT + timedelta(seconds=10, milliseconds=250), rtt_ms=500)
    assert found == ClockOffset(seconds=10.0, uncertainty_s=0.25)


def test_without_a_round_trip_the_uncertainty_says_so() -> None:
    found = measure_offset(device_time=AT, received_at=AT, rtt_ms=None)
    assert found == ClockOffset(seconds=0.0, uncertainty_s=UNMEASURED_UNCERTAINTY_S)


@given(offset_s=st.integers(-(10**6), 10**6), one_way_ms=st.integers(0, 10_000), back_ms=st.integers(0, 10_000))
def test_the_truth_lies_within_the_uncertainty(offset_s: int, one_way_ms: int, back_ms: int) -> None:
    """Whatever the two ways took, a moment of the device comes out within ± half the round trip."""
    sent = AT - timedelta(seconds=offset_s)
    found = measure_offset(
        device_time=sent, received_at=AT + timedelta(milliseconds=one_way_ms), rtt_ms=one_way_ms + back_ms
    )
    assert abs(found.seconds - offset_s) <= found.uncertainty_s + 1e-6


@given(made_at=ANY_TIME, device_time=ANY_TIME, rtt_ms=st.none() | st.floats(0, 600_000))
def test_no_clock_however_wrong_gives_a_time_outside_the_bounds(
    made_at: datetime, device_time: datetime, rtt_ms: float | None
) -> None:
    offset = measure_offset(device_time=device_time, received_at=AT, rtt_ms=rtt_ms)
    assert EARLIEST <= corrected(made_at, offset, AT) <= AT + FUTURE_BOUND


def test_a_tablet_an_hour_fast_is_put_right() -> None:
    offset = ClockOffset(seconds=-3600, uncertainty_s=0.1)
    assert corrected(AT + timedelta(hours=1), offset, AT + timedelta(hours=5)) == AT


def test_a_clock_that_was_set_is_noticed_and_one_that_drifts_is_not() -> None:
    """S-87: 50 ppm of a day are 4.3 s."""
    before, day = ClockOffset(seconds=-3600, uncertainty_s=0.5), timedelta(days=1)
    assert jump(before, ClockOffset(seconds=0, uncertainty_s=0.5), day) == 3600
    assert jump(before, ClockOffset(seconds=-3595, uncertainty_s=0.5), day) is None


def test_the_older_the_less_certain() -> None:
    """S-87: 0.5 s, and 50 ppm of 100,000 s."""
    offset = ClockOffset(seconds=10, uncertainty_s=0.5)
    assert uncertainty(AT, offset, AT + timedelta(seconds=100_010)) == 0.5 + 5


def test_a_time_that_had_to_be_bounded_is_as_uncertain_as_it_was_moved() -> None:
    """S-87: three days ahead, taken back to five minutes after its receipt."""
    offset = ClockOffset(seconds=0, uncertainty_s=1)
    assert uncertainty(AT + timedelta(days=3), offset, AT) == 1 + 3 * 86400 - 300


@given(made_at=ANY_TIME, device_time=ANY_TIME)
def test_every_time_has_an_uncertainty(made_at: datetime, device_time: datetime) -> None:
    """S-87"""
    offset = measure_offset(device_time=device_time, received_at=AT, rtt_ms=None)
    assert uncertainty(made_at, offset, AT) >= offset.uncertainty_s


@given(st.lists(st.integers(-(10**6), 10**6), max_size=8), st.integers(0, 10**6))
def test_a_device_s_own_order_stands_where_its_clock_cannot_tell(seconds: list[int], doubt_s: int) -> None:
    """S-40: none is later than what was made after it by less than the doubt; what is in order is only corrected."""
    offset = ClockOffset(seconds=0.0, uncertainty_s=float(doubt_s))
    now = datetime(2026, 1, 1, tzinfo=UTC)
    made = [now + timedelta(seconds=each) for each in seconds]
    found = in_order(made, offset, now)
    alone = [corrected(each, offset, now) for each in made]
    if alone == sorted(alone):
        assert found == alone
    for first, then, plain in zip(found, found[1:], alone, strict=False):
        assert first <= then or (plain - then).total_seconds() > doubt_s
    assert all(moment <= plain for moment, plain in zip(found, alone, strict=True))
