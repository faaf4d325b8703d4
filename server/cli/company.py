"""`flask init`: a real installation, with one administrator and no demo accounts."""

from __future__ import annotations

import click

from server.actions.found_company import found_company
from server.actions.passwords import SHORTEST


@click.command("init")
@click.option("--name", prompt="Name of the company", help="The service organisation.")
@click.option("--email", prompt="Administrator's e-mail", help="Whom to sign in as.")
@click.option("--password", prompt=True, hide_input=True, confirmation_prompt=True, help="At least 12 characters.")
@click.option("--locale", type=click.Choice(["en", "ru"]), default="en", show_default=True)
def init(name: str, email: str, password: str, locale: str) -> None:
    """Make a company and its administrator."""
    if len(password) < SHORTEST:
        raise click.BadParameter(f"needs at least {SHORTEST} characters", param_hint="--password")
    company, _ = found_company(name, email=email, password=password, locale=locale)
    click.echo(f"{company.name} is ready. Sign in as {email.strip().lower()}.")


COMMANDS: tuple[click.Command, ...] = (init,)
