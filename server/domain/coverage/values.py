"""The values that the coverage core takes and gives. Each has a JSON form: tablets decide with the same data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from server.domain.reason import Reason


class LineKind(StrEnum):
    LABOUR = "labour"
    TRAVEL = "travel"
    PARTS = "parts"


class Unit(StrEnum):
    """What a price is for. VISIT is a fixed price, whatever the quantity."""

    VISIT = "visit"
    HOUR = "hour"
    KM = "km"
    PIECE = "piece"


class PriceLevel(StrEnum):
    """Where a price comes from; members stand in order of precedence."""

    CONTRACT_ITEM = "contract_item"
    CONTRACT_LIST = "contract_list"
    REGIONAL = "regional"
    BASE = "base"


class Outcome(StrEnum):
    FREE = "free"
    PAID = "paid"
    PARTLY = "partly"
    NEEDS_QUOTE = "needs_quote"


class RuleOutcome(StrEnum):
    """NOTED marks a circumstance that did not decide but that a person should know."""

    APPLIED = "applied"
    NOT_APPLICABLE = "not_applicable"
    NOTED = "noted"


@dataclass(frozen=True, kw_only=True)
class Warranty:
    """The warranty of one asset. `ends_on` is its last day and still counts.

    `included_kinds` replaces the service kind's own "included in warranty" mark when the term names its package.
    `exclusions` are cause codes that the warranty does not pay for. A reading equal to the limit is still covered.
    """

    term: str
    starts_on: date
    ends_on: date
    covers: frozenset[LineKind]
    included_kinds: frozenset[str] | None = None
    exclusions: frozenset[str] = frozenset()
    meter: str | None = None
    meter_limit: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class Contract:
    """A service contract. `visits_left` None means no limit; `covers` says which lines an included visit frees."""

    number: str
    starts_on: date
    ends_on: date
    included_kinds: frozenset[str] = frozenset()
    covers: frozenset[LineKind] = frozenset({LineKind.LABOUR, LineKind.TRAVEL})
    visits_left: int | None = None


@dataclass(frozen=True, kw_only=True)
class PriceItem:
    """A price per unit. `kind` and `part` None mean any; contract levels name their contract, regional its region."""

    id: str
    level: PriceLevel
    line: LineKind
    unit: Unit
    amount: Decimal
    currency: str
    kind: str | None = None
    part: str | None = None
    contract: str | None = None
    region: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, kw_only=True)
class Line:
    """Something to be charged or not: hours of labour, kilometres, pieces of a part."""

    id: str
    line: LineKind
    quantity: Decimal
    unit: Unit
    part: str | None = None


@dataclass(frozen=True, kw_only=True)
class Override:
    """Goodwill: a line, or all lines if `line_id` is None, given free. Without an approver it does not count."""

    id: str
    why: str
    approver: str | None
    line_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Machine:
    """One piece of equipment that the visit is for: what people call it, and what its warranty depends on.

    `causes` are the cause codes found at it (misuse, foreign part). `meter_reading` is the latest one of the
    warranty's meter, None if it was not read.
    """

    name: str
    warranty: Warranty | None = None
    meter_reading: Decimal | None = None
    causes: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class CoverageRequest:
    """One visit to be judged. `at` is an aware instant; the date that counts is the site's own at that instant.

    Raises ValueError without lines, on repeated line ids or a naive instant.
    """

    kind: str
    kind_in_warranty: bool
    at: datetime
    tz: str
    currency: str
    lines: tuple[Line, ...]
    region: str | None = None
    machines: tuple[Machine, ...] = ()
    contracts: tuple[Contract, ...] = ()
    prices: tuple[PriceItem, ...] = ()
    overrides: tuple[Override, ...] = ()

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("at: an instant needs a time zone")
        if not self.lines:
            raise ValueError("lines: at least one line is judged")
        if len({line.id for line in self.lines}) != len(self.lines):
            raise ValueError("lines: ids repeat")


@dataclass(frozen=True, kw_only=True)
class RuleConsidered:
    """One rule asked about one line, and what it answered; `machine` of which one, where a visit is for several."""

    line_id: str
    rule: str
    outcome: RuleOutcome
    reason: Reason
    machine: str | None = None


@dataclass(frozen=True, kw_only=True)
class LineDecision:
    """`amount` is what the customer pays (None: needs a quote); `forgone` what goodwill gave away, where priced.

    A line is PARTLY paid when the warranties of some of the visit's machines pay their equal shares of it.
    """

    line_id: str
    outcome: Outcome
    amount: Decimal | None
    forgone: Decimal | None
    reason: Reason


@dataclass(frozen=True, kw_only=True)
class CoverageDecision:
    """Free or paid, with every rule considered, in the order asked. `amount` is None while a line needs a quote."""

    outcome: Outcome
    reason: Reason
    amount: Decimal | None
    currency: str
    decided_for: date
    lines: tuple[LineDecision, ...]
    rules: tuple[RuleConsidered, ...]
