"""Who leads the scheduler, and which slots of the timetable have been run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from server.extensions import db
from server.store.models import JobLease, JobRun
from server.store.queries import jobs
from server.store.transaction import transactional
from server.store.types import new_id


@dataclass(frozen=True, kw_only=True)
class Lease:
    """A leadership that ends by itself. `fence` rises with each new leader, so that an old one is recognised."""

    name: str
    holder: str
    fence: int


@transactional
def take_lease(name: str, holder: str, now: datetime, length: timedelta) -> Lease | None:
    """Take or renew the lease; None while another holds it.

    A renewal keeps its fence, even one that comes too late as long as nobody has followed. A lease that has run out may
    be taken by anybody, with the next fence.
    """
    row = jobs.lease(name)
    if row is None:
        row = JobLease(name=name, holder=holder, fence=1, until=now + length)
        db.session.add(row)
    elif row.holder == holder:
        row.until = now + length
    elif row.until > now:
        return None
    else:
        row.holder, row.fence, row.until = holder, row.fence + 1, now + length
    return Lease(name=name, holder=row.holder, fence=row.fence)


@transactional
def give_back(lease: Lease, now: datetime) -> None:
    """End a lease at once, if it is still the same."""
    row = jobs.lease(lease.name)
    if row is not None and (row.holder, row.fence) == (lease.holder, lease.fence):
        row.until = now


@transactional
def claim_run(job: str, slot: str, now: datetime, lease: Lease | None = None, *, leading: bool = False) -> str | None:
    """Begin the run of a slot and return its id; None if the slot has been run, is being run, or the lease is lost.

    Only one claim of a slot succeeds, in whatever process. A leader (`leading`) also takes over a run that its
    predecessor began and did not live to end: being the leader means that nobody else is running it.
    """
    if lease is not None and not _holds(lease):
        return None
    row = jobs.run(job, slot)
    if row is None:
        row = JobRun(id=new_id(), job=job, slot=slot)
        db.session.add(row)
        tries = 1
    elif leading and row.state == "running":
        tries = int(row.report.get("tries", 1)) + 1
    else:
        return None
    row.state, row.started_at, row.finished_at, row.report = "running", now, None, {"tries": tries}
    return row.id


@transactional
def finish_run(run_id: str, state: str, now: datetime, report: dict[str, Any]) -> None:
    """Record how a run ended: `done`, `partly` (some companies or plans failed) or `failed`."""
    row = jobs.run_by_id(run_id)
    if row is not None:
        row.state, row.finished_at, row.report = state, now, {**row.report, **report}


def _holds(lease: Lease) -> bool:
    """Whether nobody has followed. The clock does not matter: the fence tells, and it is read in the claim's own
    transaction, so that a leader that was held up for long cannot begin a run beside its successor."""
    row = jobs.lease(lease.name)
    return row is not None and (row.holder, row.fence) == (lease.holder, lease.fence)
