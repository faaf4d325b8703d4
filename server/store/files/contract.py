"""What every store of files promises."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

BLOCK = 16 * 1024
"""Bytes read from a sender at a time: four seconds at 32 kbit/s. What came before a kill is kept to the last block."""


class FilesAway(RuntimeError):
    """The store does not answer, or its disk does not work: nothing was kept, try later."""


class NoRoom(RuntimeError):
    """The store is full."""


class Readable(Protocol):
    """Where bytes come from."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A kept file, open for reading; whoever asked for it closes it."""

    file: BinaryIO
    size: int


class Files(Protocol):
    """The files of one installation. Uploads go by id, what is kept by key; both are made of ids and hashes alone
    (`places.py`), never of a sender's words. Every method may raise FilesAway."""

    def received(self, upload_id: str) -> int:
        """How many bytes of an upload are safely here; 0 for one that is not."""

    def append(self, upload_id: str, source: Readable, offset: int, most: int) -> int:
        """Write what `source` has, at most `most` bytes, at `offset`; the new end. On disk when this returns.

        A source that breaks off keeps what came before, and its error is raised. Raises ValueError when the upload
        does not end at `offset` (any more), NoRoom when the disk is full.
        """

    def whole(self, upload_id: str) -> AbstractContextManager[Path]:
        """All bytes of an upload as a file to read. Raises FileNotFoundError when there are none."""

    def keep(self, upload_id: str, bytes_at: Path, key: str) -> None:
        """Keep a whole upload (that `whole` has put at `bytes_at`) under a key, in place of what is there.

        Durable when this returns; the upload is still there, until `forget`.
        """

    def write(self, key: str, data: bytes) -> None:
        """Keep these bytes under a key, in place of what is there; durable when this returns."""

    def open(self, key: str) -> Opened:
        """A kept file. Raises FileNotFoundError."""

    def local(self, key: str) -> AbstractContextManager[Path]:
        """A kept file as one on this machine's disk, to read. Raises FileNotFoundError."""

    def copy(self, key: str, to: str) -> None:
        """Keep a file under another key too; durable when this returns. Raises FileNotFoundError."""

    def remove(self, key: str) -> None:
        """Drop a kept file; nothing when it is gone already."""

    def forget(self, upload_id: str) -> None:
        """Drop the bytes of an upload; nothing when there are none."""

    def free_share(self) -> float | None:
        """Which part of the store is free, 0 to 1; None where nobody knows."""
