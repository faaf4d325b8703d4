"""How long an import takes: sites with their customers, the equipment at them, and a maintenance plan for each.

    python -m tests.postgresql python -m bench.imports [--rows 10000]

For each file on each database: the seconds of the first import, which writes everything, of a second one, which finds
that nothing has changed, and of a dry run of a file in which every row has something wrong. The last line is JSON.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from server.actions.import_assets import import_assets
from server.actions.import_plans import import_plans
from server.actions.import_report import ImportReport
from server.actions.import_sites import import_sites
from server.extensions import db
from tests.builders import small_company
from tests.conftest import database_on, made_on, migrated

Rows = list[dict[str, Any]]
GOAL = 20.0
"""Seconds in which each file of 10,000 rows should be in."""


def files(count: int) -> dict[str, tuple[Callable[..., ImportReport], Rows, str]]:
    """Each file with who reads it, and a column that is spoilt for the third figure."""
    sites = [
        {"external_ref": f"NS-{n}", "name": f"Hotel {n}", "customer_ref": f"K-{n // 4}",
         "customer_name": f"Owner {n // 4}", "lat": 42.4 + n / 1e5, "lon": 1.5, "opening_hours": "Mo-Fr 09:00-18:00",
         "contact_phone": "+376 812 345", "tags": "pool|spa"}
        for n in range(count)
    ]  # fmt: skip
    assets = [
        {"external_ref": f"NA-{n}", "site_ref": f"NS-{n}", "model": "P-100", "serial": f"N{n}",
         "installed_on": "2026-01-31", "warranty_term": "W24"}
        for n in range(count)
    ]  # fmt: skip
    plans = [
        {"external_ref": f"NP-{n}", "asset_ref": f"NA-{n}", "kind": "preventive_maintenance", "trigger": "fixed",
         "rule": "FREQ=MONTHLY;INTERVAL=3", "starts_on": "2026-01-15", "early_days": 7, "late_days": 7}
        for n in range(count)
    ]  # fmt: skip
    return {
        "sites": (import_sites, sites, "lat"),
        "assets": (import_assets, assets, "installed_on"),
        "plans": (import_plans, plans, "early_days"),
    }


def text(rows: Rows, spoilt: str | None = None) -> bytes:
    """Rows as a file."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(row | ({spoilt: "nonsense"} if spoilt else {}) for row in rows)
    return out.getvalue().encode()


def took(work: Callable[[], ImportReport]) -> tuple[float, ImportReport]:
    began = time.perf_counter()
    report = work()
    db.session.remove()
    return round(time.perf_counter() - began, 2), report


def measure(url: str, count: int) -> dict[str, dict[str, float]]:
    """The figures of one database."""
    app = migrated(url, Path(tempfile.mkdtemp()))
    found: dict[str, dict[str, float]] = {}
    with app.app_context():
        company = small_company()
        for name, (run, rows, spoilt) in files(count).items():
            content, broken = text(rows), text(rows, spoilt)
            first, report = took(lambda run=run, content=content: run(company.id, content))  # type: ignore[misc]
            assert not report.problems
            again, _ = took(lambda run=run, content=content: run(company.id, content))  # type: ignore[misc]
            bad, report = took(lambda run=run, broken=broken: run(company.id, broken, dry_run=True))  # type: ignore[misc]
            assert len(report.problems) == count
            found[name] = {"first_s": first, "again_s": again, "refused_s": bad}
        db.session.remove()
        db.engine.dispose()
    return found


def main() -> None:
    """Print a table, and the figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000)
    count = parser.parse_args().rows
    figures = {"sqlite": measure(f"sqlite:///{tempfile.mkdtemp()}/rounds.db", count)}
    if server := os.environ.get("ROUNDS_TEST_POSTGRESQL"):
        figures["postgresql"] = measure(database_on(server, made_on(server)), count)
    print(f"{count} rows, seconds".ljust(26), *(name.rjust(12) for name in figures))
    for name, each in figures["sqlite"].items():
        for what in each:
            print(f"{name} {what}".ljust(26), *(f"{one[name][what]:12.2f}" for one in figures.values()))
    worst = max(each["first_s"] for one in figures.values() for each in one.values())
    print(json.dumps(figures | {"rows": count, "slowest_s": worst, "goal_s": GOAL}))


if __name__ == "__main__":
    main()
