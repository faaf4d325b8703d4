"""Tablets: a code from the office makes one a technician's; the office can end that at any time."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.entities.base import EVERYONE, technician_scope
from server.actions.sign_in import token_hash
from server.extensions import db
from server.problems import Problem, not_found
from server.store.feed import next_number
from server.store.models import Company, Device, DeviceScope, EnrolmentCode, Technician
from server.store.queries import devices, people, visits
from server.store.transaction import transactional
from server.store.types import new_id

ALPHABET = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
LENGTH = 10
LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Code:
    code: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Enrolled:
    token: str
    device: Device
    technician: Technician
    company: Company
    locale: str


def _hash(code: str) -> str:
    plain = "".join(char for char in code.upper() if char.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()


@transactional
def make_code(company_id: str, technician_id: str, *, user_id: str | None, now: datetime) -> Code:
    """A new enrolment code for a technician; raises Problem `not-found` for an unknown one."""
    technician = visits.technician(company_id, technician_id)
    if technician is None or not technician.active:
        raise not_found()
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    expires_at = now + LIFETIME
    db.session.add(
        EnrolmentCode(
            company_id=company_id,
            technician_id=technician_id,
            code_hash=_hash(code),
            expires_at=expires_at,
            created_by=user_id,
        )
    )
    return Code(code=f"{code[:5]}-{code[5:]}", expires_at=expires_at)


@transactional
def enrol(code: str, *, device_name: str, app_version: str | None, schema_version: int, now: datetime) -> Enrolled:
    """Make a tablet the code's technician's. Raises Problem `wrong-code` for a code unknown, used or too old."""
    found = devices.enrolment_code(_hash(code))
    if found is None or found.used_at is not None or found.expires_at < now:
        raise Problem(403, "wrong-code", field="code")
    found.used_at = now
    technician = visits.technician(found.company_id, found.technician_id)
    company = db.session.get(Company, found.company_id)
    assert technician is not None
    assert company is not None
    user = people.user_of_technician(company.id, technician.id)
    token = secrets.token_urlsafe(32)
    device = Device(
        company_id=company.id,
        id=new_id(),
        technician_id=technician.id,
        user_id=user.id if user else None,
        name=device_name,
        app_version=app_version,
        schema_version=schema_version,
        token_hash=token_hash(token),
        enrolled_at=now,
        last_seen_at=now,
    )
    db.session.add(device)
    db.session.flush()
    _grant(device, [technician_scope(technician.id), EVERYONE])
    return Enrolled(
        token=token, device=device, technician=technician, company=company, locale=user.locale if user else "en"
    )


def _grant(device: Device, scopes: list[str]) -> None:
    """Subscribe the device, each scope at a number of its own so that its own visits come before the catalogue."""
    for scope in scopes:
        granted = next_number(db.session(), device.company_id)
        db.session.add(DeviceScope(company_id=device.company_id, device_id=device.id, scope=scope, granted=granted))
    db.session.flush()


@transactional
def revoke(company_id: str, device_id: str, *, now: datetime) -> Device:
    """End a tablet's access: nothing more is sent to it; what it holds unsent is for the office to salvage."""
    device = devices.device(company_id, device_id)
    if device is None:
        raise not_found()
    if device.revoked_at is None:
        device.revoked_at = now
    return device
