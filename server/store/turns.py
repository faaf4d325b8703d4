"""Who writes to a SQLite file, one after the other: threads of a process and processes of a machine.

SQLite lets one write at a time as well, but those who wait for it ask again after pauses that grow to a tenth of a
second, while nobody writes. A turn is a courtesy among writers, not what keeps them apart: who does not get it in
time, or has no file to wait at, asks SQLite all the same.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

try:
    import fcntl
except ImportError:  # pragma: no cover - where there are no locks on files, the threads of a process still take turns
    fcntl = None  # type: ignore[assignment]

ASKED_EVERY_S = 0.0005
"""One thread of a process at most waits for another process, so that this costs little."""


class Turns:
    """The turns at one file; `beside` is the file to wait at, which stays empty."""

    def __init__(self, beside: Path, longest_s: float) -> None:
        self._beside = beside
        self._longest_s = longest_s
        self._here = threading.Lock()

    def take(self) -> int | None:
        """Wait for a turn. What is answered must be given back; None is none, and then one writes without."""
        deadline = time.monotonic() + self._longest_s
        if not self._here.acquire(timeout=self._longest_s):
            return None
        try:
            descriptor = os.open(self._beside, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        except OSError:
            self._here.release()
            return None
        while not _locked(descriptor) and time.monotonic() < deadline:
            time.sleep(ASKED_EVERY_S)
        return descriptor

    def give(self, descriptor: int) -> None:
        """The next one may write."""
        os.close(descriptor)
        self._here.release()


def _locked(descriptor: int) -> bool:
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
