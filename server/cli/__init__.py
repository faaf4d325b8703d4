"""Door 4, commands: `flask ...`. One file for each group, its commands in `COMMANDS`."""

from __future__ import annotations

from flask import Flask

from server.cli import backup, company, demo, documents, exchange, imports, jobs, plan, plans, simulate
from server.cli.guard import guard

GROUPS = (backup, company, demo, documents, exchange, imports, jobs, plan, plans, simulate)

for _group in GROUPS:
    for _command in _group.COMMANDS:
        guard(_command)


def register(app: Flask) -> None:
    """Add all commands to the application."""
    for group in GROUPS:
        for command in group.COMMANDS:
            app.cli.add_command(command)
