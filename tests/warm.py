"""Processes that start warm: forked from one that has imported the application, instead of each importing it anew.

Importing takes a second and a half; a test that starts a server forty times, or kills it a hundred times, cannot wait
for that. Such a process is a session of its own, with an environment, a folder and a log of its own, like one that was
started by hand; what it has in memory is its own from the moment when it was forked.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

START = "forkserver"
_context = multiprocessing.get_context(START)
_context.set_forkserver_preload(["tests.warmed"])


class Process:
    """One such process, with what `subprocess.Popen` offers of it."""

    def __init__(
        self,
        what: Callable[..., object],
        arguments: Sequence[Any] = (),
        *,
        environment: Mapping[str, str],
        folder: Path,
        log: Path,
        errors: Path | None = None,
    ) -> None:
        """Run a function of a module at its top level; what it prints goes to `log`, errors too if not to `errors`."""
        given = (what, tuple(arguments), dict(environment), str(folder), str(log), str(errors or log))
        self._process = _context.Process(target=_begin, args=given)
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code when it has ended. Raises TimeoutError."""
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise TimeoutError(self.pid)
        return code

    def kill(self) -> None:
        """kill -9."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


def run_module(name: str, *arguments: str) -> None:
    """Be `python -m name arguments…`."""
    sys.argv = [name, *arguments]
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def _begin(what: Callable[..., object], arguments: Sequence[Any], environment: dict[str, str], *where: str) -> None:
    folder, *files = where
    os.setsid()
    os.chdir(folder)
    for stream, file in enumerate(files, start=1):
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(descriptor, stream)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(environment)
    what(*arguments)
