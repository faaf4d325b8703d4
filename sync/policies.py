"""What happens when both sides changed one field: one function for each merge policy.

A policy is a pure function of a `Meeting` (base, mine, theirs and both times) and answers with a `Verdict`.
`mine` is the device's value, `theirs` the one that the server holds. Adding a policy is one function and its
line in `POLICIES`; the law tests run over that table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sync.change import Chosen, Json, PolicyName, canonical


@dataclass(frozen=True, kw_only=True)
class Meeting:
    """Both sides of one field that both changed since `base`; times are corrected server time."""

    base: Json
    mine: Json
    theirs: Json
    mine_at: datetime | None = None
    theirs_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The value that stands, whose it is, and whether a person should look at it."""

    value: Json
    chosen: Chosen
    needs_person: bool


def office(meeting: Meeting) -> Verdict:
    """What the office wrote stands; the device's value is a proposal."""
    return Verdict(value=meeting.theirs, chosen="theirs", needs_person=True)


def technician(meeting: Meeting) -> Verdict:
    """What was seen on site stands; the office's value stays restorable."""
    return Verdict(value=meeting.mine, chosen="mine", needs_person=True)


def latest(meeting: Meeting) -> Verdict:
    """The later corrected time wins; on a tie, or without times, the greater text: order cannot matter."""
    mine = (meeting.mine_at is not None, meeting.mine_at, canonical(meeting.mine))
    theirs = (meeting.theirs_at is not None, meeting.theirs_at, canonical(meeting.theirs))
    if mine[0] and theirs[0]:
        wins = (mine[1], mine[2]) > (theirs[1], theirs[2])
    else:
        wins = (mine[0], mine[2]) > (theirs[0], theirs[2])
    return Verdict(
        value=meeting.mine if wins else meeting.theirs, chosen="mine" if wins else "theirs", needs_person=False
    )


def greatest(meeting: Meeting) -> Verdict:
    """The greater number stands; null is below every number."""
    return _extreme(meeting, sign=1)


def least(meeting: Meeting) -> Verdict:
    """The smaller number stands; null is above every number."""
    return _extreme(meeting, sign=-1)


def union(meeting: Meeting) -> Verdict:
    """Sets: what either side added is in, what either side removed is out; sorted, so that order cannot matter."""
    base, mine, theirs = (
        {canonical(item): item for item in side or []} for side in (meeting.base, meeting.mine, meeting.theirs)
    )
    added = (mine.keys() | theirs.keys()) - base.keys()
    kept = base.keys() & mine.keys() & theirs.keys()
    every = base | mine | theirs
    return Verdict(value=[every[key] for key in sorted(added | kept)], chosen="merged", needs_person=False)


def append(meeting: Meeting) -> Verdict:
    """Entries with ids: all of both sides, first written first; an entry that is there is never changed."""
    entries = {entry["id"]: entry for entry in meeting.mine or []}
    entries |= {entry["id"]: entry for entry in meeting.theirs or []}
    ordered = sorted(entries.values(), key=lambda entry: (str(entry.get("at_corrected") or entry["at"]), entry["id"]))
    return Verdict(value=ordered, chosen="merged", needs_person=False)


def text(meeting: Meeting) -> Verdict:
    """Three-way merge by words; where both changed the same words, both texts are kept and a person reviews."""
    base, mine, theirs = (_words(side) for side in (meeting.base, meeting.mine, meeting.theirs))
    joined = _merge_words(base, mine, theirs)
    if joined is not None:
        return Verdict(value="".join(joined), chosen="merged", needs_person=False)
    both = sorted([str(meeting.mine or ""), str(meeting.theirs or "")])
    return Verdict(value="\n———\n".join(part for part in both if part), chosen="merged", needs_person=True)


def ask(meeting: Meeting) -> Verdict:
    """A person decides; until then the server's value stays."""
    return Verdict(value=meeting.theirs, chosen="theirs", needs_person=True)


def server(meeting: Meeting) -> Verdict:
    """Derived on the server; a device's value is never taken."""
    return Verdict(value=meeting.theirs, chosen="theirs", needs_person=False)


Policy = Callable[[Meeting], Verdict]

POLICIES: Mapping[PolicyName, Policy] = {
    "office": office,
    "technician": technician,
    "latest": latest,
    "max": greatest,
    "min": least,
    "union": union,
    "append": append,
    "state": append,
    "text": text,
    "ask": ask,
    "server": server,
}

COMMUTATIVE: frozenset[PolicyName] = frozenset({"latest", "max", "min", "union", "append", "state", "text"})
"""Policies that promise the same value whichever side is called mine."""


def _extreme(meeting: Meeting, *, sign: int) -> Verdict:
    if meeting.mine is None or meeting.theirs is None:
        value = meeting.theirs if meeting.mine is None else meeting.mine
    else:
        value = max(meeting.mine, meeting.theirs, key=lambda number: (sign * number, canonical(number)))
    return Verdict(
        value=value, chosen="mine" if canonical(value) == canonical(meeting.mine) else "theirs", needs_person=False
    )


MOST_EDITS = 400
"""Words that two texts may differ in and still be merged word by word; beyond, both are kept for a person."""

Edit = tuple[int, int, list[str]]


def _words(value: Json) -> list[str]:
    return re.findall(r"\s+|\S+", value or "")


def _edits(base: list[str], side: list[str]) -> list[Edit]:
    """What turns `base` into `side`: (start, end, words instead), in order.

    Texts that differ in more than `MOST_EDITS` words count as one edit of all between their common ends.
    """
    shortest = min(len(base), len(side))
    head = next((at for at in range(shortest) if base[at] != side[at]), shortest)
    shortest -= head
    tail = next((at for at in range(shortest) if base[-1 - at] != side[-1 - at]), shortest)
    old, new = base[head : len(base) - tail], side[head : len(side) - tail]
    edits: list[Edit] = []
    x = y = 0
    for x_same, y_same in [*(_common(old, new) or []), (len(old), len(new))]:
        if x_same > x or y_same > y:
            edits.append((head + x, head + x_same, new[y:y_same]))
        x, y = x_same + 1, y_same + 1
    return edits


def _common(old: list[str], new: list[str]) -> list[tuple[int, int]] | None:
    """Pairs of places with the same word, rising in both: a longest common subsequence; None past `MOST_EDITS`.

    The greedy algorithm of Myers (An O(ND) Difference Algorithm, 1986): `reach[k]` is the furthest place in `old`
    on the diagonal `k` = place in `old` - place in `new` with the edits so far. Time and room follow MOST_EDITS².
    """
    reach = {1: 0}
    passed: list[dict[int, int]] = []
    for edits in range(min(len(old) + len(new), MOST_EDITS) + 1):
        passed.append(dict(reach))
        for k in range(-edits, edits + 1, 2):
            x = _next(reach, k, edits)
            y = x - k
            while x < len(old) and y < len(new) and old[x] == new[y]:
                x, y = x + 1, y + 1
            reach[k] = x
            if x >= len(old) and y >= len(new):
                return _way_back(passed, len(old), len(new))
    return None


def _next(reach: Mapping[int, int], k: int, edits: int) -> int:
    """The place on diagonal `k` after one more edit: a word put in, or one taken out where that leads further."""
    if k == -edits or (k != edits and reach[k - 1] < reach[k + 1]):
        return reach[k + 1]
    return reach[k - 1] + 1


def _way_back(passed: list[dict[int, int]], x: int, y: int) -> list[tuple[int, int]]:
    """The places that the way to (`x`, `y`) has in common, first one first."""
    common: list[tuple[int, int]] = []
    for edits in range(len(passed) - 1, -1, -1):
        reach, k = passed[edits], x - y
        started = _next(reach, k, edits) if edits else 0
        while x > started:
            x, y = x - 1, y - 1
            common.append((x, y))
        if edits:
            down = k == -edits or (k != edits and reach[k - 1] < reach[k + 1])
            x, y = (x, y - 1) if down else (x - 1, y)
    return common[::-1]


def _merge_words(base: list[str], mine: list[str], theirs: list[str]) -> list[str] | None:
    """The words of both edits applied to base, or None when two edits touch; after diff3 (Khanna et al. 2007)."""
    edits = sorted([*_edits(base, mine), *_edits(base, theirs)])
    merged: list[str] = []
    position = 0
    previous: Edit | None = None
    for edit in edits:
        start, end, words = edit
        if previous == edit:
            continue
        if previous is not None and (start < previous[1] or start == previous[0]):
            return None
        merged += base[position:start] + words
        position, previous = end, edit
    return merged + base[position:]
