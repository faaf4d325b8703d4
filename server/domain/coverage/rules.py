"""The rules that can make a line free. Each is one function; `FREEING` lists them in the order they are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from server.domain.coverage.values import Contract, CoverageRequest, Line, Machine, RuleOutcome, Warranty
from server.domain.reason import Reason, reason


@dataclass(frozen=True)
class Answer:
    """What a rule says. `reason` of an applied answer is the reason the line is free."""

    outcome: RuleOutcome
    reason: Reason
    machine: str | None = None


Rule = Callable[[CoverageRequest, Line, date], Iterator[Answer]]


def _no(code: str, **params: str | int | date) -> Answer:
    return Answer(RuleOutcome.NOT_APPLICABLE, reason(code, **params))


def warranty(request: CoverageRequest, line: Line, day: date) -> Iterator[Answer]:
    """The warranties of all machines, last days included; a line is free when each machine's pays for it."""
    if not request.machines:
        yield _no("no-warranty")
        return
    free = under_warranty(request, line, day) == 1
    # The warranty that ends first comes last and speaks for the line; the order of machines does not matter.
    asked = sorted(request.machines, key=_latest_first)
    for place, each in enumerate(asked, 1):
        term = each.warranty
        name = each.name if len(request.machines) > 1 else None
        refusal = _refusal(request, each, line, day)
        if refusal is not None or term is None:
            yield replace(refusal or _no("no-warranty"), machine=name)
            continue
        if term.meter_limit is not None and each.meter_reading is None:
            yield Answer(RuleOutcome.NOTED, reason("warranty-meter-unread", limit=term.meter_limit), name)
        outcome = RuleOutcome.APPLIED if free and place == len(asked) else RuleOutcome.NOTED
        yield Answer(outcome, reason("warranty", term=term.term, ends_on=term.ends_on), name)


def under_warranty(request: CoverageRequest, line: Line, day: date) -> Fraction:
    """The share of a line that warranties pay: each machine has an equal one."""
    if not request.machines:
        return Fraction(0)
    paying = sum(_refusal(request, each, line, day) is None for each in request.machines)
    return Fraction(paying, len(request.machines))


def _latest_first(machine: Machine) -> tuple[int, str]:
    return (-(machine.warranty.ends_on if machine.warranty else date.max).toordinal(), machine.name)


def _refusal(request: CoverageRequest, machine: Machine, line: Line, day: date) -> Answer | None:
    term = machine.warranty
    return _no("no-warranty") if term is None else _warranty_refusal(request, machine, term, line, day)


def _warranty_refusal(
    request: CoverageRequest, machine: Machine, term: Warranty, line: Line, day: date
) -> Answer | None:
    if day < term.starts_on:
        return _no("warranty-not-started", term=term.term, starts_on=term.starts_on, visit_on=day)
    if day > term.ends_on:
        days = (day - term.ends_on).days
        return _no("warranty-ended", term=term.term, ends_on=term.ends_on, visit_on=day, n=days)
    limit, reading = term.meter_limit, machine.meter_reading
    if limit is not None and reading is not None and reading > limit:
        why = reason("warranty-meter-passed", term=term.term, limit=limit, reading=reading)
        return Answer(RuleOutcome.NOT_APPLICABLE, why)
    included = request.kind_in_warranty if term.included_kinds is None else request.kind in term.included_kinds
    if not included:
        return _no("warranty-kind-not-included", term=term.term)
    excluded = sorted(machine.causes & term.exclusions)
    if excluded:
        return _no("warranty-excluded-cause", term=term.term, cause=excluded[0])
    if line.line not in term.covers:
        return _no("warranty-line-not-covered", term=term.term)
    return None


def contract(request: CoverageRequest, line: Line, day: date) -> Iterator[Answer]:
    """Visits included in a service contract, contracts in the order of their numbers."""
    if not request.contracts:
        yield _no("no-contract")
        return
    for each in sorted(request.contracts, key=lambda one: one.number):
        answer = _contract_answer(request, each, line, day)
        yield answer
        if answer.outcome is RuleOutcome.APPLIED:
            return


def _contract_answer(request: CoverageRequest, each: Contract, line: Line, day: date) -> Answer:
    if day < each.starts_on:
        return _no("contract-not-started", number=each.number, starts_on=each.starts_on, visit_on=day)
    if day > each.ends_on:
        return _no("contract-ended", number=each.number, ends_on=each.ends_on, visit_on=day)
    if request.kind not in each.included_kinds:
        return _no("contract-kind-not-included", number=each.number)
    if each.visits_left is not None and each.visits_left <= 0:
        return _no("contract-visits-used", number=each.number)
    if line.line not in each.covers:
        return _no("contract-line-not-covered", number=each.number)
    if each.visits_left is None:
        return Answer(RuleOutcome.APPLIED, reason("contract", number=each.number, ends_on=each.ends_on))
    return Answer(RuleOutcome.APPLIED, reason("contract-visit", number=each.number, n=each.visits_left))


def goodwill(request: CoverageRequest, line: Line, day: date) -> Iterator[Answer]:
    """Asked last of the freeing rules, so that nothing is given away that was free anyway."""
    for each in sorted(request.overrides, key=lambda one: one.id):
        if each.line_id not in (None, line.id):
            continue
        if not each.approver:
            yield _no("goodwill-not-approved", why=each.why)
            continue
        yield Answer(RuleOutcome.APPLIED, reason("goodwill", why=each.why, approver=each.approver))
        return


FREEING: tuple[tuple[str, Rule], ...] = (("warranty", warranty), ("contract", contract), ("goodwill", goodwill))
