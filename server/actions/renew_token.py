"""A tablet's token is renewed each day; the old one stays in force until the new one is first used.

A token that another one followed is nobody's any more: who comes with it has a copy, or was restored from one.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from server.actions.device_notices import note
from server.actions.sign_in import token_hash
from server.domain.fleet import EXPIRES_AFTER
from server.extensions import db
from server.problems import not_found
from server.store.models import Device, FormerToken
from server.store.queries import devices, people
from server.store.queries.people import Holder
from server.store.transaction import transactional

DUE = timedelta(days=1)
UNDER_WAY = timedelta(minutes=1)
"""Requests that were on their way when the new token was first used are answered for so long."""

Ended = Literal["revoked", "left", "expired"]


@dataclass(frozen=True, kw_only=True)
class Held:
    """Whose a token is; `ended` says why it gives no access any more."""

    holder: Holder
    ended: Ended | None


class AccessEnded(Exception):
    """A tablet's access ended after its request had been let in."""

    def __init__(self, why: Ended) -> None:
        super().__init__(why)
        self.why: Ended = why


def refuse_ended(device: Device) -> None:
    """Raise AccessEnded for a locked tablet whose access somebody has ended."""
    if device.revoked_at is not None:
        raise AccessEnded("left" if device.ended_because == "left" else "revoked")


def is_due(device: Device, now: datetime) -> bool:
    """Whether the tablet should ask for a new token."""
    return now - (device.token_issued_at or device.enrolled_at) >= DUE


def new_token() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


@transactional
def renew_token(company_id: str, device_id: str) -> str:
    """A new token for a tablet; it is in force beside the old one until it is first used. Asked again, another one."""
    device = devices.lock_device(company_id, device_id)
    token = new_token()
    device.next_token_hash = token_hash(token)
    return token


def find_holder(token: str, now: datetime) -> Held | None:
    """Whose tablet a token is; None when it is nobody's. The first use of a new token ends the old one."""
    hashed = token_hash(token)
    found = people.device_by_token(hashed) or _former(hashed, now)
    if found is None:
        return None
    if found.next_token_hash == hashed:
        _take_over(found.company_id, found.device_id, hashed, now)
    return Held(holder=found, ended=ended(found, now))


def ended(holder: Holder, now: datetime) -> Ended | None:
    """Why a tablet has no access any more; None while it has."""
    if holder.revoked_at is not None:
        return "left" if holder.ended_because == "left" else "revoked"
    if not holder.technician_active:
        return "revoked"
    return "expired" if now - (holder.last_seen_at or holder.enrolled_at) > EXPIRES_AFTER else None


@transactional
def _take_over(company_id: str, device_id: str, hashed: str, now: datetime) -> None:
    device = devices.lock_device(company_id, device_id)
    if device.next_token_hash != hashed:
        return
    db.session.add(FormerToken(company_id=company_id, token_hash=device.token_hash, device_id=device_id, ended_at=now))
    device.token_hash, device.next_token_hash, device.token_issued_at = hashed, None, now


def _former(hashed: str, now: datetime) -> Holder | None:
    former = people.former_token(hashed)
    if former is None:
        return None
    if now - former.ended_at <= UNDER_WAY:
        return people.device_with_holder(former.company_id, former.device_id)
    _note_copy(former.company_id, former.device_id, now)
    return None


@transactional
def _note_copy(company_id: str, device_id: str, now: datetime) -> None:
    device = devices.device(company_id, device_id)
    if device is None:
        raise not_found()
    if device.revoked_at is None:
        note(company_id, device_id, "token-copied", {}, now)
