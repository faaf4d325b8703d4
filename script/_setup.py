"""The environment of the product, made with nothing but Python's standard library.

`ready(...)` makes `.venv` in the clone, installs the named requirement files when they changed, and returns the
environment's Python. A stamp with the files' hash makes the second time take no time.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"


def say(text: str) -> None:
    """Tell what happens, at once."""
    print(f"\033[36m▸\033[0m {text}" if sys.stdout.isatty() else f"> {text}", flush=True)


def python() -> Path:
    """The environment's interpreter."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def ready(*requirements: str) -> Path:
    """Make or refresh the environment; ends the program with one sentence when it can't be made."""
    _keep_bytecode()
    if sys.version_info < (3, 11):  # noqa: UP036 - said to whoever starts this with an older Python
        sys.exit(f"Rounds needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    if not python().exists():
        say(f"Making an environment in {VENV.name}")
        made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=False)
        if made.returncode:
            sys.exit("Python could not make an environment. On Debian and Ubuntu: apt-get install python3-venv")
    for name in requirements:
        _install(name)
    return python()


def _keep_bytecode() -> None:
    """Where bytecode may not be written beside its source, it goes inside the environment.

    Every process that is started from here would compile all libraries anew otherwise, which takes seconds each time.
    """
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
        os.environ["PYTHONPYCACHEPREFIX"] = str(VENV / "bytecode")


def _install(name: str) -> None:
    text = (ROOT / name).read_bytes() + (ROOT / "requirements.txt").read_bytes() + sys.version.encode()
    mark = hashlib.sha256(text).hexdigest()
    stamp = VENV / f".installed-{name}"
    if stamp.exists() and stamp.read_text() == mark:
        return
    say(f"Installing {name} (once; about half a minute)")
    started = time.monotonic()
    command = [str(python()), "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check"]
    done = subprocess.run([*command, "-r", str(ROOT / name)], check=False)
    if done.returncode:
        sys.exit(f"Installing {name} did not work; the lines above say why. Check the network and run it again.")
    stamp.write_text(mark)
    say(f"Installed in {time.monotonic() - started:.0f} s")
