"""What "saved" rests on; each test fails when its line is removed."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import pytest
from flask import Flask

from server.app import create_app
from server.extensions import db
from server.store import engine
from server.store.files import Files
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
    synced: list[str] = []
    real = os.fsync

    def recording(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink().relative_to(tmp_path)))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", recording)
    files = Files(tmp_path)
    files.append("one", io.BytesIO(DATA), 0, len(DATA))
    assert synced == ["uploads/one", "uploads"]
    synced.clear()
    sha256 = hashlib.sha256(DATA).hexdigest()
    files.keep("one", "company", sha256)
    assert synced == [f"attachments/company/{sha256[:2]}", "uploads"]


@pytest.mark.parametrize("cut", range(0, len(DATA), 37))
def test_an_upload_goes_on_from_any_byte(tmp_path: Path, cut: int) -> None:
    files = Files(tmp_path)
    if cut:
        assert files.append("one", io.BytesIO(DATA[:cut]), 0, len(DATA)) == cut
    assert files.received("one") == cut
    assert files.append("one", io.BytesIO(DATA[cut:]), cut, len(DATA) - cut) == len(DATA)
    assert files.hash_of("one") == hashlib.sha256(DATA).hexdigest()


def test_an_upload_does_not_go_on_from_another_byte(tmp_path: Path) -> None:
    files = Files(tmp_path)
    files.append("one", io.BytesIO(DATA), 0, 10)
    with pytest.raises(ValueError, match="11"):
        files.append("one", io.BytesIO(DATA), 11, 10)
    assert files.received("one") == 10


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
