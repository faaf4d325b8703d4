"""Calendar arithmetic that does not drift: always the anchor plus n steps, never the last date plus one step."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import MAXYEAR, date, timedelta
from typing import Literal

Unit = Literal["days", "weeks", "months", "years"]
UNITS: tuple[Unit, ...] = ("days", "weeks", "months", "years")


def add_months(anchor: date, months: int) -> date:
    """`anchor` moved by calendar months; a day that the month lacks becomes the month's last day."""
    index = anchor.year * 12 + anchor.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(anchor.day, monthrange(year, month)[1]))


@dataclass(frozen=True)
class Every:
    """An interval such as "every 6 months". `after` counts whole steps from an anchor.

    31 January plus one month is 28 February, plus two is 31 March again: a short month does not shorten the next.
    """

    count: int
    unit: Unit

    def after(self, anchor: date, steps: int) -> date:
        """The date `steps` intervals after `anchor`; the last representable date when there is none so late.

        Raises ValueError for an interval that does not move on.
        """
        if self.count < 1:
            raise ValueError("an interval counts from 1")
        amount = self.count * steps
        try:
            if self.unit == "days":
                return anchor + timedelta(days=amount)
            if self.unit == "weeks":
                return anchor + timedelta(weeks=amount)
            return add_months(anchor, amount * 12 if self.unit == "years" else amount)
        except (OverflowError, ValueError):
            return date(MAXYEAR, 12, 31)
