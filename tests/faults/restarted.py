"""A server that is there again a moment after it was killed, as one under a supervisor is; in tests a hundred times.

Its keeper has made the application once and forks the server from it, so that a start costs next to nothing.
"""

from __future__ import annotations

import os
import signal
import time

import psutil

from tests import warm
from tests.serving import DEADLINE_S, Server


class RestartedServer(Server):
    """`kill_once` ends all processes of the server; the keeper starts it again."""

    def start(self) -> None:
        """Start the keeper and wait until its server answers."""
        self._start(keep)

    def kill_once(self) -> None:
        """kill -9 for gunicorn and its workers at once."""
        assert self.process is not None
        keeper = psutil.Process(self.process.pid)
        deadline = time.monotonic() + DEADLINE_S
        while not (servers := keeper.children()) and time.monotonic() < deadline:
            time.sleep(0.001)
        os.killpg(servers[0].pid, signal.SIGKILL)

    def kill(self) -> None:
        """End the keeper, then its server."""
        servers = psutil.Process(self.process.pid).children() if self.process is not None else []
        super().kill()
        for server in servers:
            os.killpg(server.pid, signal.SIGKILL)


def keep(*command: str) -> None:
    """Make the application, and be the parent of one server after the other."""
    import wsgi
    from server.extensions import db

    with wsgi.app.app_context():
        db.engine.dispose()
    while True:
        child = os.fork()
        if not child:
            os.setpgid(0, 0)
            warm.run_module(*command)
            os._exit(0)
        os.setpgid(child, child)
        os.waitpid(child, 0)
