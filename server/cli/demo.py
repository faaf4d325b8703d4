"""`flask demo load`: the demo company, for a first look and for tests by hand."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import click
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from server.demo import DemoReport, load_demo
from server.demo.load import EMAIL, PASSWORD, SEED


@click.group("demo")
def demo() -> None:
    """The demo company."""


@demo.command("load")
@click.option("--seed", type=int, default=SEED, show_default=True, help="The same seed makes the same company.")
@click.option(
    "--now", "moment", type=click.DateTime(["%Y-%m-%dT%H:%M"]), help="Load as of this UTC minute; default: now."
)
def load(seed: int, moment: datetime | None) -> None:
    """Make the demo company, once: real places, invented people and work, dates relative to today."""
    now = moment.replace(tzinfo=UTC) if moment else datetime.now(UTC)
    began = time.monotonic()
    with Progress(
        TextColumn("{task.description:<36}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn()
    ) as bar:
        task = bar.add_task("Loading the demo company", total=1.0)

        def told(step: str, share: float) -> None:
            bar.update(task, completed=share, description=step[:1].upper() + step[1:])

        report = load_demo(seed=seed, now=now, progress=told)
        bar.update(task, completed=1.0)
    _say(report, time.monotonic() - began)


def _say(report: DemoReport, seconds: float) -> None:
    if report.there:
        click.echo("The demo company is there already; nothing was changed.")
        return
    counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in report.counts.items())
    click.echo(f"The demo company is ready in {seconds:.1f} s: {counts}.")
    click.echo(f"Sign in as {EMAIL}, manager@, dispatcher@ or a technician's address, password {PASSWORD}.")


COMMANDS = (demo,)
