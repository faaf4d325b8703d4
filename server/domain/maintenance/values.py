"""The values that the maintenance core takes and gives. All dates are dates at the site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from server.domain.maintenance import identity
from server.domain.reason import Reason

if TYPE_CHECKING:
    from server.domain.maintenance.view import PlanView


class OpenPrevious(StrEnum):
    """What happens to the next occurrence while an earlier one of the same plan is open."""

    HOLD = "hold"
    STACK = "stack"


class CatchUp(StrEnum):
    """What happens to due dates that nobody generated in time."""

    COALESCE = "coalesce"
    EACH = "each"
    SKIP = "skip"


class VisitState(StrEnum):
    """How far the visit of an occurrence has got, as far as the plan cares.

    `DONE` means ended on site with any outcome; the completion tells which. `WITHDRAWN` means that the scheduler itself
    took back a visit that nobody had touched; such an occurrence may be generated again.
    """

    UNTOUCHED = "untouched"
    PUBLISHED = "published"
    STARTED = "started"
    DONE = "done"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    WITHDRAWN = "withdrawn"


class State(StrEnum):
    """What the ledger says of one expected date."""

    GENERATED = "generated"
    SUPPRESSED = "suppressed"
    CREDITED = "credited"
    SKIPPED = "skipped"
    HELD = "held"
    FORECAST = "forecast"


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something wrong with a plan, at a field: `triggers.0.rule`."""

    field: str
    reason: Reason


class Trigger(Protocol):
    """A rule that says when work is expected. Each kind is one file in `triggers/`.

    `id` stays the same when the rule is edited; occurrences are named after it.
    """

    kind: ClassVar[str]
    follows_warranty: ClassVar[bool]

    @property
    def id(self) -> str: ...

    def problems(self, plan: Plan) -> tuple[Problem, ...]:
        """What is wrong with this trigger; field names are relative to it."""

    def missing_anchor(self, facts: AssetFacts) -> Reason | None:
        """Why this trigger cannot name any date yet."""

    def cycles(self, view: PlanView) -> tuple[Cycle, ...]:
        """Every expected cycle with a due date not after `view.until`, oldest first, credits assigned."""

    def to_json(self) -> dict[str, Any]: ...

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self: ...


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Preventive or proactive work promised for one asset.

    Windows are `due_on - early_days` to `due_on + late_days`. Visits are generated for due dates up to `horizon_days`
    from today; later dates are a forecast. `credit_kinds` are other service kinds whose completion counts as this
    plan's work.
    """

    id: str
    asset_id: str
    kind: str
    triggers: tuple[Trigger, ...]
    starts_on: date
    ends_on: date | None = None
    active: bool = True
    early_days: int = 0
    late_days: int = 0
    hard_due: bool = False
    horizon_days: int = 60
    service_minutes: int = 60
    tz: str = "UTC"
    version: int = 1
    credit_kinds: frozenset[str] = frozenset()
    only_in_warranty: bool = False
    open_previous: OpenPrevious = OpenPrevious.HOLD
    catch_up: CatchUp = CatchUp.COALESCE

    def window(self, due_on: date) -> tuple[date, date]:
        return due_on - timedelta(days=self.early_days), due_on + timedelta(days=self.late_days)


@dataclass(frozen=True, kw_only=True)
class AssetFacts:
    """What is known of the asset and its papers today."""

    installed_on: date | None = None
    commissioned_on: date | None = None
    in_service: bool = True
    out_of_service_from: date | None = None
    warranty_starts_on: date | None = None
    warranty_ends_on: date | None = None
    contract_ends_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class Completion:
    """Work that ended on site. `occurrence_id` is None for work that no plan asked for."""

    visit_id: str
    completed_on: date
    kind: str
    outcome: str = "done"
    occurrence_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A ledger row as stored by an earlier run, with the state of its visit (None: it never had one)."""

    trigger_id: str
    cycle_key: str
    due_on: date | None
    state: State
    reason: Reason | None = None
    visit_state: VisitState | None = None


@dataclass(frozen=True, kw_only=True)
class Cycle:
    """One expected date of one trigger. `credited_by` is the completion that counts for it, if any."""

    key: str
    due_on: date
    credited_by: Completion | None = None


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One row of the ledger. `due_on` and the window are None only where a trigger has no anchor yet."""

    plan_id: str
    trigger_id: str
    cycle_key: str
    state: State
    reason: Reason
    due_on: date | None
    window_from: date | None
    window_to: date | None

    @property
    def occurrence_id(self) -> str:
        return identity.occurrence_id(self.plan_id, self.trigger_id, self.cycle_key)

    @property
    def visit_id(self) -> str:
        return identity.visit_id(self.occurrence_id)
