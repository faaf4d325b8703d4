"""F19: a migration is killed at a statement, and run again: the database is as if nothing had been."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import flask_migrate
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask

from server.app import create_app
from server.config import ROOT
from server.extensions import db
from server.store.models import Document
from tests import warm
from tests.builders import SmallCompany, publish

EVERY = int(os.environ.get("ROUNDS_TEST_MIGRATION_STEPS", "9"))
"""Killed at each so-manieth statement; 1 for each."""

BACK = "-1"
"""The migrations that are taken back and run again."""


def test_f19_a_migration_that_is_killed_at_any_statement_is_run_again(
    app: Flask, company: SmallCompany, database_url: str, tmp_path: Path
) -> None:
    with app.app_context():
        publish(company.id, company.visit(asset_ids=company.assets[:1]), company.anna)
        before = state()
        db.session.remove()
        db.engine.dispose()
    out = tmp_path / "kills.json"
    process = warm.Process(
        killed_and_run_again,
        (out, EVERY),
        environment=os.environ | {"DATABASE_URL": database_url, "ROUNDS_DATA": str(tmp_path)},
        folder=ROOT,
        log=tmp_path / "migrations.log",
    )
    assert process.wait() == 0, (tmp_path / "migrations.log").read_text()[-4000:]
    assert json.loads(out.read_text())["kills"] > 0
    with app.app_context():
        assert state() == before


def state() -> Any:
    """Tables with their columns, the revision, and the documents."""
    look = sa.inspect(db.engine)
    tables = {name: sorted(column["name"] for column in look.get_columns(name)) for name in look.get_table_names()}
    with db.engine.connect() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
        rows = connection.execute(sa.select(Document.id, Document.version, Document.body).order_by(Document.id))
        return tables, revision, [tuple(row) for row in rows]


def killed_and_run_again(out: Path, every: int) -> None:
    """Take the last migration back; run it in children that end at one statement after the other; then whole."""
    app = create_app({"TESTING": True})
    with app.app_context():
        head = ScriptDirectory(str(ROOT / "migrations")).get_current_head()
        flask_migrate.downgrade(revision=BACK)
        db.engine.dispose()
    kills = step = 0
    while True:
        child = os.fork()
        if not child:
            with app.app_context():
                db.engine.dispose(close=False)
                left = [step]

                def count(*_: Any, left: list[int] = left) -> None:
                    left[0] -= 1
                    if left[0] < 0:
                        os.kill(os.getpid(), signal.SIGKILL)

                sa.event.listen(db.engine, "before_cursor_execute", count)
                sa.event.listen(db.engine, "commit", count)
                flask_migrate.upgrade()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            assert os.waitstatus_to_exitcode(status) == 0
            break
        kills, step = kills + 1, step + every
    with app.app_context(), db.engine.connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == head
    out.write_text(json.dumps({"kills": kills}))
