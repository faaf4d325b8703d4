"""`flask plan`: plan days by hand, see each route with its reasons, publish if told to."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import click
from flask.cli import with_appcontext
from rich.console import Console
from rich.table import Table
from rich.text import Text

from schemas.office import reason_in
from server.actions.plan_routes import plan_routes
from server.actions.publish_plan import publish_plan
from server.problems import Problem
from server.store.models import Branch, Customer, RoutePlan, RouteStop, Site, Visit
from server.store.queries import office, people, planning
from server.text import LOCALES, say

WIDTH = 140
"""Columns of the tables where the output is no terminal that says its own."""

Rows = dict[str, tuple[Visit, Site, Customer]]


@click.command("plan")
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), required=True, help="First day: YYYY-MM-DD.")
@click.option("--horizon", type=click.IntRange(1, 14), default=1, show_default=True, help="How many days.")
@click.option("--branch", "branch_name", help="Only the branch of this name; by default all.")
@click.option("--publish", is_flag=True, help="Publish what was planned, so that the tablets get it.")
@click.option("--locale", type=click.Choice(LOCALES), default="en", show_default=True)
@click.option("--seconds", type=click.FloatRange(0.2, 60), default=3, show_default=True, help="For each branch.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True)
@click.option("--company", "company_name", help="By default the only one.")
@with_appcontext
def plan(
    day: datetime,
    horizon: int,
    branch_name: str | None,
    publish: bool,
    locale: str,
    seconds: float,
    seed: int,
    company_name: str | None,
) -> None:
    """Plan the routes of some days: who drives where and why, what found no place and why not.

    The last line is one line of JSON with the figures.
    """
    company_id = _company(company_name)
    branches = {one.id: one for one in office.branches(company_id) if branch_name in (None, one.name)}
    if not branches:
        raise click.BadParameter(f"There is no branch {branch_name!r}.", param_hint="--branch")
    began, now = time.monotonic(), datetime.now(UTC)
    console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    figures: dict[str, Any] = {
        "date": day.date().isoformat(), "horizon_days": horizon, "seed": seed, "published": publish, "plans": [],
        "assigned": 0, "unassigned": 0, "travel_s": 0, "travel_m": 0, "overtime_s": 0,
    }  # fmt: skip
    try:
        ids = plan_routes(
            company_id,
            first=day.date(),
            days=horizon,
            branch_id=next(iter(branches)) if branch_name else None,
            seconds=seconds,
            seed=seed,
            user_id=None,
            now=now,
        )
        for plan_id in ids:
            if publish:
                publish_plan(company_id, plan_id, now=datetime.now(UTC))
            _show(console, company_id, plan_id, branches, publish, locale, figures)
    except Problem as problem:
        told = problem.body(locale)
        raise click.ClickException(f"{told['title']}. {told['detail']}") from problem
    figures["seconds"] = round(time.monotonic() - began, 3)
    click.echo(json.dumps(figures))


def _company(name: str | None) -> str:
    companies = [one for one in people.companies() if name in (None, one.name)]
    if len(companies) != 1:
        names = ", ".join(one.name for one in people.companies()) or "none"
        raise click.BadParameter(f"Name one company of: {names}.", param_hint="--company")
    return companies[0].id


def _show(
    console: Console,
    company_id: str,
    plan_id: str,
    branches: dict[str, Branch],
    published: bool,
    locale: str,
    figures: dict[str, Any],
) -> None:
    """Print a plan and add it to the figures."""
    made = planning.plan(company_id, plan_id)
    assert made is not None
    assert made.branch_id is not None
    branch = branches[made.branch_id]
    stops, left = planning.stops(company_id, plan_id), planning.unassigned(company_id, plan_id)
    ids = [*(stop.visit_id for stop in stops), *(row.visit_id for row in left)]
    rows: Rows = {row[0].id: row for row in planning.rows_of(company_id, ids)}
    names = office.technician_names(company_id)
    routes: dict[tuple[str, date], list[RouteStop]] = {}
    for stop in stops:
        routes.setdefault((stop.technician_id, stop.date), []).append(stop)
    for (technician, on), route in sorted(routes.items(), key=lambda item: (item[0][1], names[item[0][0]])):
        console.print(_route(names[technician], on, route, rows, branch, locale))
    if left:
        console.print(_left([(row.visit_id, row.reasons) for row in left], rows, locale))
    console.print(say("command", "plan.published" if published else "plan.draft", {"branch": branch.name}, locale))
    _count(figures, made, branch, len(stops), len(left))


def _count(figures: dict[str, Any], made: RoutePlan, branch: Branch, assigned: int, unassigned: int) -> None:
    figures["plans"].append({"id": made.id, "branch": branch.name, "assigned": assigned, "unassigned": unassigned})
    figures["assigned"] += assigned
    figures["unassigned"] += unassigned
    for name in ("travel_s", "travel_m", "overtime_s"):
        figures[name] += made.objective[name]


def _route(name: str, on: date, route: Sequence[RouteStop], rows: Rows, branch: Branch, locale: str) -> Table:
    driving = {
        "minutes": round(sum(stop.travel_s for stop in route) / 60),
        "km": round(sum(stop.travel_m for stop in route) / 1000, 1),
    }
    title = say("command", "plan.route", {"name": name, "date": on.isoformat()} | driving, locale)
    table = Table(title=Text(title), title_justify="left", expand=True)
    for heading, options in (
        ("#", {"justify": "right"}),
        (say("command", "plan.start", None, locale), {}),
        (say("command", "plan.end", None, locale), {}),
        (say("command", "plan.visit", None, locale), {"no_wrap": True}),
        (say("command", "plan.site", None, locale), {"ratio": 2}),
        (say("command", "plan.driving", None, locale), {"no_wrap": True}),
        (say("command", "plan.why", None, locale), {"ratio": 3}),
    ):
        table.add_column(heading, **options)
    zone = ZoneInfo(branch.tz)
    for number, stop in enumerate(route, start=1):
        visit, site, _ = rows[stop.visit_id]
        way = {"minutes": round(stop.travel_s / 60), "km": round(stop.travel_m / 1000, 1)}
        table.add_row(
            str(number),
            f"{stop.start_at.astimezone(zone):%H:%M}",
            f"{stop.end_at.astimezone(zone):%H:%M}",
            Text(visit.number),
            Text(site.name),
            Text(say("command", "plan.driving-value", way, locale)),
            Text(_sentence(stop.why, locale)),
        )
    return table


def _left(left: Sequence[tuple[str, list[dict[str, Any]]]], rows: Rows, locale: str) -> Table:
    title = say("command", "plan.unassigned", {"n": len(left)}, locale)
    table = Table(title=Text(title), title_justify="left", expand=True)
    table.add_column(say("command", "plan.visit", None, locale), no_wrap=True)
    table.add_column(say("command", "plan.site", None, locale), ratio=1)
    table.add_column(say("command", "plan.reasons", None, locale), ratio=3)
    for visit_id, reasons in left:
        visit, site, _ = rows[visit_id]
        table.add_row(
            Text(visit.number), Text(site.name), Text("\n".join(_sentence(reason, locale) for reason in reasons))
        )
    return table


def _sentence(reason: dict[str, Any] | None, locale: str) -> str:
    told = reason_in(say, "route", reason, locale)
    if told is None:
        return ""
    remedy = told.get("remedy")
    return f"{told['text']} → {remedy['text']}" if remedy else str(told["text"])


COMMANDS: tuple[click.Command, ...] = (plan,)
