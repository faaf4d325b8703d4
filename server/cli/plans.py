"""`flask plans ...`: what maintenance plans have made of each date, and why."""

from __future__ import annotations

from datetime import datetime, timedelta

import click
from flask.cli import AppGroup

from server.actions.explain_plan import explain_plan
from server.actions.generate_visits import generate_visits
from server.jobs.run import now_utc
from server.problems import Problem
from server.store.queries import maintenance as queries
from server.text import LOCALES, say

DAY = click.DateTime(["%Y-%m-%d"])


plans = AppGroup("plans", help="Maintenance plans.")


@plans.command("explain")
@click.argument("plan", metavar="PLAN")
@click.option("--from", "first", type=DAY, help="First due date; by default thirty days ago.")
@click.option("--to", "last", type=DAY, help="Last due date; by default a year from now.")
@click.option("--locale", type=click.Choice(LOCALES), default="en", show_default=True)
def explain(plan: str, first: datetime | None, last: datetime | None, locale: str) -> None:
    """Say for each expected date of PLAN why there is a visit, or why there is none, and why it is that date.

    PLAN is the id of a plan or its reference of the import; `flask plans list` shows both.
    """
    now = now_utc()
    if first and last and last < first:
        raise click.BadParameter("is before --from.", param_hint="--to")
    company_id, plan_id = _found(plan)
    begin = first.date() if first else now.date() - timedelta(days=30)
    end = last.date() if last else now.date() + timedelta(days=365)
    try:
        rows = explain_plan(company_id, plan_id, begin, end, now, locale)
    except Problem as problem:
        raise click.ClickException(say("problem", problem.code, problem.params, locale)) from problem
    for row in rows:
        due_on = row.decision.due_on.isoformat() if row.decision.due_on else "-"
        state = say("command", f"plan-{row.decision.state.value}", {}, locale)
        click.echo(f"{due_on:10}  {state:14}  {row.text} {row.basis or ''}".rstrip())


@plans.command("list")
@click.option("--find", default="", help="Part of a plan's name or reference, or of its equipment's serial number.")
@click.option("--limit", type=click.IntRange(1, 1000), default=30, show_default=True)
def list_plans(find: str, limit: int) -> None:
    """Show plans: id, reference, equipment, name."""
    found = queries.plans_named(find, limit + 1)
    for plan, serial in found[:limit]:
        click.echo(f"{plan.id}  {plan.external_ref or '-':16}  {serial or '-':14}  {plan.name}")
    if len(found) > limit:
        click.echo("… and more; name them with --find, or raise --limit.")


@plans.command("generate")
@click.argument("plan", metavar="PLAN")
def generate(plan: str) -> None:
    """Bring the visits of one PLAN up to date now."""
    company_id, plan_id = _found(plan)
    report = generate_visits(company_id, now_utc(), plan_id)
    for failure in report.failed:
        raise click.ClickException(failure["error"])
    click.echo(f"{report.made} made, {report.moved} moved, {report.withdrawn} withdrawn.")


def _found(plan: str) -> tuple[str, str]:
    """Company and id of the plan with this id or reference."""
    found = queries.plans_called(plan)
    if not found:
        raise click.BadParameter(
            f"There is no maintenance plan {plan}. `flask plans list` shows those that are.", param_hint="PLAN"
        )
    if len(found) > 1:
        raise click.BadParameter(
            f"{len(found)} companies have a maintenance plan {plan}; name it by its id.", param_hint="PLAN"
        )
    return found[0].company_id, found[0].id


COMMANDS: tuple[click.Command, ...] = (plans,)
