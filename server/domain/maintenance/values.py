"""The values that the maintenance core takes and gives. All dates are dates at the site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from server.domain.maintenance import identity
from server.domain.maintenance.meters import Reading
from server.domain.maintenance.site_days import EVERY_DAY, SiteDays
from server.domain.reason import Reason

if TYPE_CHECKING:
    from server.domain.maintenance.view import PlanView


class OpenPrevious(StrEnum):
    """What happens to the next occurrence while an earlier one of the same plan is open.

    `HOLD`: it waits. `STACK`: both are there. `SUPERSEDE`: when its window opens, it takes the place of an earlier one
    that nobody has touched. `MERGE_TASKS`: when its window opens, its tasks go into the earlier one.
    """

    HOLD = "hold"
    STACK = "stack"
    SUPERSEDE = "supersede"
    MERGE_TASKS = "merge_tasks"


class Shift(StrEnum):
    """What happens when the due date is a day on which the site does not work. The due date itself never moves."""

    NONE = "none"
    FORWARD = "forward"
    BACKWARD = "backward"
    NEAREST = "nearest"
    SKIP = "skip"


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
    MERGED = "merged"
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
    only_own_work: ClassVar[bool]

    @property
    def id(self) -> str: ...

    @property
    def floats(self) -> bool:
        """Whether dates are counted from the day of the last work."""

    def problems(self, plan: Plan) -> tuple[Problem, ...]:
        """What is wrong with this trigger; field names are relative to it."""

    def missing_anchor(self, facts: AssetFacts) -> Reason | None:
        """Why this trigger cannot name any date yet."""

    def cycles(self, view: PlanView) -> tuple[Cycle, ...]:
        """Every expected cycle with a due date not after `view.until`, oldest first, credits assigned."""

    def after(self, view: PlanView, anchor: Anchor) -> Slot | None:
        """The first date that follows work: what a combination asks its members. None: none up to `view.until`."""

    def to_json(self) -> dict[str, Any]: ...

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self: ...


@dataclass(frozen=True)
class Anchor:
    """Where a combination stands: work, or the start, on `day`. Dates up to `floor` are behind it."""

    day: date
    floor: date | None = None


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One date of a trigger before anybody asks what was done.

    `number` counts the trigger's cycles from 1 (tasks of every k-th cycle go by it). `opens_on` is the first day on
    which work counts (None: as the plan's window says). `basis` says with numbers why it is this date. `absent` is the
    reason if the trigger itself wants no visit there.
    """

    key: str
    due_on: date
    number: int = 1
    opens_on: date | None = None
    basis: Reason | None = None
    absent: Reason | None = None


READING = "reading/"
"""How the key of a cycle begins that asks for a meter's reading and for nothing else."""


@dataclass(frozen=True, kw_only=True)
class PlanTask:
    """A piece of the work: the key of a checklist item, its name by language, in which cycles it is done.

    `every_k_cycles` is 1 for each cycle, 4 for each fourth. `triggers` limits it to some triggers (empty: all).
    """

    code: str
    name: Mapping[str, str] = field(default_factory=dict)
    every_k_cycles: int = 1
    triggers: frozenset[str] = frozenset()

    def in_cycle(self, trigger_id: str, number: int) -> bool:
        return number % self.every_k_cycles == 0 and (not self.triggers or trigger_id in self.triggers)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Preventive or proactive work promised for one asset.

    Windows are `due_on - early_days` to `due_on + late_days`. Visits are generated for due dates up to `horizon_days`
    from today; later dates are a forecast. `credit_kinds` are other service kinds whose completion counts as this
    plan's work; a visit of any kind counts that did `credit_percent` of its tasks. `season` holds the months in which
    work is wanted (empty: all). `nesting` names for a trigger those whose work it contains; a lesser date within
    `absorb_days` of a greater one (None: whose windows meet) gets no visit of its own.
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
    credit_percent: int = 80
    only_in_warranty: bool = False
    open_previous: OpenPrevious = OpenPrevious.HOLD
    catch_up: CatchUp = CatchUp.COALESCE
    shift: Shift = Shift.NONE
    season: frozenset[int] = frozenset()
    tasks: tuple[PlanTask, ...] = ()
    nesting: Mapping[str, frozenset[str]] = field(default_factory=dict)
    absorb_days: int | None = None
    days: SiteDays = EVERY_DAY

    def window(self, due_on: date) -> tuple[date, date]:
        """First and last day on which the work can be done, before days off are looked at."""
        return due_on - timedelta(days=self.early_days), due_on + timedelta(days=self.late_days)

    @property
    def absorbs_over(self) -> int:
        """Days between two due dates up to which the greater absorbs the lesser."""
        return self.early_days + self.late_days if self.absorb_days is None else self.absorb_days


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a checklist item was answered on site."""

    id: str
    item: str
    on: date
    value: str | float | bool | None


@dataclass(frozen=True, kw_only=True)
class AssetFacts:
    """What is known of the asset and its papers today. `campaigns_elsewhere`: those that another plan carries out."""

    installed_on: date | None = None
    commissioned_on: date | None = None
    in_service: bool = True
    out_of_service_from: date | None = None
    warranty_starts_on: date | None = None
    warranty_ends_on: date | None = None
    contract_ends_on: date | None = None
    readings: tuple[Reading, ...] = ()
    answers: tuple[Answer, ...] = ()
    campaigns_elsewhere: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Completion:
    """Work that ended on site. `occurrence_id` is None for work that no plan asked for.

    `tasks` are the items that were done, None where nobody wrote them down.
    """

    visit_id: str
    completed_on: date
    kind: str
    outcome: str = "done"
    occurrence_id: str | None = None
    tasks: frozenset[str] | None = None


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A ledger row as stored by an earlier run, with the state of its visit (None: it never had one)."""

    trigger_id: str
    cycle_key: str
    due_on: date | None
    state: State
    reason: Reason | None = None
    visit_state: VisitState | None = None
    tasks: tuple[DueTask, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Cycle:
    """One expected date of one trigger. `credited_by` is the completion that counts for it, if any."""

    key: str
    due_on: date
    number: int = 1
    opens_on: date | None = None
    basis: Reason | None = None
    absent: Reason | None = None
    credited_by: Completion | None = None

    @property
    def asks_reading(self) -> bool:
        """Whether only a meter is to be read; such a visit holds up no other, and is no maintenance."""
        return self.key.startswith(READING)


@dataclass(frozen=True, kw_only=True)
class DueTask:
    """A task of one visit; `carried_from` is the due date of the visit that left it undone."""

    code: str
    carried_from: date | None = None


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One row of the ledger. `due_on` and the window are None only where a trigger has no anchor yet.

    `due_on` is the plan's own date; `target_on` the working day on which it falls. `basis` says why that date.
    """

    plan_id: str
    trigger_id: str
    cycle_key: str
    state: State
    reason: Reason
    due_on: date | None
    window_from: date | None
    window_to: date | None
    target_on: date | None = None
    basis: Reason | None = None
    tasks: tuple[DueTask, ...] = ()

    @property
    def asks_reading(self) -> bool:
        """Whether the visit is for a meter's reading alone."""
        return self.cycle_key.startswith(READING)

    @property
    def occurrence_id(self) -> str:
        return identity.occurrence_id(self.plan_id, self.trigger_id, self.cycle_key)

    @property
    def visit_id(self) -> str:
        return identity.visit_id(self.occurrence_id)
