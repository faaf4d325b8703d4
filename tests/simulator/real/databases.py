"""Fresh databases with the small company in them, for fleets that run outside of pytest: copies of one template."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from flask import Flask

from server.app import create_app
from server.extensions import db
from tests import postgresql
from tests.builders import SmallCompany, small_company
from tests.conftest import Template, database_on, furnished, made_on, migrated


@dataclass(frozen=True, kw_only=True)
class Fresh:
    """One database of its own, the application on it, and a folder."""

    url: str
    app: Flask
    company: SmallCompany
    folder: Path


@dataclass(kw_only=True)
class Databases:
    """Templates by dialect; what is made from them is gone when it is no longer needed."""

    folder: Path
    postgresql_url: str | None
    templates: dict[str, Template] = field(default_factory=dict)

    @contextmanager
    def fresh(self, dialect: str) -> Iterator[Fresh]:
        """A database with the small company."""
        template = self._template(dialect)
        assert template.company is not None
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        name = ""
        if dialect == "sqlite":
            shutil.copyfile(template.source, folder / "rounds.db")
            url = f"sqlite:///{folder / 'rounds.db'}"
        else:
            assert self.postgresql_url is not None
            name = made_on(self.postgresql_url, template.source)
            url = database_on(self.postgresql_url, name)
        app = create_app({"DATABASE_URL": url, "DATA_FOLDER": folder, "TESTING": True})
        try:
            yield Fresh(url=url, app=app, company=template.company, folder=folder)
        finally:
            with app.app_context():
                db.session.remove()
                db.engine.dispose()
            if name and self.postgresql_url is not None:
                with psycopg.connect(self.postgresql_url, autocommit=True) as connection:
                    connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
            shutil.rmtree(folder, ignore_errors=True)

    def _template(self, dialect: str) -> Template:
        if dialect not in self.templates:
            folder = Path(tempfile.mkdtemp(dir=self.folder))
            if dialect == "sqlite":
                source, url = str(folder / "template.db"), f"sqlite:///{folder / 'template.db'}"
            else:
                assert self.postgresql_url is not None
                source = made_on(self.postgresql_url)
                url = database_on(self.postgresql_url, source)
            self.templates[dialect] = furnished(migrated(url, folder), source, small_company)
        return self.templates[dialect]


@contextmanager
def databases(*, with_postgresql: bool) -> Iterator[Databases]:
    """Databases in memory where there is room, for as long as they are needed."""
    with tempfile.TemporaryDirectory(prefix="rounds-fleets-", dir=postgresql.memory()) as folder:
        if not with_postgresql:
            yield Databases(folder=Path(folder), postgresql_url=None)
            return
        with postgresql.server() as url:
            yield Databases(folder=Path(folder), postgresql_url=url)
