"""Tables on a disk, with transactions: what is written, what is committed, and what a power cut leaves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Key = tuple[str, Any]
"""(table, key in it)"""

Changes = tuple[tuple[str, Any, Any], ...]

_NOTHING = object()


class Disk:
    """Committed rows by table, and the log that they follow from; a row is never changed, only replaced."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[Any, Any]] = {}
        self.log: list[Changes] = []
        self.synced = 0
        """So many entries of the log a power cut leaves."""

    def write(self, changes: Changes) -> None:
        """Commit: the operating system has it, the disk may not."""
        self.log.append(changes)
        self._apply(changes)

    def sync(self) -> None:
        """All that is committed is on the disk."""
        self.synced = len(self.log)

    def cut_power(self) -> None:
        """What was not synced is gone."""
        if self.synced < len(self.log):
            self.rewind(self.synced)

    def rewind(self, length: int) -> None:
        """As it was after so many commits."""
        del self.log[length:]
        self.synced = min(self.synced, length)
        self.tables = {}
        for changes in self.log:
            self._apply(changes)

    def table(self, name: str) -> dict[Any, Any]:
        """The committed rows of a table."""
        return self.tables.get(name, {})

    def _apply(self, changes: Changes) -> None:
        for table, key, row in changes:
            rows = self.tables.setdefault(table, {})
            if row is None:
                rows.pop(key, None)
            else:
                rows[key] = row


class Transaction:
    """Changes that nobody else sees until the commit, with savepoints. Reads see what was committed at that moment."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.changes: dict[Key, Any] = {}
        self._undo: list[tuple[Key, Any]] = []

    def get(self, table: str, key: Any) -> Any:
        """A row, None when it is not there."""
        found = self.changes.get((table, key), _NOTHING)
        return self.disk.table(table).get(key) if found is _NOTHING else found

    def put(self, table: str, key: Any, row: Any) -> None:
        """Write a row; None removes it."""
        self._undo.append(((table, key), self.changes.get((table, key), _NOTHING)))
        self.changes[table, key] = row

    def rows(self, table: str) -> Iterator[tuple[Any, Any]]:
        """All rows of a table with their keys."""
        mine = {key: row for (name, key), row in self.changes.items() if name == table}
        for key, row in self.disk.table(table).items():
            if key not in mine:
                yield key, row
        for key, row in mine.items():
            if row is not None:
                yield key, row

    def savepoint(self) -> int:
        """A point to come back to."""
        return len(self._undo)

    def back_to(self, savepoint: int) -> None:
        """Undo all that was written since."""
        while len(self._undo) > savepoint:
            key, before = self._undo.pop()
            if before is _NOTHING:
                del self.changes[key]
            else:
                self.changes[key] = before

    def as_changes(self) -> Changes:
        """What to commit."""
        return tuple((table, key, row) for (table, key), row in self.changes.items())
