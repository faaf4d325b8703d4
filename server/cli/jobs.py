"""`flask scheduler` and `flask jobs ...`: the timetable, by hand and by itself."""

from __future__ import annotations

import os
import signal
import threading
from datetime import UTC, datetime, timedelta
from types import FrameType

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from server.jobs import run as runs
from server.jobs.scheduler import LEASE, Scheduler
from server.jobs.timetable import TIMETABLE, Job, job_named
from server.store.queries import jobs as queries


@click.command("scheduler")
@click.option(
    "--lease",
    type=click.FloatRange(min=0.2),
    default=lambda: float(os.environ.get("ROUNDS_SCHEDULER_LEASE", LEASE.total_seconds())),
    help="Seconds after which another scheduler follows one that has fallen silent.",
)
@with_appcontext
def scheduler(lease: float) -> None:
    """Run the timetable until told to stop. Several may run; one works, the others wait."""
    stop = threading.Event()

    def told_to_stop(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, told_to_stop)
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    Scheduler(app, stop, lease=timedelta(seconds=lease), told=_say).run()


def _say(line: str) -> None:
    click.echo(f"{runs.now_utc():%Y-%m-%dT%H:%M:%SZ} {line}")


jobs = AppGroup("jobs", help="Look at the timetable, run a job by hand, see what was run.")


@jobs.command("list")
def list_jobs() -> None:
    """The timetable (UTC)."""
    for job in TIMETABLE:
        click.echo(f"{job.name:20} {job.says_when:18} latest slot {runs.slot_name(job.slot(runs.now_utc()))}")


@jobs.command("run")
@click.argument("name")
@click.option("--slot", help="Run this slot of the timetable, unless it has been run: 2026-11-23T14:05Z.")
def run(name: str, slot: str | None) -> None:
    """Run a job now."""
    job = job_named(name)
    if job is None:
        raise click.BadParameter(f"There is no job {name!r}. See: flask jobs list", param_hint="NAME")
    slot = _slot(job, slot) if slot is not None else f"by hand {runs.now_utc():%Y-%m-%dT%H:%M:%S.%fZ}"
    state = runs.run_job(job, slot, told=_say)
    if state is None:
        click.echo(f"{name} {slot} has been run, or is being run.")
    elif state != "done":
        raise click.ClickException(f"{name} ended as {state}; see: flask jobs runs")


def _slot(job: Job, text: str) -> str:
    """A slot of the job's timetable that has begun; a later one would be taken from the scheduler."""
    now = runs.now_utc()
    latest = runs.slot_name(job.slot(now))
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no slot. Write it like {latest}.", param_hint="--slot") from None
    if job.slot(moment) != moment or moment > now:
        raise click.BadParameter(
            f"{job.name} has no slot {text} up to now: it runs {job.says_when}, last at {latest}.", param_hint="--slot"
        )
    return text


@jobs.command("runs")
@click.option("--count", type=click.IntRange(1, 1000), default=20, show_default=True)
def list_runs(count: int) -> None:
    """What was run lately, newest first."""
    for row in queries.latest(count):
        seconds = row.report.get("seconds")
        took = f"{seconds} s" if seconds is not None else "-"
        failed = sum(len(each.get("failed", ())) for each in row.report.get("companies", {}).values())
        told = (
            f"  {len(row.report.get('errors', ()))} companies and {failed} plans failed" if row.state != "done" else ""
        )
        click.echo(f"{row.started_at:%Y-%m-%d %H:%M:%S}  {row.job:18} {row.slot:28} {row.state:8} {took:>9}{told}")


COMMANDS: tuple[click.Command, ...] = (scheduler, jobs)
