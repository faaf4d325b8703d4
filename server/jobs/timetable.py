"""What runs when. A new job is one entry of `TIMETABLE`; each calls one action for each company."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from server.actions.end_upload import end_unfinished
from server.actions.generate_visits import generate_visits
from server.actions.keep_house import keep_house
from server.actions.move_windows import move_windows
from server.actions.retire_visits import retire_visits
from server.actions.take_up import take_up_aside
from server.store.files import current_files

Work = Callable[[str, datetime], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job and its place in the day (UTC): each hour at `minute`, or each day at `hour`:`minute`.

    `work` takes a company's id and the moment, and returns its report; a report that names something under "failed"
    marks the run as partly done.
    """

    name: str
    work: Work
    minute: int
    hour: int | None = None

    def slot(self, now: datetime) -> datetime:
        """The latest moment at or before `now` at which the job is due: the name of its run."""
        wanted = now.replace(minute=self.minute, second=0, microsecond=0)
        if self.hour is not None:
            wanted = wanted.replace(hour=self.hour)
        return wanted if wanted <= now else wanted - (timedelta(hours=1) if self.hour is None else timedelta(days=1))

    @property
    def says_when(self) -> str:
        return f"hourly at :{self.minute:02d}" if self.hour is None else f"daily at {self.hour:02d}:{self.minute:02d}"


def _generate(company_id: str, now: datetime) -> dict[str, Any]:
    return generate_visits(company_id, now).to_json()


def _move_windows(company_id: str, now: datetime) -> dict[str, Any]:
    return move_windows(company_id, now)


def _retire(company_id: str, now: datetime) -> dict[str, Any]:
    return retire_visits(company_id, now)


def _end_uploads(company_id: str, now: datetime) -> dict[str, Any]:
    return end_unfinished(current_files(), company_id, now)


def _keep_house(company_id: str, now: datetime) -> dict[str, Any]:
    return keep_house(company_id, now)


def _take_up(company_id: str, now: datetime) -> dict[str, Any]:
    return take_up_aside(company_id, now)


TIMETABLE: tuple[Job, ...] = (
    Job(name="move_windows", work=_move_windows, minute=1),
    Job(name="generate_visits", work=_generate, minute=5),
    Job(name="take_up_aside", work=_take_up, minute=15),
    Job(name="keep_house", work=_keep_house, minute=35),
    Job(name="retire_visits", work=_retire, hour=3, minute=10),
    Job(name="end_uploads", work=_end_uploads, hour=3, minute=40),
)


def job_named(name: str) -> Job | None:
    """The job of that name, if there is one."""
    return next((job for job in TIMETABLE if job.name == name), None)
