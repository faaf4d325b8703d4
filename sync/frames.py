"""A small exchange file as a sequence of QR pictures: cut into numbered frames, and put together in any order.

A frame is text of the 45 characters that QR codes hold most tightly:
`RX1:<file>:<number>:<of>:<check>:<data>`. `file` is the first 4 bytes of the file's SHA-256, `check` the CRC-32 of all
before it and the frame's bytes, both as 8 hex digits in upper case; `data` is Base45 (RFC 9285).
`tests/vectors/frames.json` holds both languages to it.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field

BYTES = 480
"""Of the file in one frame: a picture of some 85 modules, which a tablet shows and a plain camera reads."""

MOST_FRAMES = 64
"""A file that needs more goes another way."""

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_FRAME = re.compile(r"RX1:([0-9A-F]{8}):([1-9][0-9]?):([1-9][0-9]?):([0-9A-F]{8}):([0-9A-Z $%*+\-./:]+)")


class NoFrame(ValueError):
    """The text is no frame, or not as it was written."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One picture's worth: which file, which part of how many, and its bytes."""

    file: str
    number: int
    of: int
    data: bytes


def fits(size: int) -> bool:
    """Whether a file of so many bytes is small enough for pictures."""
    return 0 < size <= BYTES * MOST_FRAMES


def cut(data: bytes, size: int = BYTES) -> list[str]:
    """The texts of a file's frames, in order; the parts are all of the same size, within a byte."""
    if not 0 < len(data) <= size * MOST_FRAMES:
        raise ValueError("too large for pictures")
    of = -(-len(data) // size)
    file = hashlib.sha256(data).hexdigest()[:8].upper()
    ends = [len(data) * number // of for number in range(of + 1)]
    return [_text(file, number, of, data[ends[number - 1] : ends[number]]) for number in range(1, of + 1)]


def read(text: str) -> Frame:
    """A frame from what a picture says; raises NoFrame."""
    found = _FRAME.fullmatch(text)
    if found is None:
        raise NoFrame(text[:20])
    file, number, of = found[1], int(found[2]), int(found[3])
    data = from_base45(found[5])
    if not number <= of <= MOST_FRAMES or _text(file, number, of, data) != text:
        raise NoFrame(text[:20])
    return Frame(file=file, number=number, of=of, data=data)


@dataclass
class Gathering:
    """Frames of one file as they come: in any order, again and again, with others in between."""

    file: str = ""
    of: int = 0
    parts: dict[int, bytes] = field(default_factory=dict)

    def add(self, frame: Frame) -> bool:
        """Take a frame; whether it was new. The first frame of another file begins anew."""
        if (frame.file, frame.of) != (self.file, self.of):
            self.file, self.of, self.parts = frame.file, frame.of, {}
        new = frame.number not in self.parts
        self.parts.setdefault(frame.number, frame.data)
        return new

    @property
    def missing(self) -> list[int]:
        """Numbers that have not been seen."""
        return [number for number in range(1, self.of + 1) if number not in self.parts]

    def whole(self) -> bytes | None:
        """The file once all frames are there; raises NoFrame when they are not of one file, and forgets them."""
        if not self.of or self.missing:
            return None
        data = b"".join(self.parts[number] for number in range(1, self.of + 1))
        if hashlib.sha256(data).hexdigest()[:8].upper() != self.file:
            self.file, self.of, self.parts = "", 0, {}
            raise NoFrame("mixed")
        return data


def gathered(texts: Iterable[str]) -> bytes | None:
    """The file out of what many pictures say; None while frames are missing. What is no frame is passed over."""
    found = Gathering()
    for text in texts:
        try:
            found.add(read(text))
        except NoFrame:
            continue
    return found.whole()


def to_base45(data: bytes) -> str:
    """Two bytes as three characters, the least first; a last byte alone as two (RFC 9285)."""
    text = []
    for at in range(0, len(data), 2):
        pair = data[at : at + 2]
        value = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            value, digit = divmod(value, 45)
            text.append(ALPHABET[digit])
    return "".join(text)


def from_base45(text: str) -> bytes:
    """The bytes of such a text; raises NoFrame."""
    data = bytearray()
    for at in range(0, len(text), 3):
        part = text[at : at + 3]
        value = sum(ALPHABET.index(character) * 45**place for place, character in enumerate(part))
        if len(part) < 2 or value >= 256 ** (len(part) - 1):
            raise NoFrame(part)
        data += value.to_bytes(len(part) - 1, "big")
    return bytes(data)


def _text(file: str, number: int, of: int, data: bytes) -> str:
    head = f"RX1:{file}:{number}:{of}:"
    return f"{head}{zlib.crc32(head.encode() + data):08X}:{to_base45(data)}"
