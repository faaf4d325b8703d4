"""The first command that anybody runs, as they run it: a real process, twice in a row on the same folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from tests.serving import ROOT, free_port

SIGN_IN = {"email": "dispatcher@rounds.example", "password": "rounds-demo"}


def test_the_demo_company_is_loaded_once_and_a_second_start_serves_it_at_once(tmp_path: Path) -> None:
    first = run_until_it_serves(tmp_path)
    assert "Preparing the database" in first
    assert "The demo company is ready" in first
    second = run_until_it_serves(tmp_path)
    assert "Rounds is running" in second
    assert "Preparing" not in second, "a second start does not load the product twice"


def run_until_it_serves(folder: Path) -> str:
    """Start, sign in, press Ctrl-C; what was printed."""
    port = free_port()
    environment = os.environ | {"PORT": str(port), "ROUNDS_DATA": str(folder), "PYTHONUNBUFFERED": "1"}
    environment.pop("DATABASE_URL", None)
    with subprocess.Popen(
        [sys.executable, str(ROOT / "script" / "server")],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout
        said: list[str] = []
        try:
            for line in process.stdout:
                said.append(line)
                if "Password" in line:
                    break
            assert process.poll() is None, "".join(said)
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/api/v1/auth/login",
                data=json.dumps(SIGN_IN).encode(),
                headers={"Content-Type": "application/json"},
            )
            with urllib.request.urlopen(request, timeout=30) as answer:
                assert json.load(answer)["token"]
        finally:
            process.send_signal(signal.SIGINT)
            said.extend(process.stdout)
        assert process.wait(30) == 0, "".join(said)
    return "".join(said)
