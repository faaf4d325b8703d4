"""Free or paid: a table of worked cases. Each line is one visit; what is not said is as in `VISIT`."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from server.domain.coverage import (
    Contract,
    CoverageRequest,
    Line,
    LineKind,
    Machine,
    Override,
    PriceItem,
    PriceLevel,
    RuleOutcome,
    Unit,
    Warranty,
    decide,
)

LABOUR, TRAVEL, PARTS = LineKind.LABOUR, LineKind.TRAVEL, LineKind.PARTS
TWO_HOURS = Line(id="work", line=LABOUR, quantity=Decimal(2), unit=Unit.HOUR)
TRIP = Line(id="trip", line=TRAVEL, quantity=Decimal(30), unit=Unit.KM)
BELT = Line(id="belt", line=PARTS, quantity=Decimal(3), unit=Unit.PIECE, part="BELT-40")
W24 = Warranty(
    term="W24",
    starts_on=date(2025, 3, 5),
    ends_on=date(2027, 3, 4),
    covers=frozenset({LABOUR, TRAVEL, PARTS}),
    exclusions=frozenset({"misuse"}),
)
C7 = Contract(
    number="C-7",
    starts_on=date(2027, 1, 1),
    ends_on=date(2027, 12, 31),
    included_kinds=frozenset({"preventive_maintenance"}),
    visits_left=2,
)
BASE = PriceItem(id="p1", level=PriceLevel.BASE, line=LABOUR, unit=Unit.HOUR, amount=Decimal("48.00"), currency="EUR")
BASE_KM = replace(BASE, id="p2", line=TRAVEL, unit=Unit.KM, amount=Decimal("0.75"))
REGIONAL = replace(BASE, id="p3", level=PriceLevel.REGIONAL, region="AD", amount=Decimal("52.00"))
LIST = replace(BASE, id="p4", level=PriceLevel.CONTRACT_LIST, contract="C-7", amount=Decimal("45.00"))
ITEM = replace(BASE, id="p5", level=PriceLevel.CONTRACT_ITEM, contract="C-7", amount=Decimal("40.00"))
VISIT = CoverageRequest(
    kind="repair_minor",
    kind_in_warranty=True,
    at=datetime(2026, 6, 1, 10, tzinfo=UTC),
    tz="Europe/Andorra",
    currency="EUR",
    lines=(TWO_HOURS,),
    region="AD",
)
AFTER = {"at": datetime(2027, 6, 1, 10, tzinfo=UTC)}
PAST = {**AFTER, "warranty": None}


def asked(**given: Any) -> CoverageRequest:
    """`VISIT` for one machine under W24 with what is given changed; what a machine has may be given by itself."""
    about = {name: given.pop(name) for name in ("warranty", "meter_reading", "causes") if name in given}
    machine = Machine(name="P100-1", **({"warranty": W24} | about))
    return replace(VISIT, **({"machines": (machine,)} | given))


def at(text: str, tz: str) -> dict[str, Any]:
    return {"at": datetime.fromisoformat(text), "tz": tz}


@dataclass
class Case:
    story: str
    says: str
    because: str
    costs: str | None = "0.00"
    given: dict[str, Any] = field(default_factory=dict)


CASES = [
    # The warranty and its days. Until 2027-03-04, the last day included, at the site.
    Case("in the middle of the warranty", "free", "warranty"),
    Case("first warranty day", "free", "warranty", given=at("2025-03-05T08:00+01:00", "Europe/Andorra")),
    Case("the day before", "needs_quote", "needs-quote", None, at("2025-03-04T08:00+01:00", "Europe/Andorra")),
    Case("last day, Andorra, 23:59", "free", "warranty", given=at("2027-03-04T22:59:59Z", "Europe/Andorra")),
    Case("day after, Andorra, 00:00", "needs_quote", "needs-quote", None, at("2027-03-04T23:00Z", "Europe/Andorra")),
    Case("last day, Moscow, 23:59", "free", "warranty", given=at("2027-03-04T20:59:59Z", "Europe/Moscow")),
    Case("day after, Moscow, 00:00", "needs_quote", "needs-quote", None, at("2027-03-04T21:00Z", "Europe/Moscow")),
    Case(
        "last day, Auckland, 23:59 (summer time)", "free", "warranty", given=at("2027-03-04T10:59Z", "Pacific/Auckland")
    ),
    Case("day after in Auckland", "needs_quote", "needs-quote", None, at("2027-03-04T11:00Z", "Pacific/Auckland")),
    Case(
        "the same instant is still the last day in Andorra",
        "free",
        "warranty",
        given=at("2027-03-04T11:00Z", "Europe/Andorra"),
    ),
    # What the warranty pays for.
    Case(
        "a kind that the warranty does not include",
        "paid",
        "price-base",
        "96.00",
        {"kind_in_warranty": False, "prices": (BASE,)},
    ),
    Case(
        "the term names its own package, and the kind is in it",
        "free",
        "warranty",
        given={"kind_in_warranty": False, "warranty": replace(W24, included_kinds=frozenset({"repair_minor"}))},
    ),
    Case(
        "the term names its own package, and the kind is not in it",
        "paid",
        "price-base",
        "96.00",
        {"warranty": replace(W24, included_kinds=frozenset({"training"})), "prices": (BASE,)},
    ),
    Case("broken by misuse", "paid", "price-base", "96.00", {"causes": frozenset({"misuse"}), "prices": (BASE,)}),
    Case("another cause", "free", "warranty", given={"causes": frozenset({"wear"})}),
    Case(
        "labour is covered, travel is not",
        "partly",
        "partly",
        "22.50",
        {"warranty": replace(W24, covers=frozenset({LABOUR})), "lines": (TWO_HOURS, TRIP), "prices": (BASE, BASE_KM)},
    ),
    Case("parts are covered", "free", "warranty", given={"lines": (TWO_HOURS, BELT)}),
    Case(
        "parts are not covered and have no price",
        "needs_quote",
        "needs-quote",
        None,
        {"warranty": replace(W24, covers=frozenset({LABOUR})), "lines": (TWO_HOURS, BELT), "prices": (BASE,)},
    ),
    # The meter.
    Case(
        "under the meter limit",
        "free",
        "warranty",
        given={"warranty": replace(W24, meter_limit=Decimal(4000)), "meter_reading": Decimal(3999)},
    ),
    Case(
        "exactly at the meter limit",
        "free",
        "warranty",
        given={"warranty": replace(W24, meter_limit=Decimal(4000)), "meter_reading": Decimal(4000)},
    ),
    Case(
        "over the meter limit",
        "paid",
        "price-base",
        "96.00",
        {"warranty": replace(W24, meter_limit=Decimal(4000)), "meter_reading": Decimal("4000.1"), "prices": (BASE,)},
    ),
    Case(
        "a limit that nobody has read", "free", "warranty", given={"warranty": replace(W24, meter_limit=Decimal(4000))}
    ),
    # Contracts.
    Case(
        "included in the contract",
        "free",
        "contract-visit",
        given={**PAST, "kind": "preventive_maintenance", "contracts": (C7,)},
    ),
    Case(
        "included without a limit of visits",
        "free",
        "contract",
        given={**PAST, "kind": "preventive_maintenance", "contracts": (replace(C7, visits_left=None),)},
    ),
    Case(
        "all included visits used",
        "paid",
        "price-contract-item",
        "80.00",
        {**PAST, "kind": "preventive_maintenance", "contracts": (replace(C7, visits_left=0),), "prices": (BASE, ITEM)},
    ),
    Case(
        "last day of the contract",
        "free",
        "contract-visit",
        given={
            "warranty": None,
            "kind": "preventive_maintenance",
            "contracts": (C7,),
            **at("2027-12-31T22:59Z", "Europe/Andorra"),
        },
    ),
    Case(
        "the day after the contract: its price is not valid either",
        "paid",
        "price-base",
        "96.00",
        {
            "warranty": None,
            "kind": "preventive_maintenance",
            "contracts": (C7,),
            "prices": (BASE, ITEM),
            **at("2027-12-31T23:00Z", "Europe/Andorra"),
        },
    ),
    Case(
        "before the contract begins",
        "paid",
        "price-base",
        "96.00",
        {"warranty": None, "kind": "preventive_maintenance", "contracts": (C7,), "prices": (BASE,)},
    ),
    Case(
        "a kind outside the contract is paid at its price",
        "paid",
        "price-contract-item",
        "80.00",
        {**PAST, "contracts": (C7,), "prices": (BASE, ITEM)},
    ),
    Case(
        "under warranty and contract: the contract's visits are kept",
        "free",
        "warranty",
        given={"kind": "preventive_maintenance", "contracts": (C7,), **at("2027-02-01T10:00Z", "Europe/Andorra")},
    ),
    Case(
        "the second contract includes it",
        "free",
        "contract",
        given={
            **PAST,
            "contracts": (C7, replace(C7, number="C-9", included_kinds=frozenset({"repair_minor"}), visits_left=None)),
        },
    ),
    # Prices, the nearest agreement first.
    Case(
        "contract item before all lists",
        "paid",
        "price-contract-item",
        "80.00",
        {**PAST, "contracts": (C7,), "prices": (BASE, REGIONAL, LIST, ITEM)},
    ),
    Case(
        "contract list before the region",
        "paid",
        "price-contract-list",
        "90.00",
        {**PAST, "contracts": (C7,), "prices": (BASE, REGIONAL, LIST)},
    ),
    Case("region before base", "paid", "price-regional", "104.00", {**PAST, "prices": (BASE, REGIONAL)}),
    Case(
        "another region's list does not count",
        "paid",
        "price-base",
        "96.00",
        {**PAST, "region": "ES", "prices": (BASE, REGIONAL)},
    ),
    Case("another customer's contract does not count", "paid", "price-base", "96.00", {**PAST, "prices": (BASE, ITEM)}),
    Case("no price is not zero", "needs_quote", "needs-quote", None, PAST),
    Case(
        "a price of zero is not a price",
        "needs_quote",
        "needs-quote",
        None,
        {**PAST, "prices": (replace(BASE, amount=Decimal(0)),)},
    ),
    Case(
        "a price in another currency is not a price",
        "needs_quote",
        "needs-quote",
        None,
        {**PAST, "prices": (replace(BASE, currency="RUB"),)},
    ),
    Case(
        "a price per kilometre does not price hours",
        "needs_quote",
        "needs-quote",
        None,
        {**PAST, "prices": (replace(BASE, unit=Unit.KM),)},
    ),
    Case(
        "a fixed price for the visit",
        "paid",
        "price-base",
        "70.00",
        {**PAST, "prices": (replace(BASE, unit=Unit.VISIT, amount=Decimal(70)),)},
    ),
    Case(
        "the price for this kind before the general one",
        "paid",
        "price-base",
        "120.00",
        {**PAST, "prices": (BASE, replace(BASE, id="p0", kind="repair_minor", amount=Decimal(60)))},
    ),
    Case(
        "the last day of the old price",
        "paid",
        "price-base",
        "96.00",
        {**PAST, "prices": (replace(BASE, valid_to=date(2027, 6, 1)),)},
    ),
    Case(
        "the old price has ended, the new one counts",
        "paid",
        "price-base",
        "110.00",
        {
            **PAST,
            "prices": (
                replace(BASE, valid_to=date(2027, 5, 31)),
                replace(BASE, id="p9", valid_from=date(2027, 6, 1), amount=Decimal(55)),
            ),
        },
    ),
    Case(
        "next year's price does not count yet",
        "needs_quote",
        "needs-quote",
        None,
        {**PAST, "prices": (replace(BASE, valid_from=date(2028, 1, 1)),)},
    ),
    Case(
        "half a cent is rounded up",
        "paid",
        "price-base",
        "0.13",
        {
            **PAST,
            "lines": (replace(TRIP, quantity=Decimal("0.5")),),
            "prices": (replace(BASE_KM, amount=Decimal("0.25")),),
        },
    ),
    # Goodwill.
    Case(
        "goodwill with an approver",
        "free",
        "goodwill",
        given={**PAST, "prices": (BASE,), "overrides": (Override(id="o1", why="late delivery", approver="N. Orlova"),)},
    ),
    Case(
        "goodwill that nobody approved",
        "paid",
        "price-base",
        "96.00",
        {**PAST, "prices": (BASE,), "overrides": (Override(id="o1", why="late delivery", approver=None),)},
    ),
    Case(
        "goodwill for the trip alone",
        "partly",
        "partly",
        "96.00",
        {
            **PAST,
            "lines": (TWO_HOURS, TRIP),
            "prices": (BASE, BASE_KM),
            "overrides": (Override(id="o1", why="late", approver="N. Orlova", line_id="trip"),),
        },
    ),
    Case(
        "goodwill is not spent where the warranty pays",
        "free",
        "warranty",
        given={"overrides": (Override(id="o1", why="late", approver="N. Orlova"),)},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.story)
def test_worked_case(case: Case) -> None:
    found = decide(asked(**case.given))
    costs = None if found.amount is None else str(found.amount)
    assert (found.outcome.value, found.reason.code, costs) == (case.says, case.because, case.costs)


def test_every_rule_considered_is_listed_in_order_with_its_numbers() -> None:
    found = decide(asked(**AFTER, contracts=(replace(C7, visits_left=0),), prices=(BASE, REGIONAL)))
    assert [(each.rule, each.outcome.value, each.reason.code) for each in found.rules] == [
        ("warranty", "not_applicable", "warranty-ended"),
        ("contract", "not_applicable", "contract-kind-not-included"),
        ("price", "not_applicable", "no-price-contract-item"),
        ("price", "not_applicable", "no-price-contract-list"),
        ("price", "applied", "price-regional"),
    ]
    # 5 March to 1 June 2027: 89 days after the last warranty day.
    ended = {"term": "W24", "ends_on": "2027-03-04", "visit_on": "2027-06-01", "n": 89}
    assert found.rules[0].reason.params == ended
    assert found.rules[-1].reason.params == {"amount": "104.00", "currency": "EUR", "region": "AD"}


def test_a_meter_nobody_read_is_noted_beside_the_warranty() -> None:
    found = decide(asked(warranty=replace(W24, meter_limit=Decimal(4000))))
    assert [(each.outcome, each.reason.code) for each in found.rules] == [
        (RuleOutcome.NOTED, "warranty-meter-unread"),
        (RuleOutcome.APPLIED, "warranty"),
    ]


PUMP, BOILER = Machine(name="P100-1", warranty=W24), Machine(name="B7")


@pytest.mark.parametrize(
    ("machines", "says", "because", "costs"),
    [
        ((PUMP, replace(PUMP, name="P100-2")), "free", "warranty", "0.00"),
        ((PUMP, BOILER), "partly", "line-partly", "48.00"),
        ((PUMP, BOILER, replace(BOILER, name="B8")), "partly", "line-partly", "64.00"),
        ((BOILER, replace(BOILER, name="B8")), "paid", "price-base", "96.00"),
        ((PUMP, replace(PUMP, name="P100-2", causes=frozenset({"misuse"}))), "partly", "line-partly", "48.00"),
    ],
    ids=["both covered", "one of two", "one of three", "none", "one of two broken by misuse"],
)
def test_each_machine_has_an_equal_share_that_its_own_warranty_pays_or_not(
    machines: tuple[Machine, ...], says: str, because: str, costs: str
) -> None:
    for order in (machines, machines[::-1]):
        found = decide(asked(machines=order, prices=(BASE,)))
        assert (found.outcome.value, found.reason.code, str(found.amount)) == (says, because, costs)
        told = {each.machine for each in found.rules if each.rule == "warranty"}
        assert told == {each.name for each in machines}


def test_without_a_price_for_the_share_that_is_not_covered_a_quote_is_needed() -> None:
    assert decide(asked(machines=(PUMP, BOILER))).outcome.value == "needs_quote"


def test_goodwill_says_what_it_gave_away() -> None:
    given = (Override(id="o1", why="late delivery", approver="N. Orlova"),)
    found = decide(asked(**PAST, prices=(BASE,), overrides=given))
    assert (found.lines[0].amount, found.lines[0].forgone) == (Decimal("0.00"), Decimal("96.00"))


def test_a_price_that_misses_by_a_day_is_named() -> None:
    found = decide(asked(**PAST, prices=(replace(BASE, valid_to=date(2027, 5, 31)),)))
    assert found.rules[-1].reason.code == "price-no-longer-valid"
    assert found.rules[-1].reason.params == {"valid_to": "2027-05-31", "visit_on": "2027-06-01"}


@pytest.mark.parametrize(
    "changes",
    [{"lines": ()}, {"lines": (TWO_HOURS, TWO_HOURS)}, {"at": datetime(2026, 6, 1, 10)}],
    ids=["no lines", "two lines with one id", "an instant without a zone"],
)
def test_a_request_that_cannot_be_judged_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        replace(VISIT, **changes)
