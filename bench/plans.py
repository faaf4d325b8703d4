"""How long maintenance plans take to become visits, and how long a writer waits meanwhile.

    python -m tests.postgresql python -m bench.plans [--plans 10000]

On each database: the seconds of a first run, in which every plan makes a visit and its ledger, of a second one, which
finds nothing to do, and of one after a day, which looks at all plans again. During the first run a process of its own
changes a site again and again, as a tablet's push would: the median, 95th percentile and longest of its waits. The
last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.imports import files, text
from server.actions.generate_visits import generate_visits
from server.extensions import db
from tests.builders import small_company
from tests.conftest import database_on, made_on, migrated

GOAL = 60.0
LONGEST = 1.0
"""Seconds: for 10,000 plans, and for one write of somebody else meanwhile."""

WRITER = """
import json, sys, time
from pathlib import Path
from server.app import create_app
from server.store.models import Site
from tests.builders import change

app = create_app({"DATABASE_URL": sys.argv[1], "DATA_FOLDER": Path(sys.argv[2]), "TESTING": True})
waits = []
with app.app_context():
    change(Site, sys.argv[3], sys.argv[4], access_note="Ring")
    print("ready", flush=True)
    while not Path(sys.argv[2], "stop").exists():
        began = time.perf_counter()
        change(Site, sys.argv[3], sys.argv[4], access_note=f"Ring {began}")
        waits.append(time.perf_counter() - began)
        time.sleep(0.05)
print(json.dumps(sorted(waits)))
"""


def measure(url: str, count: int) -> dict[str, float]:
    """The figures of one database."""
    folder = Path(tempfile.mkdtemp())
    app = migrated(url, folder)
    now = datetime.now(UTC)
    with app.app_context():
        company = small_company()
        for run, rows, _ in files(count).values():
            assert not run(company.id, text(rows)).problems
            db.session.remove()
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, url, str(folder), company.id, company.sites[0]],
            stdout=subprocess.PIPE, text=True,
        ) as writer:  # fmt: skip
            assert writer.stdout is not None
            writer.stdout.readline()
            first = took(company.id, now, count)
            (folder / "stop").touch()
            waits: list[float] = json.loads(writer.stdout.readline())
        again = took(company.id, now, 0)
        later = took(company.id, now + timedelta(days=1), None)
        db.session.remove()
        db.engine.dispose()
    return {
        "first_s": first,
        "again_s": again,
        "next_day_s": later,
        "writes_meanwhile": len(waits),
        "wait_p50_ms": round(waits[len(waits) // 2] * 1000, 1),
        "wait_p95_ms": round(waits[len(waits) * 95 // 100] * 1000, 1),
        "wait_longest_ms": round(waits[-1] * 1000, 1),
    }


def took(company_id: str, now: datetime, expected: int | None) -> float:
    began = time.perf_counter()
    report = generate_visits(company_id, now)
    assert not report.failed
    assert expected in (None, report.made)
    return round(time.perf_counter() - began, 2)


def main() -> None:
    """Print a table, and the figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--plans", type=int, default=10_000)
    count = parser.parse_args().plans
    figures = {"sqlite": measure(f"sqlite:///{tempfile.mkdtemp()}/rounds.db", count)}
    if server := os.environ.get("ROUNDS_TEST_POSTGRESQL"):
        figures["postgresql"] = measure(database_on(server, made_on(server)), count)
    print(f"{count} plans".ljust(26), *(name.rjust(12) for name in figures))
    for what in figures["sqlite"]:
        print(what.ljust(26), *(f"{one[what]:12.2f}" for one in figures.values()))
    print(json.dumps(figures | {"plans": count, "goal_s": GOAL, "longest_wait_goal_s": LONGEST}))


if __name__ == "__main__":
    main()
