"""`flask plans ...`: what maintenance plans have made of each date, and why."""

from __future__ import annotations

from datetime import datetime, timedelta

import click
from flask.cli import AppGroup

from server.actions.explain_plan import explain_plan
from server.actions.generate_visits import generate_visits
from server.jobs.run import now_utc
from server.store.queries import maintenance as queries
from server.text import LOCALES

DAY = click.DateTime(["%Y-%m-%d"])


plans = AppGroup("plans", help="Maintenance plans.")


@plans.command("explain")
@click.argument("plan")
@click.option("--from", "first", type=DAY, help="First due date; by default thirty days ago.")
@click.option("--to", "last", type=DAY, help="Last due date; by default a year from now.")
@click.option("--locale", type=click.Choice(LOCALES), default="en", show_default=True)
def explain(plan: str, first: datetime | None, last: datetime | None, locale: str) -> None:
    """Say for each expected date of PLAN why there is a visit, or why there is none."""
    now = now_utc()
    company_id = _company_of(plan)
    rows = explain_plan(
        company_id,
        plan,
        first.date() if first else now.date() - timedelta(days=30),
        last.date() if last else now.date() + timedelta(days=365),
        now,
        locale,
    )
    for row in rows:
        due_on = row.decision.due_on
        click.echo(f"{due_on or '-':<10}  {row.decision.state:10}  {row.text}")


@plans.command("generate")
@click.argument("plan")
def generate(plan: str) -> None:
    """Bring the visits of one PLAN up to date now."""
    report = generate_visits(_company_of(plan), now_utc(), plan)
    for failure in report.failed:
        raise click.ClickException(failure["error"])
    click.echo(f"{report.made} made, {report.moved} moved, {report.withdrawn} withdrawn.")


def _company_of(plan_id: str) -> str:
    for company_id in queries.company_ids():
        if queries.plan_is_there(company_id, plan_id):
            return company_id
    raise click.ClickException(f"There is no maintenance plan {plan_id}.")


COMMANDS: tuple[click.Command, ...] = (plans,)
