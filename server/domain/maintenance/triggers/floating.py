"""Floating calendar: so long after the work was last done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar, Self

from server.domain.maintenance.calendar import Every
from server.domain.maintenance.triggers.base import Chain, Place
from server.domain.maintenance.triggers.interval import (
    interval_basis,
    interval_from_json,
    interval_problems,
    interval_to_json,
)
from server.domain.maintenance.values import Anchor, Plan, Problem, Slot
from server.domain.maintenance.view import PlanView


@dataclass(frozen=True, kw_only=True)
class FloatingTrigger(Chain):
    """The last completion that counts, plus the interval. Before any, the plan's start or `last_done_on`."""

    id: str
    every: Every
    last_done_on: date | None = None

    kind: ClassVar[str] = "calendar_floating"

    @property
    def floats(self) -> bool:
        return True

    def problems(self, plan: Plan) -> tuple[Problem, ...]:
        return interval_problems(self.every)

    def begin(self, view: PlanView) -> Place:
        return Place((Anchor(self.last_done_on or view.plan.starts_on),), worked=self.last_done_on is not None)

    def next_slot(self, view: PlanView, place: Place) -> Slot | None:
        anchor = place.anchors[0].day
        basis = interval_basis(self.every, place.step, anchor, "work" if place.worked else "start")
        return Slot(key="", due_on=self.every.after(anchor, place.step), basis=basis)

    def worked(self, view: PlanView, place: Place, slot: Slot, day: date) -> Place:
        return Place((Anchor(day),), worked=True)

    def passed(self, view: PlanView, place: Place, slot: Slot) -> Place:
        return replace(place, step=place.step + 1)

    def after(self, view: PlanView, anchor: Anchor) -> Slot | None:
        day = self.last_done_on if anchor.floor is None and self.last_done_on else anchor.day
        return Slot(key="", due_on=self.every.after(day, 1), basis=interval_basis(self.every, 1, day, "work"))

    def to_json(self) -> dict[str, Any]:
        document: dict[str, Any] = {"kind": self.kind, "id": self.id, "every": interval_to_json(self.every)}
        if self.last_done_on is not None:
            document["last_done_on"] = self.last_done_on.isoformat()
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        last = document.get("last_done_on")
        return cls(
            id=document["id"],
            every=interval_from_json(document["every"]),
            last_done_on=date.fromisoformat(last) if last else None,
        )
