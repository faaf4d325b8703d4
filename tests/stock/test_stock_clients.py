"""RxDB and WatermelonDB as they come from npm, against real servers: S-110 to S-139."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from server.actions.enrol_device import enrol, make_code
from server.actions.found_company import found_company
from server.app import create_app
from server.extensions import db
from server.store.models import Branch, Technician
from server.store.transaction import transactional
from server.store.types import new_id
from tests.builders import PASSWORD
from tests.conftest import DATABASES, copied
from tests.serving import ROOT, Server

pytestmark = pytest.mark.node

NODE_SECONDS = 240


def node(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run something under Node, with these settings."""
    program = shutil.which("node")
    if program is None or not (ROOT / "node_modules" / "rxdb").exists():
        if os.environ.get("CI") == "true":
            pytest.fail("Under CI nothing may be left out: Node and its packages are missing.")
        pytest.skip("no Node, or `npm install` was not run")
    return subprocess.run(
        [program, *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=NODE_SECONDS,
        check=False,
    )


def passes(file: str, **environment: str) -> None:
    """Run a file of tests; fails with all that it said."""
    done = node("--test", "--test-reporter=spec", str(Path("tests") / "stock" / file), **environment)
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-4000:]


@pytest.fixture(scope="module", params=DATABASES)
def office(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A server with the small company, and what the scenarios need to know of it."""
    folder = tmp_path_factory.mktemp("stock")
    with copied(request, request.param, "company", folder) as url:
        company = copy.deepcopy(request.getfixturevalue(f"{request.param}_company").company)
        server = Server(url, folder)
        server.start()
        try:
            yield {
                "ROUNDS_URL": server.url,
                "ROUNDS_OFFICE": server.sign_in("dispatcher@small.example", PASSWORD),
                "ROUNDS_COMPANY": json.dumps(vars(company)),
            }
        finally:
            server.kill()


@pytest.mark.parametrize("file", ["rxdb.test.mjs", "watermelon.test.mjs"])
def test_two_stock_devices_and_the_office(office: dict[str, str], file: str) -> None:
    """S-116 to S-123, S-130 to S-139: each scenario is a test of the file."""
    passes(file, **office)


@contextmanager
def humans(
    request: pytest.FixtureRequest, dialect: str, folder: Path, settings: dict[str, str]
) -> Iterator[dict[str, str]]:
    """A server with the suite's collection, three companies on it, and three tablets of each."""
    with copied(request, dialect, "template", folder) as url:
        app = create_app({"DATABASE_URL": url, "DATA_FOLDER": folder, "TESTING": True})
        with app.app_context():
            tokens = [[token_of(technician) for _ in range(3)] for technician in map(technician_of, range(3))]
            db.session.remove()
            db.engine.dispose()
        server = Server(url, folder, application="tests.stock.humans:app", settings=settings)
        server.start()
        try:
            yield {"ROUNDS_URL": server.url, "ROUNDS_TOKENS": json.dumps(tokens)}
        finally:
            server.kill()


@transactional
def technician_of(number: int) -> Technician:
    company, _ = found_company(f"Company {number}", email=f"admin@{number}.example", password=PASSWORD)
    branch = Branch(
        company_id=company.id, id=new_id(), name="Far", city=None, locale="en", tz="UTC", currency="EUR", lat=1, lon=1
    )
    db.session.add(branch)
    technician = Technician(
        company_id=company.id, id=new_id(), branch_id=branch.id, name="Anna", phone=None, skills=[], shifts=[],
        home_lat=1, home_lon=1, start_from="home", van=None, max_overtime_minutes=30, active=True,
    )  # fmt: skip
    db.session.add(technician)
    return technician


def token_of(technician: Technician) -> str:
    now = datetime.now(UTC)
    code = make_code(technician.company_id, technician.id, user_id=None, now=now).code
    return enrol(code, device_name="Suite", app_version=None, schema_version=1, now=now).token


@pytest.mark.parametrize("dialect", DATABASES)
def test_the_suite_of_the_rxdb_package_passes_where_the_master_wins(
    request: pytest.FixtureRequest, dialect: str, tmp_path: Path
) -> None:
    """S-115: all that the package's authors ask of a server, unmodified."""
    with humans(request, dialect, tmp_path, {"ROUNDS_STOCK_MERGE": "master-wins"}) as served:
        passes("suite.test.mjs", **served)


def test_elsewhere_the_suite_meets_the_policy_of_the_field(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """S-115: the two tests that are not about clashes pass, the third sees the device's value stand."""
    with humans(request, "sqlite", tmp_path, {}) as served:
        done = node("--test", "--test-reporter=tap", "tests/stock/suite.test.mjs", **served)
    lines = [line.strip() for line in done.stdout.splitlines()]
    tests = {line.partition(" - ")[2]: line.startswith("ok") for line in lines if line.startswith(("ok", "not ok"))}
    leaves = {
        name: tests[name]
        for name in (
            "push replication to client-server",
            "two collections",
            "should keep the master state as default conflict handler",
        )
    }
    assert list(leaves.values()) == [True, True, False], done.stdout[-6000:]
