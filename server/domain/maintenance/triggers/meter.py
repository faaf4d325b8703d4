"""Meter: every so many hours, cycles or kilometres; the date is read off the meter or projected from its use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, ClassVar, Literal, Self, cast

from server.domain.maintenance.meters import (
    MeterKind,
    Use,
    projected_on,
    rate_of,
    reached_on,
    spread_days,
    total_on,
)
from server.domain.maintenance.triggers.base import Chain, Grid, Place
from server.domain.maintenance.triggers.fields import number, shown, text, whole
from server.domain.maintenance.values import READING, Anchor, AssetFacts, Cycle, Plan, Problem, Slot
from server.domain.maintenance.view import PlanView
from server.domain.reason import Reason, reason

Baseline = Literal["grid", "last_done"]
BASELINES: tuple[Baseline, ...] = ("grid", "last_done")
MOST_SLOTS = 2000
_NUMBERS = ("rollover_at", "most_per_day", "usual_per_day")


@dataclass(frozen=True, kw_only=True)
class MeterTrigger(Grid, Chain):
    """Each `every` on a meter, from `baseline_at`: on a fixed grid, or `last_done` from the work that was done.

    On the grid the cycle key is k of the k-th threshold. A threshold that readings have passed is due on the day they
    show, one ahead on the day that the average use leads to. A reading older than `stale_days` is asked for again.
    """

    id: str
    meter: str
    every: float
    baseline: Baseline = "grid"
    baseline_at: float = 0.0
    stale_days: int = 45
    rollover_at: float | None = None
    most_per_day: float | None = None
    usual_per_day: float | None = None

    kind: ClassVar[str] = "meter"

    @property
    def floats(self) -> bool:
        return self.baseline == "last_done"

    @property
    def gauge(self) -> MeterKind:
        """What is known of the meter."""
        return MeterKind(
            meter=self.meter,
            rollover_at=self.rollover_at,
            most_per_day=self.most_per_day,
            usual_per_day=self.usual_per_day,
        )

    def problems(self, plan: Plan) -> tuple[Problem, ...]:
        found = []
        if not self.meter:
            found.append(Problem(field="meter", reason=reason("no-meter")))
        if not 0 < self.every <= 1e9:
            found.append(Problem(field="every", reason=reason("number-not-above-zero")))
        if self.baseline not in BASELINES:
            why = reason("not-one-of-these", value=str(self.baseline)[:40], known=", ".join(BASELINES))
            found.append(Problem(field="baseline", reason=why))
        if not 1 <= self.stale_days <= 3650:
            why = reason("interval-out-of-range", count=self.stale_days, most=3650)
            found.append(Problem(field="stale_days", reason=why))
        for name in _NUMBERS:
            value = getattr(self, name)
            if value is not None and not 0 < value <= 1e12:
                found.append(Problem(field=name, reason=reason("number-not-above-zero")))
        return tuple(found)

    def missing_anchor(self, facts: AssetFacts) -> Reason | None:
        if not any(each.meter == self.meter and each.judged != "rejected" for each in facts.readings):
            return reason("no-readings", meter=self.meter)
        return None

    def cycles(self, view: PlanView) -> tuple[Cycle, ...]:
        found = Grid.cycles(self, view) if self.baseline == "grid" else Chain.cycles(self, view)
        return (*found, *self._asking(view))

    def _asking(self, view: PlanView) -> tuple[Cycle, ...]:
        """A meter that nobody has read for `stale_days` is to be read."""
        use = view.use(self.gauge)
        if use is None or not self._stale(view, use):
            return ()
        read_on = use.last.on
        due_on = read_on + timedelta(days=self.stale_days + 1)
        if due_on < view.plan.starts_on:
            return ()
        basis = reason("meter-not-read", meter=self.meter, value=shown(use.last.total), read_on=read_on)
        return (Cycle(key=f"{READING}{read_on}", due_on=due_on, basis=basis),)

    def _stale(self, view: PlanView, use: Use) -> bool:
        return view.today - use.last.on > timedelta(days=self.stale_days)

    def after(self, view: PlanView, anchor: Anchor) -> Slot | None:
        return Grid.after(self, view, anchor) if self.baseline == "grid" else self._from(view, anchor.day, 1)

    def slots(self, view: PlanView) -> Iterable[Slot]:
        """The thresholds of the grid up to `view.until`."""
        use = view.use(self.gauge)
        if use is None:
            return
        first = max(1, int((use.points[0].total - self.baseline_at) // self.every) + 1)
        for k in range(first, first + MOST_SLOTS):
            slot = self._slot(view, use, self.baseline_at + k * self.every, k)
            if slot is None or slot.due_on > view.until:
                return
            if slot.due_on >= view.plan.starts_on:
                yield slot

    def begin(self, view: PlanView) -> Place:
        return Place((Anchor(view.plan.starts_on),))

    def next_slot(self, view: PlanView, place: Place) -> Slot | None:
        return self._from(view, place.anchors[0].day, place.step)

    def worked(self, view: PlanView, place: Place, slot: Slot, day: date) -> Place:
        return Place((Anchor(day),), worked=True)

    def passed(self, view: PlanView, place: Place, slot: Slot) -> Place:
        return replace(place, step=place.step + 1)

    def _from(self, view: PlanView, day: date, steps: int) -> Slot | None:
        use = view.use(self.gauge)
        if use is None:
            return None
        at = total_on(use, rate_of(use, self.gauge), day) + steps * self.every
        slot = self._slot(view, use, at, steps)
        if slot is not None and slot.due_on <= day:
            slot = replace(slot, due_on=day + timedelta(days=1))
        return slot

    def _slot(self, view: PlanView, use: Use, total: float, k: int) -> Slot | None:
        reached = reached_on(use, total)
        if reached is not None:
            basis = reason("meter-reached", meter=self.meter, at=shown(total), on=reached)
            return Slot(key=str(k), due_on=reached, number=k, basis=basis)
        rate = rate_of(use, self.gauge)
        due_on = projected_on(use, rate, total) if rate else None
        if rate is None or due_on is None:
            return None
        basis = self._projection(view, use, total, shown(rate.per_day), spread_days(rate, use, total))
        return Slot(key=str(k), due_on=due_on, number=k, basis=basis)

    def _projection(self, view: PlanView, use: Use, total: float, per_day: str, n: int) -> Reason:
        at, value, read_on = shown(total), shown(use.last.total), use.last.on
        if self._stale(view, use):
            return reason(
                "meter-uncertain", meter=self.meter, at=at, value=value, per_day=per_day, read_on=read_on, n=n
            )
        return reason("meter-projected", meter=self.meter, at=at, value=value, per_day=per_day, read_on=read_on, n=n)

    def to_json(self) -> dict[str, Any]:
        document: dict[str, Any] = {"kind": self.kind, "id": self.id, "meter": self.meter, "every": self.every}
        document |= {"baseline": self.baseline, "baseline_at": self.baseline_at, "stale_days": self.stale_days}
        return document | {name: getattr(self, name) for name in _NUMBERS if getattr(self, name) is not None}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        return cls(
            id=document["id"],
            meter=text(document["meter"]),
            every=number(document["every"]),
            baseline=cast(Baseline, text(document.get("baseline", "grid"))),
            baseline_at=number(document.get("baseline_at", 0)),
            stale_days=whole(document.get("stale_days", 45)),
            **{name: number(document[name]) for name in _NUMBERS if document.get(name) is not None},
        )
