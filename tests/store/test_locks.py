"""Writers that meet wait for each other in one order: nobody's transaction is thrown away for a circle."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import text

from server.extensions import db
from server.store import documents, feed
from server.store.changes import Change, TableRow, write_tables
from server.store.models import Site
from server.store.transaction import transactional
from tests.builders import SmallCompany, change

WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted")


def at_once(app: Flask, *writers: Callable[[], None]) -> None:
    """Run writers in threads of their own; raises what one of them raised."""

    def run(writer: Callable[[], None]) -> None:
        with app.app_context():
            try:
                writer()
            finally:
                db.session.remove()

    with ThreadPoolExecutor(len(writers)) as pool:
        for done in [pool.submit(run, writer) for writer in writers]:
            done.result()


def run_again(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "again" in record.getMessage()]


def test_the_same_decisions_are_laid_in_any_order(
    app: Flask, company: SmallCompany, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    ids = [str(uuid.uuid4()) for _ in range(1000)]
    both = threading.Barrier(2)

    @transactional
    def lay(order: list[str]) -> None:
        for one in order:
            body = {"id": one, "outcome": "free", "reason": {}, "currency": "EUR", "decided_for": "2026-01-01"}
            documents.lay(company.id, "coverage", one, body)

    def writer(order: list[str]) -> Callable[[], None]:
        def write() -> None:
            both.wait()
            lay(order)

        return write

    at_once(app, writer(ids), writer(ids[::-1]))
    assert run_again(caplog) == []


def test_who_changes_an_object_waits_for_its_document_first(
    app: Flask, company: SmallCompany, caplog: pytest.LogCaptureFixture
) -> None:
    """A push has locked the document, and is about to write the table that the office has changed an object of."""
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            pytest.skip("one writer at a time")
    caplog.set_level(logging.INFO)
    site = company.sites[0]
    locked = threading.Event()

    @transactional
    def push() -> None:
        kept = documents.lock(company.id, site)
        assert kept is not None
        locked.set()
        while not db.session.execute(WAITING).scalar():
            pass
        body = kept.body | {"access_note": "By the tablet"}
        row = TableRow(collection="site", id=site, before=kept.body, body=body)
        write_tables(db.session(), company.id, [row])
        feed.lay(db.session(), company.id, Change(collection="site", id=site, old=kept, body=body))

    def office() -> None:
        locked.wait()
        change(Site, company.id, site, name="By the office")

    at_once(app, push, office)
    assert run_again(caplog) == []
    with app.app_context():
        found = db.session.get_one(Site, (company.id, site))
        assert (found.name, found.access_note) == ("By the office", "By the tablet")


def test_what_somebody_else_has_laid_is_not_laid_over(app: Flask, company: SmallCompany) -> None:
    """The second one has read what is stored, and knows nothing of the first one's change."""

    @transactional
    def twice() -> None:
        for name in ("one", "two"):
            kept = documents.lock(company.id, company.sites[0])
            assert kept is not None
            body = kept.body | {"name": name}
            new = Change(collection="site", id=company.sites[0], old=kept, body=body, table=True)
            feed.lay(db.session(), company.id, new)

    with app.app_context(), pytest.raises(RuntimeError, match="laid twice"):
        twice()
