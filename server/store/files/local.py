"""Files on the local disk: data, then name, then folder are on the disk before anything is answered."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.store.files.contract import BLOCK, FilesAway, NoRoom, Opened, Readable

_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.EXDEV, errno.ENOSYS}


class LocalFiles:
    """Files in one folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.incoming = folder / "uploads"

    def received(self, upload_id: str) -> int:
        try:
            descriptor = os.open(self.incoming / upload_id, os.O_RDONLY)
        except FileNotFoundError:
            return 0
        with _explained():
            try:
                # A request that was killed may have written what it never synced.
                os.fsync(descriptor)
                return os.fstat(descriptor).st_size
            finally:
                os.close(descriptor)

    def append(self, upload_id: str, source: Readable, offset: int, most: int) -> int:
        with _explained():
            _make_folder(self.incoming)
            descriptor = os.open(self.incoming / upload_id, os.O_RDWR | os.O_CREAT, 0o600)
        position = offset
        try:
            _must_end_at(descriptor, offset)
            while position - offset < most:
                block = source.read(min(BLOCK, most - (position - offset)))
                if not block:
                    break
                with _explained():
                    position = _write_at(descriptor, block, position)
        finally:
            with _explained():
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
                sync_folder(self.incoming)
        return position

    @contextmanager
    def whole(self, upload_id: str) -> Iterator[Path]:
        path = self.incoming / upload_id
        if not path.exists():
            raise FileNotFoundError(upload_id)
        yield path

    def keep(self, upload_id: str, bytes_at: Path, key: str) -> None:
        with _explained(), self._replacing(key) as fresh:
            _link(bytes_at, fresh)

    def write(self, key: str, data: bytes) -> None:
        with _explained(), self._replacing(key) as fresh:
            fresh.write_bytes(data)
            _sync_file(fresh)

    def open(self, key: str) -> Opened:
        with _explained():
            file = (self.folder / key).open("rb")
        return Opened(file=file, size=os.fstat(file.fileno()).st_size)

    @contextmanager
    def local(self, key: str) -> Iterator[Path]:
        path = self.folder / key
        if not path.exists():
            raise FileNotFoundError(key)
        yield path

    def copy(self, key: str, to: str) -> None:
        with _explained(), self._replacing(to) as fresh:
            _link(self.folder / key, fresh)

    def remove(self, key: str) -> None:
        with _explained():
            (self.folder / key).unlink(missing_ok=True)

    def forget(self, upload_id: str) -> None:
        with _explained():
            (self.incoming / upload_id).unlink(missing_ok=True)

    def free_share(self) -> float | None:
        usage = shutil.disk_usage(self.folder)
        return usage.free / usage.total

    @contextmanager
    def _replacing(self, key: str) -> Iterator[Path]:
        """A name in the key's folder; what is put there takes the key's place, durably."""
        target = self.folder / key
        _make_folder(target.parent)
        fresh = target.with_name(f"{target.name}.{uuid.uuid4().hex}")
        try:
            yield fresh
            fresh.replace(target)
        finally:
            # A rename onto another name of the same file does nothing at all.
            fresh.unlink(missing_ok=True)
        sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Make a folder's entries durable: without it a renamed file may be gone after a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _link(source: Path, fresh: Path) -> None:
    """Another name for the same bytes, which never change; a copy where the file system has no such names."""
    try:
        os.link(source, fresh)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        shutil.copyfile(source, fresh)
        _sync_file(fresh)


def _sync_file(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it; a new one's name is durable in the folder above."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def _must_end_at(descriptor: int, position: int) -> None:
    if os.fstat(descriptor).st_size != position:
        raise ValueError(position)


def _write_at(descriptor: int, block: bytes, position: int) -> int:
    """Write at the end, which must be `position`. Another request may have the upload meanwhile: its blocks stand,
    and this one ends. The lock is held for one block only, so that a half-open connection holds nobody up."""
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        _must_end_at(descriptor, position)
        rest = memoryview(block)
        while rest:
            written = os.pwrite(descriptor, rest, position)
            position += written
            rest = rest[written:]
        return position
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


@contextmanager
def _explained() -> Iterator[None]:
    """Disk errors under the names of the contract."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise NoRoom(str(error)) from error
        raise FilesAway(str(error)) from error
