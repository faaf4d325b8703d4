"""What all tests share: an empty application on each database, a small company, tablets that speak the protocol."""

from __future__ import annotations

import copy
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import flask_migrate
import psycopg
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, make_url

from server.actions import passwords, plan_routes
from server.app import create_app
from server.config import database_url as database_url_of
from server.demo import DemoReport, load_demo
from server.extensions import db
from server.store import marks
from tests import postgresql, sharing, warm
from tests.builders import SmallCompany, small_company

# How full the disk of whoever runs the tests is must not decide them.
os.environ.setdefault("FILES_KEEP_FREE", "0")

# Thousands of sign-ins are not what these tests are about; `test_sign_in` holds the product's own cost.
PRODUCT_HASHER = passwords.hasher
passwords.hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)

# A draft of a day in a test needs no interpreter of its own: the planner's process is forked from a warm one.
plan_routes.START = warm.START

pytest_collection_modifyitems = sharing.pytest_collection_modifyitems
pytest_xdist_make_scheduler = sharing.pytest_xdist_make_scheduler

DEMO_NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
"""A Tuesday: half past one in Andorra, half past three in Moscow, in the middle of the day's work."""

DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]


def migrated(url: str, folder: Path) -> Flask:
    """An application on a database at the newest migration."""
    app = create_app({"DATABASE_URL": url, "DATA_FOLDER": folder, "TESTING": True})
    with app.app_context():
        flask_migrate.upgrade()
        db.session.remove()
        db.engine.dispose()
    return app


@dataclass(frozen=True, kw_only=True)
class Template:
    """A database to copy: its file (SQLite) or its name (PostgreSQL), and what is in it."""

    source: str
    company: SmallCompany | None = None
    demo: DemoReport | None = None


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    with postgresql.server() as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """An empty SQLite database at the newest migration."""
    file = tmp_path_factory.mktemp("template") / "template.db"
    return furnished(migrated(f"sqlite:///{file}", file.parent), str(file))


@pytest.fixture(scope="session")
def sqlite_company(sqlite_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A SQLite database with the small company in it."""
    file = tmp_path_factory.mktemp("company") / "template.db"
    shutil.copyfile(sqlite_template.source, file)
    app = create_app({"DATABASE_URL": f"sqlite:///{file}", "DATA_FOLDER": file.parent, "TESTING": True})
    return furnished(app, str(file), small_company)


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """An empty PostgreSQL database at the newest migration."""
    name = made_on(postgresql_server)
    return furnished(migrated(database_on(postgresql_server, name), tmp_path_factory.mktemp("pg")), name)


@pytest.fixture(scope="session")
def postgresql_company(
    postgresql_server: str, postgresql_template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Template:
    """A PostgreSQL database with the small company in it."""
    name = made_on(postgresql_server, postgresql_template.source)
    url = database_on(postgresql_server, name)
    app = create_app({"DATABASE_URL": url, "DATA_FOLDER": tmp_path_factory.mktemp("pg"), "TESTING": True})
    return furnished(app, name, small_company)


@pytest.fixture(scope="session")
def sqlite_demo(sqlite_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A SQLite database with the demo company in it, as it is at `DEMO_NOW`."""
    file = tmp_path_factory.mktemp("demo") / "template.db"
    shutil.copyfile(sqlite_template.source, file)
    app = create_app({"DATABASE_URL": f"sqlite:///{file}", "DATA_FOLDER": file.parent, "TESTING": True})
    return furnished(app, str(file), demo_company)


@pytest.fixture(scope="session")
def postgresql_demo(
    postgresql_server: str, postgresql_template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Template:
    """A PostgreSQL database with the demo company in it, as it is at `DEMO_NOW`."""
    name = made_on(postgresql_server, postgresql_template.source)
    url = database_on(postgresql_server, name)
    app = create_app({"DATABASE_URL": url, "DATA_FOLDER": tmp_path_factory.mktemp("pg"), "TESTING": True})
    return furnished(app, name, demo_company)


def demo_company() -> DemoReport:
    return load_demo(seed=7, now=DEMO_NOW)


def furnished(app: Flask, source: str, furnish: Callable[[], SmallCompany | DemoReport] | None = None) -> Template:
    """A template that nobody is connected to any more, with what `furnish` puts in."""
    with app.app_context():
        made = furnish() if furnish else None
        db.session.remove()
        if db.engine.dialect.name == "sqlite":
            connection = db.engine.raw_connection()
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.close()
        db.engine.dispose()
    return Template(
        source=source,
        company=made if isinstance(made, SmallCompany) else None,
        demo=made if isinstance(made, DemoReport) else None,
    )


def made_on(server: str, template: str = "template1") -> str:
    """The name of a new database on a PostgreSQL server, a copy of another."""
    name = f"rounds_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    return name


def database_on(server: str, name: str) -> str:
    head, _, query = server.partition("?")
    return head.rsplit("/", 1)[0] + "/" + name + (f"?{query}" if query else "")


@contextmanager
def copied(request: pytest.FixtureRequest, dialect: str, what: str, folder: Path) -> Iterator[str]:
    """The address of a copy of the template `what` (`template`, `company` or `demo`), for as long as it is needed."""
    template: Template = request.getfixturevalue(f"{dialect}_{what}")
    if dialect == "sqlite":
        shutil.copyfile(template.source, folder / "rounds.db")
        yield f"sqlite:///{folder / 'rounds.db'}"
        return
    server = request.getfixturevalue("postgresql_server")
    name = made_on(server, template.source)
    yield database_on(server, name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database at the newest migration, with the small company for whoever asks for it, else empty."""
    what = "company" if "company" in request.fixturenames else "template"
    with copied(request, request.param, what, tmp_path) as url:
        yield url


class Movable:
    """An application that is moved from one test's database to the next; it keeps its routes and compiled statements.

    Making an application and compiling its SQL anew is most of what a short test would cost.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self.app = create_app({"DATABASE_URL": url, "DATA_FOLDER": folder, "TESTING": True})
        self._config = dict(self.app.config)
        self._extensions = set(self.app.extensions)
        with self.app.app_context():
            self._engine = db.engine
        event.listen(self._engine, "do_connect", self._connect)

    def move(self, url: str, folder: Path) -> None:
        """Serve this database and folder, with the settings of the beginning and nothing remembered."""
        self.app.config.clear()
        self.app.config.update(self._config)
        self.app.config.update(DATABASE_URL=url, SQLALCHEMY_DATABASE_URI=database_url_of(url), DATA_FOLDER=folder)
        for name in self.app.extensions.keys() - self._extensions:
            del self.app.extensions[name]
        marks.install(self.app)
        self._engine.url = make_url(self.app.config["SQLALCHEMY_DATABASE_URI"])

    def leave(self) -> bool:
        """Let go of the database; whether the application can be moved on: not when threads of it may still run."""
        with self.app.app_context():
            marks.marks().close()
            db.session.remove()
            self._engine.dispose()
        return "rounds_hub" not in self.app.extensions

    def _connect(self, dialect: Any, record: Any, arguments: list[Any], named: dict[str, Any]) -> None:
        if dialect.name == "sqlite":
            arguments[0] = self._engine.url.database
        else:
            named["dbname"] = self._engine.url.database


movable: dict[str, Movable] = {}
"""The applications of this process by kind of database."""


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[Flask]:
    """The application on an empty database, once on SQLite and once on PostgreSQL."""
    kind = database_url.partition(":")[0]
    if kind not in movable:
        movable[kind] = Movable(database_url, tmp_path)
    movable[kind].move(database_url, tmp_path)
    yield movable[kind].app
    if not movable[kind].leave():
        del movable[kind]


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    """An application context, for tests that call actions."""
    with app.app_context():
        yield


@pytest.fixture
def company(request: pytest.FixtureRequest, app: Flask) -> SmallCompany:
    """A company of one branch, two technicians, three sites with a pump each, and its people."""
    dialect = app.config["SQLALCHEMY_DATABASE_URI"].partition(":")[0].partition("+")[0]
    return copy.deepcopy(request.getfixturevalue(f"{dialect}_company").company)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def dispatcher(client: FlaskClient, company: SmallCompany) -> Any:
    """A client signed in as the dispatcher."""
    return company.sign_in(client, "dispatcher@small.example")
