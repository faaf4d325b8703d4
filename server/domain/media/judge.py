"""The judgement of one whole file: what it is, whether it may stand as what it says it is, and why not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from server.domain.media import kinds
from server.domain.media.pictures import Unreadable, render
from server.domain.media.structure import walk

MOST_PIXELS = 40_000_000

Fault = Literal[
    "active-content", "not-what-it-says", "truncated", "broken", "more-than-a-picture", "too-many-pixels", "unreadable"
]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """`fault`: why a person must look at it first, None when it may be kept. `shown`, `thumbnail`: JPEGs, for a
    picture that can be shown; everything else is only ever handed out as a file."""

    media_type: str
    width: int = 0
    height: int = 0
    fault: Fault | None = None
    shown: bytes | None = None
    thumbnail: bytes | None = None


def judge(path: Path, claimed: str | None, *, released: bool = False) -> Verdict:
    """Judge a file by its bytes against the media type that its sender claims.

    Pixels are counted by the header before any decoder runs. `released`: a person has let it stand as it is; then
    there is no fault, and pictures where some can be drawn.
    """
    verdict = _judge(path, claimed, released)
    return replace(verdict, fault=None) if released else verdict


def _judge(path: Path, claimed: str | None, released: bool) -> Verdict:
    with path.open("rb") as file:
        found = kinds.media_type(file.read(kinds.HEAD))
        kind = kinds.family(found)
        if released and kind != "picture":
            return Verdict(media_type=found)
        if kind == "active":
            return Verdict(media_type=found, fault="active-content")
        if not released and not kinds.may_be_called(found, claimed):
            return Verdict(media_type=found, fault="not-what-it-says")
        if kind != "picture":
            return Verdict(media_type=found)
        structure = walk(file, found)
    seen = Verdict(media_type=found, width=structure.width, height=structure.height)
    if structure.width * structure.height > MOST_PIXELS:
        return replace(seen, fault="too-many-pixels")
    if structure.fault is not None and not released:
        return replace(seen, fault=structure.fault)
    try:
        shown, thumbnail = render(path)
    except Unreadable:
        return replace(seen, fault="unreadable")
    return replace(seen, shown=shown, thumbnail=thumbnail)
