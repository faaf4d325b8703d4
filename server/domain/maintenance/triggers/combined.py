"""Combinations: whichever comes first, and not before all have come."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, ClassVar, Literal, Self, cast

from server.domain.maintenance.triggers.base import Chain, Place
from server.domain.maintenance.triggers.fields import text
from server.domain.maintenance.values import Anchor, AssetFacts, Plan, Problem, Slot, Trigger
from server.domain.maintenance.view import PlanView
from server.domain.reason import Reason, reason

Resets = Literal["all", "self"]
RESETS: tuple[Resets, ...] = ("all", "self")
MOST_MEMBERS = 8


@dataclass(frozen=True, kw_only=True)
class Combined(Chain):
    """Several triggers that ask for one visit together. `resets` says what work starts anew: `all` members, or itself,
    the one whose date it was.
    """

    id: str
    members: tuple[Trigger, ...]
    resets: Resets = "all"

    read_member: ClassVar[Callable[[Mapping[str, Any]], Trigger]]

    def problems(self, plan: Plan) -> tuple[Problem, ...]:
        found = []
        if not 2 <= len(self.members) <= MOST_MEMBERS:
            why = reason("members-out-of-range", count=len(self.members), most=MOST_MEMBERS)
            found.append(Problem(field="members", reason=why))
        if self.resets not in RESETS:
            why = reason("not-one-of-these", value=str(self.resets)[:40], known=", ".join(RESETS))
            found.append(Problem(field="resets", reason=why))
        for index, member in enumerate(self.members):
            if isinstance(member, Combined):
                found.append(Problem(field=f"members.{index}.kind", reason=reason("combined-in-combined")))
                continue
            for each in member.problems(plan):
                found.append(Problem(field=f"members.{index}.{each.field}", reason=each.reason))
        return tuple(found)

    def begin(self, view: PlanView) -> Place:
        start = view.plan.starts_on
        # A date on the first day of the plan is expected, and work of before does not cover any.
        before = start - timedelta(days=view.plan.early_days + 1)
        return Place(tuple(Anchor(start if member.floats else before) for member in self.members))

    def next_slot(self, view: PlanView, place: Place) -> Slot | None:
        chosen = self._chosen([member.after(view, at) for member, at in zip(self.members, place.anchors, strict=True)])
        return chosen[1] if chosen else None

    @abstractmethod
    def _chosen(self, slots: Sequence[Slot | None]) -> tuple[int, Slot] | None:
        """The member whose date it is, and that date."""

    def worked(self, view: PlanView, place: Place, slot: Slot, day: date) -> Place:
        return Place(self._moved(view, place, Anchor(day, slot.due_on)), worked=True)

    def passed(self, view: PlanView, place: Place, slot: Slot) -> Place:
        return replace(place, anchors=self._moved(view, place, Anchor(slot.due_on, slot.due_on)), step=place.step + 1)

    def _moved(self, view: PlanView, place: Place, to: Anchor) -> tuple[Anchor, ...]:
        if self.resets == "all":
            return (to,) * len(self.members)
        slots = [member.after(view, at) for member, at in zip(self.members, place.anchors, strict=True)]
        chosen = self._chosen(slots)
        return tuple(to if chosen and index == chosen[0] else at for index, at in enumerate(place.anchors))

    def after(self, view: PlanView, anchor: Anchor) -> Slot | None:
        return self.next_slot(view, Place((anchor,) * len(self.members)))

    def to_json(self) -> dict[str, Any]:
        members = [member.to_json() for member in self.members]
        return {"kind": self.kind, "id": self.id, "resets": self.resets, "members": members}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        if not isinstance(document["members"], list) or len(document["members"]) > MOST_MEMBERS:
            raise ValueError(f"members must be a list of at most {MOST_MEMBERS}")
        own = document["id"]
        named = [{"id": f"{own}.{index}"} | dict(each) for index, each in enumerate(document["members"])]
        if any(each.get("kind") in COMBINED for each in named):
            raise ValueError("a combination has no combination inside")
        return cls(
            id=own,
            members=tuple(cls.read_member(each) for each in named),
            resets=cast(Resets, text(document.get("resets", "all"))),
        )


@dataclass(frozen=True, kw_only=True)
class AnyOf(Combined):
    """Whichever comes first."""

    kind: ClassVar[str] = "any_of"

    def missing_anchor(self, facts: AssetFacts) -> Reason | None:
        found = [member.missing_anchor(facts) for member in self.members]
        return found[0] if all(found) else None

    def _chosen(self, slots: Sequence[Slot | None]) -> tuple[int, Slot] | None:
        named = [(slot.due_on, index, slot) for index, slot in enumerate(slots) if slot is not None]
        if not named:
            return None
        _, index, slot = min(named, key=lambda each: each[:2])
        return index, slot


@dataclass(frozen=True, kw_only=True)
class AllOf(Combined):
    """Not before all have come."""

    kind: ClassVar[str] = "all_of"

    def missing_anchor(self, facts: AssetFacts) -> Reason | None:
        return next((why for member in self.members if (why := member.missing_anchor(facts)) is not None), None)

    def _chosen(self, slots: Sequence[Slot | None]) -> tuple[int, Slot] | None:
        named = [(slot.due_on, -index, slot) for index, slot in enumerate(slots) if slot is not None]
        if len(named) < len(slots):
            return None
        _, index, slot = max(named, key=lambda each: each[:2])
        return -index, slot


COMBINED = frozenset({AnyOf.kind, AllOf.kind})
