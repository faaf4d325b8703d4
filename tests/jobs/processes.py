"""Real processes of the application: they say on their output what they do, so that tests wait for words, not time."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

from tests import warm

ROOT = Path(__file__).resolve().parents[2]

LONGEST_S = 60

COMMAND = """
import sys
from server.app import create_app
from server.cli import jobs
app = create_app()
with app.app_context():
    command = {command.name: command for command in jobs.COMMANDS}[sys.argv[1]]
    command.main(args=sys.argv[2:], standalone_mode=True)
"""


class Process:
    """A process whose lines can be waited for."""

    def __init__(self, code: str, *args: str, url: str, folder: Path) -> None:
        environment = os.environ | {
            "DATABASE_URL": url,
            "ROUNDS_DATA": str(folder),
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
        }
        self.seen: list[str] = []
        self._lines: Queue[str | None] = Queue()
        pipe = folder / f"said-{uuid.uuid4().hex}"
        os.mkfifo(pipe)
        self._process = warm.Process(run, (code, *args), environment=environment, folder=ROOT, log=pipe)
        Thread(target=self._listen, args=(pipe,), daemon=True).start()

    def _listen(self, pipe: Path) -> None:
        with pipe.open() as said:
            for line in said:
                self._lines.put(line.rstrip())
        self._lines.put(None)

    def wait_for(self, words: str) -> str:
        """The first line with these words that has not been read yet; fails when the process ends without it."""
        try:
            while (line := self._lines.get(timeout=LONGEST_S)) is not None:
                self.seen.append(line)
                if words in line:
                    return line
        except Empty:
            raise AssertionError(f"nothing said of {words!r}:\n" + "\n".join(self.seen)) from None
        raise AssertionError(f"the process ended without {words!r}:\n" + "\n".join(self.seen))

    def signal(self, number: int) -> None:
        os.kill(self._process.pid, number)

    def end(self) -> int:
        """Wait for the end and return the exit code."""
        while (line := self._lines.get(timeout=LONGEST_S)) is not None:
            self.seen.append(line)
        return self._process.wait(timeout=LONGEST_S)

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(timeout=LONGEST_S)


def run(code: str, *args: str) -> None:
    """Be `python -c code args…`."""
    sys.argv = ["-c", *args]
    exec(compile(code, "<process>", "exec"), {"__name__": "__main__"})


@contextmanager
def started(*all_of_them: Process) -> Iterator[None]:
    """Whatever happens, no process outlives its test."""
    try:
        yield
    finally:
        for process in all_of_them:
            process.close()
