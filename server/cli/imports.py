"""`flask import SORT FILE.csv`: what another system knows, checked whole before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from server.actions.import_agreements import import_contracts, import_prices, import_terms
from server.actions.import_assets import import_assets
from server.actions.import_plans import import_plans
from server.actions.import_report import BadCell, ImportReport
from server.actions.import_sites import import_sites
from server.store.author import Author, acting
from server.store.models import Company
from server.store.queries import people
from server.text import LOCALES, say

Importer = Callable[..., ImportReport]
LARGEST = 200 * 1024 * 1024


@click.group("import")
def imports() -> None:
    """Sites, assets, maintenance plans, warranty terms, contracts and prices from CSV files."""


def _command(name: str, importer: Importer, about: str) -> click.Command:
    @click.command(name, help=about)
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--dry-run", is_flag=True, help="Check the file and say what would happen; write nothing.")
    @click.option("--company", "wanted", help="Name or id of the company; default: the only one.")
    @click.option(
        "--locale", type=click.Choice(LOCALES), default="en", show_default=True, help="Language of the report."
    )
    def run(file: Path, dry_run: bool, wanted: str | None, locale: str) -> None:
        company = _company(wanted)
        if file.stat().st_size > LARGEST:
            raise click.BadParameter(f"is larger than {LARGEST // 1024 // 1024} MB; split it", param_hint="FILE")
        report = _with_bar(importer, company, file, dry_run, locale)
        _print(report, dry_run, locale)
        if report.refused:
            raise click.exceptions.Exit(1)

    return run


def _company(wanted: str | None) -> Company:
    companies = people.companies()
    fitting = [one for one in companies if wanted in (None, one.name, one.id)]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(one.name for one in companies) or "none yet; make one with `flask init`"
    raise click.UsageError(f"Name one company with --company. There are: {names}.")


def _with_bar(importer: Importer, company: Company, file: Path, dry_run: bool, locale: str) -> ImportReport:
    bar = Progress(
        TextColumn("{task.description:<12}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
    company_id = company.id
    with bar, acting(Author(name=f"import {file.name}"[:200])):
        tasks: dict[str, TaskID] = {}

        def progress(phase: str, done: int, total: int) -> None:
            if phase == "storing" and dry_run:
                return
            if phase not in tasks:
                tasks[phase] = bar.add_task(say("import", phase, locale=locale), total=None)
            bar.update(tasks[phase], completed=done, total=total)

        progress("checking", 0, 1)
        report = importer(company_id, file.read_bytes(), dry_run=dry_run, progress=progress)
        progress("checking", report.rows, report.rows)
        if not report.refused:
            progress("storing", report.rows, report.rows)
    return report


def _print(report: ImportReport, dry_run: bool, locale: str) -> None:
    for bad in report.problems:
        click.echo(_sentence(bad, locale))
    if report.refused:
        click.echo(say("import", "refused", {"n": len(report.problems)}, locale))
        return
    for collection, counts in report.counts.items():
        params = {name: counts[name] for name in ("created", "changed", "unchanged")}
        label = say("import", f"collection.{collection}", locale=locale)
        click.echo(say("import", "count", {"collection": label, **params}, locale))
    click.echo(say("import", "dry-run" if dry_run else "done", {"rows": report.rows}, locale))


def _sentence(bad: BadCell, locale: str) -> str:
    params = {"line": bad.line, "column": bad.column, "text": bad.text(locale)}
    return say("import", "line" if bad.column else "line-whole", params, locale)


for each in (
    _command("sites", import_sites, "Sites with their customers."),
    _command("assets", import_assets, "Equipment at sites that are there already."),
    _command("plans", import_plans, "Maintenance plans of equipment that is there already."),
    _command("terms", import_terms, "Warranty terms."),
    _command("contracts", import_contracts, "Service contracts of customers that are there already."),
    _command("prices", import_prices, "Prices of the base list, of branches, and of lists that contracts name."),
):
    imports.add_command(each)

COMMANDS = (imports,)
