"""Tablets that exchange files by hand: the reference replica with keys, and the files that go back and forth."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

from schemas.entities.base import iso
from server.actions.exchange_keys import new_scalar
from sync import carried, sealed
from sync.carried import Taken
from sync.sealed import Keys, PublicKeys
from tests.builders import Office
from tests.pictures import sha256
from tests.tablets import Tablet

BYTES = "application/octet-stream"


class Carrier:
    """One tablet's end of the exchange by files."""

    def __init__(self, tablet: Tablet, keys: Keys | None = None) -> None:
        self.tablet = tablet
        self.keys = keys or Keys(agree=new_scalar(), sign=new_scalar())
        public = self.keys.public
        answer = tablet._ask(
            "POST", "/sync/v1/exchange-keys", {"agree": _text(public.agree), "sign": _text(public.sign)}
        )
        self.office = PublicKeys(agree=_bytes(answer["agree"]), sign=_bytes(answer["sign"]))

    def write(self, *photos: bytes, at: datetime | None = None, **more: Any) -> bytes:
        """A file for the office; `more` is said otherwise than it is."""
        files = [
            {"sha256": sha256(data), "size": len(data), "name": f"photo-{number}.jpg", "media_type": "image/jpeg"}
            for number, data in enumerate(photos)
        ]
        told = carried.outgoing(
            self.tablet,
            device_time=iso(at or datetime.now(UTC)),
            awaiting=[one["sha256"] for one in files],
            files=files,
        )
        return self.seal(carried.pack({**told, **more}, photos))

    def seal(self, plain: bytes) -> bytes:
        return sealed.seal(
            plain, direction=sealed.TO_OFFICE, sender=self.keys, recipient=self.office, ephemeral=new_scalar()
        )

    def unseal(self, data: bytes) -> Any:
        """What a file of the office says."""
        plain = sealed.unseal(sealed.read_envelope(data), sender=self.office, recipient=self.keys)
        return json.loads(carried.unpack(plain)[0])

    def read(self, data: bytes, at: datetime | None = None) -> Taken:
        """Take in a file of the office."""
        return carried.take(self.tablet, self.unseal(data), device_time=iso(at or datetime.now(UTC)))


def brought(office: Office, data: bytes) -> Any:
    """The office takes a tablet's file in."""
    return office.post("/api/v1/exchange", data=data, content_type=BYTES)


def taken(office: Office, data: bytes) -> Any:
    """The same where it must be taken: what it brought."""
    answer = brought(office, data)
    assert answer.status_code == 200, answer.text
    return answer.json


def made(office: Office, tablet: Tablet) -> bytes:
    """A file of the office for a tablet."""
    answer = office.post(f"/api/v1/devices/{tablet.state.device_id}/exchange")
    assert answer.status_code == 200, answer.text
    return base64.b64decode(answer.json["data"])


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
