"""One run of one job: claim the slot, do the work of each company, record what happened."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from server.actions.job_runs import Lease, claim_run, finish_run
from server.jobs.timetable import Job
from server.store.failures import Contradiction
from server.store.queries import maintenance as queries

log = logging.getLogger(__name__)


def now_utc() -> datetime:
    """The clock of the jobs; a door may look at it."""
    return datetime.now(UTC)


def slot_name(moment: datetime) -> str:
    """A slot as it is stored: `2026-11-23T14:05Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")


def run_job(
    job: Job,
    slot: str,
    *,
    lease: Lease | None = None,
    leading: bool = False,
    told: Callable[[str], None] = log.info,
) -> str | None:
    """Run a job for a slot unless that has been done; returns the state it ended in, or None if it was not run.

    One company's failure is recorded and does not keep the others from their turn. Needs an application context.
    """
    began = time.monotonic()
    try:
        run_id = claim_run(job.name, slot, now_utc(), lease, leading=leading)
    except Contradiction:
        return None
    if run_id is None:
        return None
    told(f"{job.name} {slot} started")
    report: dict[str, Any] = {"companies": {}, "errors": []}
    for company_id in queries.company_ids():
        try:
            report["companies"][company_id] = job.work(company_id, now_utc())
        except Exception as error:
            # This is a door: the next company must have its turn whatever happened to this one.
            log.exception("%s failed for company %s", job.name, company_id)
            report["errors"].append({"company_id": company_id, "error": f"{type(error).__name__}: {error}"})
    report["seconds"] = round(time.monotonic() - began, 3)
    state = _state(report)
    finish_run(run_id, state, now_utc(), report)
    told(f"{job.name} {slot} {state} in {report['seconds']} s")
    return state


def _state(report: dict[str, Any]) -> str:
    if report["errors"]:
        return "partly" if report["companies"] else "failed"
    return "partly" if any(each.get("failed") for each in report["companies"].values()) else "done"
