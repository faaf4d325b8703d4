"""What there is to do: work that plans expect, and work that customers ask for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from server.demo.chance import Chance
from server.demo.world import Asset, Branch, Kind, Site, World

ASKED_WITH_ASSET = {
    "repair_minor": 34, "repair_current": 17, "part_replacement": 14, "adjustment": 11, "operation_control": 8,
    "repair_overhaul": 3,
}  # fmt: skip
ASKED_WITHOUT = {"parts_supply": 5, "training": 4, "construction_advice": 4}
SYMPTOMATIC = ("repair_minor", "repair_current", "part_replacement", "repair_overhaul")


@dataclass(kw_only=True)
class Job:
    """A visit to be: everything the office knows of it before somebody is sent."""

    id: str
    kind: Kind
    site: Site
    asset: Asset | None
    minutes: int
    origin: str
    created: datetime
    priority: int = 1
    symptom: str | None = None
    instructions: str | None = None
    due_from: date | None = None
    due_to: date | None = None
    hard_due: bool = False
    window: tuple[datetime, datetime] | None = None
    plan_id: str | None = None
    occurrence_id: str | None = None

    @property
    def skills(self) -> list[str]:
        return [self.asset.model.skill] if self.asset and self.kind.code != "parts_supply" else []


def started_service(world: World, branch: Branch, day: date, chance: Chance) -> list[Job]:
    """Installation and commissioning of what was sold: on the days that the equipment says."""
    jobs = []
    for asset in branch.assets:
        for code, on in (("installation", asset.installed_on), ("commissioning", asset.commissioned_on)):
            if on == day:
                created = branch.at(day - timedelta(days=chance.randint(4, 9)), time(11, chance.randint(0, 59)))
                kind = world.kinds[code]
                jobs.append(
                    Job(
                        id=chance.id(created),
                        kind=kind,
                        site=asset.site,
                        asset=asset,
                        minutes=kind.minutes,
                        origin="request",
                        created=created,
                        due_from=day,
                        due_to=day,
                    )
                )
    return jobs


def requests(world: World, branch: Branch, day: date, count: int, chance: Chance) -> list[Job]:
    """What customers asked to have done about this day; in neighbourhoods, as trouble comes."""
    jobs: list[Job] = []
    while len(jobs) < count:
        centre = chance.choice(branch.sites)
        for _ in range(min(chance.choice((1, 2, 2, 3, 4)), count - len(jobs))):
            jobs.append(_request(world, branch, day, centre, chance))
    return jobs


def _request(world: World, branch: Branch, day: date, centre: Site, chance: Chance) -> Job:
    with_asset = chance.happens(0.84)
    asset = _near(branch.assets, centre, chance, lambda one: one.site) if with_asset else None
    site = asset.site if asset else _near(branch.sites, centre, chance, lambda one: one)
    weights = ASKED_WITH_ASSET if asset else ASKED_WITHOUT
    kind = world.kinds[chance.choices(list(weights), list(weights.values()))[0]]
    urgent = kind.code in SYMPTOMATIC and chance.happens(0.14)
    days_before = 0 if urgent else chance.randint(1, 6)
    hour = 7 if urgent else chance.randint(8, 17)
    created = branch.at(day - timedelta(days=days_before), time(hour, chance.randint(0, 59)))
    symptom = None
    if asset and kind.code in SYMPTOMATIC:
        symptom = chance.choice(asset.model.trouble)[branch.locale]
    elif kind.code in branch.words["visit_request"]:
        symptom = branch.words["visit_request"][kind.code]
    minutes = max(15, round(kind.minutes * chance.choice((0.75, 1, 1, 1, 1.25)) / 5) * 5)
    return Job(
        id=chance.id(created),
        kind=kind,
        site=site,
        asset=asset,
        minutes=minutes,
        origin="request",
        created=created,
        priority=3 if urgent and chance.happens(0.4) else 2 if urgent else 1 if chance.happens(0.85) else 0,
        symptom=symptom,
        instructions=chance.choice(branch.words["instructions"]) if chance.happens(0.2) else None,
        due_from=day - timedelta(days=days_before),
        due_to=day + timedelta(days=0 if urgent else chance.randint(1, 7)),
        window=_window(branch, day, chance) if chance.happens(0.22) else None,
    )


def _near(things, centre: Site, chance: Chance, site_of):  # type: ignore[no-untyped-def]
    """One of twelve, the nearest to a place."""
    some = [chance.choice(things) for _ in range(12)]
    return min(some, key=lambda one: (site_of(one).lat - centre.lat) ** 2 + (site_of(one).lon - centre.lon) ** 2)


def _window(branch: Branch, day: date, chance: Chance) -> tuple[datetime, datetime]:
    first, last = chance.choice(((9, 12), (10, 12), (13, 16), (14, 16), (9, 13)))
    return branch.at(day, time(first)), branch.at(day, time(last))
