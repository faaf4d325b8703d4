"""The keys that an exchange by files rests on: the company's own pair is made once, tablets show their public ones.

`sync.sealed` is imported where it is used: its library is a tenth of the memory of a process that serves.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import TYPE_CHECKING

from server.extensions import db
from server.problems import FieldError, Problem
from server.store.models import DeviceKey, OfficeKey
from server.store.queries import devices
from server.store.queries import exchange as rows
from server.store.transaction import transactional

if TYPE_CHECKING:
    from sync.sealed import Keys, PublicKeys


def new_scalar() -> bytes:
    """A random private key on P-256."""
    from sync import sealed

    return (1 + secrets.randbelow(sealed.ORDER - 1)).to_bytes(sealed.SCALAR, "big")


def keys_of(kept: OfficeKey) -> Keys:
    """The office's keys as they are used."""
    from sync import sealed

    return sealed.Keys(agree=kept.agree, sign=kept.sign)


def public_of(kept: DeviceKey) -> PublicKeys:
    """A tablet's keys as they are used."""
    from sync import sealed

    return sealed.PublicKeys(agree=kept.agree, sign=kept.sign)


@transactional
def show_keys(company_id: str, device_id: str, agree: bytes, sign: bytes, now: datetime) -> PublicKeys:
    """Keep the public keys of a tablet, from now on its newest; the office's own. Shown again they are the same.

    Raises Problem `invalid-fields` for what is no point of the curve.
    """
    from sync import sealed

    for name, point in (("agree", agree), ("sign", sign)):
        try:
            sealed.check_point(point)
        except sealed.NoPoint as error:
            raise Problem(422, "invalid-fields", errors=(FieldError(field=name, code="wrong-form"),)) from error
    devices.lock_device(company_id, device_id)
    key_id = sealed.PublicKeys(agree=agree, sign=sign).id.hex()
    known = rows.device_key(company_id, key_id)
    if known is not None and known.device_id != device_id:
        raise Problem(422, "invalid-fields", errors=(FieldError(field="agree", code="taken"),))
    if known is None:
        db.session.add(
            DeviceKey(company_id=company_id, key_id=key_id, device_id=device_id, agree=agree, sign=sign, made_at=now)
        )
        db.session.flush()
        rows.forget_keys(company_id, [old.key_id for old in rows.keys_of(company_id, device_id)[rows.MOST_KEYS :]])
    else:
        known.made_at = now
    return office_keys(company_id, now).public


@transactional
def office_keys(company_id: str, now: datetime) -> Keys:
    """The company's own keys, made when they are first needed."""
    kept = rows.office_key(company_id)
    if kept is None:
        devices.lock_company(company_id)
        kept = rows.office_key(company_id)
    if kept is None:
        from sync import sealed

        keys = sealed.Keys(agree=new_scalar(), sign=new_scalar())
        kept = OfficeKey(
            company_id=company_id, key_id=keys.public.id.hex(), agree=keys.agree, sign=keys.sign, made_at=now
        )
        db.session.add(kept)
        db.session.flush()
    return keys_of(kept)
