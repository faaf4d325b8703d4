"""Backups that tablets rely on, and a server that went back in time: S-71 to S-74, S-76 (F17, F18)."""

from __future__ import annotations

import json
import shutil
import sqlite3
import uuid
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from schemas.entities.base import iso
from server.actions.back_up import back_up
from server.actions.end_device import revoke
from server.cli.backup import backup, restore
from server.extensions import db
from server.store.backup import CannotCopy, postgresql
from server.store.files import LocalFiles
from server.store.marks import NAME, Marks
from server.store.models import Company, Device, Mutation, SyncClock
from server.store.queries import devices, fleet
from sync.client import Refused
from sync.feed import decode
from tests.builders import SmallCompany, change, publish
from tests.tablets import Tablet, enrol


@pytest.fixture
def visit(app: Flask, company: SmallCompany) -> str:
    with app.app_context():
        made = company.visit()
        publish(company.id, made, company.anna)
        return made


@pytest.fixture
def anna(app: Flask, company: SmallCompany, visit: str) -> Tablet:
    tablet = enrol(app, company.id, company.anna, "Anna's")
    tablet.read()
    return tablet


def note(tablet: Tablet, visit: str, text: str) -> str:
    entry = {"id": str(uuid.uuid4()), "at": iso(datetime.now(UTC)), "text": text}
    tablet.change(visit, add={"notes": [entry]})
    return entry["id"]


def command(app: Flask, which: Any, *arguments: str) -> Result:
    with app.app_context():
        return app.test_cli_runner().invoke(which, list(arguments))


def backed_up(app: Flask) -> Path:
    """A backup made by the command; its file."""
    done = command(app, backup)
    assert done.exit_code == 0, done.output
    return Path(done.output.split(" is whole")[0])


def put_back(app: Flask, copy: Path) -> None:
    done = command(app, restore, str(copy))
    assert done.exit_code == 0, done.output
    assert "is in force" in done.output


def notes(app: Flask, company: SmallCompany, visit: str) -> list[str]:
    with app.app_context():
        from server.store.models import Visit

        made = db.session.get(Visit, (company.id, visit), populate_existing=True)
        assert made is not None
        return [entry["text"] for entry in made.notes]


# --- until a backup covers it ---------------------------------------------------------------------------------------


def test_what_was_answered_is_kept_until_a_verified_backup_covers_it(app: Flask, anna: Tablet, visit: str) -> None:
    """S-71, S-72"""
    note(anna, visit, "before")
    anna.sync()
    assert [entry["mutation"]["n"] for entry in anna.state.kept] == [1]
    backed_up(app)
    note(anna, visit, "after")
    anna.sync()
    assert [entry["mutation"]["n"] for entry in anna.state.kept] == [2]
    anna.sync()
    assert len(anna.state.kept) == 1
    backed_up(app)
    anna.read()
    assert anna.state.kept == []


def test_a_refused_edit_is_covered_like_any_other(app: Flask, anna: Tablet, company: SmallCompany, visit: str) -> None:
    """S-72: it changed nothing and took no number of the feed; its words are in the journal all the same."""
    backed_up(app)
    anna.change(str(uuid.uuid4()), set={"work_summary": "to a visit that is not there"})
    assert anna.send()[0]["status"] == "rejected"
    anna.send()
    assert len(anna.state.kept) == 1
    copy = backed_up(app)
    anna.send()
    assert anna.state.kept == []
    put_back(app, copy)
    with app.app_context():
        assert db.session.query(Mutation).one().status == "rejected"


def test_nothing_is_kept_for_longer_than_a_fortnight(anna: Tablet, visit: str) -> None:
    """S-72: an installation that makes no backups does not fill its tablets. The server's days count."""
    note(anna, visit, "old")
    anna.push(device_time=iso(datetime.now(UTC) - timedelta(days=15)))
    anna.send()
    assert len(anna.state.kept) == 1
    anna.state.kept[0]["at"] = iso(datetime.now(UTC) - timedelta(days=15))
    anna.send()
    assert anna.state.kept == []


def test_a_backup_that_cannot_be_proved_covers_nothing(
    app: Flask, anna: Tablet, company: SmallCompany, visit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S-71: a file that a visit refers to is gone; it is said, and the tablets keep all."""
    note(anna, visit, "a")
    anna.sync()
    monkeypatch.setattr("server.actions.back_up.rows.all_kept", lambda: [(company.id, "0" * 64)])
    done = command(app, backup)
    assert done.exit_code == 1
    assert "0000" in done.output
    anna.sync()
    assert len(anna.state.kept) == 1
    assert not list((app.config["DATA_FOLDER"] / "backups").glob("rounds-*.db"))
    assert command(app, backup, "--no-files").exit_code == 0


def test_without_the_programs_of_postgresql_it_is_said_aloud(
    app: Flask, anna: Tablet, company: SmallCompany, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S-71"""
    if db_name(app) == "sqlite":
        return
    monkeypatch.setenv(postgresql.TOOLS, str(tmp_path))
    done = command(app, backup)
    assert done.exit_code == 1
    assert "no pg_dump" in done.output
    with app.app_context():
        assert devices.history(company.id).backed_up_through == 0


def test_old_backups_go_and_the_newest_stay(app: Flask, company: SmallCompany) -> None:
    made = [backed_up(app) for _ in range(2)]
    command(app, backup, "--most", "2")
    assert not made[0].exists()
    assert made[1].exists()


def db_name(app: Flask) -> str:
    with app.app_context():
        return db.engine.dialect.name


# --- back in time ---------------------------------------------------------------------------------------------------


def test_f17_after_a_restore_nothing_is_lost_and_nothing_doubled(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str
) -> None:
    """S-72, S-73 (F17): two tablets at work before the backup and after it; one edit is still unsent."""
    boris = enrol(app, company.id, company.boris, "Boris's")
    with app.app_context():
        his = company.visit()
        publish(company.id, his, company.boris)
    boris.read()
    for tablet, place in ((anna, visit), (boris, his)):
        note(tablet, place, "before")
        tablet.sync()
    copy = backed_up(app)
    for tablet, place in ((anna, visit), (boris, his)):
        note(tablet, place, "after, answered")
        tablet.sync()
        note(tablet, place, "unsent")
    office = company.sign_in(app.test_client(), "dispatcher@small.example")
    assert office.patch(f"/api/v1/visits/{visit}", json={"instructions": "lost with the restore"}).status_code == 200
    anna.read()
    put_back(app, copy)
    assert notes(app, company, visit) == ["before"]
    for tablet, place in ((anna, visit), (boris, his)):
        tablet.sync()
        tablet.sync()
        assert sorted(notes(app, company, place)) == ["after, answered", "before", "unsent"]
        assert tablet.body(place) == enrolled_anew(app, company, tablet).body(place)
    assert anna.body(visit)["instructions"] is None
    with app.app_context():
        assert db.session.query(Mutation).count() == 6
        found = db.session.get(Company, company.id)
        assert found is not None
        assert found.restored_to is not None
        assert found.restored_at is not None
        assert found.restored_to < found.restored_at
        epochs = {one.epoch for one in db.session.query(Device).filter(Device.cursor_seq > 0)}
    assert epochs == {found.epoch}


def enrolled_anew(app: Flask, company: SmallCompany, tablet: Tablet) -> Tablet:
    """A fresh tablet of the same technician, read to the end."""
    fresh = enrol(app, company.id, tablet.state.technician_id)
    fresh.read()
    return fresh


def test_an_answer_that_came_from_another_history_covers_nothing(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str
) -> None:
    """S-73: the restored server pushes past the old numbers and is backed up before the tablet calls."""
    copy = backed_up(app)
    note(anna, visit, "after")
    anna.sync()
    put_back(app, copy)
    with app.app_context():
        for n in range(40):
            change_site(company, str(n))
    backed_up(app)
    anna.send()
    assert [mutation["n"] for mutation in anna.unsent()] == [1]
    anna.sync()
    assert notes(app, company, visit) == ["after"]


def change_site(company: SmallCompany, text: str) -> None:
    from server.store.models import Site

    change(Site, company.id, company.sites[2], danger_note=text)


def test_a_token_that_was_renewed_after_the_backup_is_forgotten_and_the_former_one_works(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str
) -> None:
    """S-76"""
    copy = backed_up(app)
    anna.renew_token()
    note(anna, visit, "after")
    anna.sync()
    put_back(app, copy)
    anna.sync()
    assert notes(app, company, visit) == ["after"]
    with app.app_context():
        assert [one.kind for one in fleet.open_notices(company.id)] == ["went-back"]


def test_a_tablet_that_was_revoked_since_the_backup_stays_out(app: Flask, company: SmallCompany, anna: Tablet) -> None:
    """S-4, S-74: a lost tablet does not come in again with the old data."""
    copy = backed_up(app)
    with app.app_context():
        revoke(company.id, anna.state.device_id, now=datetime.now(UTC))
    put_back(app, copy)
    with pytest.raises(Refused, match="device-revoked"):
        anna.read()


def test_a_broken_copy_is_refused_and_nothing_is_changed(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str
) -> None:
    copy = backed_up(app)
    note(anna, visit, "after")
    anna.sync()
    data = bytearray(copy.read_bytes())
    data[len(data) // 2] ^= 1
    copy.write_bytes(bytes(data))
    done = command(app, restore, str(copy))
    assert done.exit_code == 1
    assert "hash differs" in done.output
    copy.with_suffix(".json").unlink()
    copy.write_bytes(bytes(data[: len(data) // 2]))
    assert command(app, restore, str(copy)).exit_code == 1
    assert command(app, restore, str(copy) + ".not-there").exit_code == 2
    anna.read()
    assert notes(app, company, visit) == ["after"]


def test_f17_a_database_that_was_put_back_by_other_means_begins_another_history(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str, tmp_path: Path
) -> None:
    """S-74: the mark outside of the database is ahead of it; seen before the first answer, by push and by pull."""
    for ask in (anna.pull, anna.send):
        go_back = keep_state(app, company, tmp_path)
        note(anna, visit, "after")
        anna.sync()
        epoch = anna.state.epoch
        go_back()
        app.extensions[NAME] = Marks(app.config["DATA_FOLDER"])
        ask()
        anna.sync()
        assert anna.state.epoch != epoch
    assert notes(app, company, visit) == ["after", "after"]
    with app.app_context():
        assert "went-back" in [one.kind for one in fleet.open_notices(company.id)]


def keep_state(app: Flask, company: SmallCompany, folder: Path) -> Callable[[], None]:
    """Remember the database as it is now; the answer puts it back behind everybody's back."""
    with app.app_context():
        name = db.engine.dialect.name
        copies_of = db.engine.url.database
        made = back_up(folder / "behind", LocalFiles(folder), now=datetime.now(UTC)).path
        db.session.remove()

    def go_back() -> None:
        with app.app_context():
            from server.store.backup import copies

            db.session.remove()
            if name == "sqlite":
                with closing(sqlite3.connect(made)) as source, closing(sqlite3.connect(str(copies_of))) as target:
                    source.backup(target)
            else:
                copies().put_back(made, lambda engine: None, folder)
            db.engine.dispose()

    return go_back


def test_f18_a_tablet_that_is_ahead_of_the_server_starts_anew_and_the_office_hears_of_it(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str
) -> None:
    """S-74 (F18): an edited cursor; one tablet may lie, two technicians' tablets do not lie alike."""
    boris = enrol(app, company.id, company.boris)
    boris.read()
    note(anna, visit, "kept")
    epoch = devices_epoch(app, company)
    anna.state.cursor = ahead(anna)
    anna.sync()
    assert notes(app, company, visit) == ["kept"]
    assert devices_epoch(app, company) == epoch
    with app.app_context():
        [one] = fleet.open_notices(company.id)
        assert (one.kind, one.params["n"]) == ("server-behind", 1)
    anna.state.cursor = ahead(anna)
    anna.sync()
    assert devices_epoch(app, company) == epoch
    boris.state.cursor = ahead(boris)
    boris.sync()
    assert devices_epoch(app, company) != epoch


def ahead(tablet: Tablet) -> str:
    cursor = decode(str(tablet.state.cursor))
    return type(cursor)(seq=cursor.seq + 1000, epoch=cursor.epoch).encode()


def devices_epoch(app: Flask, company: SmallCompany) -> str:
    with app.app_context():
        return devices.history(company.id).epoch


def test_a_new_data_folder_takes_the_history_as_it_is(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str
) -> None:
    """S-74: no mark is no sign."""
    note(anna, visit, "a")
    anna.sync()
    shutil.rmtree(app.config["DATA_FOLDER"] / "marks")
    app.extensions[NAME] = Marks(app.config["DATA_FOLDER"])
    epoch = devices_epoch(app, company)
    anna.sync()
    assert devices_epoch(app, company) == epoch
    with app.app_context():
        clock = db.session.get(SyncClock, company.id)
        assert clock is not None
    lines = (app.config["DATA_FOLDER"] / "marks" / company.id).read_text().split()
    assert lines == [f"{clock.n:020d}", epoch]


def test_the_manifest_says_of_when_a_backup_is(app: Flask, company: SmallCompany) -> None:
    copy = backed_up(app)
    told = json.loads(copy.with_suffix(".json").read_text())
    assert told["companies"][company.id]["epoch"] == devices_epoch(app, company)
    assert abs(datetime.now(UTC) - datetime.fromisoformat(told["made_at"])) < timedelta(minutes=1)


def test_a_copy_that_lacks_something_is_no_backup(
    app: Flask, company: SmallCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S-71: the copy is compared with what was there before it was made."""
    with app.app_context():
        from server.actions import back_up as module

        made = module.stands(db.engine)
        more = {one: type(was)(**{**vars(was), "versions": was.versions + 1}) for one, was in made.items()}
        monkeypatch.setattr(module, "stands", lambda engine: more)
        with pytest.raises(CannotCopy, match="was there before"):
            back_up(app.config["DATA_FOLDER"] / "backups", LocalFiles(app.config["DATA_FOLDER"]), now=datetime.now(UTC))
        assert devices.history(company.id).backed_up_at is None
