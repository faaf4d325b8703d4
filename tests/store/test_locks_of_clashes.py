"""People settle clashes while tablets push: what was decided on is what is locked, and nobody waits in a circle."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from server.actions.settle_many import Outcome, Wanted, settle_many
from server.extensions import db
from server.store import documents
from server.store.models import Site
from server.store.transaction import transactional
from tests.builders import Office, SmallCompany, change, publish
from tests.store.test_locks import WAITING, at_once, run_again
from tests.tablets import enrol

SEEN = {"access_note": "Side door", "danger_note": "Dog", "contact_phone": "+376 700 001"}
SAID = {"access_note": "Main door", "danger_note": "Steps", "contact_phone": "+376 700 002"}


@pytest.fixture
def clashes(app: Flask, company: SmallCompany, dispatcher: Office) -> list[dict[str, Any]]:
    """Three clashes of one site."""
    site = company.sites[0]
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            pytest.skip("one writer at a time")
        publish(company.id, company.visit(), company.anna, datetime.now(UTC))
    tablet = enrol(app, company.id, company.anna)
    tablet.read()
    with app.app_context():
        change(Site, company.id, site, **SAID)
    tablet.change(site, "site", set=SEEN)
    tablet.sync()
    return list(dispatcher.get(f"/api/v1/conflicts?document_id={site}&sort=id").json["items"])


def pushing(company: SmallCompany, locked: threading.Event, waiting: int, **values: str) -> Callable[[], None]:
    """A push that has the site until so many others wait, and then writes these values."""

    @transactional
    def push() -> None:
        assert documents.lock(company.id, company.sites[0]) is not None
        locked.set()
        while (db.session.execute(WAITING).scalar() or 0) < waiting:
            pass
        site = db.session.get_one(Site, (company.id, company.sites[0]))
        for name, value in values.items():
            setattr(site, name, value)

    return push


def settling(
    company: SmallCompany, wanted: list[Wanted], after: threading.Event, told: list[list[Outcome]]
) -> Callable[[], None]:
    def settle() -> None:
        after.wait()
        told.append(
            settle_many(company.id, wanted, "theirs", together=True, user_id=None, now=datetime.now(UTC)),
        )

    return settle


def codes(outcomes: list[Outcome]) -> list[str | None]:
    return [one.problem and one.problem.code for one in outcomes]


def test_a_push_that_commits_before_the_clashes_are_settled_is_not_written_over(
    app: Flask, company: SmallCompany, clashes: list[dict[str, Any]]
) -> None:
    (clash,) = [one for one in clashes if one["field"] == "danger_note"]
    wanted = [Wanted(conflict_id=clash["id"], seen=clash["document_version"])]
    locked = threading.Event()
    told: list[list[Outcome]] = []
    at_once(app, pushing(company, locked, 1, danger_note="Ice"), settling(company, wanted, locked, told))
    assert [codes(one) for one in told] == [["moved-meanwhile"]]
    with app.app_context():
        assert db.session.get_one(Site, (company.id, company.sites[0])).danger_note == "Ice"


def test_two_who_settle_the_same_clashes_in_another_order_do_not_wait_in_a_circle(
    app: Flask, company: SmallCompany, clashes: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    wanted = [Wanted(conflict_id=one["id"]) for one in clashes]
    locked = threading.Event()
    told: list[list[Outcome]] = []
    at_once(
        app,
        pushing(company, locked, 2),
        settling(company, wanted, locked, told),
        settling(company, wanted[::-1], locked, told),
    )
    assert run_again(caplog) == []
    assert sorted(map(codes, told), key=str) == [["already-resolved"] * 3, [None] * 3]
