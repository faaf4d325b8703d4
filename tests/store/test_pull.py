"""What a page of the feed costs: it is read along an index, however large its scope is."""

from __future__ import annotations

import pytest
from flask import Flask

from server.extensions import db
from server.store import pull
from server.store.models import SyncClock
from sync.feed import Cursor
from tests.builders import SmallCompany

DOCUMENT = "0198a000-0000-7000-8000-00000000abcd"


@pytest.mark.parametrize("revoked", [None, 9])
@pytest.mark.parametrize("cursor", [Cursor(), Cursor(seq=3, document_id=DOCUMENT), Cursor(seq=5)])
def test_no_page_sorts_a_whole_scope(app: Flask, company: SmallCompany, revoked: int | None, cursor: Cursor) -> None:
    """A company-wide scope holds a hundred thousand documents; a first page took them all to sort a thousand."""
    held = pull.Subscription(scope="everyone", granted=3, revoked=revoked)
    with app.app_context():
        if db.engine.dialect.name != "sqlite":
            pytest.skip("what PostgreSQL does depends on what it knows of the table")
        assert db.session.get(SyncClock, company.id) is not None
        for stream in pull._streams(company.id, held, cursor, 12):
            plan = db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {stream.sql}", (*stream.values, 1000))
            told = [row[3] for row in plan]
            assert all("SEARCH scope_feed USING" in line for line in told), told
        db.session.rollback()
