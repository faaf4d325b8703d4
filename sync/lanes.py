"""In which order a device sends what waits: on a thin link the office hears first what it decides by.

The state of the work goes before a signature, a signature before answers and notes (S-98). Two edits of one document
that speak of the same field never change places, for the last one sent would be the one that stands. Pure; the web
tablet has the same in `outbox.js`, and `tests/vectors/lanes.json` holds both to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

STATE, SIGNATURE, FORMS = 0, 1, 2

SMALL = 16_000
"""Bytes of JSON that go in one push whatever is in them: compressed about a second at 32 kbit/s."""

Wire = Mapping[str, Any]


def lane(mutation: Wire) -> int:
    """The lane of a mutation by itself."""
    if mutation["op"] == "create" or mutation["add"].get("events"):
        return STATE
    return SIGNATURE if mutation["set"].get("signature") else FORMS


def next_batch(outbox: Sequence[Wire], most: int, budget: int = SMALL) -> list[Any]:
    """What to push next, in the order of its numbers: all that is left when that is little, else the first lane of it.

    At most `most` mutations and about `budget` bytes of JSON, at least one; a group is never cut (S-24).
    """
    queue = sorted(outbox, key=lambda mutation: int(mutation["n"]))
    lanes = _lanes(queue)
    sizes = [len(json.dumps(mutation, separators=(",", ":"), ensure_ascii=False).encode()) for mutation in queue]
    if sum(sizes) > SMALL:
        first = min(lanes, default=FORMS)
        kept = [index for index in range(len(queue)) if lanes[index] == first]
    else:
        kept = list(range(len(queue)))
    batch: list[int] = []
    size = 0
    for members in _whole(queue, kept):
        size += sum(sizes[index] for index in members)
        if batch and (len(batch) + len(members) > most or size > max(budget, 1)):
            break
        batch += members
    return [queue[index] for index in sorted(batch)]


def _whole(queue: Sequence[Wire], kept: Sequence[int]) -> list[list[int]]:
    """Indexes in order, in parts that may not be cut: a group with all that stands between its first and its last."""
    last: dict[Any, int] = {}
    for index in kept:
        last[_group(queue, index)] = index
    parts: list[list[int]] = []
    end = -1
    for index in kept:
        if index > end:
            parts.append([])
        parts[-1].append(index)
        end = max(end, last[_group(queue, index)])
    return parts


def _group(queue: Sequence[Wire], index: int) -> Any:
    """The group of a mutation; one by itself is its own."""
    group = queue[index].get("group")
    return index if group is None else group


def _lanes(queue: Sequence[Wire]) -> list[int]:
    """The lane of each mutation of a queue, with what must go before it or together with it."""
    lanes = [lane(mutation) for mutation in queue]
    while True:
        before = list(lanes)
        _keep_order(queue, lanes)
        first: dict[Any, int] = {}
        for index in range(len(queue)):
            group = _group(queue, index)
            first[group] = min(first.get(group, FORMS), lanes[index])
        lanes = [first[_group(queue, index)] for index in range(len(queue))]
        if lanes == before:
            return lanes


def _keep_order(queue: Sequence[Wire], lanes: list[int]) -> None:
    """Bring forward what comes before an edit of the same field, or is the making of the same document."""
    later: dict[Any, dict[int, _Fields]] = {}
    for index in range(len(queue) - 1, -1, -1):
        mutation = queue[index]
        own = _Fields.of(mutation)
        seen = later.setdefault(mutation["document_id"], {})
        ahead = [there for there in seen if there < lanes[index] and own.meets(seen[there])]
        lanes[index] = min([lanes[index], *ahead])
        seen[lanes[index]] = own.and_also(seen.get(lanes[index]))


@dataclass(frozen=True, kw_only=True)
class _Fields:
    """What some mutations of one document write and add to; `whole` when they make or delete it."""

    written: frozenset[str]
    added: frozenset[str]
    whole: bool

    @classmethod
    def of(cls, mutation: Wire) -> _Fields:
        return cls(
            written=frozenset(mutation["set"]) | frozenset(mutation["remove"]),
            added=frozenset(mutation["add"]),
            whole=mutation["op"] != "update",
        )

    def meets(self, other: _Fields) -> bool:
        """Whether their order matters; adding twice to one list is all the same."""
        return (
            self.whole
            or other.whole
            or bool(self.written & (other.written | other.added) or self.added & other.written)
        )

    def and_also(self, other: _Fields | None) -> _Fields:
        if other is None:
            return self
        return _Fields(
            written=self.written | other.written, added=self.added | other.added, whole=self.whole or other.whole
        )
