"""`flask documents refresh`: after an update that changed the form of documents."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from server.actions.refresh_documents import refresh_documents

documents = AppGroup("documents", help="Look after the documents that tablets hold.")


@documents.command("refresh")
def refresh() -> None:
    """Bring all documents to the form that their schemas have now; tablets get what changed."""
    seen: dict[str, int] = {}
    for collection, count in refresh_documents():
        seen[collection] = count
    click.echo(f"Looked at {sum(seen.values())} documents of {len(seen)} collections.")


COMMANDS = (documents,)
