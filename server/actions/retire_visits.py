"""Old visits leave the tablets; what was done lately stays readable on each asset; decisions of no visit go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from server.actions.plan_values import outcome
from server.domain.local_time import local_date
from server.store import documents, retention
from server.store.queries import maintenance as queries
from server.store.queries import office
from server.store.transaction import transactional

KEPT = timedelta(days=14)
"""How long a finished or cancelled visit stays on the tablets."""

SHOWN = 5
"""How many recent visits an asset shows."""
MOST_SEEN = 10
LONGEST = 500
"""Of each of these visits it tells so many readings and findings at most, and so much of a text."""

BATCH = 200


def retire_visits(company_id: str, now: datetime, *, history: bool = False) -> dict[str, Any]:
    """Archive what ended or was dropped more than `KEPT` ago, and renew `recent_visits` of the assets worked on.

    Decisions of coverage that are as old and that no visit refers to any more are removed.

    Looks at work of the last 30 days; with `history` at all of it, as after an import. Repeating it changes nothing.
    """
    retired = 0
    while batch := _retire(company_id, now - KEPT):
        retired += batch
    renewed = 0
    sites = queries.sites_worked_on(company_id, None if history else now - timedelta(days=30))
    for start in range(0, len(sites), BATCH):
        renewed += _renew(company_id, sites[start : start + BATCH])
    removed = 0
    while batch := _remove_decisions(company_id, now - KEPT):
        removed += batch
    return {"retired": retired, "assets_renewed": renewed, "decisions_removed": removed}


@transactional
def _retire(company_id: str, before: datetime) -> int:
    retired = 0
    kept = documents.lock_all(company_id, queries.finished_before(company_id, before, BATCH))
    for visit in queries.visits(company_id, kept):
        if not visit.archived:
            visit.archived = True
            retired += 1
    return retired


@transactional
def _remove_decisions(company_id: str, before: datetime) -> int:
    return retention.remove_unused_decisions(company_id, before, BATCH)


@transactional
def _renew(company_id: str, sites: Sequence[str]) -> int:
    names = office.technician_names(company_id)
    zones = queries.time_zones(company_id, sites)
    finished = queries.last_finished(company_id, sites, SHOWN)
    seen = queries.seen_on(company_id, {visit.id for each in finished.values() for visit in each})
    renewed = 0
    for asset in queries.assets_at(company_id, sites):
        recent = [
            {
                "date": local_date(visit.finished_at, zones[asset.site_id]).isoformat(),
                "kind": visit.kind,
                "technician": names.get(visit.performed_by_id or ""),
                "outcome": outcome(visit.events),
                **_seen(seen[visit.id], asset.id),
            }
            for visit in finished.get(asset.id, ())
        ]
        if recent and asset.recent_visits != recent:
            asset.recent_visits = recent
            renewed += 1
    return renewed


def _seen(found: queries.Seen, asset_id: str) -> dict[str, Any]:
    """What was read and found at a machine, and what was said of the visit; nothing of what there is nothing of."""
    readings = [one for one in found.readings if one["asset_id"] == asset_id]
    findings = [one for one in found.findings if one.get("asset_id") in (None, asset_id)]
    told = {
        "summary": (found.summary or "")[:LONGEST],
        "readings": [{name: one.get(name) for name in ("meter", "value", "unit")} for one in readings[-MOST_SEEN:]],
        "findings": [
            {"severity": one["severity"], "cause": one.get("cause"), "text": one["text"][:LONGEST]}
            for one in findings[-MOST_SEEN:]
        ],
    }
    return {name: value for name, value in told.items() if value}
