"""What all tests share: an empty application on each database, a small company, tablets that speak the protocol."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flask_migrate
import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from server.app import create_app
from server.extensions import db
from tests import postgresql
from tests.builders import SmallCompany, small_company

DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]


def migrated(url: str, folder: Path) -> Flask:
    """An application on a database at the newest migration."""
    app = create_app({"DATABASE_URL": url, "DATA_FOLDER": folder, "TESTING": True})
    with app.app_context():
        flask_migrate.upgrade()
        db.session.remove()
        db.engine.dispose()
    return app


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    with postgresql.server() as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    app = migrated(f"sqlite:///{folder / 'template.db'}", folder)
    with app.app_context():
        connection = db.engine.raw_connection()
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        db.engine.dispose()
    return folder / "template.db"


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    name = f"template_{uuid.uuid4().hex}"
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    migrated(database_on(postgresql_server, name), tmp_path_factory.mktemp("pg"))
    return name


def database_on(server: str, name: str) -> str:
    head, _, query = server.partition("?")
    return head.rsplit("/", 1)[0] + "/" + name + (f"?{query}" if query else "")


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database at the newest migration: a copy of the template."""
    if request.param == "sqlite":
        target = tmp_path / "rounds.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), target)
        yield f"sqlite:///{target}"
        return
    server = request.getfixturevalue("postgresql_server")
    template = request.getfixturevalue("postgresql_template")
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        yield database_on(server, name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[Flask]:
    """The application on an empty database, once on SQLite and once on PostgreSQL."""
    application = create_app({"DATABASE_URL": database_url, "DATA_FOLDER": tmp_path, "TESTING": True})
    yield application
    with application.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    """An application context, for tests that call actions."""
    with app.app_context():
        yield


@pytest.fixture
def company(app: Flask) -> SmallCompany:
    """A company of one branch, two technicians, three sites with a pump each, and its people."""
    with app.app_context():
        return small_company()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def dispatcher(client: FlaskClient, company: SmallCompany) -> Any:
    """A client signed in as the dispatcher."""
    return company.sign_in(client, "dispatcher@small.example")
