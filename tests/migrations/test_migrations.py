"""One history for both databases: up, checked, down, up again; and what batch mode must not do on SQLite."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import flask_migrate
import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask

from schemas.entities.base import technician_scope
from server.app import create_app
from server.config import ROOT
from server.extensions import db
from server.store import retention
from server.store.models import FileReference, ScopePast, Upload, Visit
from server.store.transaction import transactional
from server.store.types import new_id
from tests.builders import change, entry, publish, small_company
from tests.conftest import database_on


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """An application on a database without any table."""
    if request.param == "sqlite":
        yield create_app({"DATABASE_URL": f"sqlite:///{tmp_path / 'bare.db'}", "DATA_FOLDER": tmp_path})
        return
    server = request.getfixturevalue("postgresql_server")
    name = f"bare_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        app = create_app({"DATABASE_URL": database_on(server, name), "DATA_FOLDER": tmp_path})
        yield app
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def tables() -> set[str]:
    return set(sa.inspect(db.engine).get_table_names())


def test_the_history_goes_up_down_and_up_again(bare: Flask) -> None:
    with bare.app_context():
        flask_migrate.upgrade()
        full = tables()
        flask_migrate.downgrade(revision="base")
        assert tables() <= {"alembic_version"}
        flask_migrate.upgrade()
        assert tables() == full


def test_the_models_are_what_the_history_makes(bare: Flask) -> None:
    with bare.app_context():
        flask_migrate.upgrade()
        with db.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, db.metadata) == []


def test_every_table_of_a_company_has_the_company_first_in_its_key(bare: Flask) -> None:
    without_company = {"company", "login_failure", "enrolment_miss", "job_run", "job_lease"}
    with bare.app_context():
        for table in db.metadata.sorted_tables:
            first = next(iter(table.primary_key.columns)).name
            assert (first == "company_id") != (table.name in without_company), table.name


def test_files_of_before_are_carried_over(bare: Flask) -> None:
    """What was verified is a stored file, which visits name which file is known, what was put aside says why."""
    with bare.app_context():
        flask_migrate.upgrade()
        company = small_company()
        visit = company.visit()
        photo = entry(kind="photo", sha256="a" * 64, size=5, media_type="image/png")
        change(Visit, company.id, visit, attachments=[photo])
        for state, sha256 in (("verified", "a" * 64), ("verified", "a" * 64), ("quarantined", "b" * 64)):
            add_upload(company.id, sha256=sha256, state=state)
        db.session.remove()
        before = ScriptDirectory(str(ROOT / "migrations")).get_revision("0005_files").down_revision
        flask_migrate.downgrade(revision=before)
        flask_migrate.upgrade()
        with db.engine.connect() as connection:
            stored = connection.exec_driver_sql("SELECT sha256, size, pictures FROM stored_file").all()
            faults = connection.exec_driver_sql("SELECT state, fault FROM upload ORDER BY state").all()
        assert [tuple(row) for row in stored] == [("a" * 64, 5, False)]
        assert [tuple(row) for row in faults] == [("quarantined", "hash"), ("verified", None), ("verified", None)]
        (named,) = db.session.query(FileReference).all()
        assert (named.sha256, named.document_id, named.company_id) == ("a" * 64, visit, company.id)
        db.session.remove()


def test_what_a_scope_has_forgotten_is_remembered_from_then_on(bare: Flask) -> None:
    """S-156: also when the feed forgot it before there was a table of it; what the feed still knows is left to it."""
    with bare.app_context():
        flask_migrate.upgrade()
        company = small_company()
        moved, here = (
            company.visit(asset_ids=[asset], site_id=site)
            for asset, site in zip(company.assets[:2], company.sites[:2], strict=True)
        )
        never = company.visit(site_id=company.sites[2])
        for visit in (moved, here):
            publish(company.id, visit, company.anna)
        publish(company.id, moved, company.boris)
        publish(company.id, never, company.boris)
        scope = technician_scope(company.anna)
        forget(company.id, scope)
        before = ScriptDirectory(str(ROOT / "migrations")).get_revision("0014_scope_past").down_revision
        db.session.remove()
        flask_migrate.downgrade(revision=before)
        flask_migrate.upgrade()
        found = {row.document_id for row in db.session.query(ScopePast).filter_by(scope=scope)}
        assert {moved, company.assets[0], company.sites[0]} <= found
        assert not {here, never, company.assets[1], company.sites[2]} & found
        assert {row.scope for row in db.session.query(ScopePast)} == {scope}
        db.session.remove()


@transactional
def forget(company_id: str, scope: str) -> None:
    assert retention.remove(company_id, scope, 10**9) > 0


@transactional
def add_upload(company_id: str, *, sha256: str, state: str) -> None:
    db.session.add(
        Upload(
            company_id=company_id,
            id=new_id(),
            device_id=new_id(),
            sha256=sha256,
            size=5,
            media_type="image/png",
            state=state,
            created_at=datetime.now(UTC),
        )
    )


REBUILD = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "rebuild", "{head}"


def upgrade():
    with op.batch_alter_table("customer", recreate="always") as table:
        table.add_column(sa.Column("nickname", sa.String(10)))
"""


def test_a_migration_that_makes_a_parent_table_anew_keeps_its_children(tmp_path: Path) -> None:
    """SQLite drops the old table: with its foreign keys on that would fail, or take the sites of customers along."""
    folder = shutil.copytree(ROOT / "migrations", tmp_path / "migrations")
    app = create_app({"DATABASE_URL": f"sqlite:///{tmp_path / 'bare.db'}", "DATA_FOLDER": tmp_path})
    with app.app_context():
        flask_migrate.upgrade()
        company = small_company()
        db.session.remove()
        head = ScriptDirectory(str(folder)).get_current_head()
        (folder / "versions" / "rebuild.py").write_text(REBUILD.format(head=head))
        flask_migrate.upgrade(directory=str(folder))
        with db.engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT nickname FROM customer").all() == [(None,)]
            assert connection.exec_driver_sql("SELECT count(*) FROM site").scalar() == len(company.sites)
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        db.engine.dispose()
