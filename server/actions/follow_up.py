"""The visit that finished work asks for: suggested with its reasons, made once by one press."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from server.actions.finding_words import finding_text
from server.actions.make_visit import make_visit
from server.domain.local_time import local_date
from server.problems import Problem, not_found
from server.store import documents
from server.store.models import Visit
from server.store.queries import visits
from server.store.transaction import transactional
from server.text import say
from sync.states import OVER, ended_as, in_order, standing

NAMESPACE = uuid.UUID("b9a5cf52-3a0f-5f0a-9d5b-6d1f4f0c7e11")
"""A follow-up's id follows from its visit's: whoever presses, and however often, it is one visit."""

REPAIRS = {"minor": "repair_minor", "major": "repair_current", "critical": "repair_current"}
PRIORITIES = {"minor": 1, "major": 2, "critical": 3}
DAYS = {"minor": 30, "major": 7, "critical": 1}
"""By how many days after the work a finding of this weight is to be seen to."""


@dataclass(frozen=True, kw_only=True)
class FollowUp:
    """What is suggested, why, and whether it has been made."""

    id: str
    why: list[dict[str, Any]]
    values: dict[str, Any]
    made: Visit | None = None
    days: int = field(default=7)

    def told(self, locale: str, items: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
        """As it is shown, in the reader's language; `items` are those of the visit's checklist."""
        stands = self.made if self.made is not None and self.made.plan_state != "cancelled" else None
        return {
            "visit_id": stands.id if stands else None,
            "number": stands.number if stands else None,
            "kind": self.values["kind"],
            "priority": self.values["priority"],
            "days": self.days,
            "symptom": self.values["symptom"],
            "reasons": [
                {
                    "code": one["code"],
                    "params": one["params"] | said,
                    "text": say("work", code, one["params"] | said, locale),
                }
                for one in self.why
                for code, said in [(f"follow-up.{one['code']}", _said(one["params"], items, locale))]
            ],
        }


def _said(params: dict[str, Any], items: Sequence[dict[str, Any]], locale: str) -> dict[str, Any]:
    what = params.get("what")
    return {} if what is None else {"what": finding_text(what, params.get("item"), items, locale)}


def suggest(company_id: str, visit: Visit) -> FollowUp | None:
    """The visit that a finished one asks for; None when nothing is left to be done."""
    if visit.exec_state not in OVER:
        return None
    ended = ended_as(visit.events)
    findings = standing(visit.findings)
    why: list[dict[str, Any]] = []
    if ended in ("partly_done", "no_access", "refused"):
        why.append({"code": ended, "params": {}})
    why += [
        {"code": f"finding-{one['severity']}", "params": {"what": one["text"], "item": one.get("item")}}
        for one in findings
    ]
    if not why or (ended == "refused" and not findings):
        return None
    worst = max((one["severity"] for one in findings), key=lambda one: PRIORITIES[one], default=None)
    same = ended in ("partly_done", "no_access")
    kind = visit.kind if same or worst is None else REPAIRS[worst]
    if visits.service_kind(company_id, kind) is None:
        kind = visit.kind
    last = [event.get("reason") for event in in_order(visit.events) if event["type"] == ended and event.get("reason")]
    told = [*(one["text"] for one in findings), *last[-1:]]
    machines = [one["asset_id"] for one in findings if one.get("asset_id")]
    follow_up_id = str(uuid.uuid5(NAMESPACE, visit.id))
    return FollowUp(
        id=follow_up_id,
        why=why,
        days=DAYS[worst] if worst else 7,
        values={
            "kind": kind,
            "site_id": visit.site_id,
            "asset_ids": list(dict.fromkeys(machines)) or list(visit.asset_ids),
            "priority": max(PRIORITIES[worst] if worst else 1, visit.priority if same else 0),
            "symptom": " · ".join(told)[:1000] or visit.symptom,
        },
        made=visits.visit(company_id, follow_up_id),
    )


@transactional
def make_follow_up(company_id: str, visit_id: str, *, now: datetime) -> Visit:
    """Make the suggested visit, or find the one that was made; raises Problem `not-found` or `no-follow-up`."""
    documents.lock(company_id, visit_id)
    visit = visits.visit(company_id, visit_id)
    site = visits.site(company_id, visit.site_id) if visit else None
    if visit is None or site is None:
        raise not_found()
    suggested = suggest(company_id, visit)
    if suggested is None:
        raise Problem(409, "no-follow-up")
    if suggested.made is not None:
        if suggested.made.plan_state == "cancelled":
            suggested.made.plan_state, suggested.made.cancel_reason = "due", None
        return suggested.made
    today = local_date(now, site.tz)
    due = {"due_from": today.isoformat(), "due_to": (today + timedelta(days=suggested.days)).isoformat()}
    return make_visit(company_id, suggested.values | due, origin="follow_up", now=now, visit_id=suggested.id)
