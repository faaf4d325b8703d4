"""Bugs of what is read: pages, cursors, grants, retention."""

from __future__ import annotations

import dataclasses

from sync.change import Json
from sync.feed import Cursor, decode
from sync.simulator.facts import FeedRow, Subscription
from sync.simulator.memory.desk import Desk
from sync.simulator.memory.pages import Pages
from sync.simulator.memory.work import Work
from tests.simulator.planted.base import Bug, with_


class OtherHistory(Pages):
    """The epoch of a cursor is not looked at."""

    def read_cursor(self, device_id: str, text: str | None) -> Cursor:
        cursor = super().read_cursor(device_id, None)
        if not text:
            return cursor
        return dataclasses.replace(decode(text), epoch=cursor.epoch)


class EndsEarly(Pages):
    """A page that is full is taken for the last one."""

    def page(self, device_id: str, cursor_text: str | None, limit: int) -> Json:
        return super().page(device_id, cursor_text, limit) | {"more": False}


class SkipsWithinNumber(Pages):
    """The cursor holds the number alone: the rest of a commit that was cut by a page is passed over."""

    def page(self, device_id: str, cursor_text: str | None, limit: int) -> Json:
        page = super().page(device_id, cursor_text, limit)
        return page | {"cursor": dataclasses.replace(decode(page["cursor"]), document_id="").encode()}


class WholeFeed(Pages):
    """All that is new comes in one page, however much was asked for."""

    def page(self, device_id: str, cursor_text: str | None, limit: int) -> Json:
        return super().page(device_id, cursor_text, 10**6)


class GrantIgnored(Pages):
    """The key is the row's number alone: what was in a scope before it was granted is never sent."""

    def effective(self, row: FeedRow, subscription: Subscription) -> int:
        return row.seq if subscription.revoked is None else subscription.revoked


class RevokedLive(Pages):
    """With a revoked scope only what is still in it is taken away, not what left it meanwhile."""

    def keys(self, held: tuple[Subscription, ...], cursor: Cursor) -> set[tuple[int, str]]:
        by_scope = {one.scope: one for one in held}
        found: dict[str, int] = {}
        for (scope, doc), row in self.disk.table("feed").items():
            one = by_scope.get(scope)
            if one is None or (one.revoked is not None and not row.live) or not (row.live or row.seq > one.since):
                continue
            found[doc] = max(found.get(doc, -1), self.effective(row, one))
        return {(key, doc) for doc, key in found.items()}


class ByRowNumber(Desk):
    """Tombstones of a revoked scope go by the number of its grant, not by the one that a device sees."""

    def is_over(self, subscription: Subscription, floor: int) -> bool:
        return subscription.granted <= floor


class NoFloor(Desk):
    """Tombstones go, and a cursor from before them is read on."""

    def raise_floor(self, work: Work, floor: int) -> None:
        return


class NeverCompact(Desk):
    """Tombstones are kept for ever."""

    def is_past(self, work: Work, row: FeedRow, floor: int) -> bool:
        return False


READING_BUGS: tuple[Bug, ...] = (
    Bug(
        name="epoch not checked",
        says="the epoch of a cursor is not looked at",
        faults=("restore", "reassign"),
        laws=frozenset({"I9"}),
        server=with_(pages_class=OtherHistory),
    ),
    Bug(
        name="page ends early",
        says="a full page is taken for the last one",
        faults=("offline", "reassign"),
        laws=frozenset({"law 4", "law 6"}),
        server=with_(pages_class=EndsEarly),
    ),
    Bug(
        name="cursor without document",
        says="what is left of a commit behind a full page is passed over",
        faults=("offline", "reassign"),
        laws=frozenset({"law 1", "law 4"}),
        server=with_(pages_class=SkipsWithinNumber),
    ),
    Bug(
        name="page without end",
        says="a page holds all that is new, however much was asked for",
        faults=("offline", "reassign"),
        laws=frozenset({"I13"}),
        server=with_(pages_class=WholeFeed),
    ),
    Bug(
        name="grant ignored",
        says="what was in a scope before it was granted is not sent",
        faults=("grant", "reassign"),
        laws=frozenset({"law 1", "law 4"}),
        server=with_(pages_class=GrantIgnored),
    ),
    Bug(
        name="revoked scope, live rows only",
        says="what left a scope after it was revoked stays on the tablet",
        faults=("grant", "reassign", "closure"),
        laws=frozenset({"law 1", "law 5"}),
        server=with_(pages_class=RevokedLive),
    ),
    Bug(
        name="tombstones by row sequence",
        says="removals go by the row's number, not by the one that the device sees",
        faults=("grant", "compact", "reassign"),
        laws=frozenset({"law 1", "law 5"}),
        server=with_(desk_class=ByRowNumber),
    ),
    Bug(
        name="retention shorter than cursor",
        says="tombstones go, older cursors are read on",
        faults=("compact", "reassign", "offline"),
        laws=frozenset({"law 1", "law 5", "law 10"}),
        server=with_(desk_class=NoFloor),
    ),
    Bug(
        name="tombstones for ever",
        says="the feed grows with all that ever was",
        faults=("compact", "reassign"),
        laws=frozenset({"law 10"}),
        server=with_(desk_class=NeverCompact),
    ),
)
