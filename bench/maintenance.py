"""How long maintenance plans take to become a year of ledger and visits, and what a run costs that finds nothing to do.

    python -m tests.postgresql python -m bench.maintenance [--plans 20000] [--idle 100000] [--databases sqlite]

On each database: the seconds of a first run over `plans` quarterly plans with a horizon of twelve months, in which each
of them makes its visit and a ledger of a year; of one that finds nothing to do over `idle` plans, those among them; the
most memory of the process of either run; the cost of a plan in a company of 1,000 and of `plans`. During the first run
a process of its own changes a site again and again, as a tablet's push would: the median, 95th percentile and longest
of its waits. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.imports import files, text
from server.extensions import db
from server.store.models import Asset, MaintenancePlan
from server.store.types import new_id
from tests.builders import SmallCompany, small_company
from tests.conftest import database_on, made_on, migrated

GENERATE_GOAL, IDLE_GOAL, MEMORY_GOAL, WAIT_GOAL = 60.0, 5.0, 500, 1.0
SMALL = 1000
IDLE_EACH = 5
"""Plans of a machine when a company has more plans than machines."""

RUN = """
import json, resource, sys, time
from datetime import datetime
from pathlib import Path
from server.app import create_app
from server.actions.generate_visits import generate_visits

app = create_app({"DATABASE_URL": sys.argv[1], "DATA_FOLDER": Path(sys.argv[2]), "TESTING": True})
with app.app_context():
    began = time.perf_counter()
    report = generate_visits(sys.argv[3], datetime.fromisoformat(sys.argv[4]))
    seconds = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "peak_mb": peak, **report.to_json()}))
"""

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


class Bench:
    """One company on one database."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.folder = Path(tempfile.mkdtemp())
        self.app = migrated(url, self.folder)
        self.now = datetime.now(UTC)
        with self.app.app_context():
            self.company: SmallCompany = small_company()

    def fill(self, count: int) -> None:
        """So many machines, each with a quarterly plan of twelve months."""
        with self.app.app_context():
            for run, rows, _ in files(count).values():
                longer = [row | {"horizon_days": 365} if "trigger" in row else row for row in rows]
                assert not run(self.company.id, text(longer)).problems
                db.session.remove()

    def fill_idle(self, count: int) -> None:
        """So many more plans on the machines that are there, none of which is due within its horizon."""
        starts_on = (self.now + timedelta(days=700)).date()
        with self.app.app_context():
            machines = [row.id for row in db.session.query(Asset.id).order_by(Asset.id)]
            values = [
                {"company_id": self.company.id, "id": new_id(), "asset_id": machines[n // IDLE_EACH % len(machines)],
                 "name": f"Look {n}", "kind": "preventive_maintenance", "starts_on": starts_on, "early_days": 7,
                 "late_days": 7, "triggers": [{"kind": "calendar_fixed", "id": "main", "rule": "FREQ=MONTHLY"}]}
                for n in range(count)
            ]  # fmt: skip
            for start in range(0, count, 5000):
                db.session.execute(db.insert(MaintenancePlan), values[start : start + 5000])
                db.session.commit()
            db.session.remove()

    def run(self, now: datetime) -> dict[str, Any]:
        """One run of the generator, in a process of its own."""
        command = [sys.executable, "-c", RUN, self.url, str(self.folder), self.company.id, now.isoformat()]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        assert not report["failed"]
        return report

    def run_beside_a_writer(self) -> tuple[dict[str, Any], list[float]]:
        command = [sys.executable, "-c", WRITER, self.url, str(self.folder), self.company.id, self.company.sites[0]]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            first = self.run(self.now)
            (self.folder / "stop").touch()
            return first, json.loads(writer.stdout.readline())

    def close(self) -> None:
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()


def measure(url: str, small_url: str, plans: int, idle: int) -> dict[str, Any]:
    """The figures of one database."""
    small = Bench(small_url)
    small.fill(SMALL)
    few = small.run(small.now)
    small.close()
    bench = Bench(url)
    bench.fill(plans)
    first, waits = bench.run_beside_a_writer()
    assert first["made"] == plans
    bench.fill_idle(idle - plans)
    # Looks at all the new plans once, and at those whose visits the first run made.
    settling = bench.run(bench.now)
    resting = bench.run(bench.now)
    assert (resting["plans"], resting["made"], resting["ledger"]) == (idle, 0, {})
    bench.close()
    return {
        "plans": plans,
        "generate_s": round(first["seconds"], 2),
        "idle_plans": idle,
        "settle_s": round(settling["seconds"], 2),
        "idle_s": round(resting["seconds"], 2),
        "peak_mb": round(max(first["peak_mb"], resting["peak_mb"])),
        "plan_ms_of_1000": round(few["seconds"] / SMALL * 1000, 2),
        "plan_ms": round(first["seconds"] / plans * 1000, 2),
        "wait_p50_ms": round(waits[len(waits) // 2] * 1000, 1),
        "wait_p95_ms": round(waits[len(waits) * 95 // 100] * 1000, 1),
        "wait_longest_ms": round(waits[-1] * 1000, 1),
    }


def main() -> None:
    """Print a table, and the figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--plans", type=int, default=20_000)
    parser.add_argument("--idle", type=int, default=100_000)
    parser.add_argument("--databases", default="sqlite,postgresql")
    asked = parser.parse_args()
    figures = {}
    if "sqlite" in asked.databases:
        folder = tempfile.mkdtemp()
        figures["sqlite"] = measure(
            f"sqlite:///{folder}/rounds.db", f"sqlite:///{folder}/small.db", asked.plans, asked.idle
        )
    server = os.environ.get("ROUNDS_TEST_POSTGRESQL")
    if server and "postgresql" in asked.databases:
        urls = [database_on(server, made_on(server)) for _ in range(2)]
        figures["postgresql"] = measure(*urls, asked.plans, asked.idle)
    print("".ljust(26), *(name.rjust(12) for name in figures))
    for what in next(iter(figures.values())):
        print(what.ljust(26), *(f"{one[what]:12.2f}" for one in figures.values()))
    goals = {"generate_s": GENERATE_GOAL, "idle_s": IDLE_GOAL, "peak_mb": MEMORY_GOAL, "longest_wait_s": WAIT_GOAL}
    print(json.dumps(figures | {"goals": goals}))


if __name__ == "__main__":
    main()
