"""A tablet's access ends: by the office, by who holds it, or by a long silence. What it has not sent is never lost."""

from __future__ import annotations

from datetime import datetime

from server.problems import not_found
from server.store.marks import marks
from server.store.models import Device
from server.store.queries import devices
from server.store.transaction import transactional


def revoke(company_id: str, device_id: str, *, now: datetime, user_id: str | None = None) -> Device:
    """End a tablet's access: nothing more is sent to it; what it holds unsent is taken as salvage.

    Raises Problem `not-found`. It is noted outside of the database too, so that a restore does not let it in again.
    """
    device = _end(company_id, device_id, "revoked", user_id, now)
    marks().note_revoked(company_id, device_id, now)
    return device


def leave(company_id: str, device_id: str, *, now: datetime) -> Device:
    """Who holds the tablet logs out for good."""
    return _end(company_id, device_id, "left", None, now)


@transactional
def _end(company_id: str, device_id: str, because: str, user_id: str | None, now: datetime) -> Device:
    device = devices.device(company_id, device_id)
    if device is None:
        raise not_found()
    if device.revoked_at is None:
        device.revoked_at, device.revoked_by, device.ended_because = now, user_id, because
    return device


def note_wipe(company_id: str, device_id: str, now: datetime) -> None:
    """Remember when a tablet first heard that it must wipe what it holds."""
    device = devices.device(company_id, device_id)
    if device is not None and device.wipe_told_at is None:
        _note_wipe(company_id, device_id, now)


@transactional
def _note_wipe(company_id: str, device_id: str, now: datetime) -> None:
    device = devices.lock_device(company_id, device_id)
    device.wipe_told_at = device.wipe_told_at or now
