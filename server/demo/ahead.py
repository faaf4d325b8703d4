"""Today, tomorrow and the weeks after: what the scheduler made and customers asked for, on routes or waiting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta

from routing.plan import Plan
from server.actions.plan_routes import reason_json, reasons_json
from server.demo.chance import Chance
from server.demo.jobs import Job, requests
from server.demo.rounds import on_duty, plan_day
from server.demo.visits import readings_of, visit_row
from server.demo.work import Facts, work_route
from server.demo.world import Branch, Technician, World
from server.extensions import db
from server.store.author import author
from server.store.models import RoutePlan, RouteStop, RouteUnassigned
from server.store.queries.visits import next_visit_numbers

WAITING = 14
"""Requests of each branch that nobody has a time for yet."""


@dataclass(frozen=True, kw_only=True)
class Day:
    """How one of the coming days is filled: requests for each technician on duty, and how firm it is."""

    offset: int
    asked: float
    planned_share: float
    state: str


DAYS = (
    Day(offset=0, asked=2.9, planned_share=0.8, state="published"),
    Day(offset=1, asked=2.4, planned_share=0.7, state="published"),
    Day(offset=2, asked=1.2, planned_share=0.5, state="planned"),
    Day(offset=3, asked=0.8, planned_share=0.4, state="planned"),
)


def fill_days(world: World, branch: Branch, due: Sequence[Job]) -> None:
    """Give the coming days of a branch their visits, from what is due and what is asked; inside a transaction.

    What is left over waits: plans' work without a technician, and some requests that nobody has a time for yet.
    """
    chance = Chance(world.seed, f"ahead/{branch.key}")
    left = list(due)
    for day in DAYS:
        left = _fill(world, branch, day, left, chance)
    waiting = requests(world, branch, branch.today, WAITING, chance)
    for job in waiting:
        job.due_to = branch.today + timedelta(days=chance.randint(0, 6))
    left += waiting
    for number, job in zip(next_visit_numbers(world.company_id, len(left)), left, strict=True):
        db.session.add(visit_row(world, branch, job, number))


def _fill(world: World, branch: Branch, day: Day, due: list[Job], chance: Chance) -> list[Job]:
    """One day; returns what is due and still nobody's."""
    on = branch.today + timedelta(days=day.offset)
    people = {one.id: one for one in on_duty(branch.technicians, on) if not one.new or day.offset > 0}
    if not people:
        return due
    taken = [job for job in due if job.due_from and job.due_from <= on and chance.happens(day.planned_share)]
    taken = taken[: round(len(people) * 1.6)]
    asked = requests(world, branch, on, round(len(people) * day.asked), chance)
    jobs = {job.id: job for job in (*taken, *asked)}
    plan = plan_day(branch, on, list(jobs.values()), list(people.values()), explain=True)
    facts = _facts(world, branch, plan, jobs, people) if day.offset == 0 else {}
    given = {stop.visit_id for route in plan.routes for stop in route.stops}
    _store(world, branch, day, plan, jobs, people, facts)
    if day.state == "published":
        _keep_plan(world, branch, on, plan, chance)
    return [job for job in (*due, *asked) if job.id not in given]


def _facts(
    world: World, branch: Branch, plan: Plan, jobs: dict[str, Job], people: dict[str, Technician]
) -> dict[str, Facts]:
    facts: dict[str, Facts] = {}
    for route in plan.routes:
        technician = people[route.technician]
        if not technician.quiet:
            own = Chance(world.seed, f"today/{technician.id}")
            facts |= work_route(branch, technician, route, jobs, own, world.now)
    return facts


def _store(
    world: World,
    branch: Branch,
    day: Day,
    plan: Plan,
    jobs: dict[str, Job],
    people: dict[str, Technician],
    facts: dict[str, Facts],
) -> None:
    stops = [(route, position, stop) for route in plan.routes for position, stop in enumerate(route.stops, start=1)]
    for number, (route, position, stop) in zip(next_visit_numbers(world.company_id, len(stops)), stops, strict=True):
        row = visit_row(
            world,
            branch,
            jobs[stop.visit_id],
            number,
            plan_state=day.state,
            stop=stop,
            position=position,
            technician=people[route.technician],
            facts=facts.get(stop.visit_id),
        )
        db.session.add(row)
        db.session.add_all(readings_of(row))


def _keep_plan(world: World, branch: Branch, on: date, plan: Plan, chance: Chance) -> None:
    """The published plan itself, as the planner keeps it: made the evening before."""
    made_at = min(branch.at(on - timedelta(days=1), time(16, 40)), world.now - timedelta(minutes=40))
    row = RoutePlan(
        company_id=world.company_id,
        id=chance.id(made_at),
        branch_id=branch.id,
        date=on,
        horizon_days=1,
        state="published",
        seed=world.seed,
        objective=asdict(plan.objective)
        | {"total": plan.objective.total, "unassigned": len(plan.unassigned), "engines": ["regret"]},
        created_at=made_at,
        created_by=author.get().user_id,
        published_at=made_at + timedelta(minutes=12),
    )
    db.session.add(row)
    db.session.flush()
    for route in plan.routes:
        for position, stop in enumerate(route.stops, start=1):
            db.session.add(
                RouteStop(
                    company_id=world.company_id,
                    plan_id=row.id,
                    visit_id=stop.visit_id,
                    technician_id=route.technician,
                    date=on,
                    position=position,
                    arrive_at=datetime.fromtimestamp(stop.arrive, UTC),
                    start_at=datetime.fromtimestamp(stop.start, UTC),
                    end_at=datetime.fromtimestamp(stop.end, UTC),
                    travel_s=stop.travel_s,
                    travel_m=stop.travel_m,
                    why=reason_json(stop.why, branch.tz, on) or {},
                )
            )
    for left in plan.unassigned:
        reasons = reasons_json(left.reasons, branch.tz, on)
        db.session.add(
            RouteUnassigned(company_id=world.company_id, plan_id=row.id, visit_id=left.visit_id, reasons=reasons)
        )
