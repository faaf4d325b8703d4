"""Files that are carried by hand: S-203 and S-204, pinned by vectors that the tablet's code passes too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import sealed
from sync.sealed import Broken, Keys, PublicKeys, read_envelope, seal, unseal

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "sealed.json").read_text("utf-8"))
TABLET, OFFICE, STRANGER = (
    Keys(agree=bytes.fromhex(VECTORS["keys"][name]["agree"]), sign=bytes.fromhex(VECTORS["keys"][name]["sign"]))
    for name in ("tablet", "office", "stranger")
)
EPHEMERAL = bytes.fromhex(VECTORS["files"][0]["ephemeral"])


def opened(data: bytes, sender: PublicKeys = TABLET.public, recipient: Keys = OFFICE) -> bytes:
    return unseal(read_envelope(data), sender=sender, recipient=recipient)


def fault(data: bytes, **keys: Any) -> str:
    with pytest.raises(Broken) as caught:
        opened(data, **keys)
    return caught.value.fault


@pytest.mark.parametrize("vector", VECTORS["files"], ids=lambda vector: str(vector["name"]))
def test_a_file_is_the_same_byte_for_byte(vector: dict[str, Any]) -> None:
    """S-203, S-204: sealed anew with the same ephemeral key, and opened."""
    by_name = {"tablet": TABLET, "office": OFFICE, "stranger": STRANGER}
    sender, recipient = by_name[vector["sender"]], by_name[vector["recipient"]]
    plain, data = bytes.fromhex(vector["plain"]), bytes.fromhex(vector["file"])
    made = seal(
        plain,
        direction=vector["direction"],
        sender=sender,
        recipient=recipient.public,
        ephemeral=bytes.fromhex(vector["ephemeral"]),
    )
    assert made == data
    envelope = read_envelope(data)
    assert (envelope.sender, envelope.recipient) == (sender.public.id, recipient.public.id)
    assert opened(data, sender.public, recipient) == plain


@pytest.mark.parametrize("vector", VECTORS["broken"], ids=lambda vector: str(vector["name"]))
def test_what_is_broken_is_told_apart(vector: dict[str, Any]) -> None:
    """S-204"""
    assert fault(bytes.fromhex(vector["file"])) == vector["fault"]


def test_any_byte_that_was_altered_or_is_missing_is_noticed() -> None:
    """S-204: nothing of such a file is taken."""
    data = bytes.fromhex(VECTORS["files"][0]["file"])
    for at in range(len(data)):
        altered = bytearray(data)
        altered[at] ^= 1
        assert fault(bytes(altered)) in ("altered", "unreadable", "newer", "cut")
        assert fault(data[:at]) in ("cut", "unreadable")
    assert fault(data + b"\0") == "altered"


def test_another_s_signature_or_key_does_not_open_it() -> None:
    """S-204: who takes a file and signs it anew is not its sender."""
    data = bytes.fromhex(VECTORS["files"][0]["file"])
    assert fault(data, sender=STRANGER.public) == "altered"
    assert fault(data, recipient=STRANGER) == "altered"


@given(st.binary(max_size=300))
def test_no_bytes_are_a_file_by_chance(data: bytes) -> None:
    assert fault(data) in ("unreadable", "newer", "cut", "altered")
    assert fault(sealed.MAGIC + data) in ("newer", "cut", "altered")


@pytest.mark.parametrize("point", [b"", b"\4" + bytes(64), b"\2" + bytes(32), b"\4" + b"\xff" * 64])
def test_what_is_no_point_of_the_curve_is_no_key(point: bytes) -> None:
    """S-200"""
    with pytest.raises(sealed.NoPoint):
        sealed.check_point(point)
