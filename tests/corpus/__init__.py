"""Recorded sessions of clients of each protocol and schema version, and their replay against the server as it is.

`python -m tests.corpus.record` records what is missing, from real clients over real HTTP. A session that is there is
never recorded anew: it is what a client of then sent and was told, and the server of today has to get along with it.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "sessions"
