"""F2: the server is killed at each step of a push and of a photo's last bytes; the tablet sends again. S-19, S-27."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from tests.builders import SmallCompany
from tests.faults.conftest import killed_at_steps


@pytest.mark.parametrize(("way", "fewest"), [("push", 10), ("patch", 6)])
def test_f2_killed_at_any_step_nothing_is_lost_nothing_doubled_and_all_is_whole(
    app: Flask, company: SmallCompany, database_url: str, tmp_path: Path, way: str, fewest: int
) -> None:
    """A third of the steps on each database, others on the one than on the other; the long run takes each on both."""
    first = int(database_url.startswith("postgresql"))
    done = killed_at_steps(way, database_url, company, tmp_path, first=first, every=3)
    assert done["found"] == []
    assert done["kills"] >= fewest
