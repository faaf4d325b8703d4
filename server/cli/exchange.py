"""`flask exchange take FILE` and `flask exchange make DEVICE`: the exchange with tablets by files."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
from flask.cli import AppGroup

from server.actions.make_exchange import make_exchange
from server.actions.take_exchange import take_exchange
from server.api.uploads import room
from server.problems import Problem
from server.store.files import current_files
from server.store.queries import exchange as rows
from server.text import LOCALES, say
from sync.carried import MOST_BYTES

exchange = AppGroup("exchange", help="Exchange with tablets by files, without a network.")
LOCALE = click.option("--locale", type=click.Choice(LOCALES), default="en", show_default=True)


@exchange.command("take")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@LOCALE
def take(file: Path, locale: str) -> None:
    """Take in a tablet's FILE; taken twice it has its effect once."""
    if file.stat().st_size > MOST_BYTES:
        raise Problem(413, "exchange-too-large", most=MOST_BYTES // 2**20)
    came = take_exchange(
        file.read_bytes(), company_id=None, files=current_files(), room=room(), now=datetime.now(UTC), locale=locale
    )
    told = {"device": came.device_id, "number": came.n, "n": len(came.results), "conflicts": came.conflicts}
    if came.ended is not None:
        kept = {True: "kept", False: "full", None: "empty"}[came.salvaged]
        click.echo(say("command", f"exchange-salvage-{kept}", told, locale))
    else:
        click.echo(say("command", "exchange-again" if came.again else "exchange-taken", told, locale))
    for status, n in sorted(came.counts.items()):
        click.echo(f"  {status:10} {n}")
    for one in came.files:
        detail = f": {one['problem']['title']}" if one["problem"] else ""
        click.echo(f"  {one['name'] or one['sha256'][:12]}  {one['state']}{detail}")


@exchange.command("make")
@click.argument("device", type=click.UUID)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Where to write it.")
@LOCALE
def make(device: object, out: Path | None, locale: str) -> None:
    """Make the next file for the tablet with the id DEVICE."""
    company_id = rows.company_of(str(device))
    if company_id is None:
        raise Problem(404, "not-found")
    made = make_exchange(company_id, str(device), files=current_files(), now=datetime.now(UTC), locale=locale)
    path = out or Path(f"rounds-office-{made.n}.rndx")
    path.write_bytes(made.data)
    told = {"file": str(path), "answers": made.answers, "n": made.changes}
    click.echo(say("command", "exchange-made" if made.whole else "exchange-made-part", told, locale))


COMMANDS = (exchange,)
