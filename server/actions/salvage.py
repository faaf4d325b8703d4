"""What a tablet sent after its access had ended: kept unread, shown to the office, imported or discarded by a person.

An import goes through the same door as a push, as the technician whose it is, at the moment when it came: each
mutation has its effect once, whichever way it comes again, and clashes are recorded. Nothing is merged by itself.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.entities.base import parse_instant
from schemas.json_limits import read_leniently
from server.actions.apply_mutation import Sender
from server.actions.contact import Contact
from server.actions.device_notices import note, settle
from server.actions.push_changes import push_changes
from server.actions.renew_token import Ended
from server.extensions import db
from server.problems import Problem, not_found
from server.store.author import Author, acting
from server.store.models import Salvage, Technician
from server.store.queries import devices, salvage, visits
from server.store.transaction import transactional
from server.store.types import new_id

MOST_BYTES = 50 * 1024 * 1024
"""Bytes that are kept of one tablet."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What is in a piece of salvage: the mutations as they came, the tablet's clock, and what its app knew."""

    mutations: list[Any]
    device_time: datetime | None
    rtt_ms: float | None
    schema_version: int | None


def read_body(body: bytes) -> Found | None:
    """What a kept push holds; None for what is no push at all."""
    try:
        told = read_leniently(body)
    except ValueError:
        return None
    if not isinstance(told, dict) or not isinstance(told.get("mutations"), list):
        return None
    rtt, version = told.get("rtt_ms"), told.get("schema_version")
    return Found(
        mutations=told["mutations"],
        device_time=parse_instant(told.get("device_time")),
        rtt_ms=float(rtt) if isinstance(rtt, int | float) and 0 <= rtt <= 600_000 else None,
        schema_version=version if type(version) is int and 1 <= version <= 10_000 else None,
    )


def keep_salvage(
    company_id: str, device_id: str, technician_id: str, user_id: str | None, body: bytes, *, why: Ended, now: datetime
) -> bool | None:
    """Keep a push whose tablet has no access any more, at most `MOST_BYTES` of one tablet; whether it is kept.

    None for a push that holds nothing. What came before is not kept twice.
    """
    found = read_body(body)
    if found is not None and not found.mutations:
        return None
    sha256 = hashlib.sha256(_mutations_text(found) if found is not None else body).hexdigest()
    return _keep(company_id, device_id, technician_id, user_id, body, sha256, found, why, now)


def _mutations_text(found: Found) -> bytes:
    return json.dumps(found.mutations, sort_keys=True).encode("utf-8", "surrogatepass")


@transactional
def _keep(
    company_id: str,
    device_id: str,
    technician_id: str,
    user_id: str | None,
    body: bytes,
    sha256: str,
    found: Found | None,
    why: Ended,
    now: datetime,
) -> bool:
    devices.lock_device(company_id, device_id)
    if salvage.same(company_id, device_id, sha256) is not None:
        return True
    if salvage.bytes_of(company_id, device_id) + len(body) > MOST_BYTES:
        return False
    db.session.add(
        Salvage(
            company_id=company_id,
            id=new_id(),
            device_id=device_id,
            technician_id=technician_id,
            user_id=user_id,
            why=why,
            sha256=sha256,
            size=len(body),
            count=len(found.mutations) if found is not None else None,
            body=body,
            received_at=now,
            state="waiting",
        )
    )
    db.session.flush()
    _tell(company_id, device_id, now)
    return True


def import_salvage(company_id: str, salvage_id: str, *, user_id: str | None, now: datetime, locale: str) -> Salvage:
    """Take a piece of salvage as if it had been pushed when it came. A piece that was discarded may still be taken.

    Raises Problem `not-found`, `salvage-decided` for one that was imported, `salvage-unreadable`.
    """
    kept = salvage.salvage(company_id, salvage_id)
    if kept is None:
        raise not_found()
    technician = visits.technician(company_id, kept.technician_id)
    assert technician is not None
    # The history is written at the commit, and names who wrote, not who let it in.
    with acting(Author(user_id=kept.user_id, name=technician.name, device_id=kept.device_id)):
        return _import(company_id, salvage_id, technician.name, user_id, now, locale)


@transactional
def _import(company_id: str, salvage_id: str, name: str, user_id: str | None, now: datetime, locale: str) -> Salvage:
    kept = _to_decide(company_id, salvage_id, ("waiting", "discarded"))
    found = read_body(kept.body)
    if found is None:
        raise Problem(422, "salvage-unreadable")
    sender = Sender(
        company_id=company_id,
        device_id=kept.device_id,
        technician_id=kept.technician_id,
        name=name,
        user_id=kept.user_id,
    )
    contact = Contact(
        device_time=found.device_time or kept.received_at, rtt_ms=found.rtt_ms, schema_version=found.schema_version
    )
    results = push_changes(
        sender, found.mutations, contact=contact, now=kept.received_at, locale=locale, salvaged=True
    ).results
    kept.outcome = {
        "counts": dict(Counter(str(result["status"]) for result in results)),
        "conflicts": sum(len(result["conflicts"]) for result in results),
        "results": [brief(result) for result in results],
    }
    _decide(kept, "imported", None, user_id, now)
    return kept


@transactional
def discard_salvage(company_id: str, salvage_id: str, reason: str, *, user_id: str | None, now: datetime) -> Salvage:
    """Leave a piece of salvage, and say why; its bytes stay. Raises Problem `not-found`, `salvage-decided`."""
    kept = _to_decide(company_id, salvage_id, ("waiting",))
    _decide(kept, "discarded", reason, user_id, now)
    return kept


def technician_of(kept: Salvage) -> Technician | None:
    """Whose work it is."""
    return visits.technician(kept.company_id, kept.technician_id)


def _to_decide(company_id: str, salvage_id: str, states: tuple[str, ...]) -> Salvage:
    kept = salvage.lock_salvage(company_id, salvage_id)
    if kept is None:
        raise not_found()
    if kept.state not in states:
        raise Problem(409, "salvage-decided")
    return kept


def _decide(kept: Salvage, state: str, reason: str | None, user_id: str | None, now: datetime) -> None:
    kept.state, kept.reason, kept.decided_by, kept.decided_at = state, reason, user_id, now
    db.session.flush()
    _tell(kept.company_id, kept.device_id, now)


def _tell(company_id: str, device_id: str, now: datetime) -> None:
    waiting = salvage.waiting(company_id, [device_id]).get(device_id, 0)
    if waiting:
        note(company_id, device_id, "salvage", {"n": waiting}, now, again=False)
    else:
        settle(company_id, device_id, "salvage", now)


def brief(result: dict[str, Any]) -> dict[str, Any]:
    """A result without what only the tablet needs."""
    problem = result["problem"] or {}
    return {
        "id": result["id"],
        "n": result["n"],
        "status": result["status"],
        "repeated": bool(result.get("repeated")),
        "conflicts": [one["id"] for one in result["conflicts"]],
        "code": problem.get("code"),
    }
