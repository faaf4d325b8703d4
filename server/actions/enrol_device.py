"""Tablets: a code from the office makes one a technician's.

A code of 10 characters is typed, one of 27 is in the QR picture; either works once, within ten minutes. The typed one
is found by its first half, so that who guesses the second is counted: after five misses it is dead. An address has
twenty misses in an hour. Whatever is wrong with a code, the answer and the work for it are the same.
"""

from __future__ import annotations

import hashlib
import math
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.entities.base import EVERYONE, technician_scope
from server.actions.device_notices import note
from server.actions.move_windows import open_window
from server.actions.passwords import hash_password, verify
from server.actions.renew_token import new_token
from server.actions.sign_in import token_hash
from server.extensions import db
from server.problems import Problem, not_found
from server.store.feed import next_number
from server.store.models import Company, Device, DeviceScope, EnrolmentCode, EnrolmentMiss, Technician
from server.store.queries import devices, people, visits
from server.store.transaction import transactional
from server.store.types import new_id

ALPHABET = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
HALF = 5
"""Characters of each half of a typed code: 24 bits each."""
QR_LENGTH = 27
"""Characters of the code in the picture: 132 bits."""
LIFETIME = timedelta(minutes=10)
MISSES_OF_CODE = 5
MISSES_OF_ADDRESS = 20
LATELY = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Code:
    """`code` is for typing, `qr` for the picture."""

    code: str
    qr: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Enrolled:
    token: str
    device: Device
    technician: Technician
    company: Company
    locale: str


def make_code(company_id: str, technician_id: str, *, user_id: str | None, now: datetime) -> Code:
    """A new enrolment code for a technician; raises Problem `not-found` for an unknown one."""
    first, second, qr = _random(HALF), _random(HALF), _random(QR_LENGTH)
    code_hash = hash_password(first + second)
    _keep_code(company_id, technician_id, first, code_hash, _sha256(qr), user_id, now)
    return Code(code=f"{first}-{second}", qr=qr, expires_at=now + LIFETIME)


@transactional
def _keep_code(
    company_id: str, technician_id: str, lookup: str, code_hash: str, qr_hash: str, user_id: str | None, now: datetime
) -> None:
    technician = visits.technician(company_id, technician_id)
    if technician is None or not technician.active:
        raise not_found()
    devices.forget_codes(lookup, now - LATELY)
    db.session.add(
        EnrolmentCode(
            company_id=company_id,
            technician_id=technician_id,
            lookup=lookup,
            code_hash=code_hash,
            qr_hash=qr_hash,
            misses=0,
            expires_at=now + LIFETIME,
            created_by=user_id,
        )
    )


def enrol(
    code: str,
    *,
    device_name: str,
    app_version: str | None,
    schema_version: int,
    now: datetime,
    address: str | None = None,
) -> Enrolled:
    """Make a tablet the code's technician's.

    Raises Problem `wrong-code` for a code unknown, used, too old or dead, `too-many-tries` for an address that
    misses too often.
    """
    plain = "".join(char for char in code.upper() if char.isalnum())
    attempt = _begin_attempt(address or "", now)
    found = _find(plain, now)
    if found is not None:
        done = _use(found, attempt, device_name, app_version, schema_version, now)
        if done is not None:
            return done
    _miss(plain, attempt, now)
    raise Problem(403, "wrong-code", field="code")


@transactional
def _begin_attempt(address: str, now: datetime) -> str:
    """Count a try as a miss before the code is looked at, so that many at once are not more than one by one."""
    address = address[:80]
    people.lock_sign_in(f"enrol {address}")
    devices.forget_misses(now - LATELY)
    misses = devices.misses_of_address(address, now - LATELY)
    if len(misses) >= MISSES_OF_ADDRESS:
        seconds = max(math.ceil((misses[MISSES_OF_ADDRESS - 1] + LATELY - now).total_seconds()), 1)
        raise Problem(429, "too-many-tries", seconds=seconds, headers={"Retry-After": str(seconds)})
    attempt = EnrolmentMiss(id=new_id(), address=address, at=now, settled=False)
    db.session.add(attempt)
    return attempt.id


def _find(plain: str, now: datetime) -> str | None:
    """The id of the code that this is; None when it is none that works. Takes as long for any typed code."""
    if len(plain) > 2 * HALF:
        found = devices.code_by_qr(_sha256(plain))
        return found.id if found is not None and _works(found, now) else None
    found = devices.code_by_lookup(plain[:HALF])
    usable = found is not None and _works(found, now)
    stored = found.code_hash if found is not None and usable else None
    return found.id if verify(stored, plain) and found is not None else None


def _works(code: EnrolmentCode, now: datetime) -> bool:
    return code.used_at is None and code.expires_at >= now and code.misses < MISSES_OF_CODE


@transactional
def _miss(plain: str, attempt: str, now: datetime) -> None:
    """Settle the miss, and count it for the code whose first half was right."""
    devices.settle_miss(attempt)
    found = devices.code_by_lookup(plain[:HALF], lock=True) if len(plain) <= 2 * HALF else None
    if found is None or not _works(found, now):
        return
    found.misses += 1
    if found.misses >= MISSES_OF_CODE:
        technician = visits.technician(found.company_id, found.technician_id)
        params = {"name": technician.name if technician else ""}
        note(found.company_id, None, "code-guessed", params, now)


@transactional
def _use(
    code_id: str, attempt: str, device_name: str, app_version: str | None, schema_version: int, now: datetime
) -> Enrolled | None:
    """Enrol with a code; None when another tablet was faster."""
    found = devices.lock_code(code_id)
    if not _works(found, now):
        return None
    found.used_at = now
    devices.forget_miss(attempt)
    technician = visits.technician(found.company_id, found.technician_id)
    company = db.session.get(Company, found.company_id)
    assert technician is not None
    assert company is not None
    user = people.user_of_technician(company.id, technician.id)
    token = new_token()
    device = Device(
        company_id=company.id,
        id=new_id(),
        technician_id=technician.id,
        user_id=user.id if user else None,
        name=device_name,
        app_version=app_version,
        schema_version=schema_version,
        token_hash=token_hash(token),
        missing=[],
        enrolled_at=now,
        token_issued_at=now,
        last_seen_at=now,
    )
    db.session.add(device)
    db.session.flush()
    open_window(company.id, technician.id, now)
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


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _sha256(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
