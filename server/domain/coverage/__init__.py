"""Whether work is free or paid, decided by data and rules alone, and explained."""

from server.domain.coverage.causes import if_found
from server.domain.coverage.decide import decide
from server.domain.coverage.values import (
    Contract,
    CoverageDecision,
    CoverageRequest,
    Line,
    LineDecision,
    LineKind,
    Machine,
    Outcome,
    Override,
    PriceItem,
    PriceLevel,
    RuleConsidered,
    RuleOutcome,
    Unit,
    Warranty,
)
from server.domain.coverage.wire import from_json, to_json

__all__ = [
    "Contract",
    "CoverageDecision",
    "CoverageRequest",
    "Line",
    "LineDecision",
    "LineKind",
    "Machine",
    "Outcome",
    "Override",
    "PriceItem",
    "PriceLevel",
    "RuleConsidered",
    "RuleOutcome",
    "Unit",
    "Warranty",
    "decide",
    "from_json",
    "if_found",
    "to_json",
]
