"""A real server for tests: gunicorn in a process of its own on a free port, that can be stopped, killed and started."""

from __future__ import annotations

import json
import os
import signal
import socket
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests import warm

ROOT = Path(__file__).resolve().parent.parent
DEADLINE_S = 90.0


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """Rounds on a database and folder of its own; `url` stays the same over restarts.

    `clock_offset` moves the wall clock of the server and of its commands; what a test itself does then goes by `now()`.
    `settings` are more of its environment.
    """

    def __init__(
        self,
        database_url: str,
        folder: Path,
        workers: int = 1,
        *,
        clock_offset: timedelta = timedelta(),
        settings: dict[str, str] | None = None,
        application: str = "wsgi:app",
    ) -> None:
        self.database_url = database_url
        self.folder = folder
        self.workers = workers
        self.clock_offset = clock_offset
        self.settings = settings or {}
        self.application = application
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.branch = ""
        self.process: warm.Process | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the server and of commands on its database."""
        return (
            os.environ
            | {
                "DATABASE_URL": self.database_url,
                "ROUNDS_DATA": str(self.folder),
                "WEB_PROCESSES": str(self.workers),
                "ROUNDS_PLAN_SECONDS": "1",
                "FLASK_APP": "wsgi",
                "PYTHONPATH": str(ROOT),
            }
            | self.settings
        )

    def now(self) -> datetime:
        """What the server's clock shows, in UTC."""
        return datetime.now(UTC) + self.clock_offset

    def _module(self, name: str) -> list[str]:
        """The words after `python -m` that run a module under the server's clock."""
        return ["tests.clocked", str(self.clock_offset.total_seconds()), name] if self.clock_offset else [name]

    def start(self) -> None:
        """Start and wait until it answers."""
        self._start(warm.run_module)

    def _start(self, runner: Callable[..., object]) -> None:
        command = [*self._module("gunicorn"), "--no-control-socket", "--config", "server/gunicorn_conf.py"]
        self.process = warm.Process(
            runner,
            [*command, "--bind", f"127.0.0.1:{self.port}", self.application],
            environment=self.environment,
            folder=ROOT,
            log=self.folder / "server.log",
        )
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=1):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.005)
        raise RuntimeError((self.folder / "server.log").read_text()[-4000:])

    def stop(self) -> None:
        """End it as an operator would."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it in the middle of whatever it does."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, number)
            self.process.wait(DEADLINE_S)
        self.process = None

    def flask(self, *arguments: str) -> str:
        """Run `flask …` on the server's database; its output."""
        with tempfile.TemporaryDirectory(dir=self.folder) as place:
            log, errors = Path(place) / "log", Path(place) / "errors"
            command = [*self._module("flask"), *arguments]
            process = warm.Process(
                warm.run_module, command, environment=self.environment, folder=ROOT, log=log, errors=errors
            )
            if process.wait():
                raise RuntimeError(log.read_text() + errors.read_text())
            return log.read_text()

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any]:
        """One request over real HTTP; status and parsed JSON (or text)."""
        sent = {"Accept-Language": "en"} | (headers or {})
        data = None
        if isinstance(body, bytes):
            data = body
        elif body is not None:
            data = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        if token:
            sent["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=sent)
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
                return answer.status, _parsed(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _parsed(error.read())

    def location(self, method: str, path: str, *, token: str, headers: dict[str, str]) -> str:
        """The Location header of a request that makes something."""
        sent = headers | {"Authorization": f"Bearer {token}"}
        request = urllib.request.Request(self.url + path, data=b"", method=method, headers=sent)
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
            return str(answer.headers["Location"])

    def sign_in(self, email: str, password: str = "rounds-demo") -> str:
        """A session's token."""
        status, answer = self.call("POST", "/api/v1/auth/login", {"email": email, "password": password})
        if status != 200:
            raise RuntimeError(f"{email}: {answer}")
        return str(answer["token"])

    def enrolment_code(self, email: str, office: str = "dispatcher@rounds.example") -> str:
        """A code for the technician with this account, made by the office."""
        technician_id = self.call("GET", "/api/v1/auth/me", token=self.sign_in(email))[1]["technician_id"]
        status, answer = self.call(
            "POST", "/api/v1/devices/enrolment-codes", {"technician_id": technician_id}, token=self.sign_in(office)
        )
        if status != 201:
            raise RuntimeError(str(answer))
        return str(answer["code"])


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode(errors="replace")
