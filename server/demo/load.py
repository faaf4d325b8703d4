"""Loading the demo company: start reading here.

1. Found the company. 2. Invent everything in memory, repeatably: the base, then the past day by day, then what plans
expect now. 3. Store it through the same door as anybody's writes, in few large transactions. 4. Fill the coming days.
5. Tablets, and clashes that really happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from server.actions.found_company import found_company
from server.actions.passwords import hash_password
from server.demo.ahead import fill_days
from server.demo.catalogue import add_catalogue, add_prices
from server.demo.chance import Chance
from server.demo.clashes import make_clashes
from server.demo.customers import add_customers
from server.demo.equipment import add_equipment, asset_rows
from server.demo.jobs import Job
from server.demo.ledger import ledger_now, past_work
from server.demo.past import Done, past_visits
from server.demo.people import DISPATCHER, add_people
from server.demo.source import read_json, read_places
from server.demo.tablets import enrol_tablets
from server.demo.visits import readings_of, visit_row
from server.demo.world import HISTORY_DAYS, Branch, World
from server.extensions import db
from server.store import models
from server.store.author import Author, acting
from server.store.queries import people
from server.store.queries.visits import next_visit_numbers
from server.store.transaction import transactional

NAME = "Rounds Demo"
EMAIL = "admin@rounds.example"
PASSWORD = "rounds-demo"
SEED = 7

BRANCHES = (
    {"key": "andorra", "name": "Andorra", "city": "Andorra la Vella", "locale": "en", "tz": "Europe/Andorra",
     "currency": "EUR", "depot": (42.50585, 1.52174), "places": "sites-andorra.csv"},
    {"key": "moscow", "name": "Москва", "city": "Москва", "locale": "ru", "tz": "Europe/Moscow",
     "currency": "RUB", "depot": (55.76098, 37.63851), "places": "sites-moscow-centre.csv"},
)  # fmt: skip

BATCH = 800
"""Visits in one transaction: large ones are quicker, and nobody else writes yet."""

Progress = Callable[[str, float], None]
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class DemoReport:
    """What was loaded; `there` says that a demo company was there already and nothing was changed."""

    company_id: str
    there: bool
    counts: dict[str, int] = field(default_factory=dict)


def load_demo(*, seed: int = SEED, now: datetime | None = None, progress: Progress | None = None) -> DemoReport:
    """Make the demo company as of `now`; the same seed and the same moment make the same company.

    Ids follow from the seed; the company's own id, its history's name, password hashes and tablets' tokens do not.
    `progress` hears of each step and which share of the whole is done before it.
    """
    told = progress or (lambda step, share: None)
    there = next((company for company in people.companies() if company.demo), None)
    if there is not None:
        return DemoReport(company_id=there.id, there=True)
    now = now or datetime.now(UTC)
    told("company", 0.0)
    company, admin = found_company(NAME, email=EMAIL, password=PASSWORD, demo=True)
    office = Author(user_id=admin.id, name=NAME)
    world = World(company_id=company.id, seed=seed, now=now)
    with acting(office):
        told("people, places and equipment", 0.02)
        planned = _invent(world)
        told("three months of visits", 0.1)
        expected = past_work(world, planned)
        done = list(past_visits(world, expected.jobs))
        told("what plans expect now", 0.4)
        ledger = ledger_now(world, planned, expected, done)
        told("storing the base", 0.45)
        _store([*world.groups, asset_rows(world), [one.row for one in planned], list(ledger.rows)])
        told("storing the past", 0.55)
        for share, batch in _batches(done, BATCH):
            _store_past(world, batch)
            told("storing the past", 0.55 + 0.25 * share)
        told("today and the days after", 0.8)
        for branch in world.branches:
            _fill(world, branch, ledger.jobs[branch.id])
        told("tablets", 0.95)
        enrol_tablets(world)
    told("clashes", 0.97)
    clashes = make_clashes(world, Author(user_id=world.dispatcher_id, name=DISPATCHER))
    told("ready", 1.0)
    return DemoReport(company_id=world.company_id, there=False, counts=_counts(world, done, clashes))


def _invent(world: World) -> list[Any]:
    founded = world.now.replace(hour=6, minute=0, second=0, microsecond=0)
    founded = datetime.fromtimestamp(founded.timestamp() - (HISTORY_DAYS + 3) * 86400, UTC)
    chance = Chance(world.seed, "branches")
    add_catalogue(world, founded)
    rows = []
    for source in BRANCHES:
        branch = _branch(world, source, chance.id(founded))
        world.branches.append(branch)
        rows.append(
            models.Branch(
                company_id=world.company_id,
                id=branch.id,
                name=branch.name,
                city=branch.city,
                locale=branch.locale,
                tz=branch.tz,
                currency=branch.currency,
                lat=branch.depot[0],
                lon=branch.depot[1],
            )
        )
    world.groups.insert(0, rows)
    add_prices(world, founded)
    add_people(world, founded, hash_password(PASSWORD))
    add_customers(world, founded)
    return add_equipment(world, founded)


def _branch(world: World, source: dict[str, Any], ident: str) -> Branch:
    return Branch(
        id=ident,
        key=source["key"],
        name=source["name"],
        locale=source["locale"],
        tz=source["tz"],
        currency=source["currency"],
        depot=source["depot"],
        city=source["city"],
        today=world.now.astimezone(ZoneInfo(source["tz"])).date(),
        now=world.now,
        words=read_json(f"words.{source['locale']}.json"),
        people=read_json("people.json")[source["key"]],
        places=read_places(source["places"]),
    )


@transactional
def _store(groups: list[list[Any]]) -> None:
    for group in groups:
        db.session.add_all(group)
        db.session.flush()


@transactional
def _store_past(world: World, batch: list[Done]) -> None:
    for number, one in zip(next_visit_numbers(world.company_id, len(batch)), batch, strict=True):
        row = visit_row(
            world,
            one.branch,
            one.job,
            number,
            plan_state="published",
            stop=one.stop,
            position=one.position,
            technician=one.technician,
            facts=one.facts,
        )
        db.session.add(row)
        db.session.add_all(readings_of(row))


@transactional
def _fill(world: World, branch: Branch, due: list[Job]) -> None:
    fill_days(world, branch, due)


def _batches(items: list[T], size: int) -> Iterator[tuple[float, list[T]]]:
    left, done = iter(items), 0
    while batch := list(islice(left, size)):
        done += len(batch)
        yield done / len(items), batch


def _counts(world: World, done: list[Done], clashes: int) -> dict[str, int]:
    return {
        "technicians": sum(len(branch.technicians) for branch in world.branches),
        "sites": sum(len(branch.sites) for branch in world.branches),
        "assets": sum(len(branch.assets) for branch in world.branches),
        "past_visits": len(done),
        "conflicts": clashes,
    }
