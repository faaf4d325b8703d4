"""What it costs to prove that a replica is whole, with a catalogue of many documents that all tablets hold.

    python -m tests.postgresql python -m bench.digest [--stored 50000]

For each database: the first asking ever (all checksums are missing), the next one in a new process (they are kept),
the next one in the same process (the scope's sums are kept), one after a change in the catalogue, and one bucket's
documents. Then what it costs a replica in Python to work out its own. Milliseconds, the median of some; the last line
is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from server.actions.enrol_device import enrol, make_code
from server.actions.read_digest import read_digest
from server.extensions import db
from server.store.models import ProductModel
from server.store.transaction import transactional
from server.store.types import new_id
from sync.digest import value_of
from tests.builders import SmallCompany, change, small_company
from tests.conftest import database_on, made_on, migrated

IN_ONE_GO = 5000


@transactional
def fill(company: SmallCompany, start: int, count: int) -> None:
    """Product models, each of about 600 bytes."""
    meters = [
        {"code": f"meter{n}", "unit": "h", "name": {"en": f"Operating hours of part {n}", "ru": f"Наработка узла {n}"}}
        for n in range(4)
    ]
    for n in range(start, start + count):
        db.session.add(
            ProductModel(
                company_id=company.id, id=new_id(), code=f"M-{n}", name=f"Model {n}", family="pumps", maker="Works",
                meters=meters,
            )
        )  # fmt: skip


def took(work: Callable[[], Any], times: int = 1) -> float:
    """Median milliseconds."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        found.append((time.perf_counter() - began) * 1000)
    return statistics.median(found)


def measure(url: str, stored: int) -> dict[str, float]:
    """All figures on one database."""
    app = migrated(url, Path(tempfile.mkdtemp()))
    with app.app_context():
        company = small_company()
        for start in range(0, stored, IN_ONE_GO):
            fill(company, start, min(IN_ONE_GO, stored - start))
        code = make_code(company.id, company.anna, user_id=None, now=datetime.now(UTC)).code
        device = enrol(code, device_name="B", app_version=None, schema_version=1, now=datetime.now(UTC)).device.id

        def ask(**more: Any) -> Any:
            return read_digest(company.id, device, None, schema_version=1, **more)

        def forget() -> None:
            app.extensions.pop("rounds_digests", None)

        found = {"first_ms": took(ask)}
        found["new_process_ms"] = took(lambda: (forget(), ask()), 5)
        found["again_ms"] = took(ask, 20)
        change(ProductModel, company.id, company.model, name="Another name")
        found["after_change_ms"] = took(ask)
        bucket = {"collection": "product_model", "buckets": ["3f"]}
        found["bucket_ms"] = took(lambda: ask(**bucket), 5)
        body = {"id": new_id(), "code": "M", "name": "Model", "family": "pumps", "meters": [{"unit": "h"}] * 8}
        found["replica_ms"] = took(lambda: [value_of("product_model", "x", 1, body) for _ in range(stored)])
        db.session.remove()
        db.engine.dispose()
    return {name: round(value, 1) for name, value in found.items()}


def main() -> None:
    """Print a table, and the figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--stored", type=int, default=50_000)
    stored = parser.parse_args().stored
    figures = {"sqlite": measure(f"sqlite:///{tempfile.mkdtemp()}/rounds.db", stored)}
    if server := os.environ.get("ROUNDS_TEST_POSTGRESQL"):
        figures["postgresql"] = measure(database_on(server, made_on(server)), stored)
    print(f"{stored} documents in the scope of all".ljust(34), *(name.rjust(12) for name in figures))
    for name in figures["sqlite"]:
        print(name.ljust(34), *(f"{of_one[name]:12.1f}" for of_one in figures.values()))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
