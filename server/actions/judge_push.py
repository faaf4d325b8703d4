"""Judging what a push holds, group by group, in memory, and writing what came of it behind one savepoint."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from server.actions import apply_mutation
from server.actions.apply_mutation import Applied
from server.actions.drafts import Drafts, Mark
from server.actions.tablet_conflicts import is_late
from server.extensions import db
from server.problems import Problem
from server.store import failures
from server.store.models import Conflict
from sync import change

Result = dict[str, Any]
"""What a tablet hears of one mutation."""
Judged = tuple[change.Mutation, Result]

log = logging.getLogger(__name__)


def in_groups(fresh: Sequence[change.Mutation]) -> list[list[change.Mutation]]:
    """Mutations in their order, the members of a group together where its first one stands."""
    groups: dict[str, list[change.Mutation]] = {}
    for mutation in fresh:
        groups.setdefault(f"group {mutation.group}" if mutation.group else mutation.id, []).append(mutation)
    return list(groups.values())


def take_in(
    start: Callable[[], Drafts], groups: list[list[change.Mutation]], ruled_out: Mapping[str, Problem], locale: str
) -> tuple[list[Judged], Drafts]:
    """Judge and write all fresh mutations: at once, or one group after the other when the database refuses any."""
    push = start()
    mark = push.mark(())
    # What objects of the session say goes first: the savepoint is the connection's alone.
    db.session.flush()
    savepoint = db.session.connection().begin_nested()
    try:
        judged = [one for members in groups for one in _judge(members, push, ruled_out, locale)]
        db.session.flush()
        push.write()
        savepoint.commit()
    except Exception as error:
        if not failures.is_of_values(error):
            raise
        log.warning("something of a push cannot be written, now one by one: %r", error)
        savepoint.rollback()
        _take_back(push, mark)
        push = start()
        judged = [one for members in groups for one in judge_and_write(members, push, ruled_out, locale)]
    push.lay()
    return with_versions(judged, push), push


def _judge(members: list[change.Mutation], push: Drafts, ruled_out: Mapping[str, Problem], locale: str) -> list[Judged]:
    """All members go into the drafts, or none: on a problem of one the others are taken back too."""
    answers: list[Judged] = []
    mark = push.mark(mutation.document_id for mutation in members)
    for mutation in members:
        try:
            if mutation.id in ruled_out:
                raise ruled_out[mutation.id]
            applied = apply_mutation.apply(mutation, push)
        except Problem as problem:
            found = problem
        except failures.Database:
            # Only a savepoint helps now.
            raise
        except Exception:
            log.exception("mutation %s could not be judged", mutation.id)
            found = Problem(500, "server-error")
        else:
            answers.append((mutation, _result(mutation, applied)))
            continue
        push.back(mark)
        return _all_rejected(members, mutation, found, locale)
    return answers


def judge_and_write(
    members: list[change.Mutation], push: Drafts, ruled_out: Mapping[str, Problem], locale: str
) -> list[Judged]:
    """The same, and into the documents' tables behind a savepoint."""
    mark = push.mark(mutation.document_id for mutation in members)
    savepoint = db.session.connection().begin_nested()
    try:
        answers = _judge(members, push, ruled_out, locale)
        db.session.flush()
        push.write()
        savepoint.commit()
    except Exception as error:
        if not failures.is_of_values(error):
            raise
        log.warning("mutation %s cannot be written: %r", members[0].id, error)
        savepoint.rollback()
        _take_back(push, mark)
        refused = isinstance(error, failures.Database)
        problem = Problem(409, "conflict") if refused else Problem(500, "server-error")
        return _all_rejected(members, members[0], problem, locale)
    return answers


def _take_back(push: Drafts, mark: Mark) -> None:
    """Undo in memory what a savepoint has undone in the database; the session hears of it too."""
    push.back(mark)
    push.agreed.let_go()
    db.session.flush()


def _all_rejected(
    members: list[change.Mutation], guilty: change.Mutation, problem: Problem, locale: str
) -> list[Judged]:
    others = Problem(409, "group-rejected")
    return [(m, rejected(m.id, m.n, problem if m is guilty else others, locale)) for m in members]


def _result(mutation: change.Mutation, applied: Applied) -> Result:
    return {
        "id": mutation.id,
        "n": mutation.n,
        "status": applied.status,
        "version": None,
        "conflicts": [conflict_brief(conflict) for conflict in applied.conflicts],
        "problem": None,
    }


def conflict_brief(conflict: Conflict) -> dict[str, Any]:
    """A clash as the tablet that caused it hears of it."""
    return {
        "id": conflict.id,
        "field": conflict.field,
        "kind": conflict.kind,
        "class": conflict.clash_class,
        "base": conflict.base,
        "mine": conflict.mine,
        "theirs": None if is_late(conflict) else conflict.theirs,
        "chosen": conflict.chosen,
        "code": conflict.reason["code"] if conflict.reason else None,
    }


def rejected(mutation_id: str | None, n: int | None, problem: Problem, locale: str) -> Result:
    """The result of a mutation that has no effect."""
    return {
        "id": mutation_id,
        "n": n,
        "status": "rejected",
        "version": None,
        "conflicts": [],
        "problem": problem.body(locale),
    }


def with_versions(judged: list[Judged], push: Drafts) -> list[Judged]:
    """The results with the version that each document has after this commit."""
    for mutation, result in judged:
        if result["status"] != "rejected":
            result["version"] = push.drafts[mutation.document_id].version
    return judged
