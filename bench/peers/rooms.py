"""Throw-away environments: packages from PyPI and npm by their names, in a folder that goes with the run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def python_room(folder: Path, *packages: str) -> Path:
    """A virtual environment with these packages; the path of its Python."""
    python = folder / "venv" / "bin" / "python"
    _run([sys.executable, "-m", "venv", str(folder / "venv")], folder)
    _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages], folder)
    return python


def node_room(folder: Path, *packages: str) -> Path:
    """A folder of Node modules with these packages; the path of their programs."""
    _run(["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--loglevel=error", *packages], folder)
    return folder / "node_modules" / ".bin"


def run(command: list[str], folder: Path, **environment: str) -> None:
    """Run a command of a peer's own; RuntimeError with what it said when it fails."""
    _run(command, folder, **environment)


def _run(command: list[str], folder: Path, **environment: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(command, cwd=folder, env=os.environ | environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {(done.stderr or done.stdout)[-2000:]}")
