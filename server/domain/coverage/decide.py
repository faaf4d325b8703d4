"""Free or paid, and why: start reading here."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from server.domain.coverage.prices import find_price
from server.domain.coverage.rules import FREEING, Answer, under_warranty
from server.domain.coverage.values import (
    CoverageDecision,
    CoverageRequest,
    Line,
    LineDecision,
    Outcome,
    RuleConsidered,
    RuleOutcome,
)
from server.domain.local_time import local_date
from server.domain.reason import Reason, reason


def decide(request: CoverageRequest) -> CoverageDecision:
    """Judge each line by warranty, contract, goodwill and price lists, in that order.

    The first rule that applies decides the line. The decision depends on the arguments alone: the order of contracts,
    prices and overrides does not matter. A line without any price needs a quote; it is never taken as zero.
    """
    day = local_date(request.at, request.tz)
    judged = [_judge(request, line, day) for line in request.lines]
    lines = tuple(decision for decision, _ in judged)
    outcome = _overall(lines)
    amounts = [each.amount for each in lines if each.amount is not None]
    return CoverageDecision(
        outcome=outcome,
        reason=_deciding(outcome, lines),
        amount=None if outcome is Outcome.NEEDS_QUOTE else sum(amounts, Decimal("0.00")),
        currency=request.currency,
        decided_for=day,
        lines=lines,
        rules=tuple(rule for _, rules in judged for rule in rules),
    )


def _judge(request: CoverageRequest, line: Line, day: date) -> tuple[LineDecision, list[RuleConsidered]]:
    considered: list[RuleConsidered] = []
    for name, rule in FREEING:
        for answer in rule(request, line, day):
            considered.append(_considered(line, name, answer))
            if answer.outcome is RuleOutcome.APPLIED:
                forgone = find_price(request, line, day)[0] if name == "goodwill" else None
                return _line(line, Outcome.FREE, Decimal("0.00"), answer.reason, forgone), considered
    amount, answers = find_price(request, line, day)
    share = under_warranty(request, line, day)
    if amount is not None and share:
        whole, paying = amount, share * len(request.machines)
        amount = (whole * (1 - share).numerator / (1 - share).denominator).quantize(whole, rounding=ROUND_HALF_UP)
        why = reason(
            "line-partly", n=int(paying), total=len(request.machines), amount=amount, currency=request.currency
        )
        answers[-1] = replace(answers[-1], outcome=RuleOutcome.NOTED)
        answers.append(Answer(RuleOutcome.APPLIED, why))
    considered += [_considered(line, "price", each) for each in answers]
    if amount is None:
        return _line(line, Outcome.NEEDS_QUOTE, None, reason("needs-quote")), considered
    return _line(line, Outcome.PARTLY if share else Outcome.PAID, amount, answers[-1].reason), considered


def _considered(line: Line, rule: str, answer: Answer) -> RuleConsidered:
    return RuleConsidered(
        line_id=line.id, rule=rule, outcome=answer.outcome, reason=answer.reason, machine=answer.machine
    )


def _line(
    line: Line, outcome: Outcome, amount: Decimal | None, why: Reason, forgone: Decimal | None = None
) -> LineDecision:
    return LineDecision(line_id=line.id, outcome=outcome, amount=amount, forgone=forgone, reason=why)


def _overall(lines: tuple[LineDecision, ...]) -> Outcome:
    outcomes = {line.outcome for line in lines}
    if Outcome.NEEDS_QUOTE in outcomes:
        return Outcome.NEEDS_QUOTE
    return next(iter(outcomes)) if len(outcomes) == 1 else Outcome.PARTLY


def _deciding(outcome: Outcome, lines: tuple[LineDecision, ...]) -> Reason:
    if outcome is Outcome.PARTLY:
        free = sum(line.outcome is Outcome.FREE for line in lines)
        shared = next((line.reason for line in lines if line.outcome is Outcome.PARTLY), None)
        return reason("partly", n=free, total=len(lines)) if free or shared is None else shared
    return next(line.reason for line in lines if line.outcome is outcome)
