"""F8: PostgreSQL is restarted, killed, out of connections, held by a lock; the server heals by itself. S-60."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from flask import Flask

from server.extensions import db
from tests.builders import SmallCompany, small_company
from tests.conftest import furnished, migrated
from tests.faults.load import Load, some_tablets
from tests.faults.own_postgresql import OwnPostgresql, own_postgresql
from tests.faults.wholeness import unwhole
from tests.serving import Server

DEVICES = 2
pytestmark = pytest.mark.postgresql


@dataclass(frozen=True, kw_only=True)
class Place:
    """A PostgreSQL that may be broken, and a server on it."""

    postgresql: OwnPostgresql
    app: Flask
    company: SmallCompany
    server: Server

    def load(self) -> Load:
        tablets, visit = some_tablets(self.app, self.company, self.server.url, DEVICES)
        return Load(tablets, visit, self.server)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder: Path = tmp_path_factory.mktemp("f8")
    with own_postgresql(max_connections="30", superuser_reserved_connections="3") as postgresql:
        app = migrated(postgresql.url, folder)
        company = furnished(app, "", small_company).company
        assert company is not None
        server = Server(postgresql.url, folder, workers=2)
        server.start()
        yield Place(postgresql=postgresql, app=app, company=copy.deepcopy(company), server=server)
        server.kill()
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def settled(place: Place, load: Load) -> None:
    """All that was written is there once, and nothing but 503 was ever said."""
    load.settle()
    assert {refused.status for refused in load.refused} <= {503}
    assert {refused.code for refused in load.refused} <= {"database-away", "busy"}
    with place.app.app_context():
        # This process slept through it too.
        db.engine.dispose()
        assert unwhole(place.company.id) == []
        db.session.remove()


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_f8_postgresql_goes_down_and_comes_back_and_nobody_restarts_the_server(place: Place, how: str) -> None:
    """Restarted, and killed with all its processes: pushes wait and then go on, in processes that were there before."""
    with place.load() as load:
        for _ in range(2):
            load.pushes(DEVICES)
            getattr(place.postgresql, how)()
            load.forget_pushes()
            place.postgresql.start()
            load.pushes(DEVICES)
    settled(place, load)


END_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' AND pid <> ALL(%s)
"""


def test_f8_connections_that_postgresql_ends_cost_one_request_at_most(place: Place) -> None:
    """`pg_terminate_backend` for every connection of the server in the middle of its work."""
    with place.load() as load, psycopg.connect(place.postgresql.url, autocommit=True) as operator:
        for _ in range(3):
            load.pushes(DEVICES)
            operator.execute(END_OTHERS, ([],))
        load.pushes(DEVICES)
    settled(place, load)


def test_f8_without_a_connection_the_answer_is_503_and_later_it_is_not(place: Place) -> None:
    """Somebody else has all connections: what is written is kept, and goes in when there is one again."""
    load = place.load()
    with psycopg.connect(place.postgresql.url, autocommit=True) as operator:
        taken = all_connections(place)
        mine = [one.info.backend_pid for one in taken]
        operator.execute(END_OTHERS, (mine,))
        taken += all_connections(place)
    taken += all_connections(place)
    with load:
        load.refusals(DEVICES)
        for one in taken:
            one.close()
        load.pushes(DEVICES)
    settled(place, load)


def all_connections(place: Place) -> list[psycopg.Connection]:
    """Take every connection that is left."""
    found = []
    try:
        while True:
            found.append(psycopg.connect(place.postgresql.url))
    except psycopg.OperationalError:
        return found


def test_f8_a_lock_that_somebody_holds_holds_up_writers_and_nobody_who_reads(place: Place) -> None:
    """A slow query has the row that every commit needs: pushes wait for it, pulls are answered meanwhile."""
    (reader,), _ = some_tablets(place.app, place.company, place.server.url, 1)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with place.load() as load, psycopg.connect(place.postgresql.url) as slow:
        with psycopg.connect(place.postgresql.url, autocommit=True) as look:
            slow.execute("SELECT n FROM sync_clock FOR UPDATE")
            while (look.execute(waiting).fetchone() or (0,))[0] < DEVICES:
                time.sleep(0.01)
            reader.read()
            slow.rollback()
        load.forget_pushes()
        load.pushes(DEVICES)
    settled(place, load)
