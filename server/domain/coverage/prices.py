"""The price of a line: contract item, then contract list, then regional list, then base list."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from server.domain.coverage.rules import Answer
from server.domain.coverage.values import CoverageRequest, Line, PriceItem, PriceLevel, RuleOutcome, Unit
from server.domain.reason import Reason, reason

_CENT = Decimal("0.01")
FOUND_CODES = {
    PriceLevel.CONTRACT_ITEM: "price-contract-item",
    PriceLevel.CONTRACT_LIST: "price-contract-list",
    PriceLevel.REGIONAL: "price-regional",
    PriceLevel.BASE: "price-base",
}
MISSING_CODES = {
    PriceLevel.CONTRACT_ITEM: "no-price-contract-item",
    PriceLevel.CONTRACT_LIST: "no-price-contract-list",
    PriceLevel.REGIONAL: "no-price-regional",
    PriceLevel.BASE: "no-price-base",
}


def find_price(request: CoverageRequest, line: Line, day: date) -> tuple[Decimal | None, list[Answer]]:
    """The amount for the line, or None, and what each level of price list answered until one had it.

    Within a level the more particular item wins (part, then kind), then the later `valid_from`, then the id.
    A price of zero is no price: what is free is said by warranty, contract or goodwill.
    """
    answers: list[Answer] = []
    for level in PriceLevel:
        items = [item for item in request.prices if item.level is level and _is_for(request, item, line)]
        fitting = [item for item in items if _objection(request, item, line, day) is None]
        if fitting:
            best = min(fitting, key=_preference)
            amount = _amount(best, line)
            why = reason(FOUND_CODES[level], amount=amount, currency=best.currency, **_source(best))
            answers.append(Answer(RuleOutcome.APPLIED, why))
            return amount, answers
        objections = [_objection(request, item, line, day) for item in sorted(items, key=_preference)]
        why_not = next((each for each in objections if each is not None), reason(MISSING_CODES[level]))
        answers.append(Answer(RuleOutcome.NOT_APPLICABLE, why_not))
    return None, answers


def _is_for(request: CoverageRequest, item: PriceItem, line: Line) -> bool:
    if item.line is not line.line or item.kind not in (None, request.kind) or item.part not in (None, line.part):
        return False
    if item.level in (PriceLevel.CONTRACT_ITEM, PriceLevel.CONTRACT_LIST):
        return any(item.contract == each.number for each in request.contracts)
    if item.level is PriceLevel.REGIONAL:
        return item.region is not None and item.region == request.region
    return True


def _objection(request: CoverageRequest, item: PriceItem, line: Line, day: date) -> Reason | None:
    for each in request.contracts:
        if item.contract == each.number and not each.starts_on <= day <= each.ends_on:
            return reason("price-contract-not-in-force", number=each.number, visit_on=day)
    if item.valid_from is not None and day < item.valid_from:
        return reason("price-not-yet-valid", valid_from=item.valid_from, visit_on=day)
    if item.valid_to is not None and day > item.valid_to:
        return reason("price-no-longer-valid", valid_to=item.valid_to, visit_on=day)
    if item.currency != request.currency:
        return reason("price-other-currency", currency=item.currency, wanted=request.currency)
    if item.unit is not Unit.VISIT and item.unit is not line.unit:
        return reason("price-other-unit")
    if item.amount <= 0:
        return reason("price-zero")
    return None


def _preference(item: PriceItem) -> tuple[bool, bool, int, str]:
    newest_first = -item.valid_from.toordinal() if item.valid_from else 0
    return (item.part is None, item.kind is None, newest_first, item.id)


def _amount(item: PriceItem, line: Line) -> Decimal:
    quantity = Decimal(1) if item.unit is Unit.VISIT else line.quantity
    return (item.amount * quantity).quantize(_CENT, rounding=ROUND_HALF_UP)


def _source(item: PriceItem) -> dict[str, str]:
    if item.level in (PriceLevel.CONTRACT_ITEM, PriceLevel.CONTRACT_LIST):
        return {"number": item.contract or ""}
    return {"region": item.region or ""} if item.level is PriceLevel.REGIONAL else {}
