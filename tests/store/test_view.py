"""A view of single collections holds what the whole feed says of them: nothing more, nothing missing, full pages."""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest
from flask import Flask

from schemas.entities import COLLECTIONS
from server.extensions import db
from server.store import pull, view
from server.store.models import Asset, DeviceScope, ScopeFeed, Site, Visit
from server.store.queries import devices
from server.store.transaction import snapshot, transactional
from server.store.types import new_id
from server.store.view import Place
from tests.builders import SmallCompany, change, publish
from tests.tablets import Tablet, enrol


class Reader:
    """A client of one device that replicates each of its collections by itself."""

    def __init__(self, company_id: str, device_id: str, *groups: list[str]) -> None:
        self.company_id, self.device_id = company_id, device_id
        self.places: dict[tuple[str, ...], Place] = {tuple(group): Place() for group in groups}
        self.documents: dict[str, Any] = {}

    def read(self, group: tuple[str, ...], limit: int) -> bool:
        """One page; whether there is more."""
        with snapshot():
            held = pull.subscriptions(self.company_id, self.device_id)
            newest = devices.history(self.company_id).n
            page = view.read_view(self.company_id, held, group, self.places[group], limit, newest)
        assert len(page.rows) == limit if page.more else len(page.rows) <= limit
        self.places[group] = page.place
        for row in page.rows:
            assert row.collection in group
            if row.body is None:
                self.documents.pop(row.id, None)
            else:
                self.documents[row.id] = orjson.loads(row.body)
        return page.more

    def read_all(self, limit: int) -> None:
        for group in self.places:
            while self.read(group, limit):
                pass


def whole(tablet: Tablet) -> dict[str, Any]:
    return {document_id: tablet.body(document_id) for document_id in tablet.state.documents}


@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_views_of_all_collections_together_are_the_whole_feed(app: Flask, company: SmallCompany, limit: int) -> None:
    """(laws 4, 5 and 6), with edits, moves and pages that meet."""
    chance = random.Random(limit)
    tablet = enrol(app, company.id, company.anna)
    with app.app_context():
        visits = [
            company.visit(site_id=site, asset_ids=[asset])
            for site, asset in zip(company.sites, company.assets, strict=True)
        ]
        reader = Reader(
            company.id,
            tablet.state.device_id,
            ["visit"],
            ["site", "asset"],
            sorted({*COLLECTIONS} - {"visit", "site", "asset"}),
        )
        for _ in range(30):
            visit, at = chance.choice(visits), chance.randrange(3)
            what = chance.randrange(4)
            if what == 0:
                publish(company.id, visit, chance.choice([company.anna, company.boris, None]))
            elif what == 1:
                change(Site, company.id, company.sites[at], access_note=str(chance.random()))
            elif what == 2:
                change(Visit, company.id, visit, asset_ids=[company.assets[at]], site_id=company.sites[at])
            else:
                reader.read(chance.choice(list(reader.places)), limit)
        reader.read_all(limit)
    tablet.read()
    assert reader.documents == whole(tablet)


def test_what_was_referred_to_before_it_was_made_is_in_the_view_once_it_is_made(
    app: Flask, company: SmallCompany
) -> None:
    tablet = enrol(app, company.id, company.anna)
    late = new_id()

    @transactional
    def arrive() -> None:
        db.session.add(
            Asset(company_id=company.id, id=late, site_id=company.sites[0], model_id=company.model, serial="late",
                  in_service=True, recent_visits=[])
        )  # fmt: skip

    with app.app_context():
        visit = company.visit()
        publish(company.id, visit, company.anna)
        change(Visit, company.id, visit, asset_ids=[late])
        reader = Reader(company.id, tablet.state.device_id, ["asset"])
        reader.read_all(1)
        assert reader.documents == {}
        arrive()
        reader.read_all(1)
        assert set(reader.documents) == {late}


def test_a_scope_that_is_revoked_takes_its_documents_along(app: Flask, company: SmallCompany) -> None:
    """Also those that had left it before and were not told of yet; nothing of it is told afterwards."""
    tablet = enrol(app, company.id, company.anna)

    @transactional
    def revoke() -> None:
        from server.store.feed import next_number

        scope = db.session.get(DeviceScope, (company.id, tablet.state.device_id, f"technician:{company.anna}"))
        assert scope is not None
        scope.revoked = next_number(db.session(), company.id)

    with app.app_context():
        visits = [company.visit() for _ in range(3)]
        for visit in visits:
            publish(company.id, visit, company.anna)
        reader = Reader(company.id, tablet.state.device_id, ["visit"])
        reader.read_all(2)
        assert set(reader.documents) == set(visits)
        publish(company.id, visits[0], company.boris)
        revoke()
        reader.read_all(1)
        assert reader.documents == {}
        publish(company.id, company.visit(), company.anna)
        assert not reader.read(("visit",), 10)
        assert reader.documents == {}


def test_the_feed_knows_the_collection_of_each_row(app: Flask, company: SmallCompany) -> None:
    with app.app_context():
        publish(company.id, company.visit(asset_ids=[company.assets[0]]), company.anna)
        kinds = {row.document_id: row.collection for row in db.session.query(ScopeFeed)}
        db.session.rollback()
    assert kinds[company.sites[0]] == "site"
    assert kinds[company.customer] == "customer"
    assert None not in kinds.values()
