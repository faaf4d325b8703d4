"""`flask backup` and `flask restore`: the copy that tablets rely on, and the way back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
import flask_migrate
from flask import current_app
from flask.cli import with_appcontext

from server.actions.back_up import back_up, forget_old
from server.actions.restore import begin_histories, put_back
from server.store.backup import CannotCopy
from server.store.files import current_files


def _folder(to: Path | None) -> Path:
    return to or current_app.config["DATA_FOLDER"] / "backups"


@click.command("backup")
@click.option("--to", type=click.Path(file_okay=False, path_type=Path), help="Folder; by default backups/ in the data.")
@click.option("--files/--no-files", default=True, show_default=True, help="Copy photos too.")
@click.option("--most", type=click.IntRange(min=1), default=30, show_default=True, help="Backups to keep.")
@with_appcontext
def backup(to: Path | None, files: bool, most: int) -> None:
    """Make a backup, prove it by reading it back, and let tablets forget what it covers."""
    try:
        made = back_up(_folder(to), current_files(), now=datetime.now(UTC), with_files=files)
    except CannotCopy as error:
        raise click.ClickException(f"No backup was made, and tablets keep all that they sent. {error}") from error
    forget_old(_folder(to), most)
    click.echo(f"{made.path} is whole: {made.companies} companies, {made.size:,} bytes, {made.files} new files.")


@click.command("restore")
@click.argument("copy", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_appcontext
def restore(copy: Path) -> None:
    """Put a backup in the database's place. The server may run; tablets send again what the backup lacks."""
    try:
        done = put_back(copy.resolve(), _folder(None))
    except CannotCopy as error:
        raise click.ClickException(f"Nothing was changed. {error}") from error
    flask_migrate.upgrade()
    begin_histories(done.made_at, datetime.now(UTC))
    as_of = f" as of {done.made_at:%Y-%m-%d %H:%M:%S} UTC" if done.made_at else ""
    click.echo(f"{copy.name}{as_of} is in force for {done.companies} companies; before it: {done.kept}.")


COMMANDS: tuple[click.Command, ...] = (backup, restore)
