"""`flask simulate`: fleets with virtual time and every fault, and the checkers of the laws that judge them."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from sync.simulator import run as simulator
from sync.simulator.picture import picture
from sync.simulator.run import Broken, fingerprint, in_memory, script_of, shortened

MOST_SHOWN = 3
"""So many broken fleets are shortened and shown; the others are counted."""


def read_faults(context: click.Context, parameter: click.Parameter, text: str | None) -> tuple[str, ...] | None:
    """Words with commas; `all` for all of them. None lets each seed choose."""
    if text is None:
        return None
    words = [word.strip() for word in text.split(",") if word.strip()]
    if words == ["all"]:
        return tuple(simulator.FAULTS)
    unknown = [word for word in words if word not in simulator.FAULTS]
    if unknown:
        known = ", ".join(simulator.FAULTS)
        raise click.BadParameter(f"There is no fault {', '.join(map(repr, unknown))}. There are: {known}; or: all.")
    return tuple(words)


@click.command("simulate")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="The first fleet's seed.")
@click.option(
    "--fleets", type=click.IntRange(1), default=1, show_default=True, help="So many seeds, one after another."
)
@click.option("--devices", type=click.IntRange(1, 100), default=3, show_default=True)
@click.option("--operations", type=click.IntRange(0, 100_000), default=40, show_default=True)
@click.option(
    "--faults", callback=read_faults, metavar="A,B,…", help="What goes wrong; `all`; by default each seed chooses."
)
@click.option("--show", is_flag=True, help="Print the history of the first fleet.")
@click.option(
    "--picture",
    "drawing",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw a broken fleet's short history, or the first fleet, as SVG.",
)
@click.pass_context
def simulate(
    context: click.Context,
    seed: int,
    fleets: int,
    devices: int,
    operations: int,
    faults: tuple[str, ...] | None,
    show: bool,
    drawing: Path | None,
) -> None:
    """Let office, scheduler, planner, tablets and network run in virtual time, and judge what came of it.

    The same seed is the same fleet, event by event. What breaks a law is shortened, printed, and ends the command
    with 1. The last line is JSON.
    """
    started = time.monotonic()
    told = {"requests": 0, "kills": 0}
    laws: set[str] = set()
    red: list[int] = []
    violations, prints = 0, ""
    for number in range(seed, seed + fleets):
        report = in_memory(script_of(number, devices=devices, operations=operations, faults=faults))
        told["requests"] += report.requests
        told["kills"] += report.kills
        laws |= report.laws
        violations += len(report.violations)
        prints = prints or fingerprint(report)
        if number == seed and show:
            for event in report.history.events:
                click.echo(str(event))
        if number == seed and drawing is not None:
            drawing.write_text(picture(report), encoding="utf-8")
        if report.violations:
            red.append(number)
            if len(red) <= MOST_SHOWN:
                broken = shortened(report)
                tell(broken, devices, operations, faults)
                if drawing is not None and len(red) == 1:
                    drawing.write_text(picture(broken.report), encoding="utf-8")
    last = {
        "seed": seed,
        "fleets": fleets,
        "devices": devices,
        "operations": operations * fleets,
        "faults": "chosen by the seed" if faults is None else list(faults),
        **told,
        "laws": len(laws),
        "violations": violations,
        "red": red,
        "fingerprint": prints,
        "seconds": round(time.monotonic() - started, 1),
    }
    click.echo(json.dumps(last))
    context.exit(1 if red else 0)


def tell(broken: Broken, devices: int, operations: int, faults: tuple[str, ...] | None) -> None:
    """What a fleet broke, the command that runs it again, and its short history."""
    named = f" --faults {','.join(faults)}" if faults is not None else ""
    click.echo(f"Seed {broken.seed} breaks {broken.violation}")
    click.echo(f"  flask simulate --seed {broken.seed} --devices {devices} --operations {operations}{named}")
    kept = broken.report.script.operations
    click.echo(f"  {broken.before} operations were shortened to {len(kept)} in {broken.runs} runs:")
    for operation in kept:
        click.echo(f"  {operation}")


COMMANDS: tuple[click.Command, ...] = (simulate,)
