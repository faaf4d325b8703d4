"""Which of several schedulers may work: the holder of a database lock."""

from __future__ import annotations

import os
import socket
import uuid
from datetime import timedelta
from typing import Protocol

from server.actions.job_runs import Lease, give_back, take_lease
from server.jobs.run import now_utc
from server.store.advisory_lock import AdvisoryLock, has_advisory_locks
from server.store.failures import Unavailable

NAME = "scheduler"


class Leader(Protocol):
    """A claim to be the only scheduler. Called from one thread, in an application context."""

    lease: Lease | None

    def hold(self) -> bool:
        """Become or stay the leader; False if another is, or the database cannot be asked."""

    def release(self) -> None:
        """Let another take over at once."""


class LockLeader:
    """PostgreSQL: leader for as long as the connection lives; a killed process loses it at once."""

    lease: Lease | None = None

    def __init__(self) -> None:
        self._lock = AdvisoryLock(f"rounds.{NAME}")

    def hold(self) -> bool:
        return self._lock.hold()

    def release(self) -> None:
        self._lock.release()


class LeaseLeader:
    """SQLite: leader until the lease runs out; a killed process is followed after that long."""

    def __init__(self, length: timedelta) -> None:
        self.lease: Lease | None = None
        self._length = length
        self._holder = f"{socket.gethostname()}/{os.getpid()}/{uuid.uuid4().hex[:8]}"[:60]

    def hold(self) -> bool:
        try:
            self.lease = take_lease(NAME, self._holder, now_utc(), self._length)
        except Unavailable:
            self.lease = None
        return self.lease is not None

    def release(self) -> None:
        lease, self.lease = self.lease, None
        if lease is not None:
            give_back(lease, now_utc())


def make_leader(lease_length: timedelta) -> Leader:
    """The kind of leadership that the application's database offers."""
    return LockLeader() if has_advisory_locks() else LeaseLeader(lease_length)
