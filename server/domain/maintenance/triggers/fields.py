"""Reading the fields of a trigger's document, and writing its numbers."""

from __future__ import annotations

from typing import Any


def shown(value: float) -> str:
    """A meter's number as people write it: no more than two decimals, none that are zero."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def number(value: Any) -> float:
    """A finite number; raises ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e15:
        raise ValueError("a number is needed")
    return float(value)


def text(value: Any) -> str:
    """Text; raises ValueError for anything else."""
    if not isinstance(value, str):
        raise ValueError("text is needed")
    return value


def whole(value: Any) -> int:
    """A whole number; raises ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 10**9:
        raise ValueError("a whole number is needed")
    return value
