"""Run a module under a clock that is ahead of the real one: `python -m tests.clocked <offset_seconds> <module> …`.

What the demo company shows depends on the hour and the weekday; tests and pictures of it want the same moment always.
The clock is `time_machine`'s: it replaces the wall clock of the whole process, also of workers forked later, and leaves
`time.monotonic` alone, so deadlines and timeouts run as ever. Processes that are spawned anew have the real clock.
"""

from __future__ import annotations

import runpy
import sys
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import time_machine

ZONE = ZoneInfo("Europe/Andorra")
WEEKDAY, HOUR = 1, time(10, 43)


def until_the_morning(now: datetime) -> timedelta:
    """From `now` (with a zone) to the next Tuesday, 10:43 in Andorra, in whole seconds: 0 to 7 days."""
    here = now.astimezone(ZONE)
    day = here.date() + timedelta(days=(WEEKDAY - here.weekday()) % 7)
    if (day, HOUR) < (here.date(), here.time()):
        day += timedelta(days=7)
    then = datetime.combine(day, HOUR, ZONE).astimezone(UTC)
    return timedelta(seconds=round((then - now.astimezone(UTC)).total_seconds()))


def main() -> None:
    """Move the clock, then be the module that is named, with the arguments that follow it."""
    offset, module = float(sys.argv[1]), sys.argv[2]
    sys.argv = sys.argv[2:]
    traveller = time_machine.travel(datetime.now(UTC) + timedelta(seconds=offset), tick=True)
    traveller.start()
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
