"""Door 4, commands: `flask ...`. One file for each group, its commands in `COMMANDS`."""

from __future__ import annotations

from flask import Flask

from server.cli import backup, company, demo, imports, jobs, plan, plans

GROUPS = (backup, company, demo, imports, jobs, plan, plans)


def register(app: Flask) -> None:
    """Add all commands to the application."""
    for group in GROUPS:
        for command in group.COMMANDS:
            app.cli.add_command(command)
