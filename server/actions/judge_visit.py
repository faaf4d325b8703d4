"""The office judges finished work: it is reviewed, then closed, or goes back to the technician."""

from __future__ import annotations

from datetime import datetime, timedelta

from schemas.entities.base import iso, parse_instant
from server.actions.visit_work import settle
from server.problems import FieldError, Problem, not_found
from server.store import documents
from server.store.author import author
from server.store.models import Visit
from server.store.transaction import transactional
from server.store.types import new_id
from sync.states import LEADS_TO, LEGAL_FROM, moment


@transactional
def judge_visit(
    company_id: str,
    visit_id: str,
    word: str,
    *,
    reason: str | None = None,
    now: datetime,
    expected_version: int | None = None,
) -> Visit:
    """Add the office's event to a visit; `word` is `reviewed`, `closed` or `returned` (which needs its reason).

    What is returned is published again to who did it, else to whose it is. Raises Problem: `not-found`,
    `version-changed` (412), `state-move` where the word is not legal or the visit was cancelled, `invalid-fields`.
    """
    kept = documents.lock(company_id, visit_id)
    visit = documents.load(company_id, "visit", visit_id) if kept else None
    if kept is None or kept.deleted or not isinstance(visit, Visit):
        raise not_found()
    if expected_version is not None and kept.version != expected_version:
        raise Problem(412, "version-changed", version=kept.version)
    to = visit.performed_by_id or visit.assignee_id
    returns = word == "returned"
    if visit.exec_state not in LEGAL_FROM[word] or (returns and (visit.plan_state == "cancelled" or to is None)):
        target = LEADS_TO[word]
        raise Problem(
            409, "state-move", field="exec_state", current=visit.exec_state, target=target, exec_state=visit.exec_state
        )
    if returns and not reason:
        raise Problem(422, "invalid-fields", errors=(FieldError(field="reason", code="required"),))
    at = iso(_after_all(visit, now))
    who = author.get()
    event = {
        "id": new_id(), "type": word, "at": at, "at_corrected": at, "by": who.user_id, "by_name": who.name,
        "device_id": None,
    }  # fmt: skip
    visit.events = [*visit.events, event | ({"reason": reason} if reason else {})]
    if returns:
        visit.assignee_id, visit.plan_state = to, "published"
        visit.planned_start = visit.planned_start or now
    settle(visit)
    return visit


def _after_all(visit: Visit, now: datetime) -> datetime:
    """The moment of the office's word: a tablet's corrected clock may be up to five minutes ahead of the server's."""
    last = max(filter(None, (parse_instant(moment(event)) for event in visit.events)), default=now)
    return max(now, last + timedelta(milliseconds=1))
