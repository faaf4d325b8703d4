"""The catalogue: kinds of work, checklists, product models, warranty terms, prices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from server.actions.stock_catalogue import known
from server.demo.chance import Chance
from server.demo.source import read_json
from server.demo.world import Branch, Kind, Model, World
from server.domain import coverage
from server.domain.coverage import LineKind, PriceLevel, Unit
from server.store.models import Checklist, PriceItem, ProductModel, ServiceKind, WarrantyTerm


@dataclass(frozen=True, kw_only=True)
class Term:
    """A warranty term: months, the day they count from, and whether the way there is free as well."""

    months: int
    starts_at: str
    covers_travel: bool


TERMS = {
    "W12": Term(months=12, starts_at="installation", covers_travel=True),
    "W24": Term(months=24, starts_at="commissioning", covers_travel=True),
    "W36": Term(months=36, starts_at="commissioning", covers_travel=False),
}
"""What the maker promises, by code."""

PRICES: dict[str, dict[str, tuple[str, str]]] = {
    "EUR": {"labour": ("72.00", "78.00"), "travel": ("28.00", "32.00"), "visit": ("110.00", "125.00")},
    "RUB": {"labour": ("3200.00", "3600.00"), "travel": ("1500.00", "1800.00"), "visit": ("5400.00", "6200.00")},
}
"""An hour, a way there, and a visit at a fixed price: until this year's list, and by it."""

FIXED_PRICE = ("preventive_maintenance", "proactive_inspection", "operation_control")
NEEDS_QUOTE = ("repair_overhaul",)
COVERS = (LineKind.LABOUR, LineKind.PARTS, LineKind.TRAVEL)


def add_catalogue(world: World, founded: datetime) -> None:
    """Make kinds, checklists and models, and their rows."""
    chance = Chance(world.seed, "catalogue")
    checklists = {}
    rows: list[Any] = []
    for source in known("checklists"):
        row = Checklist(
            company_id=world.company_id,
            id=chance.id(founded),
            code=source["code"],
            revision=1,
            title=source["title"],
            items=source["items"],
        )
        checklists[row.code] = row
        rows.append(row)
    kinds = []
    for source in known("service-kinds"):
        name = {"en": source["en"], "ru": source["ru"]}
        checklist = checklists.get(source["checklist"])
        kind = ServiceKind(
            company_id=world.company_id,
            id=chance.id(founded),
            code=source["code"],
            name=name,
            minutes=source["minutes"],
            skills=source["skills"],
            checklist_id=checklist.id if checklist else None,
            included_in_warranty=source["warranty"],
            preventive=source["preventive"],
            active=True,
        )
        kinds.append(kind)
        world.kinds[kind.code] = Kind(
            code=kind.code,
            name=name,
            minutes=kind.minutes,
            checklist_id=kind.checklist_id,
            items=checklist.items if checklist else [],
            in_warranty=kind.included_in_warranty,
        )
    world.groups += [rows, kinds, _models(world, chance, founded), _terms(world, chance, founded)]


def _models(world: World, chance: Chance, founded: datetime) -> list[Any]:
    rows = []
    for source in read_json("models.json"):
        second = source["second"]
        meters = [{"code": "hours", "unit": "h", "name": {"en": "Operating hours", "ru": "Наработка"}}]
        if second:
            name = {"en": second["en"], "ru": second["ru"]}
            meters.append({"code": second["code"], "unit": second["unit"], "name": name})
        row = ProductModel(
            company_id=world.company_id,
            id=chance.id(founded),
            code=source["code"],
            name=source["name"]["en"],
            family=source["family"],
            maker="Rounds Works",
            meters=meters,
        )
        rows.append(row)
        known = ("code", "family", "skill", "term", "minutes", "share", "rule", "daily_hours", "second", "trouble")
        world.models.append(Model(id=row.id, **{name: source[name] for name in known}))
    return rows


def _terms(world: World, chance: Chance, founded: datetime) -> list[Any]:
    return [
        WarrantyTerm(
            company_id=world.company_id,
            id=chance.id(founded),
            code=code,
            covers_labour=True,
            covers_parts=True,
            excluded_causes=["misuse", "foreign_part"],
            months=term.months,
            starts_at=term.starts_at,
            covers_travel=term.covers_travel,
        )
        for code, term in TERMS.items()
    ]


def warranty(term: str, starts_on: date, ends_on: date) -> coverage.Warranty:
    """A term as the coverage core takes it."""
    covered = frozenset(line for line in COVERS if line is not LineKind.TRAVEL or TERMS[term].covers_travel)
    return coverage.Warranty(
        term=term,
        starts_on=starts_on,
        ends_on=ends_on,
        covers=covered,
        exclusions=frozenset(("misuse", "foreign_part")),
    )


def add_prices(world: World, founded: datetime) -> None:
    """A list for each branch in its currency, last year's and this year's, and the base list in euro.

    Overhauls have no price anywhere: they need a quote.
    """
    chance = Chance(world.seed, "prices")
    rows: list[PriceItem] = []
    for branch in [None, *world.branches]:
        currency = branch.currency if branch else "EUR"
        for year, (first, last) in enumerate(((date(2020, 1, 1), _new_year(world, -1)), (_new_year(world), None))):
            for kind, line, unit, price in _lines(world, base=branch is None):
                rows.append(
                    PriceItem(
                        company_id=world.company_id,
                        id=chance.id(founded),
                        list_code=branch.key if branch else "base",
                        branch_id=branch.id if branch else None,
                        kind=kind,
                        line=line,
                        unit=unit,
                        amount=Decimal(PRICES[currency][price][year]),
                        currency=currency,
                        valid_from=first,
                        valid_to=last,
                    )
                )
    world.groups.append(list(rows))
    for one in world.branches:
        own = [row for row in rows if row.branch_id in (None, one.id)]
        one.prices = tuple(_value(row, one.name) for row in sorted(own, key=lambda row: row.id))


def _new_year(world: World, days: int = 0) -> date:
    return date.fromordinal(date(world.now.year, 1, 1).toordinal() + days)


def _lines(world: World, *, base: bool) -> list[tuple[str, str, str, str]]:
    lines = [("*", "travel", "visit", "travel")]
    for kind in world.kinds:
        if kind in NEEDS_QUOTE:
            continue
        if kind in FIXED_PRICE and not base:
            lines.append((kind, "labour", "visit", "visit"))
        else:
            lines.append((kind, "labour", "hour", "labour"))
    return lines


def _value(row: PriceItem, region: str) -> coverage.PriceItem:
    level = PriceLevel.REGIONAL if row.branch_id else PriceLevel.BASE
    return coverage.PriceItem(
        id=row.id,
        level=level,
        line=LineKind(row.line),
        unit=Unit(row.unit),
        amount=row.amount,
        currency=row.currency,
        kind=None if row.kind == "*" else row.kind,
        region=region if level is PriceLevel.REGIONAL else None,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
    )


def base_and_regional(branch: Branch, kind: str) -> tuple[coverage.PriceItem, ...]:
    """The prices of a branch that may matter for a kind of work."""
    return tuple(item for item in branch.prices if item.kind in (None, kind))
