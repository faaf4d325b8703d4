"""An exchange file as bytes: sealed by one side for the other, so that nobody on the way reads or alters it.

Ephemeral ECDH on P-256 with the recipient's key, HKDF-SHA-256, AES-256-GCM; then an ECDSA signature of the sender over
all of it. `docs/sync-protocol.md` (S-203, S-204) has the form byte for byte, `tests/vectors/sealed.json` holds both
languages to it. Pure: keys and randomness come in as arguments.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

MAGIC = b"RNDX"
VERSION = 1
TO_OFFICE, TO_TABLET = 1, 2
ID, POINT, SCALAR, TAG, SIGNATURE = 16, 65, 32, 16, 64
HEADER = 4 + 1 + 1 + 2 * ID + POINT + 4
"""Bytes before the ciphertext."""

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Private keys are random numbers from 1 to one less than this."""

SEALING = b"rounds exchange 1 seal"
SIGNING = b"rounds exchange 1 sign\n"

Fault = Literal["unreadable", "newer", "cut", "altered"]


class Broken(ValueError):
    """These bytes are no whole, true exchange file; `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault: Fault = fault


class NoPoint(ValueError):
    """The bytes are no public key on P-256."""


@dataclass(frozen=True, kw_only=True)
class PublicKeys:
    """What others know of one side: two uncompressed points, to agree on a key with it and to check its signature."""

    agree: bytes
    sign: bytes

    @property
    def id(self) -> bytes:
        """Names the pair: the first half of the SHA-256 of both points."""
        return hashlib.sha256(self.agree + self.sign).digest()[:ID]


@dataclass(frozen=True, kw_only=True)
class Keys:
    """One side's own keys: two scalars of 32 bytes, big-endian."""

    agree: bytes
    sign: bytes

    @property
    def public(self) -> PublicKeys:
        return PublicKeys(agree=point_of(self.agree), sign=point_of(self.sign))


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """A file whose outside is whole: the direction, the ids of both sides' keys, and what is not opened yet."""

    direction: int
    sender: bytes
    recipient: bytes
    ephemeral: bytes
    head: bytes
    ciphertext: bytes
    signature: bytes


def point_of(scalar: bytes) -> bytes:
    """The public point of a private key."""
    return _raw(_private(scalar).public_key())


def check_point(point: bytes) -> None:
    """Raise NoPoint for bytes that are no uncompressed point on the curve."""
    _public(point)


def seal(plain: bytes, *, direction: int, sender: Keys, recipient: PublicKeys, ephemeral: bytes) -> bytes:
    """The file that only `recipient` opens and only `sender` can have made.

    `ephemeral` is a random private key of 32 bytes that is used for this file and never again.
    """
    start = MAGIC + bytes([VERSION, direction]) + sender.public.id + recipient.id + point_of(ephemeral)
    head = start + (len(plain) + TAG).to_bytes(4, "big")
    key, nonce = _key(ephemeral, recipient.agree, head)
    sealed = head + AESGCM(key).encrypt(nonce, plain, head)
    signing = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
    r, s = decode_dss_signature(_private(sender.sign).sign(SIGNING + sealed, signing))
    return sealed + r.to_bytes(SIGNATURE // 2, "big") + s.to_bytes(SIGNATURE // 2, "big")


def read_envelope(data: bytes) -> Envelope:
    """The outside of a file; raises Broken: `unreadable` for no such file, `newer`, `cut`."""
    if not data.startswith(MAGIC) and not (data and MAGIC.startswith(data)):
        raise Broken("unreadable")
    if len(data) > len(MAGIC) and data[len(MAGIC)] != VERSION:
        raise Broken("newer")
    if len(data) < HEADER:
        raise Broken("cut")
    end = HEADER + int.from_bytes(data[HEADER - 4 : HEADER], "big")
    if len(data) < end + SIGNATURE:
        raise Broken("cut")
    if len(data) > end + SIGNATURE:
        raise Broken("altered")
    at = len(MAGIC) + 2
    return Envelope(
        direction=data[at - 1],
        sender=data[at : at + ID],
        recipient=data[at + ID : at + 2 * ID],
        ephemeral=data[at + 2 * ID : HEADER - 4],
        head=data[:HEADER],
        ciphertext=data[HEADER:end],
        signature=data[end:],
    )


def unseal(envelope: Envelope, *, sender: PublicKeys, recipient: Keys) -> bytes:
    """What is inside; raises Broken `altered` when a byte is not as the sender wrote it."""
    r, s = (int.from_bytes(part, "big") for part in _halves(envelope.signature))
    try:
        signed = SIGNING + envelope.head + envelope.ciphertext
        _public(sender.sign).verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
        key, nonce = _key(recipient.agree, envelope.ephemeral, envelope.head)
        return AESGCM(key).decrypt(nonce, envelope.ciphertext, envelope.head)
    except (InvalidSignature, InvalidTag, NoPoint) as error:
        raise Broken("altered") from error


def _key(scalar: bytes, point: bytes, head: bytes) -> tuple[bytes, bytes]:
    """Key and nonce of one file: the ephemeral key makes both its own, so that no nonce is used twice."""
    shared = _private(scalar).exchange(ec.ECDH(), _public(point))
    made = HKDF(algorithm=hashes.SHA256(), length=44, salt=head, info=SEALING).derive(shared)
    return made[:32], made[32:]


def _private(scalar: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(scalar, "big"), ec.SECP256R1())


def _public(point: bytes) -> ec.EllipticCurvePublicKey:
    if len(point) != POINT or point[0] != 4:
        raise NoPoint
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError as error:
        raise NoPoint from error


def _raw(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _halves(signature: bytes) -> tuple[bytes, bytes]:
    return signature[: SIGNATURE // 2], signature[SIGNATURE // 2 :]
