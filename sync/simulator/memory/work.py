"""A unit of work: the bodies that a writer changes, on top of what is committed, until the commit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from sync.change import Body
from sync.simulator.facts import Document
from sync.simulator.memory.disk import Disk, Transaction
from sync.simulator.side import Busy

Bodies = dict[str, tuple[str, Body | None]]
"""Document id -> its collection and its new body; None deletes it."""


class Work:
    """One writer's transaction. `step` is called before each thing that a crash could come before or after."""

    def __init__(
        self,
        disk: Disk,
        *,
        at: datetime,
        device_id: str | None = None,
        step: Callable[[str], None] = lambda name: None,
        locks: dict[str, str] | None = None,
        name: str = "",
    ) -> None:
        self.tx = Transaction(disk)
        self.at = at
        self.device_id = device_id
        self.step = step
        self.locks = {} if locks is None else locks
        self.name = name
        self.bodies: Bodies = {}
        self.number: int | None = None

    def stored(self, document_id: str) -> Document | None:
        """The committed document."""
        found: Document | None = self.tx.get("document", document_id)
        return found

    def body(self, document_id: str) -> Body | None:
        """The body as this transaction has it; None when it is not there, or deleted."""
        if document_id in self.bodies:
            return self.bodies[document_id][1]
        stored = self.stored(document_id)
        return None if stored is None or stored.deleted else stored.body

    def write(self, document_id: str, collection: str, body: Body | None) -> None:
        """Change a document; raises Busy when another open transaction holds it."""
        self.lock([document_id])
        self.bodies[document_id] = (collection, body)

    def lock(self, document_ids: Iterable[str]) -> None:
        """Raise Busy when another open transaction holds one of these documents."""
        if self.locks and any(self.locks.get(each, self.name) != self.name for each in document_ids):
            raise Busy

    def savepoint(self) -> tuple[int, Bodies]:
        """A point to come back to."""
        return self.tx.savepoint(), dict(self.bodies)

    def back_to(self, savepoint: tuple[int, Bodies]) -> None:
        """Undo all that was done since."""
        self.tx.back_to(savepoint[0])
        self.bodies = savepoint[1]
