"""Cursors and the order of the feed: how a replica reads on, and misses nothing.

Each company has one counter; a transaction takes one number as its last statement before commit, so that numbers
appear in the order of commits. A row that a device sees has the effective key `max(row.seq, granted)`; pages are
ordered by (key, document id).
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

FIRST_ID = ""

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class BadCursor(ValueError):
    """The cursor is not one that this server wrote."""


@dataclass(frozen=True, kw_only=True, order=True)
class Cursor:
    """How much of the feed a replica has: all rows up to (`seq`, `document_id`), of the history `epoch`.

    Without a `document_id` it has all of `seq`.
    """

    seq: int = 0
    document_id: str = FIRST_ID
    epoch: str = ""

    def encode(self) -> str:
        """Opaque text for the wire, safe in a URL."""
        raw = f"1.{self.epoch}.{self.seq}.{self.document_id}".encode()
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> Cursor:
    """Read a cursor; raises BadCursor for anything that `Cursor.encode` did not write."""
    try:
        raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)).decode("ascii")
        form, epoch, seq, document_id = raw.split(".")
        if (
            form != "1"
            or not seq.isdigit()
            or len(seq) > 18
            or not (document_id == FIRST_ID or _ID.fullmatch(document_id))
        ):
            raise ValueError(raw)
        cursor = Cursor(seq=int(seq), document_id=document_id, epoch=epoch)
    except (ValueError, binascii.Error, UnicodeError) as error:
        raise BadCursor(text) from error
    if cursor.encode() != text:
        raise BadCursor(text)
    return cursor


def merge_ordered(streams: list[list[tuple[int, str]]], limit: int) -> tuple[list[tuple[int, str]], bool]:
    """The first `limit` keys of several ordered streams without doubles, and whether there are more.

    Each stream must hold at least `limit` + 1 keys, or all that it has.
    """
    keys = sorted({key for stream in streams for key in stream})
    return keys[:limit], len(keys) > limit
