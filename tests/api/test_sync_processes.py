"""Real servers: pushes that meet, replies cut off, and who wrote what. S-19, S-23, S-27 (laws 2, 3 and 4)."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from schemas.entities.base import iso
from server.actions.enrol_device import make_code
from server.store import documents
from server.store.models import ScopeFeed, ScopeReason
from sync.client import Replica
from tests.builders import SmallCompany, publish
from tests.serving import Server
from tests.tablets import OverHttp, Tablet, enrol


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[Server]:
    running = Server(database_url, tmp_path, workers=2)
    running.start()
    try:
        yield running
    finally:
        running.kill()


def tablets(app: Flask, company: SmallCompany, server: Server, count: int) -> tuple[list[Tablet], str]:
    with app.app_context():
        visit = company.visit()
        publish(company.id, visit, company.anna)
        codes = [make_code(company.id, company.anna, user_id=None, now=datetime.now(UTC)).code for _ in range(count)]
    found = []
    for code in codes:
        tablet = Tablet(OverHttp(server.url))
        tablet.enrol(code, device_name="Tablet")
        tablet.read()
        found.append(tablet)
    return found, visit


def note(tablet: Tablet, visit: str) -> str:
    mutation = tablet.change(
        visit, add={"notes": [{"id": str(uuid.uuid4()), "at": iso(datetime.now(UTC)), "text": "note"}]}
    )
    found: str = mutation["add"]["notes"][0]["id"]
    return found


def test_the_same_mutation_pushed_at_once_has_one_effect(app: Flask, company: SmallCompany, server: Server) -> None:
    """S-27: eight requests with one body, answered by two processes."""
    (tablet,), visit = tablets(app, company, server, 1)
    written = note(tablet, visit)
    body = {"device_time": iso(datetime.now(UTC)), "mutations": tablet.unsent()}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: tablet.transport("POST", "/sync/v1/push", body), range(8)))
    assert [status for status, _ in answers] == [200] * 8
    results = [answer["results"][0] for _, answer in answers]
    assert sorted(result.get("repeated", False) for result in results) == [False] + [True] * 7
    assert {result["version"] for result in results} == {results[0]["version"]}
    tablet.sync()
    assert [entry["id"] for entry in tablet.body(visit)["notes"]] == [written]


def test_two_visits_of_one_site_moved_at_once_leave_no_site_behind(
    app: Flask, company: SmallCompany, database_url: str
) -> None:
    """S-11 (laws 5 and 6): each sees the other's reason for the site, or its absence."""
    with app.app_context():
        visits = [company.visit() for _ in range(2)]
        for visit in visits:
            publish(company.id, visit, company.anna)
    barrier = threading.Barrier(2)

    def move(visit: str, to: str) -> None:
        with app.app_context():
            barrier.wait(20)
            publish(company.id, visit, to)

    for turn in range(12):
        there = company.boris if turn % 2 == 0 else company.anna
        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(move, visit, there) for visit in visits]:
                done.result(30)
        with app.app_context():
            from server.extensions import db

            reasons = {(row.scope, row.document_id) for row in db.session.query(ScopeReason)}
            live = {(row.scope, row.document_id) for row in db.session.query(ScopeFeed) if row.live}
            db.session.rollback()
        assert live == reasons


def test_a_reply_that_is_cut_is_got_again(app: Flask, company: SmallCompany, server: Server) -> None:
    """S-23: the connection ends before the answer; the tablet does not know, asks again, and is told."""
    import http.client
    import json

    (tablet,), visit = tablets(app, company, server, 1)
    written = note(tablet, visit)
    body = json.dumps({"device_time": iso(datetime.now(UTC)), "mutations": tablet.unsent()})
    headers = {"Authorization": f"Bearer {tablet.state.token}", "Content-Type": "application/json"}
    wire = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    wire.request("POST", "/sync/v1/push", body, headers)
    assert wire.sock is not None
    wire.sock.close()
    wire.close()
    woken = Replica.load(tablet.transport, tablet.save())
    woken.exchange(device_time=iso(datetime.now(UTC)))
    assert [entry["id"] for entry in woken.state.documents[visit]["document"]["notes"]] == [written]


def test_an_unknown_tablet_over_the_wire(server: Server) -> None:
    """S-3"""
    transport: Any = OverHttp(server.url)
    assert transport("GET", "/sync/v1/pull")[0] == 401


def test_history_names_every_writer(app: Flask, company: SmallCompany) -> None:
    """S-35: who wrote which version, from which tablet."""
    with app.app_context():
        visit = company.visit()
        publish(company.id, visit, company.anna)
    tablet = enrol(app, company.id, company.anna)
    tablet.read()
    tablet.change(visit, set={"work_summary": "A"})
    tablet.sync()
    with app.app_context():
        newest = documents.history(company.id, visit, 1)[0]
        assert (newest.author_name, newest.device_id) == ("Anna", tablet.state.device_id)
