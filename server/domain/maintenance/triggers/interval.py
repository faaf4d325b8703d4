"""Reading and judging the interval of a trigger that has one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from server.domain.maintenance.calendar import UNITS, Every
from server.domain.maintenance.values import Problem
from server.domain.reason import reason

_LONGEST = {"days": 36_500, "weeks": 5_200, "months": 1_200, "years": 100}


def interval_problems(every: Every) -> tuple[Problem, ...]:
    if every.unit not in UNITS:
        return (Problem(field="every.unit", reason=reason("interval-unit-unknown", unit=str(every.unit))),)
    if not 1 <= every.count <= _LONGEST[every.unit]:
        why = reason("interval-out-of-range", count=every.count, most=_LONGEST[every.unit])
        return (Problem(field="every.count", reason=why),)
    return ()


def interval_from_json(document: Mapping[str, Any]) -> Every:
    """Raises ValueError unless the count is a whole number and the unit is known."""
    count, unit = document["count"], document["unit"]
    if not isinstance(count, int) or isinstance(count, bool):
        raise ValueError("every.count must be a whole number")
    if unit not in UNITS:
        raise ValueError(f"every.unit must be one of {', '.join(UNITS)}")
    return Every(count, unit)
