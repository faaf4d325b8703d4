"""The demo company, loaded once for all tests on each database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask

from server.app import create_app
from server.demo import DemoReport, load_demo
from server.extensions import db
from tests.conftest import DATABASES, copied

NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
"""A Tuesday: half past one in Andorra, half past three in Moscow, in the middle of the day's work."""


@pytest.fixture(scope="session", params=DATABASES)
def demo_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An empty database for the demo company."""
    with copied(request, request.param, "template", tmp_path_factory.mktemp("demo")) as url:
        yield url


@pytest.fixture(scope="session")
def demo_app(demo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, DemoReport]]:
    """An application that serves the demo company."""
    folder: Path = tmp_path_factory.mktemp("demo-data")
    app = create_app({"DATABASE_URL": demo_url, "DATA_FOLDER": folder, "TESTING": True})
    with app.app_context():
        report = load_demo(seed=7, now=NOW)
        db.session.remove()
    yield app, report
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def demo(demo_app: tuple[Flask, DemoReport]) -> Iterator[DemoReport]:
    """The report of the loading, in an application context."""
    app, report = demo_app
    with app.app_context():
        yield report
        db.session.remove()
