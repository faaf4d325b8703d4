"""Bytes on disk: uploads that grow, and files kept under the hash of their content."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

BLOCK = 256 * 1024


class Readable(Protocol):
    """Where bytes come from."""

    def read(self, size: int, /) -> bytes: ...


class Busy(RuntimeError):
    """Another request is writing to the same upload."""


class Files:
    """The files of one installation. Names come from ids and hashes alone, never from a sender."""

    def __init__(self, folder: Path) -> None:
        self.incoming = folder / "uploads"
        self.kept = folder / "attachments"
        self.aside = folder / "quarantine"

    def received(self, upload_id: str) -> int:
        """How many bytes of an upload are safely here."""
        path = self.incoming / upload_id
        return path.stat().st_size if path.exists() else 0

    def append(self, upload_id: str, source: Readable, offset: int, most: int) -> int:
        """Write what `source` has, at most `most` bytes, at `offset`; the bytes are on disk when this returns.

        A source that breaks off keeps what came before. Raises Busy, or ValueError when `offset` is not the end.
        """
        self.incoming.mkdir(parents=True, exist_ok=True)
        path = self.incoming / upload_id
        with _locked(path) as file:
            if file.seek(0, os.SEEK_END) != offset:
                raise ValueError(offset)
            written = 0
            try:
                while written < most:
                    block = source.read(min(BLOCK, most - written))
                    if not block:
                        break
                    file.write(block)
                    written += len(block)
            finally:
                file.flush()
                os.fsync(file.fileno())
        sync_folder(self.incoming)
        return offset + written

    def hash_of(self, upload_id: str) -> str:
        """SHA-256 of an upload's bytes."""
        with (self.incoming / upload_id).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def keep(self, upload_id: str, company_id: str, sha256: str) -> Path:
        """Move a whole upload to where its hash leads; rename and folder are on disk when this returns."""
        target = self.path(company_id, sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        (self.incoming / upload_id).replace(target)
        sync_folder(target.parent)
        sync_folder(self.incoming)
        return target

    def put_aside(self, upload_id: str) -> None:
        """Keep bytes that are not what was promised, for the office to look at."""
        self.aside.mkdir(parents=True, exist_ok=True)
        (self.incoming / upload_id).replace(self.aside / upload_id)
        sync_folder(self.aside)

    def path(self, company_id: str, sha256: str) -> Path:
        """Where a file with this hash is kept."""
        return self.kept / company_id / sha256[:2] / sha256


def sync_folder(folder: Path) -> None:
    """Make a folder's entries durable: without it a renamed file may be gone after a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _locked(path: Path) -> Iterator[IO[bytes]]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy(path.name) from error
        yield file
