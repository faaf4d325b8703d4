"""A store that speaks S3 for tests: moto's server in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.serving import DEADLINE_S, free_port

BUCKET = "rounds"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


@contextmanager
def server(folder: Path) -> Iterator[dict[str, str]]:
    """The environment under which `s3://rounds/…` leads to an empty bucket of its own."""
    port = free_port()
    environment = KEYS | {"AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{port}"}
    with (folder / "moto.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=log,
            stderr=log,
        )
    try:
        request = urllib.request.Request(f"{environment['AWS_ENDPOINT_URL_S3']}/{BUCKET}", method="PUT")
        deadline = time.monotonic() + DEADLINE_S
        while True:
            try:
                with urllib.request.urlopen(request, timeout=5):
                    break
            except (urllib.error.URLError, OSError):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((folder / "moto.log").read_text()[-2000:]) from None
        yield environment
    finally:
        process.kill()
        process.wait()
