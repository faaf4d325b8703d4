"""Customers and their sites: the real places, who they belong to, and what was agreed."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from server.demo.chance import Chance
from server.demo.people import latin
from server.demo.source import Place
from server.demo.world import Branch, Site, World
from server.domain import coverage
from server.domain.coverage import LineKind, PriceLevel, Unit
from server.domain.maintenance import add_months
from server.store import models

TRADES = {
    "hotel": {"tourism=hotel", "tourism=hostel", "tourism=guest_house", "tourism=apartment", "tourism=alpine_hut",
              "tourism=camp_site"},
    "restaurant": {"amenity=restaurant", "amenity=cafe", "amenity=bar", "amenity=pub", "amenity=fast_food",
                   "amenity=nightclub"},
    "food-shop": {"shop=supermarket", "shop=convenience", "shop=bakery", "shop=butcher", "shop=seafood",
                  "shop=confectionery", "shop=beverages", "shop=alcohol", "shop=tea"},
    "health": {"amenity=clinic", "amenity=dentist", "amenity=doctors", "amenity=hospital", "amenity=pharmacy"},
    "public": {"amenity=townhall", "amenity=school", "amenity=police", "amenity=library", "amenity=post_office",
               "amenity=public_building", "amenity=community_centre", "amenity=university", "office=government",
               "office=diplomatic", "tourism=museum", "tourism=gallery", "amenity=theatre", "amenity=cinema"},
    "sport": {"leisure=sports_centre", "leisure=fitness_centre", "leisure=swimming_pool"},
    "fuel": {"amenity=fuel", "amenity=car_wash"},
    "office": {"amenity=bank", "shop=travel_agency"},
}  # fmt: skip

VALLEYS = (
    ("Andorra la Vella", 42.5063, 1.5218), ("Escaldes-Engordany", 42.5090, 1.5390), ("Encamp", 42.5345, 1.5801),
    ("Canillo", 42.5676, 1.5976), ("Soldeu", 42.5768, 1.6676), ("Pas de la Casa", 42.5425, 1.7334),
    ("La Massana", 42.5450, 1.5148), ("Ordino", 42.5562, 1.5332), ("Arinsal", 42.5723, 1.4837),
    ("Sant Julià de Lòria", 42.4637, 1.4913), ("El Serrat", 42.6180, 1.5390), ("Grau Roig", 42.5330, 1.6990),
)  # fmt: skip
"""Where a place is that does not say so itself: the nearest of these."""

GROUPS = {
    "andorra": ("Grup {} SL", "{} Hostaleria SA", "Comerç {} SL", "{} i Fills SL"),
    "moscow": ("ООО «{}»", "УК «{}»", "ГК «{}»", "ООО «Торговый дом {}»"),
}


def trade(category: str) -> str:
    """What kind of customer a place of this category is."""
    return next((name for name, members in TRADES.items() if category in members), "shop")


def add_customers(world: World, founded: datetime) -> None:
    """Make customers, contracts and sites of all branches."""
    customers: list[Any] = []
    contracts: list[Any] = []
    sites: list[Any] = []
    for branch in world.branches:
        chance = Chance(world.seed, f"customers/{branch.key}")
        for name, places in _owners(branch, chance):
            customer = _customer(world, branch, name, places, chance, founded)
            customers.append(customer)
            agreed = _contract(world, branch, customer, len(contracts) + 1, chance, founded)
            values = [_contract_value(row) for row in agreed]
            prices = [price for row in agreed for price in _price_values(row)]
            contracts += agreed
            for place in places:
                row = _site(world, branch, customer, place, chance, founded)
                sites.append(row)
                branch.sites.append(
                    Site(
                        id=row.id,
                        customer_id=customer.id,
                        name=place.name,
                        category=place.category,
                        lat=place.lat,
                        lon=place.lon,
                        contracts=tuple(values),
                        agreed_prices=tuple(prices),
                    )
                )
    world.groups += [customers, contracts, sites]


def _owners(branch: Branch, chance: Chance) -> list[tuple[str, list[Place]]]:
    """Places of one name are one customer's; some others of one trade belong to a group."""
    named: dict[str, list[Place]] = defaultdict(list)
    for place in branch.places:
        named[place.name].append(place)
    owners: list[tuple[str, list[Place]]] = []
    group: dict[str, list[Place]] = defaultdict(list)
    counts: dict[str, int] = defaultdict(int)
    for name, places in named.items():
        if len(places) > 1 or not chance.happens(0.45):
            owners.append((name, places))
            continue
        kind = trade(places[0].category)
        group[kind] += places
        if len(group[kind]) >= chance.choice((2, 3, 4)):
            owners.append((_group_name(branch, counts, chance), group.pop(kind)))
    owners += [(places[0].name, places) for places in group.values()]
    return owners


def _group_name(branch: Branch, counts: dict[str, int], chance: Chance) -> str:
    name = chance.choice(GROUPS[branch.key]).format(chance.choice(branch.people["owners"]))
    counts[name] += 1
    return name if counts[name] == 1 else f"{name} {counts[name]}"


def _customer(
    world: World, branch: Branch, name: str, places: list[Place], chance: Chance, founded: datetime
) -> models.Customer:
    address = latin(name)[:30] or "office"
    return models.Customer(
        company_id=world.company_id,
        id=chance.id(founded),
        name=name[:200],
        kind=trade(places[0].category),
        locale=branch.locale,
        phone=_phone(branch, chance),
        email=f"service@{address}.example" if chance.happens(0.7) else None,
        note=None,
        external_ref=f"C-{places[0].osm_id.replace('/', '-')}",
    )


def _phone(branch: Branch, chance: Chance) -> str:
    number = chance.randint(0, 999_999)
    if branch.key == "andorra":
        return f"+376 {800 + chance.randint(0, 99)} {number % 1000:03d}"
    return f"+7 495 {chance.randint(600, 999)}-{number // 100 % 100:02d}-{number % 100:02d}"


def _site(
    world: World, branch: Branch, customer: models.Customer, place: Place, chance: Chance, founded: datetime
) -> models.Site:
    city = place.city or (_valley(place) if branch.key == "andorra" else branch.city)
    street = f"{place.street}, {place.house_number}" if place.house_number and place.street else place.street
    words = branch.words
    tags = [tag for tag, share in (("key-at-reception", 0.12), ("pass-needed", 0.08), ("no-parking", 0.15)) if
            chance.happens(share)]  # fmt: skip
    return models.Site(
        company_id=world.company_id,
        id=chance.id(founded),
        customer_id=customer.id,
        branch_id=branch.id,
        name=place.name[:200],
        address=street or None,
        city=city,
        lat=place.lat,
        lon=place.lon,
        tz=branch.tz,
        opening_hours=place.opening_hours[:300] or None,
        contact_name=chance.choice(branch.people["contacts"]) if chance.happens(0.8) else None,
        contact_phone=_phone(branch, chance) if chance.happens(0.75) else None,
        access_note=chance.choice(words["access"]) if chance.happens(0.55) else None,
        danger_note=chance.choice(words["danger"]) if chance.happens(0.09) else None,
        tags=tags,
        external_ref=place.osm_id,
    )


def _valley(place: Place) -> str:
    return min(VALLEYS, key=lambda valley: (valley[1] - place.lat) ** 2 + ((valley[2] - place.lon) * 0.74) ** 2)[0]


def _contract(
    world: World, branch: Branch, customer: models.Customer, number: int, chance: Chance, founded: datetime
) -> list[models.Contract]:
    """A third of the customers has a contract: preventive work included, some with prices of their own."""
    if not chance.happens(0.33):
        return []
    starts_on = branch.today - timedelta(days=chance.randint(20, 340))
    included = ["preventive_maintenance", "proactive_inspection"]
    if chance.happens(0.4):
        included.append("operation_control")
    if chance.happens(0.15):
        included += ["repair_minor", "adjustment"]
    items = []
    if chance.happens(0.5):
        hour = "64.00" if branch.currency == "EUR" else "2900.00"
        items.append({"line": "labour", "unit": "hour", "amount": hour})
    place = "AD" if branch.key == "andorra" else "MSK"
    return [
        models.Contract(
            company_id=world.company_id,
            id=chance.id(founded),
            number=f"{place}-{starts_on.year}/{number:03d}",
            customer_id=customer.id,
            starts_on=starts_on,
            ends_on=add_months(starts_on, 12) - timedelta(days=1),
            included_kinds=included,
            included_visits=None,
            currency=branch.currency,
            price_list=None,
            items=items,
        )
    ]


def _contract_value(row: models.Contract) -> coverage.Contract:
    return coverage.Contract(
        number=row.number,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        included_kinds=frozenset(row.included_kinds),
        visits_left=row.included_visits,
    )


def _price_values(row: models.Contract) -> list[coverage.PriceItem]:
    return [
        coverage.PriceItem(
            id=f"{row.number}/{position}",
            level=PriceLevel.CONTRACT_ITEM,
            line=LineKind(item["line"]),
            unit=Unit(item["unit"]),
            amount=Decimal(item["amount"]),
            currency=row.currency,
            kind=item.get("kind"),
            contract=row.number,
        )
        for position, item in enumerate(row.items)
    ]
