"""What is known of a tablet from afar: is it quiet, how much may still be on it, is its clock right."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

QUIET_AFTER = timedelta(minutes=45)
"""A tablet that was not heard of for so long, with a visit whose hour has come, may have begun it."""

SILENT_AFTER = timedelta(hours=12)
"""A shift has no such gaps."""

EXPIRES_AFTER = timedelta(days=90)
"""After so long without contact a tablet's token is in force no more."""

CLOCK_WORTH_A_WARNING_S = 300.0
"""A clock that is wrong by more is said, on the tablet and at the office; times are corrected all the same."""

State = Literal["fresh", "quiet", "silent", "expired", "revoked", "left"]


@dataclass(frozen=True, kw_only=True)
class Signs:
    """What a tablet's last contacts have shown."""

    last_seen_at: datetime
    ended: Literal["revoked", "left"] | None
    clock_offset_s: float | None
    missing: int
    """Numbers that never came."""
    told_unsent: int
    """What it said was unsent, at its last contact."""


def state_of(signs: Signs, now: datetime) -> State:
    """How the office should look at a tablet."""
    if signs.ended is not None:
        return signs.ended
    silence = now - signs.last_seen_at
    if silence > EXPIRES_AFTER:
        return "expired"
    if silence > SILENT_AFTER:
        return "silent"
    return "quiet" if silence > QUIET_AFTER else "fresh"


def unsent_estimate(signs: Signs, may_have_started: int) -> int:
    """How many edits are probably on a tablet: what it told or owes, and a step for each visit that may have begun.

    Numbers that are missing are among what it told, or lost.
    """
    return max(signs.missing, signs.told_unsent) + may_have_started


def clock_is_wrong(signs: Signs) -> bool:
    """Whether somebody should set the tablet's clock."""
    return abs(signs.clock_offset_s or 0.0) > CLOCK_WORTH_A_WARNING_S


def is_older(version: str | None, newest: str) -> bool:
    """Whether an app's version is before `newest`; what is not numbers with dots is another app."""
    parts = _numbers(version or "")
    return parts is not None and parts < (_numbers(newest) or ())


def _numbers(version: str) -> tuple[int, ...] | None:
    try:
        return tuple(int(part) for part in version.split("."))
    except ValueError:
        return None
