"""What tests of faults share: a path that is killed step by step in a process of its own."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tests import warm
from tests.builders import SmallCompany
from tests.faults import steps
from tests.serving import ROOT


def killed_at_steps(
    way: str,
    url: str,
    company: SmallCompany,
    folder: Path,
    *,
    first: int = 0,
    every: int = 1,
    most: int = 1000,
    traced: bool = False,
) -> dict[str, Any]:
    """Take a way of `steps.WAYS` and kill it at steps `first`, `first + every` …: `kills`, and what was `found`.

    With `traced` the steps are system calls.
    """
    out = folder / f"{way}.json"
    process = warm.Process(
        steps.run,
        (way, company, folder, out, first, every, most, traced),
        environment=os.environ | {"DATABASE_URL": url, "ROUNDS_DATA": str(folder)},
        folder=ROOT,
        log=folder / "steps.log",
    )
    if process.wait():
        raise RuntimeError((folder / "steps.log").read_text()[-4000:])
    found: dict[str, Any] = json.loads(out.read_text())
    return found
