"""Valid small problems for the planner's tests; each test changes only what it is about.

The plane of the tests: points lie on one meridian near the equator, `east(n)` is n minutes of driving away from
`HOME` with `MINUTE_MODEL`, so that times can be added up by hand.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from typing import Any

from routing.problem import Break, Grant, Point, Problem, TechnicianDay, Visit, Window, build_problem
from routing.travel import EARTH_RADIUS_M, TravelModel

MONDAY = dt.date(2026, 3, 2)
MIDNIGHT = int(dt.datetime(2026, 3, 2, tzinfo=dt.UTC).timestamp())
HOUR, MINUTE, DAY = 3600, 60, 86_400
HOME: Point = (0.0, 1.0)

# 60 km/h without detours: a minute of driving is a kilometre.
MINUTE_MODEL = TravelModel(road_factor=1.0, speed_kmh=60.0, parking_s=0)
_DEGREES_PER_KM = 180.0 / (3.141592653589793 * EARTH_RADIUS_M / 1000.0)


def at(hour: float, day: int = 0) -> int:
    """Unix seconds of `hour` o'clock on the Monday of the tests or `day` days later."""
    return MIDNIGHT + day * DAY + round(hour * HOUR)


def east(minutes: float) -> Point:
    """A point that many minutes of driving from HOME; a hair less, for times are rounded up to whole seconds."""
    return 0.0, 1.0 + minutes * (1 - 1e-7) * _DEGREES_PER_KM


def window(start: float, end: float, day: int = 0) -> Window:
    return Window(start=at(start, day), end=at(end, day))


def visit(id: str = "v", minutes: float = 10, **changes: Any) -> Visit:
    """Half an hour of work ten minutes from home, any time."""
    return Visit(**{"id": id, "point": east(minutes), "service_s": 30 * MINUTE, **changes})


def technician(name: str = "anna", day: int = 0, **changes: Any) -> TechnicianDay:
    """At work from 8 to 17 from home, without a break and without skills."""
    return TechnicianDay(
        **{
            "technician": name,
            "date": MONDAY + dt.timedelta(days=day),
            "start": HOME,
            "end": HOME,
            "shift_start": at(8, day),
            "shift_end": at(17, day),
            **changes,
        }
    )


def lunch(earliest: float = 12, latest: float = 13, minutes: int = 45, day: int = 0) -> Break:
    return Break(earliest=at(earliest, day), latest=at(latest, day), length_s=minutes * MINUTE)


def problem(visits: Sequence[Visit], days: Sequence[TechnicianDay]) -> Problem:
    return build_problem(visits, days, MINUTE_MODEL)


def generated(
    seed: int, visits: int, technicians: int, days: int = 1, *, load_minutes: int = 45, wishes: bool = True
) -> Problem:
    """A mixed company around Andorra: windows, skills, certificates, branches, breaks, overtime, due dates."""
    rng = random.Random(seed)
    codes = ["hvac", "gas", "lift"]

    def point() -> Point:
        return 42.45 + rng.random() * 0.2, 1.42 + rng.random() * 0.33

    people = []
    for t in range(technicians):
        home, branch = point(), "north" if rng.random() < 0.5 else "south"
        skills = {code: Grant(level=rng.randint(1, 3)) for code in codes if rng.random() < 0.6}
        if rng.random() < 0.2:
            skills["gas"] = Grant(level=2, expires=MONDAY + dt.timedelta(days=rng.randint(-1, 4)))
        for d in range(days):
            if rng.random() < 0.1 and days > 1:
                continue
            people.append(
                technician(
                    f"t{t}",
                    d,
                    start=home,
                    end=home,
                    branch=branch,
                    skills=skills,
                    pause=rng.choice([None, lunch(13, 13, 45, d), lunch(12, 14, 30, d)]),
                    max_overtime_s=rng.choice([0, 0, HOUR]),
                )
            )
    asked = []
    for i in range(visits):
        windows: tuple[Window, ...] = ()
        roll = rng.random()
        if roll < 0.3:
            hour = rng.choice([8, 10, 13, 15])
            windows = tuple(window(hour, hour + 2, d) for d in range(days))
        elif roll < 0.4:
            windows = tuple(w for d in range(days) for w in (window(9, 11, d), window(14, 16, d)))
        asked.append(
            Visit(
                id=f"v{i}",
                point=point(),
                service_s=rng.choice([load_minutes // 2, load_minutes, load_minutes * 2]) * MINUTE,
                windows=windows,
                skills={rng.choice(codes): rng.randint(1, 2)} if rng.random() < 0.4 else {},
                priority=rng.choices([0, 1, 2, 3], [2, 5, 2, 1])[0],
                due_to=at(17, rng.randint(0, 20)) if rng.random() < 0.5 else None,
                hard_due=rng.random() < 0.3,
                branch=rng.choice(["north", "south"]) if rng.random() < 0.2 else None,
                preferred=f"t{rng.randrange(max(1, technicians))}" if wishes and rng.random() < 0.15 else None,
            )
        )
    return build_problem(asked, people)
