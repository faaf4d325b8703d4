"""What the system does for itself: forget removals that everybody has heard of, keep checksums at hand."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from schemas import contract
from server.store import digest, retention
from server.store.queries import devices
from server.store.transaction import snapshot, transactional

SILENT = timedelta(days=60)
"""A tablet that was silent for so long is not waited for: it begins anew when it comes back (S-157)."""
KEPT = timedelta(days=30)
"""A removal is remembered for so long anyway: what was written before it may still be on its way."""
MOST_DIGESTS = 20_000


def keep_house(company_id: str, now: datetime, *, silent: timedelta = SILENT, kept: timedelta = KEPT) -> dict[str, Any]:
    """One round for a company; how many removals were forgotten and checksums worked out."""
    mark(company_id, now)
    removed = sum(
        forget(company_id, scope, now, silent=silent, kept=kept) for scope in removals(company_id, now - kept)
    )
    return {"removed": removed, "checksums": work_out_checksums(company_id)}


@transactional
def mark(company_id: str, now: datetime) -> None:
    """Note where the feed stands, once an hour, so that a later round knows what is how old."""
    retention.note_mark(company_id, now)


def removals(company_id: str, before: datetime) -> list[str]:
    """Scopes with removals of before a moment."""
    with snapshot():
        return retention.scopes_with_removals(company_id, retention.number_at(company_id, before))


def forget(company_id: str, scope: str, now: datetime, *, silent: timedelta, kept: timedelta) -> int:
    """Forget the removals of a scope that nobody needs; how many."""
    total = 0
    while gone := _forget_some(company_id, scope, now - kept, now - silent):
        total += gone
    return total


@transactional
def _forget_some(company_id: str, scope: str, before: datetime, spoken_to_since: datetime) -> int:
    old = retention.number_at(company_id, before)
    return retention.remove(company_id, scope, min(old, retention.limits(company_id, spoken_to_since).get(scope, old)))


def work_out_checksums(company_id: str, most: int = MOST_DIGESTS) -> int:
    """Work out checksums that tablets would ask for and that are missing, at most so many; how many."""
    with snapshot():
        here = devices.history(company_id)
        found = digest.Digest(company_id=company_id, epoch=here.epoch, newest=here.n, form=contract.SCHEMA_VERSION)
        found.complete_some(most)
    if found.fresh:
        digest.keep(found.fresh)
    return len(found.fresh)
