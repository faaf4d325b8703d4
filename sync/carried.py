"""The exchange of a replica by files: what a tablet writes for the office, and how it takes in the office's answer.

The contents are one JSON value and, behind it, the bytes of photos; `sync.sealed` makes them safe to carry. What comes
of them is the same as over the network (S-205 to S-212). Pure.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sync.change import Json
from sync.client import Replica

MOST_MUTATIONS = 2000
"""A file holds at most so many (S-206)."""

MOST_BYTES = 32 * 1024 * 1024
"""Of a whole file (S-202)."""

MOST_TEXT = 32 * 1024 * 1024
"""Bytes of the JSON in it."""

Outcome = Literal["taken", "again", "older", "gap", "restored"]


class Unreadable(ValueError):
    """The contents are not of the form that both sides agreed on."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What a file of the office brought (S-210): `again` and `older` changed nothing, at a `gap` the answers were taken
    but not the documents, `restored` means that all goes again with the next file."""

    outcome: Outcome
    answers: int = 0
    changes: int = 0
    more: bool = False


def pack(told: Mapping[str, Json], files: Sequence[bytes] = ()) -> bytes:
    """The contents of a file (S-205): the length of the JSON, the JSON as gzip, the bytes of the files it names."""
    try:
        text = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        # Half of a surrogate pair, which somebody typed: it is written as JSON writes it.
        text = json.dumps(told, separators=(",", ":")).encode()
    packed = gzip.compress(text, mtime=0)
    return b"".join([len(packed).to_bytes(4, "big"), packed, *files])


def unpack(plain: bytes, most: int = MOST_TEXT) -> tuple[bytes, bytes]:
    """The JSON text of the contents, and what stands behind it; raises Unreadable, also for more than `most` bytes."""
    length = int.from_bytes(plain[:4], "big")
    if len(plain) < 4 + length or length == 0:
        raise Unreadable("length")
    reader = zlib.decompressobj(wbits=31)
    try:
        text = reader.decompress(plain[4 : 4 + length], most)
    except zlib.error as error:
        raise Unreadable("gzip") from error
    if not reader.eof or reader.unused_data:
        raise Unreadable("gzip")
    return text, plain[4 + length :]


def parts(behind: bytes, sizes: Sequence[int]) -> list[bytes]:
    """What stands behind the JSON, cut into files of these sizes; raises Unreadable when they are not exactly that."""
    if any(size <= 0 for size in sizes) or sum(sizes) != len(behind):
        raise Unreadable("files")
    found, at = [], 0
    for size in sizes:
        found.append(behind[at : at + size])
        at += size
    return found


def outgoing(replica: Replica, *, device_time: str, awaiting: Sequence[str] = (), files: Sequence[Json] = ()) -> Json:
    """What the replica has to say to the office (S-206): its waiting edits, and where it stands.

    Nothing is marked as sent: until an answer comes the same edits go again, by whatever way.
    """
    state = replica.state
    state.files_made += 1
    waiting = sorted(state.outbox, key=lambda mutation: int(mutation["n"]))
    batch = _together(waiting)
    return {
        "n": state.files_made,
        "epoch": state.epoch or None,
        "cursor": state.cursor,
        "first_unanswered": min((int(one["n"]) for one in waiting), default=state.n + 1),
        "awaiting": list(awaiting),
        "heard": state.heard,
        "push": {
            "device_time": device_time,
            "schema_version": state.schema_version,
            "mutations": batch,
            "told": replica.told(batch),
        },
        "files": list(files),
    }


def _together(waiting: list[dict[str, Json]]) -> list[dict[str, Json]]:
    """The first of them, as many as a file holds, with no group cut in two (S-24)."""
    end = min(len(waiting), MOST_MUTATIONS)
    while 0 < end < len(waiting) and any(
        one["group"] is not None and one["group"] == two["group"] for one in waiting[:end] for two in waiting[end:]
    ):
        end -= 1
    return waiting[:end]


def take(replica: Replica, told: Mapping[str, Json], *, device_time: str) -> Taken:
    """Take in a file of the office for this replica (S-209 to S-212); raises Unreadable for another device's."""
    state = replica.state
    if told["device_id"] != state.device_id:
        raise Unreadable("device")
    if state.file_taken.get("epoch") == told["epoch"] and told["n"] <= state.file_taken["n"]:
        return Taken(outcome="again" if told["n"] == state.file_taken["n"] else "older")
    if told["epoch"] != state.epoch:
        if state.heard is not None and told["server_time"] <= state.heard["office"]:
            return Taken(outcome="older")
        restored = bool(state.epoch)
        replica.see_history(told)
        if restored:
            _note(replica, told, device_time)
            return Taken(outcome="restored", answers=replica.take_results(told["results"], told))
    _note(replica, told, device_time)
    answers = replica.take_results(told["results"], told)
    replica.let_go(told, told["server_time"])
    state.notices = told["notices"]
    page = told["pull"]
    if page is None or not _continues(replica, page):
        # What has been read here since reaches further than this file.
        known = page is not None and state.read_through > page["seq"]
        return Taken(outcome="taken" if known else "gap", answers=answers)
    if page["from"] is None and state.cursor is not None:
        replica.baseline()
    replica.take_page(page)
    return Taken(outcome="taken", answers=answers, changes=len(page["changes"]), more=page["more"])


def _note(replica: Replica, told: Mapping[str, Json], device_time: str) -> None:
    replica.state.file_taken = {"epoch": told["epoch"], "n": told["n"]}
    replica.heard(told["server_time"], device_time)


def _continues(replica: Replica, page: Mapping[str, Json]) -> bool:
    """Whether these changes go on from what the replica has, and reach as far as it has read (S-211)."""
    state = replica.state
    if page["seq"] < state.read_through:
        return False
    if page["from"] == state.cursor:
        return True
    if page["more"] or (state.cursor is None and page["from"] is not None):
        return False
    return page["from"] is None or bool(state.read_through and page["from_seq"] <= state.read_through)
