"""No gap (law 4): a reader that follows the cursor misses nothing that eight processes commit at once."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask

from server.actions.enrol_device import enrol, make_code
from server.actions.pull_changes import pull_changes
from server.app import create_app
from server.extensions import db
from server.store import documents
from server.store.models import Customer, Site
from server.store.queries import devices
from server.store.transaction import transactional
from server.store.types import new_id
from tests import warm
from tests.builders import SmallCompany, change, publish

WRITERS = 4
WRITES = 40


def _write(url: str, folder: str, company_id: str, sites: list[str], number: int) -> None:
    app = create_app({"DATABASE_URL": url, "DATA_FOLDER": Path(folder)})
    with app.app_context():
        for turn in range(WRITES):
            change(Site, company_id, sites[number % len(sites)], danger_note=f"{number}.{turn}")


@pytest.fixture
def reader(app: Flask, company: SmallCompany) -> Iterator[tuple[str, str]]:
    """A tablet that holds all three sites; its company and device."""
    with app.app_context():
        for site in company.sites:
            publish(company.id, company.visit(site_id=site), company.anna, datetime.now(UTC))
        now = datetime.now(UTC)
        code = make_code(company.id, company.anna, user_id=None, now=now).code
        done = enrol(code, device_name="reader", app_version=None, schema_version=1, now=now)
        yield company.id, done.device.id


def test_a_reader_misses_nothing_that_many_writers_commit(
    app: Flask, company: SmallCompany, reader: tuple[str, str], database_url: str, tmp_path: Path
) -> None:
    company_id, device_id = reader
    context = multiprocessing.get_context(warm.START)
    writers = [
        context.Process(target=_write, args=(database_url, str(tmp_path), company_id, company.sites, number))
        for number in range(WRITERS)
    ]
    seen: dict[str, int] = {}
    cursor: str | None = None

    def read_on() -> None:
        nonlocal cursor
        more = True
        while more:
            text, cursor, more = pull_changes(company_id, device_id, cursor, 7, schema_version=1)
            for row in json.loads(text)["changes"]:
                assert row["version"] >= seen.get(row["id"], 0), "a replica never goes back"
                seen[row["id"]] = row["version"]

    with app.app_context():
        for writer in writers:
            writer.start()
        while any(writer.is_alive() for writer in writers):
            read_on()
        for writer in writers:
            writer.join()
            assert writer.exitcode == 0
        read_on()
        for site in company.sites:
            kept = documents.stored(company_id, site)
            assert kept is not None
            assert seen[site] == kept[1].version
        assert sum(seen[site] for site in company.sites) >= WRITERS * WRITES


def test_the_numbers_of_the_feed_rise_with_the_commits(app: Flask, company: SmallCompany) -> None:
    @transactional
    def add() -> None:
        db.session.add(Customer(company_id=company.id, id=new_id(), name="One more", locale="en"))

    with app.app_context():
        before = devices.history(company.id).n
        add()
        add()
        assert devices.history(company.id).n == before + 2
