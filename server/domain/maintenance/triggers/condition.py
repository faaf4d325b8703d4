"""Condition: a reading or an answer crosses a limit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, ClassVar, Literal, Self, cast

from server.domain.maintenance.triggers.base import Grid
from server.domain.maintenance.triggers.fields import number, shown, text, whole
from server.domain.maintenance.values import Plan, Problem, Slot
from server.domain.maintenance.view import PlanView
from server.domain.reason import Reason, reason

Source = Literal["reading", "answer"]
SOURCES: tuple[Source, ...] = ("reading", "answer")
Value = str | float | bool | None
_LIMITS = ("above", "below", "clear")


@dataclass(frozen=True)
class Seen:
    """One observation: the id of the entry, its day, its value."""

    on: date
    id: str
    value: Value


@dataclass(frozen=True, kw_only=True)
class ConditionTrigger(Grid):
    """Work within `within_days` of an observation beyond a limit; the cycle key is the id of that observation.

    The limit is one of `above`, `below` (numbers) and `equals` (an answer). It trips once: again only after a value
    back behind `clear` (default: behind the limit) or after work of the plan, and not within `cooldown_days`; what
    trips inside them has a row that says so.
    """

    id: str
    source: Source
    code: str
    above: float | None = None
    below: float | None = None
    equals: str | bool | None = None
    clear: float | None = None
    cooldown_days: int = 0
    within_days: int = 7

    kind: ClassVar[str] = "condition"

    def problems(self, plan: Plan) -> tuple[Problem, ...]:
        found = []
        if self.source not in SOURCES:
            why = reason("not-one-of-these", value=str(self.source)[:40], known=", ".join(SOURCES))
            found.append(Problem(field="source", reason=why))
        if not self.code:
            found.append(Problem(field="code", reason=reason("no-observation")))
        limits = [name for name in ("above", "below", "equals") if getattr(self, name) is not None]
        if len(limits) != 1:
            found.append(Problem(field="above", reason=reason("one-limit")))
        elif self.clear is not None and not self._clears_behind():
            found.append(Problem(field="clear", reason=reason("clear-beyond-limit", clear=shown(self.clear))))
        for name in ("cooldown_days", "within_days"):
            if not 0 <= getattr(self, name) <= 3650:
                why = reason("window-out-of-range", count=getattr(self, name), most=3650)
                found.append(Problem(field=name, reason=why))
        return tuple(found)

    def _clears_behind(self) -> bool:
        if self.clear is None or self.equals is not None:
            return self.clear is None
        return self.clear <= self.above if self.above is not None else self.clear >= cast(float, self.below)

    def slots(self, view: PlanView) -> Iterable[Slot]:
        found = [each for each in self._tripped(view) if view.plan.starts_on <= each.due_on <= view.until]
        return sorted(found, key=lambda each: (each.due_on, each.key))

    def _tripped(self, view: PlanView) -> Iterator[Slot]:
        armed, last, count = True, None, 0
        works = [done.completed_on for done in view.completions]
        for seen in self._seen(view):
            if not armed and last is not None and any(last <= day < seen.on for day in works):
                armed = True
            if armed and self.trips(seen.value):
                ready = last + timedelta(days=self.cooldown_days) if last is not None else seen.on
                cooling = seen.on < ready
                count += not cooling
                yield Slot(
                    key=seen.id,
                    due_on=seen.on + timedelta(days=self.within_days),
                    number=max(count, 1),
                    opens_on=seen.on,
                    basis=self._basis(seen),
                    absent=reason("cooling-down", seen_on=seen.on, ready_on=ready) if cooling else None,
                )
                if not cooling:
                    armed, last = False, seen.on
            elif not armed and self.clears(seen.value):
                armed = True

    def _seen(self, view: PlanView) -> list[Seen]:
        if self.source == "reading":
            readings = (each for each in view.facts.readings if each.meter == self.code and each.judged != "rejected")
            found = [Seen(each.on, each.id, each.value) for each in readings]
        else:
            found = [Seen(each.on, each.id, each.value) for each in view.facts.answers if each.item == self.code]
        return sorted(found, key=lambda each: (each.on, each.id))

    def trips(self, value: Value) -> bool:
        """Whether a value is beyond the limit."""
        if self.equals is not None:
            return type(value) is type(self.equals) and value == self.equals
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return value > self.above if self.above is not None else self.below is not None and value < self.below

    def clears(self, value: Value) -> bool:
        """Whether a value ends the condition."""
        if self.clear is None or isinstance(value, bool) or not isinstance(value, int | float):
            return self.clear is None and not self.trips(value)
        return value <= self.clear if self.above is not None else value >= self.clear

    def _basis(self, seen: Seen) -> Reason:
        code, source, value, on = self.code, self.source, told(seen.value), seen.on
        if self.above is not None:
            limit = shown(self.above)
            return reason("seen-above", code=code, source=source, value=value, limit=limit, seen_on=on)
        if self.below is not None:
            limit = shown(self.below)
            return reason("seen-below", code=code, source=source, value=value, limit=limit, seen_on=on)
        return reason("seen-answer", code=code, source=source, value=value, seen_on=on)

    def to_json(self) -> dict[str, Any]:
        document: dict[str, Any] = {"kind": self.kind, "id": self.id, "source": self.source, "code": self.code}
        names = ("above", "below", "equals", "clear")
        document |= {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        return document | {"cooldown_days": self.cooldown_days, "within_days": self.within_days}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        equals = document.get("equals")
        if not isinstance(equals, str | bool | None):
            raise ValueError("equals must be text or true or false")
        limits = {name: number(document[name]) for name in _LIMITS if document.get(name) is not None}
        return cls(
            id=document["id"],
            source=cast(Source, text(document["source"])),
            code=text(document["code"]),
            above=limits.get("above"),
            below=limits.get("below"),
            equals=equals,
            clear=limits.get("clear"),
            cooldown_days=whole(document.get("cooldown_days", 0)),
            within_days=whole(document.get("within_days", 7)),
        )


def told(value: Value) -> str | bool:
    """A value in a sentence; a yes or no is left to the language of the reader."""
    if isinstance(value, bool):
        return value
    return shown(value) if isinstance(value, int | float) else str(value)
