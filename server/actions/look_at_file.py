"""A file is looked at by a process of its own, with bounded memory and time: decoders meet strangers' bytes there."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from server.config import ROOT

SECONDS = 40
"""Longer than the process allows itself: what does not end by then is killed."""

AT_ONCE = 1
"""Looks at once in one server process, so that forty photos do not need forty decoders' memory."""

_turns = threading.BoundedSemaphore(AT_ONCE)
log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Look:
    """What was seen; see `server.domain.media.judge.Verdict`."""

    media_type: str
    width: int = 0
    height: int = 0
    fault: str | None = None
    shown: bytes | None = None
    thumbnail: bytes | None = None


def look_at(path: Path, claimed: str | None, *, released: bool = False) -> Look:
    """Judge a file and draw what is shown of it. What brings the process down is `unreadable`; nothing is raised.

    `released`: a person has let it stand; it is drawn if it can be. Takes long: hold no transaction meanwhile.
    """
    with _turns, tempfile.TemporaryDirectory(prefix="rounds-look-") as folder:
        command = [sys.executable, "-W", "ignore", "-m", "server.domain.media", str(path), folder]
        command += ["--released"] if released else [claimed.lstrip("-")] if claimed else []
        environment = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
        try:
            done = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, timeout=SECONDS, check=True, text=True
            )
        except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
            log.warning("a file could not be looked at: %s %s", error, (error.stderr or "")[-500:])
            return Look(media_type="application/octet-stream", fault=None if released else "unreadable")
        pictures = {
            name: file.read_bytes()
            for name in ("shown", "thumbnail")
            if (file := Path(folder) / f"{name}.jpg").exists()
        }
        return Look(**json.loads(done.stdout), shown=pictures.get("shown"), thumbnail=pictures.get("thumbnail"))
