"""What "saved" rests on; each test fails when its line is removed."""

from __future__ import annotations

import hashlib
import io
import os
import re
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from flask import Flask

from server.app import create_app
from server.extensions import db
from server.store import engine
from server.store.files import LocalFiles, places
from server.store.models import Site
from server.store.transaction import BulkWriteRefused, WriteOutsideTransaction, transactional
from tests.builders import SmallCompany

DATA = bytes(range(256)) * 3


def test_every_sqlite_connection_writes_through_to_the_disk(tmp_path: Path) -> None:
    app = create_app({"DATABASE_URL": f"sqlite:///{tmp_path / 'a.db'}", "DATA_FOLDER": tmp_path})
    with app.app_context():
        with db.engine.connect() as first, db.engine.connect() as second:
            for connection in (first, second):
                assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
                assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
                assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        db.engine.dispose()


@pytest.mark.postgresql
def test_the_server_does_not_start_where_postgresql_may_lose_commits(postgresql_server: str, tmp_path: Path) -> None:
    options = {"connect_args": {"options": "-c synchronous_commit=off"}}
    with pytest.raises(engine.UnsafeDatabase, match="synchronous_commit"):
        create_app({"DATABASE_URL": postgresql_server, "SQLALCHEMY_ENGINE_OPTIONS": options, "DATA_FOLDER": tmp_path})


def test_uploaded_bytes_are_on_the_disk_before_the_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data, then the rename, then the folder; a new folder's own name too. Each line that goes makes this fail."""
    done: list[str] = []
    company, upload = str(uuid.uuid4()), str(uuid.uuid4())
    sha256 = hashlib.sha256(DATA).hexdigest()
    real_sync, real_replace = os.fsync, Path.replace

    def name(path: Path) -> str:
        return re.sub("[.][0-9a-f]{32}$", ".new", str(path.relative_to(tmp_path)))

    def sync(descriptor: int) -> None:
        done.append(name(Path(f"/proc/self/fd/{descriptor}").readlink()))
        real_sync(descriptor)

    def replace(path: Path, target: Path) -> Path:
        done.append(f"{name(path)} -> {name(target)}")
        return real_replace(path, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", replace)
    files = LocalFiles(tmp_path)
    files.append(upload, io.BytesIO(DATA), 0, len(DATA))
    assert done == [".", f"uploads/{upload}", "uploads"]
    done.clear()
    assert files.received(upload) == len(DATA)
    assert done == [f"uploads/{upload}"]
    done.clear()
    key = places.original(company, sha256)
    folder = str(Path(key).parent)
    with files.whole(upload) as path:
        files.keep(upload, path, key)
    assert done == [".", "attachments", f"attachments/{company}", f"{key}.new -> {key}", folder]
    done.clear()
    files.write(key, DATA)
    assert done == [f"{key}.new", f"{key}.new -> {key}", folder]
    done.clear()
    aside = places.aside(company, upload)
    files.copy(key, aside)
    assert done == [".", "quarantine", f"{aside}.new -> {aside}", f"quarantine/{company}"]


def test_nothing_is_written_outside_of_an_action(app: Flask, company: SmallCompany) -> None:
    with app.app_context():
        site = db.session.get(Site, (company.id, company.sites[0]))
        assert site is not None
        site.access_note = "past the door"
        with pytest.raises(WriteOutsideTransaction):
            db.session.flush()
        db.session.rollback()


def test_a_bulk_statement_on_a_synced_table_is_refused(app: Flask, company: SmallCompany) -> None:
    @transactional
    def bulk() -> None:
        db.session.execute(db.update(Site).values(access_note="past the feed"))

    with app.app_context(), pytest.raises(BulkWriteRefused):
        bulk()


def test_what_a_killed_server_had_not_flushed_is_flushed_before_anybody_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "rounds.db"
    script = (
        "import os, sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1])\n"
        "connection.execute('PRAGMA journal_mode=WAL')\n"
        "connection.execute('CREATE TABLE answered (n)')\n"
        "connection.commit()\n"
        "os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(file)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert (tmp_path / "rounds.db-wal").stat().st_size > 0
    flushed: list[str] = []
    flush = os.fsync

    def seen(descriptor: int) -> None:
        flushed.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", seen)
    application = create_app({"DATABASE_URL": f"sqlite:///{file}", "DATA_FOLDER": tmp_path, "TESTING": True})
    with application.app_context():
        db.engine.dispose()
    assert "rounds.db-wal" in flushed
