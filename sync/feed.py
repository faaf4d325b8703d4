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

    Without a `document_id` it has all of `seq`. While a baseline is being read, `since` is where the feed stood when
    that began: what was removed before was not named in it, and need not be told.
    """

    seq: int = 0
    document_id: str = FIRST_ID
    epoch: str = ""
    since: int = 0

    def encode(self) -> str:
        """Opaque text for the wire, safe in a URL."""
        form, last = ("2", f".{self.since}") if self.since else ("1", "")
        raw = f"{form}.{self.epoch}.{self.seq}.{self.document_id}{last}".encode()
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    def at(self, seq: int, document_id: str) -> Cursor:
        """The cursor of the same reader after it has read so far."""
        return Cursor(seq=seq, document_id=document_id, epoch=self.epoch, since=self.since if seq < self.since else 0)


def decode(text: str) -> Cursor:
    """Read a cursor; raises BadCursor for anything that `Cursor.encode` did not write."""
    try:
        raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)).decode("ascii")
        form, epoch, seq, document_id, *since = raw.split(".")
        numbers = [seq, *since]
        if (
            form != str(len(numbers))
            or not all(number.isdigit() and len(number) <= 18 for number in numbers)
            or not (document_id == FIRST_ID or _ID.fullmatch(document_id))
        ):
            raise ValueError(raw)
        cursor = Cursor(seq=int(seq), document_id=document_id, epoch=epoch, since=int(since[0]) if since else 0)
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


HIGHEST = 2**62


def removals_told(granted: int, revoked: int | None, read: int) -> int:
    """Up to which row number a device has heard of all removals of a scope, when it has read up to the number `read`.

    Of what was removed before the grant it never knew. A device that stands within a number may not have all of it, so
    that number does not count. Removals of a scope that ended for the device come under the number of that end.
    """
    if revoked is not None:
        return HIGHEST if read > revoked else granted
    return max(granted, read - 1)


def missed_removals(cursor: Cursor, granted: int, revoked: int | None, floor: int) -> bool:
    """Whether removals that are gone from the feed, up to the row number `floor`, may not have reached a reader."""
    if floor <= max(granted, cursor.since):
        return False
    if revoked is not None:
        return cursor.seq < revoked or (cursor.seq == revoked and bool(cursor.document_id))
    return floor > cursor.seq or (floor == cursor.seq and bool(cursor.document_id))
