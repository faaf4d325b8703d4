from __future__ import annotations

from sqlalchemy import select

from server.extensions import db
from server.store.models import JobLease, JobRun


def latest(count: int) -> list[JobRun]:
    """The latest runs of all jobs, newest first."""
    return list(db.session.scalars(select(JobRun).order_by(JobRun.started_at.desc(), JobRun.id.desc()).limit(count)))


def run(job: str, slot: str) -> JobRun | None:
    """The run of a job for one slot, locked until the commit; read anew."""
    statement = select(JobRun).where(JobRun.job == job, JobRun.slot == slot).with_for_update()
    return db.session.scalar(statement.execution_options(populate_existing=True))


def run_by_id(run_id: str) -> JobRun | None:
    return db.session.get(JobRun, run_id, populate_existing=True)


def lease(name: str) -> JobLease | None:
    """The lease of that name, read anew."""
    return db.session.get(JobLease, name, populate_existing=True)
