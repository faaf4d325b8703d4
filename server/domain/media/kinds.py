"""What a file is by its own bytes, whatever it is called."""

from __future__ import annotations

from typing import Literal

HEAD = 4096
"""So many first bytes of a file tell its kind."""

Family = Literal["picture", "photo-file", "pdf", "text", "office", "media", "active", "unknown"]
"""picture: can be shown · photo-file: a picture that no browser shows everywhere, kept as a file · office: documents
in ZIP or OLE form · media: sound and film · active: what may run where it is opened."""

FAMILIES: dict[str, Family] = {
    "image/jpeg": "picture",
    "image/png": "picture",
    "image/webp": "picture",
    "image/heic": "photo-file",
    "image/avif": "photo-file",
    "image/gif": "photo-file",
    "image/tiff": "photo-file",
    "image/bmp": "photo-file",
    "application/pdf": "pdf",
    "application/zip": "office",
    "application/x-ole-storage": "office",
    "video/mp4": "media",
    "audio/wav": "media",
    "audio/mpeg": "media",
    "text/plain": "text",
    "text/html": "active",
    "image/svg+xml": "active",
    "application/x-executable": "active",
    "application/octet-stream": "unknown",
}
"""Every media type that is recognised -> its family."""

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"ID3", "audio/mpeg"),
    (b"MZ", "application/x-executable"),
    (b"\x7fELF", "application/x-executable"),
    (b"#!", "application/x-executable"),
    (b"\xca\xfe\xba\xbe", "application/x-executable"),
)
_HEIF = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}
_MARKUP = (b"<!doctype", b"<html", b"<head", b"<body", b"<script", b"<iframe", b"<svg", b"<?xml", b"<!--", b"<?php")


def media_type(head: bytes) -> str:
    """The media type that the first `HEAD` bytes of a file show; `application/octet-stream` for what is not known."""
    for magic, found in _MAGIC:
        if head.startswith(magic):
            return found
    if head[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(head[8:12], "application/octet-stream")
    if head[4:8] == b"ftyp":
        brands = {head[8:12]} | {head[start : start + 4] for start in range(16, min(len(head), 64), 4)}
        if b"avif" in brands:
            return "image/avif"
        return "image/heic" if brands & _HEIF else "video/mp4"
    if head[:2] == b"BM" and len(head) > 26 and head[6:10] == bytes(4):
        return "image/bmp"
    return _text_type(head)


def family(found: str) -> Family:
    """The family of a media type that `media_type` names."""
    return FAMILIES[found]


def may_be_called(found: str, claimed: str | None) -> bool:
    """Whether a file of type `found` may go under the name `claimed`: the families must agree.

    A JPEG that is called PNG is a slip of some program; a page that is called a photo is not.
    """
    kind = family(found)
    if not claimed or claimed == "application/octet-stream":
        return True
    claimed = claimed.lower()
    if claimed.startswith("image/"):
        return kind in ("picture", "photo-file") and claimed != "image/svg+xml"
    if claimed == "application/pdf":
        return kind == "pdf"
    if claimed.startswith("text/"):
        return kind == "text"
    if claimed.startswith(("video/", "audio/")):
        return kind == "media"
    return kind in ("office", "unknown", "text", "pdf")


def _text_type(head: bytes) -> str:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = head.decode("utf-16", "replace").encode().lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(_MARKUP):
        return "image/svg+xml" if b"<svg" in text else "text/html"
    if b"<script" in text or b"<svg" in text or b"<html" in text:
        return "text/html"
    printable = all(byte >= 32 or byte in b"\t\r\n\f" for byte in head)
    try:
        # A character of several bytes may be cut by the end of the head.
        head[: len(head) - 3 if len(head) >= HEAD else None].decode("utf-8")
    except UnicodeDecodeError:
        return "application/octet-stream"
    return "text/plain" if head and printable else "application/octet-stream"
