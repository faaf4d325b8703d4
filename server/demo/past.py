"""Three months of visits that are over: day by day, branch by branch, on routes that somebody could drive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from routing.plan import Stop
from server.demo.chance import Chance
from server.demo.jobs import Job, requests, started_service
from server.demo.rounds import on_duty, plan_day
from server.demo.work import Facts, work_route
from server.demo.world import HISTORY_DAYS, Branch, Technician, World
from sync.states import PERFORMED

FEWEST, MOST = 0.55, 1.9
"""Visits for each technician on duty: on the first day, when the branches began with Rounds, and now."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """A visit of the past."""

    branch: Branch
    day: date
    job: Job
    stop: Stop
    position: int
    technician: Technician
    facts: Facts


def past_visits(world: World, expected: dict[tuple[str, date], list[Job]]) -> Iterator[Done]:
    """All visits until yesterday, oldest first; tells each asset of its newest ones."""
    for back in range(HISTORY_DAYS, 0, -1):
        for branch in world.branches:
            yield from _day(world, branch, branch.today - timedelta(days=back), back, expected)


def _day(
    world: World, branch: Branch, day: date, back: int, expected: dict[tuple[str, date], list[Job]]
) -> Iterator[Done]:
    people = {one.id: one for one in on_duty([one for one in branch.technicians if not one.new], day)}
    if not people:
        return
    chance = Chance(world.seed, f"day/{branch.key}/{back}")
    ramp = FEWEST + (MOST - FEWEST) * (HISTORY_DAYS - back) / HISTORY_DAYS
    jobs = expected.get((branch.id, day), []) + started_service(world, branch, day, chance)
    asked = round(len(people) * ramp) - len(jobs)
    jobs += requests(world, branch, day, max(asked, 1), chance)
    by_id = {job.id: job for job in jobs}
    for route in plan_day(branch, day, jobs, list(people.values())).routes:
        technician = people[route.technician]
        facts = work_route(branch, technician, route, by_id, chance)
        for position, stop in enumerate(route.stops, start=1):
            job = by_id[stop.visit_id]
            _remember(job, day, technician, facts[job.id])
            yield Done(
                branch=branch,
                day=day,
                job=job,
                stop=stop,
                position=position,
                technician=technician,
                facts=facts[job.id],
            )


def _remember(job: Job, day: date, technician: Technician, facts: Facts) -> None:
    if job.asset and facts.outcome in PERFORMED:
        job.asset.last.append(
            {"date": day.isoformat(), "kind": job.kind.code, "technician": technician.name, "outcome": facts.outcome}
        )
