"""Walking through a picture's own structure: how large it is, whether all of it is there, and whether it ends there.

No decoder is run. Sources: ITU T.81 annex B (JPEG markers), PNG 3rd edition §5 (chunks), RFC 9649 (WebP in RIFF).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO, Literal

Fault = Literal["truncated", "broken", "more-than-a-picture"]

_ALONE = {0x01, *range(0xD0, 0xD9)}
_FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_BLOCK = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class Structure:
    """Pixels as the header says, 0 where none was found, and what is wrong with the whole, None when nothing is."""

    width: int = 0
    height: int = 0
    fault: Fault | None = None


class _Bad(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault: Fault = fault


def walk(file: BinaryIO, found: str) -> Structure:
    """The structure of a JPEG, PNG or WebP, read from the start of a seekable file."""
    file.seek(0)
    size = [0, 0]
    try:
        {"image/jpeg": _jpeg, "image/png": _png, "image/webp": _webp}[found](file, size)
        while rest := file.read(_BLOCK):
            if rest.strip(b"\x00"):
                raise _Bad("more-than-a-picture")
    except _Bad as bad:
        return Structure(width=size[0], height=size[1], fault=bad.fault)
    return Structure(width=size[0], height=size[1], fault=None if all(size) else "broken")


def _exactly(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise _Bad("truncated")
    return data


def _jpeg(file: BinaryIO, size: list[int]) -> None:
    """Marker by marker to the end of the image; `file` then stands after it."""
    _exactly(file, 2)
    while True:
        marker = _next_marker(file)
        if marker == 0xD9:
            return
        if marker in _ALONE:
            continue
        length = int.from_bytes(_exactly(file, 2), "big")
        if length < 2:
            raise _Bad("broken")
        segment = _exactly(file, length - 2)
        if marker in _FRAMES:
            if len(segment) < 5:
                raise _Bad("broken")
            height, width = struct.unpack(">HH", segment[1:5])
            # A picture may hold frames of several sizes; what counts is the largest that a decoder would make room for.
            size[0], size[1] = max(size[0], width), max(size[1], height)
        if marker == 0xDA:
            _skip_scan(file)


def _next_marker(file: BinaryIO) -> int:
    if _exactly(file, 1) != b"\xff":
        raise _Bad("broken")
    while (byte := _exactly(file, 1)) == b"\xff":
        pass
    return byte[0]


def _skip_scan(file: BinaryIO) -> None:
    """Past the entropy-coded data, to the next marker that is not part of it."""
    before = b""
    while True:
        start = file.tell()
        block = file.read(_BLOCK)
        if not block:
            raise _Bad("truncated")
        data = before + block
        at = data.find(b"\xff")
        while 0 <= at < len(data) - 1:
            if data[at + 1] not in (0x00, 0xFF) and not 0xD0 <= data[at + 1] <= 0xD7:
                file.seek(start - len(before) + at)
                return
            at = data.find(b"\xff", at + 1)
        before = data[-1:] if data.endswith(b"\xff") else b""


def _png(file: BinaryIO, size: list[int]) -> None:
    _exactly(file, 8)
    first = True
    while True:
        length, kind = struct.unpack(">I4s", _exactly(file, 8))
        if length > 0x7FFFFFFF:
            raise _Bad("broken")
        crc = zlib.crc32(kind)
        kept, left = b"", length
        while left:
            block = _exactly(file, min(left, _BLOCK))
            crc = zlib.crc32(block, crc)
            kept = kept or block
            left -= len(block)
        if crc != int.from_bytes(_exactly(file, 4), "big"):
            raise _Bad("broken")
        if first:
            if kind != b"IHDR" or length != 13:
                raise _Bad("broken")
            size[0], size[1] = struct.unpack(">II", kept[:8])
            first = False
        if kind == b"IEND":
            return


def _webp(file: BinaryIO, size: list[int]) -> None:
    total = struct.unpack("<I", _exactly(file, 12)[4:8])[0] + 8
    while file.tell() < total:
        kind, length = struct.unpack("<4sI", _exactly(file, 8))
        head = _exactly(file, min(length, 10))
        if kind == b"VP8X" and len(head) == 10:
            size[0], size[1] = (int.from_bytes(head[at : at + 3], "little") + 1 for at in (4, 7))
        elif kind == b"VP8 " and len(head) == 10 and not any(size):
            size[0], size[1] = (value & 0x3FFF for value in struct.unpack("<HH", head[6:10]))
        elif kind == b"VP8L" and len(head) >= 5 and not any(size):
            bits = int.from_bytes(head[1:5], "little")
            size[0], size[1] = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        left = length - len(head) + (length & 1)
        while left > 0:
            left -= len(_exactly(file, min(left, _BLOCK)))
