"""Equipment: some 900 pieces of twelve models, their warranty, and the maintenance plans on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from server.demo.catalogue import TERMS, warranty
from server.demo.chance import Chance
from server.demo.customers import trade
from server.demo.world import AHEAD_DAYS, Asset, Branch, Model, Site, World
from server.domain.maintenance import add_months
from server.store import models

ASSETS = {"andorra": 520, "moscow": 380}

FITS = {
    "hotel": ("HP-12", "BO-90", "CR-20", "DW-60", "PU-100", "BS-3", "AH-5", "LF-6", "GE-40"),
    "restaurant": ("CR-20", "FD-3", "IM-45", "DW-60", "OV-10", "AH-5"),
    "food-shop": ("CR-20", "FD-3", "FD-3", "IM-45", "OV-10"),
    "health": ("AH-5", "HP-12", "LF-6", "GE-40", "PU-100"),
    "public": ("BO-90", "AH-5", "LF-6", "GE-40", "PU-100", "HP-12"),
    "sport": ("HP-12", "PU-100", "BS-3", "AH-5", "BO-90"),
    "fuel": ("FD-3", "GE-40", "HP-12"),
    "office": ("HP-12", "AH-5", "LF-6", "GE-40"),
    "shop": ("HP-12", "AH-5", "BO-90"),
}
"""Which models stand at which kind of customer."""

PHASES = ["m1", "m6", "y1", "end-30d"]
PROACTIVE = "proactive_inspection"
PREVENTIVE = "preventive_maintenance"


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A plan with the asset it is for."""

    row: models.MaintenancePlan
    asset: Asset
    branch: Branch


def add_equipment(world: World, founded: datetime) -> list[Planned]:
    """Make assets and plans of all branches; the asset rows come later, when their visits are known."""
    planned: list[Planned] = []
    for branch in world.branches:
        chance = Chance(world.seed, f"equipment/{branch.key}")
        while len(branch.assets) < ASSETS[branch.key]:
            site = chance.choice(branch.sites)
            for model in _models_for(world, site, chance):
                branch.assets.append(_asset(branch, site, model, chance, founded))
        for asset in branch.assets:
            planned += _plans(world, branch, asset, chance, founded)
    return planned


def asset_rows(world: World) -> list[models.Asset]:
    """The rows of all assets, each with its newest three visits."""
    rows = []
    for branch in world.branches:
        chance = Chance(world.seed, f"serials/{branch.key}")
        for number, asset in enumerate(branch.assets, start=1):
            rows.append(
                models.Asset(
                    company_id=world.company_id,
                    id=asset.id,
                    site_id=asset.site.id,
                    model_id=asset.model.id,
                    serial=_serial(asset, chance),
                    position=chance.choice(branch.words["position"]) if chance.happens(0.7) else None,
                    installed_on=asset.installed_on,
                    commissioned_on=asset.commissioned_on,
                    in_service=asset.in_service,
                    warranty_term=asset.warranty.term,
                    warranty_starts_on=asset.warranty.starts_on,
                    warranty_ends_on=asset.warranty.ends_on,
                    external_ref=f"A-{branch.key[:3].upper()}-{number:04d}",
                    recent_visits=asset.last[-3:][::-1],
                )
            )
    return rows


def _serial(asset: Asset, chance: Chance) -> str:
    return f"{asset.model.code.replace('-', '')}-{asset.installed_on:%y%m}-{chance.randint(1000, 9999)}"


def _models_for(world: World, site: Site, chance: Chance) -> list[Model]:
    fitting = FITS[trade(site.category)]
    known = [model for model in world.models if model.code in fitting]
    count = chance.choices((1, 2, 3), (0.62, 0.28, 0.10))[0]
    weights = [model.share * fitting.count(model.code) for model in known]
    return [chance.choices(known, weights)[0] for _ in range(count)]


def _asset(branch: Branch, site: Site, model: Model, chance: Chance, founded: datetime) -> Asset:
    """Sold over the last four years; every fourteenth within the last three months."""
    age = chance.randint(3, 85) if chance.happens(0.07) else chance.randint(86, 1500)
    installed_on = _workday(branch.today - timedelta(days=age))
    commissioned_on = _workday(installed_on + timedelta(days=chance.choice((1, 2, 3, 6))))
    if commissioned_on >= branch.today:
        commissioned_on = installed_on
    starts_on = commissioned_on if TERMS[model.term].starts_at == "commissioning" else installed_on
    ends_on = add_months(starts_on, TERMS[model.term].months) - timedelta(days=1)
    return Asset(
        id=chance.id(founded),
        site=site,
        model=model,
        installed_on=installed_on,
        commissioned_on=commissioned_on,
        warranty=warranty(model.term, starts_on, ends_on),
        in_service=not chance.happens(0.015),
    )


def _workday(day: date) -> date:
    return day - timedelta(days=max(day.weekday() - 4, 0))


def _plans(world: World, branch: Branch, asset: Asset, chance: Chance, founded: datetime) -> list[Planned]:
    """Preventive work on most assets, inspections through the warranty on those that have it."""
    found = []
    starts_on = max(asset.commissioned_on, branch.since)
    if chance.happens(0.88):
        months = asset.model.rule["months"]
        found.append(
            _plan(
                world,
                asset,
                PREVENTIVE,
                [_trigger(asset, branch, months, chance)],
                chance.id(founded),
                starts_on=starts_on if asset.model.rule["kind"] != "calendar_fixed" else _first(asset, branch, months),
                service_minutes=asset.model.minutes,
                early_days=7 if months < 6 else 14,
                late_days=5 if months < 2 else 10,
                hard_due=asset.model.code == "LF-6",
            )
        )
    if asset.warranty.ends_on > branch.since:
        found.append(
            _plan(
                world,
                asset,
                PROACTIVE,
                [{"kind": "warranty_phase", "id": "warranty", "phases": PHASES}],
                chance.id(founded),
                starts_on=starts_on,
                service_minutes=None,
                early_days=10,
                late_days=14,
                hard_due=False,
            )
        )
    return [Planned(row=row, asset=asset, branch=branch) for row in found]


def _first(asset: Asset, branch: Branch, months: int) -> date:
    """The first date of the calendar that counts from commissioning, within the time that is looked back on."""
    step = 1
    while (day := add_months(asset.commissioned_on, months * step)) < branch.since:
        step += 1
    return day


def _trigger(asset: Asset, branch: Branch, months: int, chance: Chance) -> dict[str, Any]:
    kind = asset.model.rule["kind"]
    if kind == "calendar_fixed":
        rule = "FREQ=YEARLY" if months == 12 else f"FREQ=MONTHLY;INTERVAL={months}"
        return {"kind": kind, "id": "main", "rule": rule}
    every = {"count": months, "unit": "months"}
    if kind == "age":
        return {"kind": kind, "id": "main", "every": every}
    last = max(branch.since - timedelta(days=chance.randint(0, months * 30 - 10)), asset.commissioned_on)
    return {"kind": kind, "id": "main", "every": every, "last_done_on": last.isoformat()}


def _plan(
    world: World, asset: Asset, kind: str, triggers: list[dict[str, Any]], ident: str, **values: Any
) -> models.MaintenancePlan:
    label = {PREVENTIVE: "Maintenance", PROACTIVE: "Warranty inspections"}[kind]
    return models.MaintenancePlan(
        company_id=world.company_id,
        id=ident,
        asset_id=asset.id,
        name=f"{label} · {asset.model.code}",
        kind=kind,
        triggers=triggers,
        horizon_days=AHEAD_DAYS,
        ends_on=None,
        active=True,
        version=1,
        external_ref=None,
        **values,
    )
