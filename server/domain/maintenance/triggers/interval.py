"""Reading, judging and telling the interval of a trigger that has one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

from server.domain.maintenance.calendar import UNITS, Every
from server.domain.maintenance.values import Problem
from server.domain.reason import Reason, reason

_LONGEST = {"days": 36_500, "weeks": 5_200, "months": 1_200, "years": 100}
_WORK_CODES = {
    "days": "after-work-days",
    "weeks": "after-work-weeks",
    "months": "after-work-months",
    "years": "after-work-years",
}
_START_CODES = {
    "days": "after-start-days",
    "weeks": "after-start-weeks",
    "months": "after-start-months",
    "years": "after-start-years",
}
_AGE_CODES = {"days": "age-days", "weeks": "age-weeks", "months": "age-months", "years": "age-years"}


def interval_basis(every: Every, steps: int, anchor: date, counted_from: Literal["work", "start", "age"]) -> Reason:
    """Why a date: so long after the last work, the plan's start or commissioning."""
    n = every.count * steps
    if counted_from == "work":
        return reason(_WORK_CODES[every.unit], n=n, anchor=anchor)
    if counted_from == "start":
        return reason(_START_CODES[every.unit], n=n, anchor=anchor)
    return reason(_AGE_CODES[every.unit], n=n, anchor=anchor)


def interval_problems(every: Every) -> tuple[Problem, ...]:
    if every.unit not in UNITS:
        return (Problem(field="every.unit", reason=reason("interval-unit-unknown", unit=str(every.unit))),)
    if not 1 <= every.count <= _LONGEST[every.unit]:
        why = reason("interval-out-of-range", count=every.count, most=_LONGEST[every.unit])
        return (Problem(field="every.count", reason=why),)
    return ()


def interval_to_json(every: Every) -> dict[str, Any]:
    return {"count": every.count, "unit": every.unit}


def interval_from_json(document: Mapping[str, Any]) -> Every:
    """Raises ValueError unless the count is a whole number and the unit is known."""
    count, unit = document["count"], document["unit"]
    if not isinstance(count, int) or isinstance(count, bool):
        raise ValueError("every.count must be a whole number")
    if unit not in UNITS:
        raise ValueError(f"every.unit must be one of {', '.join(UNITS)}")
    return Every(count, unit)
