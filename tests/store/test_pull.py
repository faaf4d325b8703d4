"""What a page of the feed costs: it is read along an index, however large its scope is."""

from __future__ import annotations

import pytest
from flask import Flask

from server.extensions import db
from server.store import pull
from server.store.models import Site, SyncClock
from server.store.queries.people import Holder, device_with_holder
from sync.feed import Cursor, decode
from tests.builders import SmallCompany, change, publish
from tests.tablets import enrol

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


def test_what_was_found_at_the_door_makes_no_page_once_anything_is_written(app: Flask, company: SmallCompany) -> None:
    """Law 6: the site of a new visit is edited meanwhile, and would be missing beside it."""
    tablet = enrol(app, company.id, company.anna)
    tablet.read()
    read = decode(tablet.state.cursor or "")
    with app.app_context():
        visit = company.visit(site_id=company.sites[0])
        publish(company.id, visit, company.anna)
        page = _page_alone(company.id, tablet.state.device_id, read)
        assert page is not None
        told = "".join(page.changes)
        assert visit in told
        assert company.sites[0] in told
        at_the_door = device_with_holder(company.id, tablet.state.device_id)
        change(Site, company.id, company.sites[0], access_note="Side door")
        assert _page_alone(company.id, tablet.state.device_id, read, at_the_door) is None


def _page_alone(company_id: str, device_id: str, read: Cursor, holder: Holder | None = None) -> pull.Page | None:
    """The page for a tablet as it is at the door, now or as it was there."""
    holder = holder or device_with_holder(company_id, device_id)
    assert holder is not None
    here = pull.feed_in_text(holder.feed_epoch, holder.feed_n, holder.backed_up_through, holder.feed_scopes)
    return pull.read_page_alone(company_id, device_id, here, read, 1000, 1)
