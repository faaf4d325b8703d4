"""Bugs of what is stored, and in which order: feed, scopes, disk, journal, histories."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from sync.change import Json
from sync.scope import SELF, Moves, Placement
from sync.simulator.facts import Document, Entity, FeedRow, Journal
from sync.simulator.memory import MemoryServer
from sync.simulator.memory.disk import Disk
from sync.simulator.memory.feed import Feed
from sync.simulator.memory.work import Work
from sync.simulator.moments import START
from sync.simulator.script import Script
from tests.simulator.planted.base import Bug, one_tablet, with_


class ByClock(Feed):
    """The key of the feed is the time at which the writer began."""

    def take_number(self, work: Work) -> int:
        number = int((work.at - START).total_seconds() * 10) + 1
        work.tx.put("meta", "n", max(number, work.tx.get("meta", "n") or 0))
        return number


class EarlyNumber(Feed):
    """The number is taken when a transaction begins, as a database sequence gives it."""

    def begin(self, work: Work) -> None:
        number = (work.tx.disk.table("meta").get("n") or 0) + 1
        work.tx.disk.write((("meta", "n", number),))
        work.number = number

    def take_number(self, work: Work) -> int:
        return super().take_number(work) if work.number is None else work.number


class NoReasons(Feed):
    """A document leaves with the first thing that referred to it, whatever else still does."""

    def write_reasons(self, work: Work, moves: Moves) -> None:
        super().write_reasons(work, moves)
        for doc, (scope, via) in moves.lost:
            if via != SELF:
                held = work.tx.get("reason", doc) or frozenset()
                work.tx.put("reason", doc, frozenset(one for one in held if one[0] != scope) or None)
                moves.left.add((scope, doc))


class NoClosure(Feed):
    """A visit enters a scope alone."""

    def move(self, work: Work, placements: Mapping[str, Placement]) -> Moves:
        alone = {
            doc: dataclasses.replace(one, refs=frozenset(), refs_before=frozenset()) for doc, one in placements.items()
        }
        return super().move(work, alone)


class StaysOnA(Feed):
    """Nobody is told of what left."""

    def feed_rows(
        self, placements: Mapping[str, Placement], moves: Moves, left_because: Mapping[str, str], number: int
    ) -> list[FeedRow]:
        return [row for row in super().feed_rows(placements, moves, left_because, number) if row.live]


class ReferencesForgotten(Feed):
    """What a document refers to is followed when it enters a scope, and not when it changes there."""

    def placement(self, entity: Entity, document: Document, old: Document | None) -> Placement:
        placed = super().placement(entity, document, old)
        return placed if old is None else dataclasses.replace(placed, refs_before=placed.refs | placed.refs_before)


class NormalDisk(Disk):
    """`synchronous=NORMAL`: only every sixth commit reaches the disk at once."""

    def sync(self) -> None:
        if len(self.log) % 6 == 0:
            super().sync()


class AnswersFirst(MemoryServer):
    """The answer leaves, the commit follows a moment later."""

    def write_out(self, work: Work) -> None:
        self.promised = [*getattr(self, "promised", []), work]
        if len(self.promised) > 1:
            self._keep()

    def request(self, at: float, token: str, method: str, path: str, body: Json | None) -> tuple[int, Json]:
        self._keep()
        return super().request(at, token, method, path, body)

    def act(self, at: float, act: Any) -> Any:
        self._keep()
        return super().act(at, act)

    def truth(self) -> Any:
        self._keep()
        return super().truth()

    def facts(self) -> Any:
        self._keep()
        return super().facts()

    def _keep(self) -> None:
        for work in getattr(self, "promised", []):
            self.disk.write(work.tx.as_changes())
            self.disk.sync()
        self.promised: list[Work] = []

    def go_down(self, *, power: bool) -> None:
        self.promised = []
        super().go_down(power=power)


class TwoCommits(MemoryServer):
    """What belongs together commits in two pieces: first the rows of `first`, then the others."""

    first: frozenset[str]

    def write_out(self, work: Work) -> None:
        changes = work.tx.as_changes()
        self.step("before commit")
        self.disk.write(tuple(change for change in changes if change[0] in self.first))
        self.disk.sync()
        self.step("half committed")
        self.disk.write(tuple(change for change in changes if change[0] not in self.first))
        self.disk.sync()
        self.step("synced")


class EffectsFirst(TwoCommits):
    """Effects without the journal."""

    first = frozenset({"document", "version", "feed", "reason", "meta", "conflict"})


class JournalFirst(TwoCommits):
    """The journal without effects."""

    first = frozenset({"mutation", "number", "device"})


class FeedLater(TwoCommits):
    """The document without its feed row."""

    first = frozenset({"document", "version", "mutation", "number", "device", "conflict"})


class ShowsUnsynced(MemoryServer):
    """A server that comes up shows what the one before had committed and not synced."""

    def settle(self) -> None:
        return


class JournalRow(MemoryServer):
    """A crash forgets numbers: they are kept in memory."""

    def go_down(self, *, power: bool) -> None:
        super().go_down(power=power)
        numbers = self.disk.table("number")
        self.disk.write(tuple(("number", key, None) for key in list(numbers)))
        self.disk.sync()


class ShortJournal(MemoryServer):
    """The journal is cleared when the server starts: results are kept for as long as it runs."""

    def start(self) -> None:
        super().start()
        rows: dict[str, Journal] = self.disk.table("mutation")
        self.disk.write(tuple(("mutation", key, None) for key in list(rows)))
        self.disk.sync()


class LostConflicts(TwoCommits):
    """Conflicts are written after the commit, by whoever has time."""

    first = frozenset({"document", "version", "feed", "reason", "meta", "mutation", "number", "device"})


def killed_read_and_cut(seed: int) -> Script:
    """The server is killed at some step of an edit, comes up and is read; then its power is cut, and it is edited."""
    edit = {"k": 0, "to": 1}
    steps: list[tuple[str, str, dict[str, Json]]] = [
        ("office", "assign", edit | {"crash": f"kill:{seed}"}),
        ("tablet-1", "pull", {}),
        ("operator", "cut", {}),
        ("office", "assign", {"k": 1, "to": 0}),
    ]
    return one_tablet(seed, steps)


KILLS = ("kill", "offline", "reassign", "no-reply")

STORING_BUGS: tuple[Bug, ...] = (
    Bug(
        name="cursor over updated_at",
        says="the feed is read by the time at which a writer began",
        faults=("long", "offline", "reassign"),
        laws=frozenset({"law 1", "law 4"}),
        server=with_(feed_class=ByClock),
    ),
    Bug(
        name="number before commit",
        says="the feed number is taken when the transaction begins",
        faults=("long", "offline", "reassign"),
        laws=frozenset({"law 1", "law 4"}),
        server=with_(feed_class=EarlyNumber),
    ),
    Bug(
        name="lost closure reason",
        says="a site leaves with the first visit, though another is there",
        faults=("closure", "reassign", "offline"),
        laws=frozenset({"law 4", "law 6", "I3"}),
        server=with_(feed_class=NoReasons),
    ),
    Bug(
        name="closure not followed",
        says="a visit enters a scope without its site",
        faults=("closure", "reassign"),
        laws=frozenset({"law 4", "law 6"}),
        server=with_(feed_class=NoClosure),
    ),
    Bug(
        name="reassigned stays on A",
        says="no feed row says that a visit left",
        faults=("reassign",),
        laws=frozenset({"law 1", "law 5"}),
        server=with_(feed_class=StaysOnA),
    ),
    Bug(
        name="changed reference not followed",
        says="a visit that moves to another site does not bring it",
        faults=("closure", "reassign"),
        laws=frozenset({"law 4", "law 6", "I3"}),
        server=with_(feed_class=ReferencesForgotten),
    ),
    Bug(
        name="synchronous=NORMAL",
        says="a commit is answered before the disk has it",
        faults=("power", "offline", "no-reply"),
        laws=frozenset({"I1", "I4"}),
        server=with_(disk_class=NormalDisk),
    ),
    Bug(
        name="answer before fsync",
        says="the answer leaves before the commit",
        faults=KILLS,
        laws=frozenset({"I1", "I4"}),
        server=AnswersFirst,
    ),
    Bug(
        name="effects without the journal",
        says="documents commit, the journal a moment later",
        faults=KILLS,
        laws=frozenset({"law 3", "I3"}),
        server=EffectsFirst,
    ),
    Bug(
        name="journal without effects",
        says="the journal commits, documents a moment later",
        faults=KILLS,
        laws=frozenset({"law 2", "law 3", "I3"}),
        server=JournalFirst,
    ),
    Bug(
        name="document without feed row",
        says="documents commit, the feed a moment later",
        faults=KILLS,
        laws=frozenset({"law 1", "law 4", "I3"}),
        server=FeedLater,
    ),
    Bug(
        name="conflicts after the commit",
        says="a clash is written down in a second transaction",
        faults=KILLS,
        laws=frozenset({"law 2", "I3"}),
        server=LostConflicts,
        edits=("gate", "access", "phone"),
        operations=80,
    ),
    Bug(
        name="numbers in memory",
        says="which numbers a device has used is forgotten by a restart",
        faults=("kill", "hole", "liar", "offline"),
        laws=frozenset({"I2", "I4"}),
        server=JournalRow,
    ),
    Bug(
        name="journal in memory",
        says="stored results are forgotten by a restart",
        faults=("kill", "no-reply", "twice"),
        laws=frozenset({"law 3", "I1", "I4"}),
        server=ShortJournal,
    ),
    Bug(
        name="unsynced is shown",
        says="a server that comes up shows commits that a power cut may still take",
        faults=("kill", "power", "reassign"),
        laws=frozenset({"law 1", "law 4", "law 7"}),
        server=ShowsUnsynced,
        written=killed_read_and_cut,
    ),
)
