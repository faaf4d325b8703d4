"""A checker decides one law or invariant from the history and from what server and tablets hold, nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from sync.change import FieldRule, Json, canonical, same
from sync.merge import STAMPS
from sync.simulator.history import Event, Kind

if TYPE_CHECKING:
    from sync.simulator.fleet import Fleet


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A law that does not hold, in words, and the event at which that was seen (-1: at the end)."""

    law: str
    text: str
    event: int = -1

    def __str__(self) -> str:
        return f"{self.law}: {self.text}"


class Checker:
    """`see` hears the kinds in `hears` while the fleet runs; `end` looks at what is left."""

    law: ClassVar[str]
    title: ClassVar[str]
    hears: ClassVar[frozenset[Kind]] = frozenset()

    def __init__(self) -> None:
        self.found: list[Violation] = []
        self.judged = 0
        """How many things there were to judge."""

    def see(self, event: Event, fleet: Fleet) -> None:
        """Something happened."""

    def end(self, fleet: Fleet) -> None:
        """All is over."""

    def report(self, text: str, event: Event | None = None) -> None:
        """The law does not hold."""
        self.found.append(Violation(law=self.law, text=text, event=event.i if event else -1))


@dataclass(frozen=True, kw_only=True)
class Made:
    """An edit as it was made: the mutation, what the person saw in the fields that it sets, by whom and where."""

    event: Event
    seat: str
    person: str
    honest: bool
    mutation: dict[str, Json]
    seen: dict[str, Json]
    saved: bool

    @property
    def id(self) -> str:
        return str(self.mutation["id"])


def edits(fleet: Fleet) -> list[Made]:
    """All edits of a fleet in their order."""
    saved = {mutation_id for event in fleet.history.of("saved") for mutation_id in event.what["ids"]}
    return [
        Made(
            event=event,
            seat=event.actor,
            person=event.what["person"],
            honest=event.what["honest"],
            mutation=event.what["mutation"],
            seen=event.what["seen"],
            saved=event.what["mutation"]["id"] in saved,
        )
        for event in fleet.history.of("edit")
    ]


def rule_of(fleet: Fleet, collection: str, name: str) -> FieldRule | None:
    """The rule of a field."""
    entity = fleet.side.entities.get(collection)
    return entity.rules.get(name) if entity else None


def unstamped(entry: Json) -> str:
    """What a device wrote of an entry, as text."""
    return canonical({key: value for key, value in entry.items() if key not in STAMPS and value is not None})


def brief(value: Json) -> str:
    """A value for a sentence."""
    text = canonical(value)
    return text if len(text) <= 50 else f"{text[:47]}…"


def has(values: Json, value: Json) -> bool:
    """Whether a list has a value."""
    return any(same(each, value) for each in values or [])
