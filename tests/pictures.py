"""Pictures for tests, drawn when they are asked for: honest ones, and those that are something else."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from functools import cache

from PIL import Image


@cache
def photo(number: int = 0, width: int = 160, height: int = 120, form: str = "JPEG") -> bytes:
    """A picture of its own for each number: a gradient, the left part red."""
    picture = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    picture.paste((255, 0, 0), (0, 0, width // 4, height))
    out = io.BytesIO()
    told = {"comment": str(number).encode()} if form == "JPEG" else {}
    picture.save(out, form, quality=85, **told)
    return out.getvalue()


def large_photo(number: int, size: int) -> bytes:
    """A photo of exactly `size` bytes: noise that does not compress, padded by a comment that decoders skip."""
    out = io.BytesIO()
    side = max(16, int((size / 1.2) ** 0.5))
    noise = Image.frombytes("RGB", (side, side), _noise(number, 3 * side * side))
    quality = 90
    while True:
        out = io.BytesIO()
        noise.save(out, "JPEG", quality=quality)
        left = size - len(out.getvalue())
        if left == 0 or left >= 4:
            break
        quality -= 5
    jpeg = out.getvalue()
    comments = b""
    while left:
        length = min(left, 60_000)
        length -= 4 if 0 < left - length < 4 else 0
        comments += b"\xff\xfe" + struct.pack(">H", length - 2) + bytes(length - 4)
        left -= length
    return jpeg[:2] + comments + jpeg[2:]


def _noise(number: int, size: int) -> bytes:
    return hashlib.shake_128(str(number).encode()).digest(size)


def with_place(orientation: int = 6) -> bytes:
    """A photo as a telephone makes it: lying on its side, with the place where it was taken."""
    picture = Image.open(io.BytesIO(photo()))
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "CANARY-MAKER"
    exif.get_ifd(0x8825).update({1: "N", 2: (42.0, 30.0, 0.0), 3: "E", 4: (1.0, 31.0, 0.0)})
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=exif, comment=b"CANARY-COMMENT")
    return out.getvalue()


def png_bomb(side: int = 30_000) -> bytes:
    """A whole and valid PNG of side × side black pixels in about 100 kB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    row = bytes(1 + (side + 7) // 8)
    data = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


HEIC = struct.pack(">I", 24) + b"ftypheic" + bytes(4) + b"mif1heic" + bytes(400)
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!DOCTYPE html><html><script>alert(document.domain)</script></html>"
PDF = b"%PDF-1.7\n1 0 obj << >> endobj\ntrailer << >>\n%%EOF\n"


def polyglot() -> bytes:
    """A JPEG that is a ZIP too."""
    import zipfile

    out = io.BytesIO(photo())
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("run.js", "alert(1)")
    return out.getvalue()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
