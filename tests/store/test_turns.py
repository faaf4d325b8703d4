"""Writers of a SQLite file come in turn, and every turn is given back."""

from __future__ import annotations

import fcntl
import os
import threading

import pytest
from sqlalchemy import text

from server.app import create_app
from server.extensions import db
from server.store.transaction import transactional
from server.store.turns import Turns


@pytest.fixture
def file(tmp_path):
    return tmp_path / "a.db.turn"


@pytest.fixture
def app(tmp_path):
    app = create_app({"DATABASE_URL": f"sqlite:///{tmp_path / 'a.db'}", "DATA_FOLDER": tmp_path, "TESTING": True})
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@transactional
def write(*, fail: bool = False) -> None:
    db.session.execute(text("CREATE TABLE IF NOT EXISTS written (by INTEGER)"))
    db.session.execute(text("INSERT INTO written VALUES (1)"))
    if fail:
        raise LookupError


def is_taken(file) -> bool:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def test_a_writer_has_the_turn_until_it_has_committed(app, file):
    seen = []

    @transactional
    def look() -> None:
        write()
        seen.append(is_taken(file))

    look()

    assert (seen, is_taken(file)) == ([True], False)


def test_a_turn_is_given_back_by_who_fails(app, file):
    with pytest.raises(LookupError):
        write(fail=True)

    assert not is_taken(file)


def test_a_reader_takes_no_turn(app, file):
    db.session.execute(text("SELECT 1")).all()

    assert not is_taken(file)


def test_many_writers_all_have_their_turn(app):
    def work() -> None:
        with app.app_context():
            for _ in range(5):
                write()
            db.session.remove()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert db.session.execute(text("SELECT count(*) FROM written")).scalar_one() == 40


def test_the_next_one_waits_until_the_turn_is_given_back(file):
    first, second = Turns(file, 20), Turns(file, 20)
    held = first.take()
    assert held is not None
    waiting = threading.Thread(target=lambda: second.give(second.take()))
    waiting.start()
    first.give(held)
    waiting.join(20)

    assert not waiting.is_alive()


def test_who_gets_no_turn_in_time_writes_without(file):
    turns = Turns(file, 0.01)
    held = turns.take()

    assert (held is not None, turns.take()) == (True, None)


def test_where_no_file_can_be_made_one_writes_without(tmp_path):
    assert Turns(tmp_path / "nowhere" / "a.turn", 1).take() is None
