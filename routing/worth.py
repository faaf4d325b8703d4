"""What serving a visit is worth and what broken wishes cost: the one scale of the planner, in seconds of travel.

These definitions belong to the question, so the judge (`check`) and the builders (`frame`) both read them here.
The scale in words and examples: docs/routing-model.md.
"""

from __future__ import annotations

from routing.problem import Problem, TechnicianDay, Visit

DAY_S = 86_400

BASE_WORTH_S = (1_800, 7_200, 28_800, 86_400)
"""By priority: low 30 min (never an hour's drive), normal 2 h, high 8 h, urgent 24 h."""

HARD_DATE_FACTOR = 8
"""A hard date inside the horizon (or behind it) lifts a normal visit to 16 h, above high, below urgent."""

MAX_WORTH_S = 1_000_000
"""Keeps 2,000 visits below 2³¹, the limit of VROOM's sums."""

SLACK_DAYS = 14
"""From so many days of slack behind the horizon, waiting costs nothing and a visit is worth a quarter."""

DELAY_PER_DAY_S = (0, 60, 900, 3_600)
"""Price for each day that a visit waits inside the horizon, by priority."""

LATE_PER_DAY_S = (180, 720, 2_880, 8_640)
"""Price for each begun day after a soft `due_to`, by priority: a tenth of the worth."""

OVERTIME_FACTOR = 2
"""Each second of overtime costs as much as two on the road."""

PREFERRED_PRICE_S = 900
"""Another person than the preferred one: as a quarter of an hour's detour."""

HAND_OVER_PRICE_S = 1_800
"""A published visit changes hands: it must save half an hour."""

SHIFT_TOLERANCE_S = 1_800
"""Moves of a published start up to this are no disturbance."""

SHIFT_PRICE_S = 600
"""A published start moves by more than the tolerance."""


def horizon(problem: Problem) -> tuple[int, int]:
    """Start of the first shift and end of the last; (0, 0) without technicians."""
    if not problem.days:
        return 0, 0
    return min(day.shift_start for day in problem.days), max(day.shift_end for day in problem.days)


def worth(visit: Visit, horizon_end: int) -> int:
    """Seconds of travel that serving `visit` inside the horizon is worth.

    base(priority) × urgency of the date, plus a tenth of the base for each overdue day (30 at most).
    """
    base = BASE_WORTH_S[visit.priority]
    value = base
    if visit.overdue_days:
        value = base * (HARD_DATE_FACTOR if visit.hard_due else 2) + base * min(visit.overdue_days, 30) // 10
    elif visit.due_to is not None:
        slack_s = visit.due_to - horizon_end
        if slack_s < DAY_S:
            value = base * (HARD_DATE_FACTOR if visit.hard_due else 2)
        else:
            slack_days = min(slack_s // DAY_S, SLACK_DAYS)
            value = base - (base * 3 * slack_days) // (4 * SLACK_DAYS)
    if visit.priority == 0 and not visit.hard_due:
        # Age alone must not turn the least important work into an hour's drive.
        value = min(value, 3_000)
    return min(value, MAX_WORTH_S)


def delay_price(visit: Visit, day: TechnicianDay, horizon_start: int) -> int:
    """Price of serving `visit` on `day` instead of the first day, and of a soft due date that is then behind."""
    waited_days = max(0, (day.shift_start - horizon_start + DAY_S // 2) // DAY_S)
    price = DELAY_PER_DAY_S[visit.priority] * waited_days
    if visit.due_to is not None and not visit.overdue_days and day.shift_start > visit.due_to:
        price += LATE_PER_DAY_S[visit.priority] * -((visit.due_to - day.shift_start) // DAY_S)
    return price


def wish_price(visit: Visit, day: TechnicianDay) -> int:
    """Price of another person than the preferred one."""
    return PREFERRED_PRICE_S if visit.preferred is not None and visit.preferred != day.technician else 0


def hand_over_price(visit: Visit, day: TechnicianDay) -> int:
    """Price of giving a published visit to another person."""
    return HAND_OVER_PRICE_S if visit.current is not None and visit.current.technician != day.technician else 0


def is_shifted(visit: Visit, start: int) -> bool:
    """Whether beginning at `start` breaks what was published by more than the tolerance."""
    return visit.current is not None and abs(start - visit.current.start) > SHIFT_TOLERANCE_S


def unserved_price(visit: Visit, horizon_end: int) -> int:
    """Price of leaving `visit` out; a published one costs a change of hands more, for somebody was told."""
    return worth(visit, horizon_end) + (HAND_OVER_PRICE_S if visit.current is not None else 0)
