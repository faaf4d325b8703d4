"""Streams of news over real processes: who hears of what, how many there may be, and that nobody suffers by them."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from flask import Flask

from schemas.entities.base import EVERYONE, technician_scope
from server.actions.end_device import revoke
from server.actions.sign_in import token_hash
from server.app import create_app
from server.extensions import db
from server.store.feed import next_number
from server.store.models import Device, DeviceScope, Site, Technician
from server.store.transaction import transactional
from server.store.types import new_id
from sync.feed import Cursor, decode
from sync.stream import END, NEWS
from tests.builders import Office, SmallCompany, change, publish
from tests.conftest import DATABASES, copied
from tests.serving import Server
from tests.streams import Reader
from tests.tablets import Tablet, enrol

PATH = "/sync/v1/stream"
ROOM = 96
"""Streams that a process takes unless it is told otherwise."""


@dataclass
class Served:
    """A company whose office is at work in this process, and a web server of another process on the same database."""

    app: Flask
    company: SmallCompany
    server: Server

    def tablet(self, technician_id: str) -> Tablet:
        """A tablet that has read all there is."""
        tablet = enrol(self.app, self.company.id, technician_id)
        tablet.read()
        return tablet

    def visit(self, technician_id: str) -> str:
        """Publish a new visit to somebody."""
        with self.app.app_context():
            visit = self.company.visit()
            publish(self.company.id, visit, technician_id)
        return visit

    def listen(self, tablet: Tablet, cursor: str | None = None) -> Reader:
        """Open the tablet's stream from what it has read."""
        known = tablet.state.cursor if cursor is None else cursor
        return _when_there_is_room(self.server.port, tablet.state.token, known or "")


@pytest.fixture(scope="module", params=DATABASES)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("stream")
    with copied(request, request.param, "company", folder) as url:
        app = create_app({"DATABASE_URL": url, "DATA_FOLDER": folder, "TESTING": True})
        company = copy.deepcopy(request.getfixturevalue(f"{request.param}_company").company)
        server = Server(url, folder, settings={"ROUNDS_STREAM_HEARTBEAT": "0.2"})
        server.start()
        yield Served(app=app, company=company, server=server)
        server.kill()
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@transactional
def many_devices(company: SmallCompany, count: int) -> list[str]:
    """Tokens of so many tablets of Anna's, enrolled at once."""
    tokens = []
    granted = next_number(db.session(), company.id)
    for n in range(count):
        tokens.append(f"token-{n}-{new_id()}")
        device = Device(
            company_id=company.id, id=new_id(), technician_id=company.anna, name=f"Tablet {n}",
            token_hash=token_hash(tokens[-1]), enrolled_at=datetime.now(UTC),
        )  # fmt: skip
        db.session.add(device)
        db.session.flush()
        for scope in (technician_scope(company.anna), EVERYONE):
            db.session.add(DeviceScope(company_id=company.id, device_id=device.id, scope=scope, granted=granted))
    return tokens


def test_a_tablet_hears_of_news_in_its_own_scopes_from_any_process(served: Served) -> None:
    """S-140, S-141 (law 5): Boris hears nothing of Anna's visit, not even that there is one."""
    anna, boris = served.tablet(served.company.anna), served.tablet(served.company.boris)
    with served.listen(anna) as at_anna, served.listen(boris) as at_boris:
        assert (at_anna.status, at_anna.headers["content-type"].split(";")[0]) == (200, "text/event-stream")
        visit = served.visit(served.company.anna)
        heard = at_anna.next()
        assert (heard.kind, heard.data) == (NEWS, "{}")
        served.visit(served.company.boris)
        assert decode(at_boris.next().id).seq > decode(heard.id).seq
    anna.read()
    assert visit in anna.ids
    assert decode(anna.state.cursor or "").seq >= decode(heard.id).seq


def test_a_silent_line_beats(served: Served) -> None:
    """S-140"""
    with served.listen(served.tablet(served.company.anna)) as reader:
        assert reader.line() == "retry: 5000"
        assert [reader.line() for _ in range(5)] == ["", ": ", "", ": ", ""]


def test_who_comes_back_hears_of_what_was_missed(served: Served) -> None:
    """S-142: from the cursor that was read; one of another history is news by itself."""
    tablet = enrol(served.app, served.company.id, served.company.anna)
    tablet.pull(limit=1)
    half_read = tablet.state.cursor or ""
    with served.listen(tablet) as reader:
        assert reader.next().kind == NEWS
    tablet.read()
    read = decode(tablet.state.cursor or "")
    served.visit(served.company.anna)
    with served.listen(tablet) as reader:
        assert decode(reader.next().id).seq > read.seq
    tablet.read()
    with served.listen(tablet, Cursor(seq=read.seq, epoch="0" * 16).encode()) as reader:
        assert decode(reader.next().id).epoch == decode(half_read).epoch
    with served.listen(tablet, "nonsense") as reader:
        assert (reader.status, reader.problem()["code"]) == (400, "bad-cursor")


def test_a_revoked_tablet_and_one_whose_technician_left_are_told_no_more(served: Served) -> None:
    """S-143 (law 5): the line ends when access ends, whichever process ends it."""
    company = served.company
    anna, boris = served.tablet(company.anna), served.tablet(company.boris)
    with served.listen(anna) as at_anna, served.listen(boris) as at_boris:
        with served.app.app_context():
            revoke(company.id, anna.state.device_id, now=datetime.now(UTC))
        last = at_anna.next()
        assert (last.kind, last.data) == (END, '{"reason":"revoked"}')
        with served.app.app_context():
            change(Technician, company.id, company.boris, active=False)
        assert [event.kind for event in at_boris.events][-1] == END
    with served.app.app_context():
        change(Technician, company.id, company.boris, active=True)
    with served.listen(anna) as reader:
        assert (reader.status, reader.problem()["code"]) == (401, "device-revoked")


def test_there_is_room_for_so_many_and_one_line_for_each_tablet(served: Served) -> None:
    """S-144: who finds none is told when to ask again; a line that goes makes room at once."""
    with served.app.app_context():
        tokens = many_devices(served.company, ROOM + 1)
    port = served.server.port
    with ExitStack() as lines:
        readers = [lines.enter_context(_when_there_is_room(port, token)) for token in tokens[:ROOM]]
        with Reader(port, PATH, tokens[ROOM]) as late:
            assert (late.status, late.headers["retry-after"]) == (503, "60")
            assert late.problem()["code"] == "no-stream"
        again = lines.enter_context(Reader(port, PATH, tokens[0]))
        assert again.status == 200
        assert [event.data for event in readers[0].events][-1] == '{"reason":"replaced"}'
        readers[1].reset()
        readers[2].close()
        lines.enter_context(_when_there_is_room(port, tokens[ROOM]))


def _when_there_is_room(port: int, token: str, last_id: str = "") -> Reader:
    """An answer to who wants a stream; asked for again for a few seconds while there is no room for it.

    Lines of the tests before have gone, and it may just not have been noticed.
    """
    until = time.monotonic() + 60
    while (reader := Reader(port, PATH, token, last_id=last_id)).status == 503:
        reader.close()
        assert time.monotonic() < until
    return reader


def test_the_office_hears_of_each_change_and_of_what_no_tablet_hears(served: Served) -> None:
    """S-145: an enrolled tablet is news there; signing out ends it; for technicians it is not."""
    company, client = served.company, served.app.test_client()
    dispatcher = company.sign_in(client, "dispatcher@small.example")
    with Reader(served.server.port, "/api/v1/stream", dispatcher.token) as reader:
        assert reader.status == 200
        with served.app.app_context():
            change(Site, company.id, company.sites[0], access_note="Side door")
        first = reader.next()
        assert first.kind == NEWS
        served.tablet(company.anna)
        assert decode(reader.next().id).seq > decode(first.id).seq
        assert dispatcher.post("/api/v1/auth/logout").status_code == 204
        assert [event.kind for event in reader.events][-1] == END
    anna = company.sign_in(client, "anna@small.example")
    with Reader(served.server.port, "/api/v1/stream", anna.token) as reader:
        assert (reader.status, reader.problem()["code"]) == (403, "forbidden")


def test_f14_hundreds_of_lines_that_never_read_or_vanish_starve_nobody(served: Served) -> None:
    """S-144: 500 sockets ask for a stream and read nothing of it; a tablet's pulls are answered meanwhile."""
    with served.app.app_context():
        tokens = many_devices(served.company, 125)
    tablet = served.tablet(served.company.boris)
    with ThreadPoolExecutor(8) as pool:
        readers = list(pool.map(lambda token: Reader(served.server.port, PATH, token), tokens * 4))
    with ExitStack() as lines:
        for reader in readers:
            lines.enter_context(reader)
        assert {reader.status for reader in readers} == {200, 503}
        assert sum(reader.status == 200 for reader in readers) >= ROOM
        for n in range(10):
            with served.app.app_context():
                change(Site, served.company.id, served.company.sites[0], access_note=f"Door {n}")
        _pull(served, tablet)
        for reader in readers[::2]:
            reader.reset()
    _pull(served, tablet)


def _pull(served: Served, tablet: Tablet) -> None:
    """Some pulls, all of which are answered."""
    for _ in range(10):
        status, _ = served.server.call("GET", f"/sync/v1/pull?cursor={tablet.state.cursor}", token=tablet.state.token)
        assert status == 200


def test_a_server_that_stops_sends_its_readers_away(served: Served) -> None:
    """S-144: they come back when it is there again, and hear of what was missed."""
    tablet = served.tablet(served.company.anna)
    with served.listen(tablet) as reader:
        served.server.stop()
        assert reader.next().data == '{"reason":"closing"}'
    served.visit(served.company.anna)
    served.server.start()
    with served.listen(tablet) as reader:
        assert reader.next().kind == NEWS


def test_without_room_for_streams_a_server_says_so(dispatcher: Office) -> None:
    """S-144: a web server without threads to spare offers none."""
    answer = dispatcher.get("/api/v1/stream")
    assert (answer.status_code, answer.json["code"]) == (503, "no-stream")
