"""What is odd about a tablet and a person should know: noted once a kind, counted, closed by a person or by facts.

The words of a kind are in the area `device`: `<kind>` for the office, `<kind>.tablet` for who holds the tablet.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from schemas.entities.base import iso
from server.extensions import db
from server.problems import not_found
from server.store.models import Device, DeviceNotice
from server.store.queries import devices, fleet
from server.store.transaction import transactional
from server.store.types import new_id
from server.text import say
from sync.numbers import Numbers, write_off

Kind = Literal[
    "fork", "hole", "token-copied", "two-places", "clock-jump", "code-guessed", "server-behind", "went-back", "salvage"
]

TOLD_ON_TABLET = frozenset({"fork", "hole", "token-copied", "clock-jump"})
"""Kinds that concern who holds the tablet too."""


def note(
    company_id: str, device_id: str | None, kind: Kind, params: dict[str, Any], now: datetime, *, again: bool = True
) -> DeviceNotice:
    """Open a notice, or count one more time in the open one of its kind, inside the open transaction.

    `again=False` is for what lasts: seen unchanged, it is not counted once more.
    """
    found = fleet.open_notice(company_id, device_id, kind)
    if found is not None and not again and found.params == params:
        return found
    if found is None:
        found = DeviceNotice(
            company_id=company_id,
            id=new_id(),
            device_id=device_id,
            kind=kind,
            params=params,
            count=1,
            first_at=now,
            last_at=now,
        )
        db.session.add(found)
    else:
        found.params, found.count, found.last_at = params, found.count + 1, now
    db.session.flush()
    return found


def settle(company_id: str, device_id: str | None, kind: Kind, now: datetime) -> None:
    """Close the open notice of a kind, for it is not so any more."""
    found = fleet.open_notice(company_id, device_id, kind)
    if found is not None:
        found.closed_at = now


@transactional
def close_notice(company_id: str, notice_id: str, *, user_id: str | None, now: datetime) -> DeviceNotice:
    """Somebody has seen to it; raises Problem `not-found`. What is seen again opens another one.

    Numbers that are lost are not waited for any more.
    """
    found = fleet.notice(company_id, notice_id)
    if found is None:
        raise not_found()
    if found.closed_at is None:
        found.closed_at, found.closed_by = now, user_id
        if found.kind == "hole" and found.device_id is not None:
            device = devices.lock_device(company_id, found.device_id)
            known = write_off(numbers_of(device), [(first, last) for first, last in found.params["ranges"]])
            set_numbers(device, known)
    return found


def for_tablet(notices: Sequence[DeviceNotice], locale: str) -> list[dict[str, Any]]:
    """Notices as who holds the tablet reads them."""
    return [
        {
            "code": one.kind,
            "params": one.params,
            "text": say("device", f"{one.kind}.tablet", one.params | {"n": one.count}, locale),
            "at": iso(one.last_at),
        }
        for one in notices
        if one.kind in TOLD_ON_TABLET
    ]


def for_office(notices: Sequence[DeviceNotice], locale: str) -> list[dict[str, Any]]:
    """Notices as the office reads them."""
    return [
        {
            "id": one.id,
            "device_id": one.device_id,
            "code": one.kind,
            "params": one.params,
            "text": say("device", one.kind, one.params, locale),
            "count": one.count,
            "first_at": iso(one.first_at),
            "last_at": iso(one.last_at),
        }
        for one in notices
    ]


def numbers_of(device: Device) -> Numbers:
    """Which of a device's numbers came."""
    return Numbers(highest=device.last_n, missing=tuple((first, last) for first, last in device.missing or ()))


def set_numbers(device: Device, known: Numbers) -> None:
    """Keep which of a device's numbers came."""
    device.last_n, device.missing = known.highest, [list(one) for one in known.missing]
