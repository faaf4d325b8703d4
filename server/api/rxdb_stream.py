"""A collection's news for RxDB: events that hold the documents themselves, without a gap from one to the next.

A line that breaks loses nothing: the reader comes back with the id of the last event that it got, and one that comes
without begins where it last said that it had read the collection.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
from flask import Flask

from server.actions.rxdb_pull import Checkpoint, rxdb_page
from server.api.news_hub import Stream
from server.store import news
from sync.stream import HEARTBEAT

PAGE = 100


@dataclass(eq=False, kw_only=True)
class CollectionStream(Stream):
    """An open stream of one collection; `checkpoint` is up to where its documents were sent."""

    app: Flask
    schema_version: int
    checkpoint: Checkpoint

    def frame(self, number: int) -> bytes:
        """The documents that are new since the last event; only a heartbeat when the news was of other collections."""
        assert self.device_id is not None
        events: list[bytes] = []
        more = True
        with self.app.app_context():
            while more and self.device_id in news.devices_in_force({self.device_id: self.company_id}):
                page = rxdb_page(
                    self.company_id,
                    self.device_id,
                    self.about,
                    self.schema_version,
                    self.checkpoint,
                    PAGE,
                    datetime.now(UTC),
                )
                if page.documents:
                    place = orjson.dumps(page.checkpoint.as_json()).decode()
                    events.append(f"id: {place}\ndata: {page.text}\n\n".encode())
                self.checkpoint = page.checkpoint
                more = page.more
        return b"".join(events) or HEARTBEAT
