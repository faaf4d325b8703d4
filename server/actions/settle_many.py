"""Several clashes of the log settled alike, or taken back: all of them or none, or each that can be.

Each is a resolution as a person makes one, and an ordinary write. What cannot be is told with its own reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import NoReturn

from server.actions.resolve_conflict import lock_clashes, resolve, undo
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


@dataclass(frozen=True, kw_only=True)
class _Act:
    """What is to be done about a clash, given the versions of the locked documents."""

    conflict_id: str
    run: Callable[[Mapping[str, int]], Outcome]


class _Enough(Exception):
    """Ends a transaction of which only the outcomes are wanted."""

    def __init__(self, outcomes: list[Outcome]) -> None:
        super().__init__("only looked at")
        self.outcomes = outcomes


class _Stopped(Exception):
    """Ends a transaction in which one of several acts cannot be."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.conflict_id)
        self.outcome = outcome


def preview(
    company_id: str, wanted: Sequence[Wanted], choice: str, *, user_id: str | None, now: datetime
) -> list[Outcome]:
    """What settling all for `mine`, `theirs` or `default` would change as things stand. Nothing is kept."""
    acts = _acts(company_id, wanted, choice, user_id, now)
    try:
        return _looked_at(company_id, acts)
    except _Stopped as stopped:
        return _in_the_way(company_id, acts, stopped.outcome)


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
    return _done(company_id, _acts(company_id, wanted, choice, user_id, now), together)


def undo_many(company_id: str, ids: Sequence[str], *, together: bool, now: datetime) -> list[Outcome]:
    """Take the resolution of each back, the last one first."""

    def back(conflict_id: str, versions: Mapping[str, int]) -> Outcome:
        undo(company_id, conflict_id, now=now)
        return Outcome(conflict_id=conflict_id)

    acts = [_Act(conflict_id=one, run=partial(back, one)) for one in dict.fromkeys(reversed(ids))]
    return _done(company_id, acts, together)


def _acts(company_id: str, wanted: Sequence[Wanted], choice: str, user_id: str | None, now: datetime) -> list[_Act]:
    return [
        _Act(conflict_id=one.conflict_id, run=partial(_settle, company_id, one, choice, user_id, now)) for one in wanted
    ]


def _done(company_id: str, acts: Sequence[_Act], together: bool) -> list[Outcome]:
    if not together:
        return _each(company_id, acts)
    try:
        return _all(company_id, acts)
    except _Stopped as stopped:
        return _in_the_way(company_id, acts, stopped.outcome)


@transactional
def _all(company_id: str, acts: Sequence[_Act]) -> list[Outcome]:
    """The outcomes of acts in one transaction; raises _Stopped at the first that cannot be after those before it."""
    versions = lock_clashes(company_id, [act.conflict_id for act in acts])
    outcomes = []
    for act in acts:
        try:
            outcomes.append(act.run(versions))
        except Problem as problem:
            raise _Stopped(Outcome(conflict_id=act.conflict_id, problem=problem)) from problem
    return outcomes


def _looked_at(company_id: str, acts: Sequence[_Act]) -> list[Outcome]:
    """The outcomes of acts in one transaction that is rolled back."""

    @transactional
    def attempt() -> NoReturn:
        raise _Enough(_all(company_id, acts))

    try:
        attempt()
    except _Enough as enough:
        return enough.outcomes


def _in_the_way(company_id: str, acts: Sequence[_Act], stopped: Outcome) -> list[Outcome]:
    """What stands in the way of acts that cannot be together: what each alone meets with, and what all met with.

    Of those that only exclude each other each alone could be; then it is told of the one that came after the other.
    """
    outcomes = []
    for act in acts:
        try:
            (outcome,) = _looked_at(company_id, [act])
        except _Stopped as alone:
            outcome = alone.outcome
        if act.conflict_id == stopped.conflict_id and outcome.problem is None:
            outcome = replace(outcome, changes={}, problem=stopped.problem)
        outcomes.append(outcome)
    return outcomes


def _each(company_id: str, acts: Sequence[_Act]) -> list[Outcome]:
    """Do each that can be after those before it, those of one document in one transaction.

    So none of them moves the document that the next one was decided on.
    """
    documents = conflicts.documents_of(company_id, [act.conflict_id for act in acts])
    groups: dict[str, list[_Act]] = {}
    for act in acts:
        groups.setdefault(documents.get(act.conflict_id, act.conflict_id), []).append(act)
    outcomes: dict[str, Outcome] = {}
    for left in groups.values():
        while left:
            try:
                done = _all(company_id, left)
            except _Stopped as stopped:
                outcomes[stopped.outcome.conflict_id] = stopped.outcome
                left = [act for act in left if act.conflict_id != stopped.outcome.conflict_id]
            else:
                outcomes |= {one.conflict_id: one for one in done}
                break
    return [outcomes[act.conflict_id] for act in acts]


def _settle(
    company_id: str,
    wanted: Wanted,
    choice: str,
    user_id: str | None,
    now: datetime,
    versions: Mapping[str, int],
) -> Outcome:
    conflict = conflicts.lock(company_id, wanted.conflict_id)
    if conflict is None:
        raise not_found()
    seen = versions.get(conflict.document_id)
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
