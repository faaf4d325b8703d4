"""Judge one file: `python -m server.domain.media <file> <folder> [claimed type | --released]`.

Writes the verdict as JSON to standard output, and `shown.jpg` and `thumbnail.jpg` into the folder where there are any.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

from server.domain.media.judge import judge

MOST_MEMORY = 1024 * 1024 * 1024
MOST_SECONDS = 20


def main() -> int:
    """Bound memory and time, judge, tell."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    path, folder = Path(sys.argv[1]), Path(sys.argv[2])
    claimed = sys.argv[3] if len(sys.argv) > 3 else None
    verdict = judge(path, None, released=True) if claimed == "--released" else judge(path, claimed)
    for name in ("shown", "thumbnail"):
        picture: bytes | None = getattr(verdict, name)
        if picture is not None:
            (folder / f"{name}.jpg").write_bytes(picture)
    told = {name: getattr(verdict, name) for name in ("media_type", "width", "height", "fault")}
    json.dump(told, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
