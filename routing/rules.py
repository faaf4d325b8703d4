"""The laws of a pair visit and technician-day, one function each: may this person take it on this date at all?

The judge has its own wording of the same laws in `check.py`; neither imports the other.
"""

from __future__ import annotations

from routing.problem import TechnicianDay, Visit, Window, is_located


def is_fact(visit: Visit) -> bool:
    """Whether the work has begun on site: then nothing but the person's whereabouts is asked."""
    return visit.pinned is not None and visit.pinned.begun


def lacks_skill(visit: Visit, day: TechnicianDay) -> tuple[str, ...]:
    """Codes that are needed and not held at the needed level, whatever their expiry."""
    return tuple(
        code for code, level in visit.skills.items() if code not in day.skills or day.skills[code].level < level
    )


def has_expired(visit: Visit, day: TechnicianDay) -> tuple[str, ...]:
    """Codes held at the needed level whose certificate no longer counts on the date of the shift."""
    expired = []
    for code, level in visit.skills.items():
        grant = day.skills.get(code)
        if grant is not None and grant.level >= level and grant.expires is not None and grant.expires < day.date:
            expired.append(code)
    return tuple(expired)


def is_foreign(visit: Visit, day: TechnicianDay) -> bool:
    """Whether the visit belongs to a branch that is not the technician's."""
    return visit.branch is not None and visit.branch != day.branch


def is_pinned_elsewhere(visit: Visit, day: TechnicianDay) -> bool:
    """Whether the visit is pinned to somebody else."""
    return visit.pinned is not None and visit.pinned.technician != day.technician


def may_take(visit: Visit, day: TechnicianDay) -> bool:
    """All laws above together; times are not asked here."""
    if is_pinned_elsewhere(visit, day):
        return False
    if is_fact(visit):
        return True
    return not (lacks_skill(visit, day) or has_expired(visit, day) or is_foreign(visit, day))


def due_window(visit: Visit) -> Window | None:
    """Seconds at which the due dates let the work begin; None when they forbid everything (cannot happen today)."""
    low = visit.due_from if visit.due_from is not None else 0
    high = visit.due_to if visit.hard_due and visit.due_to is not None and not visit.overdue_days else _FAR
    return Window(start=low, end=high) if low <= high else None


_FAR = 1 << 40


def allowed_starts(visit: Visit) -> tuple[Window, ...]:
    """Disjoint windows, in order, in which the work may begin: promised windows ∩ due dates ∩ pinned start."""
    pin = visit.pinned
    if pin is not None and pin.begun and pin.start is not None:
        return (Window(start=pin.start, end=pin.start),)
    if pin is not None and pin.begun:
        return (Window(start=0, end=_FAR),)
    due = due_window(visit)
    if due is None:
        return ()
    spans = visit.windows or (Window(start=0, end=_FAR),)
    if pin is not None and pin.start is not None:
        spans = tuple(Window(start=pin.start, end=pin.start) for w in spans if w.start <= pin.start <= w.end)[:1]
    clipped = [
        Window(start=max(w.start, due.start), end=min(w.end, due.end))
        for w in spans
        if max(w.start, due.start) <= min(w.end, due.end)
    ]
    return _merged(clipped)


def _merged(windows: list[Window]) -> tuple[Window, ...]:
    merged: list[Window] = []
    for window in sorted(windows, key=lambda w: w.start):
        if merged and window.start <= merged[-1].end + 1:
            merged[-1] = Window(start=merged[-1].start, end=max(merged[-1].end, window.end))
        else:
            merged.append(window)
    return tuple(merged)


def is_plannable(visit: Visit) -> bool:
    """Whether the visit has a place to drive to."""
    return is_located(visit.point)
