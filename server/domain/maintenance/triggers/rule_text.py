"""Reads the text of a recurrence rule into arguments for `dateutil.rrule`.

The subset is what a maintenance plan can mean: daily to yearly, dates only. Reading it here rather than with
`rrulestr` lets each mistake be named, and stops rules that would make the library search to the year 9999.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, datetime, time
from typing import Any

from dateutil.rrule import DAILY, FR, MO, MONTHLY, SA, SU, TH, TU, WE, WEEKLY, YEARLY, weekday

from server.domain.reason import Reason, reason

_FREQUENCIES = {"DAILY": DAILY, "WEEKLY": WEEKLY, "MONTHLY": MONTHLY, "YEARLY": YEARLY}
_WITHIN_A_DAY = frozenset({"HOURLY", "MINUTELY", "SECONDLY"})
_WEEKDAYS = {"MO": MO, "TU": TU, "WE": WE, "TH": TH, "FR": FR, "SA": SA, "SU": SU}
_PARTS = frozenset(
    {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST", "SKIP", "RSCALE"}
)
_LEAP_YEAR = 2024


class BadRule(ValueError):
    """A rule that cannot be used; `reason` says why in words for people."""

    def __init__(self, why: Reason) -> None:
        super().__init__(why.code, dict(why.params))
        self.reason = why


def rule_arguments(text: str, starts_on: date) -> dict[str, Any]:
    """Keyword arguments for `rrule`, without `dtstart`; "until" is a naive midnight. Raises `BadRule`."""
    parts = _split(text)
    frequency = parts.get("FREQ", "")
    if frequency in _WITHIN_A_DAY:
        raise BadRule(reason("rule-within-a-day", frequency=frequency))
    if frequency not in _FREQUENCIES:
        raise BadRule(reason("rule-without-frequency"))
    arguments: dict[str, Any] = {"freq": _FREQUENCIES[frequency]}
    for part, name, low, high in (("INTERVAL", "interval", 1, 1000), ("COUNT", "count", 1, 10_000)):
        if part in parts:
            arguments[name] = _number(part, parts[part], low, high)
    for part, name, low, high in (("BYMONTH", "bymonth", 1, 12), ("BYMONTHDAY", "bymonthday", -31, 31)):
        if part in parts:
            arguments[name] = _numbers(part, parts[part], low, high)
    if "BYSETPOS" in parts:
        if frequency == "DAILY":
            raise BadRule(reason("rule-part-unusable", part="BYSETPOS", value=parts["BYSETPOS"]))
        arguments["bysetpos"] = _numbers("BYSETPOS", parts["BYSETPOS"], -366, 366)
    if "BYDAY" in parts:
        arguments["byweekday"] = _days(parts["BYDAY"], numbered=frequency in ("MONTHLY", "YEARLY"))
    if "WKST" in parts:
        arguments["wkst"] = _days(parts["WKST"], numbered=False)[0]
    if "UNTIL" in parts:
        arguments["until"] = datetime.combine(_until(parts["UNTIL"]), time())
    _clamp_to_month_end(arguments, frequency, parts.get("SKIP"), starts_on)
    _refuse_impossible_days(arguments)
    return arguments


def _split(text: str) -> dict[str, str]:
    body = text.strip().upper().removeprefix("RRULE:")
    parts: dict[str, str] = {}
    for piece in body.split(";"):
        name, equals, value = piece.partition("=")
        if not equals or not value or name in parts:
            raise BadRule(reason("rule-unreadable", part=piece or text))
        if name not in _PARTS:
            raise BadRule(reason("rule-part-unknown", part=name))
        parts[name] = value
    if parts.get("SKIP", "OMIT") not in ("OMIT", "BACKWARD"):
        raise BadRule(reason("rule-part-unusable", part="SKIP", value=parts["SKIP"]))
    return parts


def _number(part: str, text: str, low: int, high: int) -> int:
    if not re.fullmatch(r"[+-]?\d{1,6}", text) or not low <= int(text) <= high or int(text) == 0:
        raise BadRule(reason("rule-part-unusable", part=part, value=text))
    return int(text)


def _numbers(part: str, text: str, low: int, high: int) -> list[int]:
    return [_number(part, each, low, high) for each in text.split(",")]


def _days(text: str, *, numbered: bool) -> list[weekday]:
    days = []
    for each in text.split(","):
        match = re.fullmatch(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)", each)
        if match is None or (match[1] and not numbered):
            raise BadRule(reason("rule-part-unusable", part="BYDAY", value=each))
        days.append(_WEEKDAYS[match[2]](int(match[1])) if match[1] else _WEEKDAYS[match[2]])
    return days


def _until(text: str) -> date:
    try:
        return datetime.strptime(text[:8], "%Y%m%d").date()
    except ValueError as error:
        raise BadRule(reason("rule-part-unusable", part="UNTIL", value=text)) from error


def _clamp_to_month_end(arguments: dict[str, Any], frequency: str, skip: str | None, starts_on: date) -> None:
    """Turn "day 31, or the last day there is" into the set 28 to 31 with its last member."""
    if frequency not in ("MONTHLY", "YEARLY") or "byweekday" in arguments or "bysetpos" in arguments:
        return
    written = arguments.get("bymonthday")
    if written is None and skip != "OMIT":
        day = starts_on.day
    elif written is not None and len(written) == 1 and skip == "BACKWARD":
        day = written[0]
    else:
        return
    months = arguments.get("bymonth", [starts_on.month])
    if day > 28 and (frequency == "MONTHLY" or len(months) == 1):
        arguments |= {"bymonthday": list(range(28, day + 1)), "bysetpos": [-1]}
        if frequency == "YEARLY":
            arguments["bymonth"] = months


def _refuse_impossible_days(arguments: dict[str, Any]) -> None:
    days = arguments.get("bymonthday")
    months = arguments.get("bymonth", range(1, 13))
    if days and all(abs(day) > monthrange(_LEAP_YEAR, month)[1] for day in days for month in months):
        raise BadRule(reason("rule-impossible-day", days=",".join(map(str, days)), months=",".join(map(str, months))))
