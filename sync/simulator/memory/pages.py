"""The in-memory server's pull: pages of the feed by the effective key, as the design states it."""

from __future__ import annotations

import dataclasses

from sync.change import Json
from sync.feed import BadCursor, Cursor, decode
from sync.simulator.facts import Document, FeedRow, Subscription
from sync.simulator.memory.disk import Disk

PAGE = 200


class Refusal(Exception):
    """A request is answered with a problem."""

    def __init__(self, status: int, code: str, **more: Json) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.more = more


class Pages:
    """Read the committed feed; nothing is written."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.begun: dict[str, int] = {}
        """Device -> the newest number when it last had nothing: it needs no tombstone from before, so that a first
        pull of many pages is never too old. A server that was started anew knows nothing of it."""

    def page(self, device_id: str, cursor_text: str | None, limit: int) -> Json:
        """One page after the cursor; raises Refusal."""
        meta = self.disk.table("meta")
        cursor = self.read_cursor(device_id, cursor_text)
        newest: int = meta.get("n", 0)
        held: tuple[Subscription, ...] = self.disk.table("scopes").get(device_id, ())
        after_this = (cursor.seq, cursor.document_id or _after(cursor))
        keys = sorted(key for key in self.keys(held, cursor) if key > after_this)
        more = len(keys) > limit
        keys = keys[:limit]
        after = dataclasses.replace(cursor, seq=newest, document_id="")
        if more:
            after = dataclasses.replace(cursor, seq=keys[-1][0], document_id=keys[-1][1])
        live = {one.scope for one in held if one.revoked is None}
        changes = [change for _, doc in keys if (change := self.change(doc, live)) is not None]
        first = max((one.granted for one in held), default=0)
        past = cursor.seq > first or (cursor.seq == first and not cursor.document_id)
        return {
            "changes": changes,
            "cursor": after.encode(),
            "more": more,
            "first_sync_complete": past or not more,
            **self.history(),
        }

    def read_cursor(self, device_id: str, text: str | None) -> Cursor:
        """The cursor of this history; raises Refusal for another's, and for one older than the kept tombstones."""
        meta = self.disk.table("meta")
        if not text:
            self.begun[device_id] = meta.get("n", 0)
            return Cursor(epoch=meta["epoch"])
        try:
            cursor = decode(text)
        except BadCursor as error:
            raise Refusal(400, "bad-cursor") from error
        if cursor.epoch != meta["epoch"] or cursor.seq > meta.get("n", 0):
            raise Refusal(410, "epoch-changed")
        floor = meta.get("floor", 0)
        # A cursor within a number has not read the rest of it.
        read = cursor.seq - 1 if cursor.document_id else cursor.seq
        if max(read, self.begun.get(device_id, 0)) < floor:
            raise Refusal(410, "epoch-changed")
        return cursor

    def history(self) -> dict[str, Json]:
        """Where the feed stands, and how much of it a backup covers (S-71)."""
        meta = self.disk.table("meta")
        return {
            "epoch": meta["epoch"],
            "seq": meta.get("n", 0),
            "backed_up_through": meta.get("backed_up_through", 0),
        }

    def keys(self, held: tuple[Subscription, ...], cursor: Cursor) -> set[tuple[int, str]]:
        """(effective key, document) of all that matters to the device, the greatest key of each document."""
        greatest: dict[str, int] = {}
        by_scope = {one.scope: one for one in held}
        for (scope, doc), row in self.disk.table("feed").items():
            subscription = by_scope.get(scope)
            if subscription is None or not (row.live or row.seq > subscription.since):
                continue
            key = self.effective(row, subscription)
            if key > greatest.get(doc, -1):
                greatest[doc] = key
        return {(key, doc) for doc, key in greatest.items()}

    def effective(self, row: FeedRow, subscription: Subscription) -> int:
        """When a feed row matters to a device that holds, or held, its scope."""
        if subscription.revoked is not None:
            return subscription.revoked
        return max(row.seq, subscription.granted)

    def change(self, doc: str, live: set[str]) -> Json | None:
        """The line of a page for one document."""
        document: Document | None = self.disk.table("document").get(doc)
        if document is None:
            return None
        feed = self.disk.table("feed")
        line = {"collection": document.collection, "id": doc, "version": document.version}
        if not document.deleted and any((row := feed.get((scope, doc))) is not None and row.live for scope in live):
            return line | {"op": "put", "document": document.body}
        reasons = [row.reason for (_, each), row in feed.items() if each == doc and row.reason is not None]
        reason = "deleted" if document.deleted else reasons[0] if reasons else "revoked"
        return line | {"op": "drop", "reason": reason}


def _after(cursor: Cursor) -> str:
    """A cursor without a document has all of its number."""
    return "\uffff" if cursor.seq else ""
