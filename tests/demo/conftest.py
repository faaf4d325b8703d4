"""The demo company, loaded once for all tests on each database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask

from server.app import create_app
from server.demo import DemoReport
from server.extensions import db
from tests.conftest import DATABASES, copied


@pytest.fixture(scope="session", params=DATABASES)
def demo_app(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Flask, DemoReport]]:
    """An application that serves the demo company."""
    folder: Path = tmp_path_factory.mktemp("demo-data")
    with serving_demo(request, request.param, folder) as (app, report):
        yield app, report


@contextmanager
def serving_demo(request: pytest.FixtureRequest, dialect: str, folder: Path) -> Iterator[tuple[Flask, DemoReport]]:
    """An application that serves a copy of the demo company."""
    report = request.getfixturevalue(f"{dialect}_demo").demo
    with copied(request, dialect, "demo", folder) as url:
        app = create_app({"DATABASE_URL": url, "DATA_FOLDER": folder, "TESTING": True})
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
