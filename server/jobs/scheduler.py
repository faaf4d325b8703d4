"""The scheduler: a process of its own. Any number may run; one leads, the others wait to follow.

1. Become the leader, or wait. 2. Run the slots that were missed and those that a dead predecessor left unfinished.
3. Run each job when it is due. 4. Ask again and again whether we still lead; stop working when not.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, timedelta

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from flask import Flask

from server.jobs.leader import Leader, make_leader
from server.jobs.run import now_utc, run_job, slot_name
from server.jobs.timetable import TIMETABLE, Job

LEASE = timedelta(seconds=60)
"""How long a leader on SQLite may be silent before another takes over; it renews four times as often."""

LATE = timedelta(hours=1)
"""A run that is later than this waits for its next slot; what was missed is caught up at the next start."""

log = logging.getLogger(__name__)


class Scheduler:
    """One scheduler process's life: `run` returns after `stop` is set and the run in progress has ended."""

    def __init__(
        self,
        app: Flask,
        stop: threading.Event,
        *,
        timetable: Sequence[Job] = TIMETABLE,
        lease: timedelta = LEASE,
        told: Callable[[str], None] = log.info,
    ) -> None:
        self._app = app
        self._stop = stop
        self._timetable = timetable
        self._lease = lease
        self._told = told
        self._leader: Leader | None = None
        self._working: BackgroundScheduler | None = None

    def run(self) -> None:
        with self._app.app_context():
            self._leader = make_leader(self._lease)
            try:
                while not self._stop.is_set():
                    self._check()
                    self._stop.wait(self._lease.total_seconds() / 4)
            finally:
                self._end_work()
                self._leader.release()
                self._told("stopped")

    def _check(self) -> None:
        """Begin or end work as leadership comes and goes."""
        assert self._leader is not None
        leads = self._leader.hold()
        if leads and self._working is None:
            self._told("leading")
            self._working = self._begin_work()
        elif not leads and self._working is not None:
            self._told("no longer leading")
            self._end_work()

    def _begin_work(self) -> BackgroundScheduler:
        # One thread: jobs do not overlap, and the loop above renews the lease meanwhile.
        working = BackgroundScheduler(
            timezone=UTC,
            executors={"default": {"type": "threadpool", "max_workers": 1}},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": int(LATE.total_seconds())},
        )
        for job in self._timetable:
            trigger = CronTrigger(hour=job.hour, minute=job.minute, timezone=UTC)
            working.add_job(self._run, trigger, args=[job], id=job.name)
            working.add_job(self._run, args=[job], id=f"{job.name} at start")
        working.start()
        return working

    def _run(self, job: Job) -> None:
        """Run the job's latest slot, unless somebody has; the lease is checked together with the claim."""
        leader = self._leader
        if leader is None or self._stop.is_set():
            return
        with self._app.app_context():
            run_job(job, slot_name(job.slot(now_utc())), lease=leader.lease, leading=True, told=self._told)

    def _end_work(self) -> None:
        working, self._working = self._working, None
        if working is not None:
            working.shutdown(wait=True)
