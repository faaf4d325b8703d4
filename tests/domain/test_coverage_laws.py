"""Laws of the coverage core on random requests."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.coverage import (
    Contract,
    CoverageDecision,
    CoverageRequest,
    Line,
    LineKind,
    Machine,
    Outcome,
    Override,
    PriceItem,
    PriceLevel,
    RuleOutcome,
    Unit,
    Warranty,
    decide,
    from_json,
    to_json,
)

days = st.dates(date(2025, 1, 1), date(2027, 12, 31))
kinds = st.sampled_from(["repair_minor", "preventive_maintenance", "training"])
codes = st.frozensets(st.sampled_from(["misuse", "wear", "flood"]), max_size=2)
covers = st.frozensets(st.sampled_from(LineKind))
numbers = st.sampled_from(["C-1", "C-2"])
quantities = st.decimals("0.1", "999", places=1)
warranties = st.builds(
    Warranty,
    term=st.just("W24"),
    starts_on=days,
    ends_on=days,
    covers=covers,
    included_kinds=st.none() | st.frozensets(kinds),
    exclusions=codes,
    meter_limit=st.none() | quantities,
)
machines = st.builds(
    Machine,
    name=st.sampled_from(["P1", "P2", "P3"]),
    warranty=st.none() | warranties,
    meter_reading=st.none() | quantities,
    causes=codes,
)
contracts = st.builds(
    Contract,
    number=numbers,
    starts_on=days,
    ends_on=days,
    included_kinds=st.frozensets(kinds),
    covers=covers,
    visits_left=st.none() | st.integers(0, 3),
)
prices = st.builds(
    PriceItem,
    id=st.uuids().map(str),
    level=st.sampled_from(PriceLevel),
    line=st.sampled_from(LineKind),
    unit=st.sampled_from(Unit),
    amount=st.decimals("0", "500", places=2),
    currency=st.sampled_from(["EUR", "EUR", "RUB"]),
    kind=st.none() | kinds,
    contract=st.none() | numbers,
    region=st.none() | st.sampled_from(["AD", "ES"]),
    valid_from=st.none() | days,
    valid_to=st.none() | days,
)
lines = st.lists(
    st.builds(
        Line,
        id=st.sampled_from("abcd"),
        line=st.sampled_from(LineKind),
        quantity=quantities,
        unit=st.sampled_from(Unit),
        part=st.none() | st.just("BELT"),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda line: line.id,
)
overrides = st.builds(
    Override,
    id=st.uuids().map(str),
    why=st.just("late"),
    approver=st.none() | st.just("N. Orlova"),
    line_id=st.none() | st.sampled_from("abcd"),
)
requests = st.builds(
    CoverageRequest,
    kind=kinds,
    kind_in_warranty=st.booleans(),
    at=st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),
    tz=st.sampled_from(["Europe/Andorra", "Europe/Moscow", "Pacific/Auckland", "UTC"]),
    currency=st.just("EUR"),
    lines=lines.map(tuple),
    region=st.none() | st.just("AD"),
    machines=st.lists(machines, max_size=3, unique_by=lambda each: each.name).map(tuple),
    contracts=st.lists(contracts, max_size=2, unique_by=lambda each: each.number).map(tuple),
    prices=st.lists(prices, max_size=6).map(tuple),
    overrides=st.lists(overrides, max_size=2).map(tuple),
)


@given(requests)
def test_a_request_and_its_decision_survive_the_wire(request: CoverageRequest) -> None:
    sent = json.loads(json.dumps(to_json(request)))
    received = from_json(CoverageRequest, sent)
    assert received == request
    decision = decide(received)
    assert decision == decide(request)
    assert from_json(CoverageDecision, json.loads(json.dumps(to_json(decision)))) == decision


@given(requests, st.randoms(use_true_random=False))
def test_the_order_of_papers_does_not_matter(request: CoverageRequest, chance: Any) -> None:
    def shuffled(values: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(chance.sample(values, len(values)))

    mixed = replace(
        request,
        machines=shuffled(request.machines),
        contracts=shuffled(request.contracts),
        prices=shuffled(request.prices),
        overrides=shuffled(request.overrides),
    )
    assert decide(mixed) == decide(request)


@given(requests)
def test_each_line_is_decided_once_by_the_last_rule_that_spoke(request: CoverageRequest) -> None:
    decision = decide(request)
    assert [each.line_id for each in decision.lines] == [each.id for each in request.lines]
    for line in decision.lines:
        rules = [each for each in decision.rules if each.line_id == line.line_id]
        applied = [each for each in rules if each.outcome is RuleOutcome.APPLIED]
        if line.outcome is Outcome.NEEDS_QUOTE:
            assert not applied
        else:
            assert applied == [rules[-1]]
            assert line.reason == rules[-1].reason


@given(requests)
def test_money_adds_up_and_nothing_paid_is_zero_by_default(request: CoverageRequest) -> None:
    decision = decide(request)
    for line in decision.lines:
        assert (line.amount is None) == (line.outcome is Outcome.NEEDS_QUOTE)
        assert line.outcome is not Outcome.FREE or line.amount == 0
    if decision.outcome is Outcome.NEEDS_QUOTE:
        assert decision.amount is None
    else:
        assert decision.amount == sum((line.amount or Decimal(0) for line in decision.lines), Decimal(0))


@given(requests)
def test_a_warranty_never_makes_anything_dearer(request: CoverageRequest) -> None:
    bare = tuple(replace(each, warranty=None) for each in request.machines)
    without = {line.line_id: line for line in decide(replace(request, machines=bare)).lines}
    for line in decide(request).lines:
        before = without[line.line_id]
        if line.outcome is Outcome.PARTLY:
            assert line.amount is not None
            assert before.amount is not None
            assert line.amount <= before.amount
        elif line.outcome is not Outcome.FREE:
            assert line == before


@given(requests)
def test_a_line_is_free_by_warranty_only_when_each_machine_has_one_that_pays(request: CoverageRequest) -> None:
    alone = {each.name: decide(replace(request, machines=(each,))) for each in request.machines}
    for place, line in enumerate(decide(request).lines):
        pays = [found.lines[place].reason.code == "warranty" for found in alone.values()]
        assert (line.reason.code == "warranty") == (bool(pays) and all(pays))


@pytest.mark.parametrize(
    "document",
    [{}, {"kind": 1}, {"kind": "x", "kind_in_warranty": True, "at": "soon"}, {"lines": None}, []],
)
def test_a_document_that_is_no_request_is_refused(document: Any) -> None:
    with pytest.raises(ValueError):
        from_json(CoverageRequest, document)
