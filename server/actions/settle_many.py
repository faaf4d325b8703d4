"""Several clashes of the log settled alike, or taken back: all of them or none, or each that can be.

Each is a resolution as a person makes one, and an ordinary write. What cannot be is told with its own reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import NoReturn

from server.actions.resolve_conflict import resolve, undo
from server.problems import Problem, not_found
from server.store.models import Conflict
from server.store.queries import conflicts
from server.store.transaction import transactional
from sync.change import Json


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A clash to settle, and the version of its document that this was decided on; without one any will do."""

    conflict_id: str
    seen: int | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one of them changes, field by field; or why it cannot be. `seen` is the version that it was judged on."""

    conflict_id: str
    changes: dict[str, tuple[Json, Json]] = field(default_factory=dict)
    problem: Problem | None = None
    seen: int | None = None


class _Enough(Exception):
    """Ends a transaction of which only the outcome is wanted."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__("only looked at")
        self.outcome = outcome


def preview(
    company_id: str, wanted: Sequence[Wanted], choice: str, *, user_id: str | None, now: datetime
) -> list[Outcome]:
    """What settling each for `mine`, `theirs` or `default` would change as things stand. Nothing is kept."""
    return [_tried(act, conflict_id) for conflict_id, act in _acts(company_id, wanted, choice, user_id, now)]


def settle_many(
    company_id: str,
    wanted: Sequence[Wanted],
    choice: str,
    *,
    together: bool,
    user_id: str | None,
    now: datetime,
) -> list[Outcome]:
    """Settle each for `mine`, `theirs` or as its rule decided; if `together`, nothing is written unless all can be."""
    return _done(_acts(company_id, wanted, choice, user_id, now), together)


def undo_many(company_id: str, ids: Sequence[str], *, together: bool, now: datetime) -> list[Outcome]:
    """Take the resolution of each back, the last one first."""

    def back(conflict_id: str) -> Outcome:
        undo(company_id, conflict_id, now=now)
        return Outcome(conflict_id=conflict_id)

    acts = [(one, partial(back, one)) for one in dict.fromkeys(reversed(ids))]
    return _done(acts, together)


Act = Callable[[], Outcome]


def _acts(
    company_id: str, wanted: Sequence[Wanted], choice: str, user_id: str | None, now: datetime
) -> list[tuple[str, Act]]:
    return [(one.conflict_id, partial(_settle, company_id, one, choice, user_id, now)) for one in wanted]


def _done(acts: Sequence[tuple[str, Act]], together: bool) -> list[Outcome]:
    if not together:
        return [_alone(act, conflict_id) for conflict_id, act in acts]
    try:
        return _all(acts)
    except Problem:
        # Something stands in the way: what, is told of each.
        return [_tried(act, conflict_id) for conflict_id, act in acts]


@transactional
def _all(acts: Sequence[tuple[str, Act]]) -> list[Outcome]:
    return [act() for _, act in acts]


def _alone(act: Act, conflict_id: str) -> Outcome:
    try:
        return transactional(act)()
    except Problem as problem:
        return Outcome(conflict_id=conflict_id, problem=problem)


def _tried(act: Act, conflict_id: str) -> Outcome:
    """The outcome of an action whose transaction is rolled back."""

    @transactional
    def attempt() -> NoReturn:
        raise _Enough(act())

    try:
        attempt()
    except _Enough as enough:
        return enough.outcome
    except Problem as problem:
        return Outcome(conflict_id=conflict_id, problem=problem)


def _settle(company_id: str, wanted: Wanted, choice: str, user_id: str | None, now: datetime) -> Outcome:
    conflict = conflicts.lock(company_id, wanted.conflict_id)
    if conflict is None:
        raise not_found()
    seen = conflicts.versions_of(company_id, [conflict.document_id]).get(conflict.document_id)
    if wanted.seen is not None and seen != wanted.seen:
        raise Problem(409, "moved-meanwhile", field=conflict.field)
    side, value = _side(conflict, choice)
    resolve(company_id, conflict.id, side, value, user_id=user_id, now=now)
    changed = (conflict.resolution or {}).get("changed", {})
    pairs = {name: (before, after) for name, (before, after) in changed.items()}
    return Outcome(conflict_id=conflict.id, changes=pairs, seen=seen)


def _side(conflict: Conflict, choice: str) -> tuple[str, Json]:
    """Whose side is let stand; what a rule made of both sides is a value of its own."""
    if choice != "default":
        return choice, None
    return (conflict.chosen, None) if conflict.chosen in ("mine", "theirs") else ("value", conflict.value)
