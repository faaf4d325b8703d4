"""Which days of work fit on a tablet: today and tomorrow always, then one day after the other while there is room."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

ALWAYS = 2
"""Days, from today on, that are there whatever they weigh."""


def last_day(load: Mapping[date, int], today: date, last: date, budget: int) -> date:
    """The last day, at most `last`, up to which the load fits into the budget.

    `load`: bytes of each day, counted with what the days before it do not bring anyway; days before today count first.
    """
    weight = sum(size for day, size in load.items() if day < today)
    for ahead in range((last - today).days + 1):
        day = today + timedelta(days=ahead)
        weight += load.get(day, 0)
        if ahead >= ALWAYS and weight > budget and load.get(day):
            return day - timedelta(days=1)
    return last
