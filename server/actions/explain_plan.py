"""The ledger of one plan in words, the forecast included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from server.actions.plan_values import known, undecidable_refused
from server.actions.plan_words import PlanWords, words_about
from server.domain.maintenance import Decision
from server.problems import Problem
from server.store.queries import maintenance as queries


@dataclass(frozen=True, kw_only=True)
class Explained:
    """One expected date: what became of it and why, in the reader's language."""

    decision: Decision
    text: str
    basis: str | None
    words: PlanWords


def explain_plan(company_id: str, plan_id: str, first: date, last: date, now: datetime, locale: str) -> list[Explained]:
    """Every date that a plan expects from `first` to `last`, decided now and not written down.

    Raises Problem: `not-found`, `plan-undecidable`.
    """
    plan = queries.plan(company_id, plan_id)
    if plan is None:
        raise Problem(404, "not-found")
    since = now - timedelta(days=(now.date() - plan.starts_on).days + plan.early_days + 2)
    rows = queries.rows_for(company_id, [plan], since)
    with undecidable_refused():
        decisions = known(rows, plan, now).ledger(last)
    words = words_about(company_id, [plan.asset_id])[plan.asset_id]
    return [
        Explained(
            decision=each,
            text=words.say("plan", each.reason.code, each.reason.params, locale),
            basis=words.say("plan", each.basis.code, each.basis.params, locale) if each.basis else None,
            words=words,
        )
        for each in _within(decisions, first)
    ]


def _within(decisions: list[Decision], first: date) -> Iterator[Decision]:
    return (each for each in decisions if each.due_on is None or each.due_on >= first)
