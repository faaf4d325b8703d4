"""Device time: measured, corrected, bounded. No clock is read here; every moment comes in as an argument."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""Before this no time is believed: nothing in the system can be older."""

FUTURE_BOUND = timedelta(minutes=5)
"""A corrected time is never later than the moment of receipt plus this."""

UNMEASURED_UNCERTAINTY_S = 30.0
"""Uncertainty of an offset when the device did not say how long its request took."""

DRIFT = 50e-6
"""Seconds that a crystal may gain or lose in a second."""

STEP = timedelta(milliseconds=1)
"""What moments differ by at least on the wire."""

JUMP_WORTH_NOTING_S = 30.0
"""A clock that moved by less than this, beyond what drift and uncertainty explain, is left in peace."""


@dataclass(frozen=True, kw_only=True)
class ClockOffset:
    """How far the server's clock is ahead of the device's, in seconds, right to ± `uncertainty_s`."""

    seconds: float
    uncertainty_s: float


def measure_offset(*, device_time: datetime, received_at: datetime, rtt_ms: float | None) -> ClockOffset:
    """The offset seen at one contact, by Cristian's method: half the round trip is spent on the way here.

    Without `rtt_ms` the way here is taken as instant and the uncertainty as `UNMEASURED_UNCERTAINTY_S`.
    """
    half = rtt_ms / 2000 if rtt_ms is not None else 0.0
    seconds = (received_at - device_time).total_seconds() - half
    return ClockOffset(seconds=seconds, uncertainty_s=half if rtt_ms is not None else UNMEASURED_UNCERTAINTY_S)


def carried_offset(
    *, device_time: datetime, received_at: datetime, known: ClockOffset | None, heard: tuple[datetime, datetime] | None
) -> ClockOffset:
    """The offset for what came in a file that was on its way for nobody knows how long (S-207).

    It is `known` from the last contact, else none, but never outside of what is certain: the file was not received
    before it was made, and the office's last word (`heard`: what it said, and the device's clock then) came before it.
    """
    estimate = known or ClockOffset(seconds=0.0, uncertainty_s=UNMEASURED_UNCERTAINTY_S)
    highest = (received_at - device_time).total_seconds()
    seconds = estimate.seconds
    if heard is not None and (lowest := (heard[0] - heard[1]).total_seconds()) <= highest:
        seconds = max(seconds, lowest)
    seconds = min(seconds, highest)
    return ClockOffset(seconds=seconds, uncertainty_s=estimate.uncertainty_s + abs(seconds - estimate.seconds))


def corrected(made_at: datetime, offset: ClockOffset, received_at: datetime) -> datetime:
    """`made_at` in server time; never later than `received_at` + `FUTURE_BOUND`, so no wrong clock wins for ever.

    A time that comes out before `EARLIEST` says nothing; the moment of receipt stands in for it.
    """
    try:
        moment = made_at + timedelta(seconds=offset.seconds)
    except OverflowError:
        return received_at
    return min(moment, received_at + FUTURE_BOUND) if moment >= EARLIEST else received_at


def in_order(made: Sequence[datetime], offset: ClockOffset, received_at: datetime) -> list[datetime]:
    """The corrected times of what a device made in this order.

    Where the clock is too uncertain to tell (it was set in between), nothing is later than what was made after it.
    """
    found: list[datetime] = []
    for each in reversed(made):
        moment = corrected(each, offset, received_at)
        early = found[-1] if found else moment
        if moment > early > EARLIEST and (moment - early).total_seconds() <= uncertainty(each, offset, received_at):
            moment = early - STEP
        found.append(moment)
    return found[::-1]


def jump(before: ClockOffset, after: ClockOffset, elapsed: timedelta) -> float | None:
    """By how many seconds a device's clock was set between two contacts; None when drift and uncertainty explain it."""
    moved = after.seconds - before.seconds
    explained = before.uncertainty_s + after.uncertainty_s + DRIFT * abs(elapsed.total_seconds())
    return moved if abs(moved) > explained + JUMP_WORTH_NOTING_S else None


def uncertainty(made_at: datetime, offset: ClockOffset, received_at: datetime) -> float:
    """To how many seconds the corrected time of something made at `made_at` is right.

    The bound of the measured offset grows with the age of what was made; where the corrected time had to be bounded
    it is as uncertain as it was moved.
    """
    try:
        believed = made_at + timedelta(seconds=offset.seconds)
    except OverflowError:
        believed = EARLIEST
    age = abs((received_at - believed).total_seconds())
    moved = abs((corrected(made_at, offset, received_at) - believed).total_seconds())
    return offset.uncertainty_s + (moved if moved > 1 else DRIFT * age)
