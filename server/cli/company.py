"""`flask init`: a real installation: one administrator, a first branch, all kinds of work; no demo accounts.

`flask package`: how many days its tablets hold.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from server.actions.found_company import open_company
from server.actions.set_package import MOST_DAYS, set_package
from server.cli.guard import wrong
from server.problems import Problem
from server.store.queries import people

OPTIONS = {
    "company.name": "--name",
    "company.email": "--email",
    "company.password": "--password",
    "email": "--email",
    "name": "--branch",
    **{name: f"--{name}" for name in ("tz", "currency", "lat", "lon", "city", "locale")},
}
"""The option that each field comes from."""


@click.command("init")
@click.option("--name", prompt="Name of the company", help="The service organisation.")
@click.option("--email", prompt="Administrator's e-mail", help="Whom to sign in as.")
@click.option("--password", prompt=True, hide_input=True, confirmation_prompt=True, help="At least 12 characters.")
@click.option("--locale", type=click.Choice(["en", "ru"]), default="en", show_default=True)
@click.option("--branch", prompt="Name of the first branch", help="A part of the company with a territory of its own.")
@click.option("--tz", prompt="Its time zone", help="IANA name, such as Europe/Andorra.")
@click.option("--currency", prompt="Its currency", help="Three letters, such as EUR.")
@click.option("--lat", type=float, prompt="Latitude of its depot", help="Degrees.")
@click.option("--lon", type=float, prompt="Longitude of its depot", help="Degrees.")
@click.option("--city", default=None, help="Where the branch is.")
def init(name: str, email: str, password: str, locale: str, branch: str, **place: Any) -> None:
    """Make a company with its administrator, the catalogue of kinds of work with checklists, and a first branch."""
    try:
        company = open_company(name, {"name": branch} | place, email=email, password=password, locale=locale)
    except Problem as problem:
        raise wrong(problem, locale, OPTIONS) from problem
    click.echo(f"{company.name} is ready. Sign in as {email.strip().lower()}.")


@click.command("package")
@click.option("--days", type=click.IntRange(0, MOST_DAYS), default=None, help="Days before and after today.")
@click.option("--megabytes", type=click.IntRange(1, 1000), default=None, help="Of documents of work, at most.")
@click.option("--company", "named", default=None, help="Its name, where the installation has several.")
def package(days: int | None, megabytes: int | None, named: str | None) -> None:
    """Say of how many days around today tablets hold the visits; they get and drop what follows from it."""
    found = [each for each in people.companies() if named in (None, each.name)]
    if len(found) != 1:
        names = ", ".join(each.name for each in found or people.companies()) or "none"
        raise click.BadParameter(f"name one of the companies: {names}.", param_hint="--company")
    company = found[0].id
    size = None if megabytes is None else megabytes * 1_000_000
    report = set_package(company, datetime.now(UTC), days=days, size=size)
    click.echo(f"Done: {report['entered']} documents came to tablets, {report['left']} left.")


COMMANDS: tuple[click.Command, ...] = (init, package)
