"""What the database itself refuses in a push holds up nothing else: a savepoint for each mutation, in effect."""

from __future__ import annotations

import uuid

import pytest
from flask import Flask
from sqlalchemy import text

from server.extensions import db
from server.store.models import Mutation
from server.store.transaction import transactional
from tests.builders import SmallCompany, publish
from tests.tablets import Tablet, enrol

POISON = "poison"

SQLITE = (
    "CREATE TRIGGER refuse BEFORE UPDATE ON site WHEN NEW.access_note = 'poison' "
    "BEGIN SELECT RAISE(ABORT, 'constraint'); END",
)
POSTGRESQL = ("ALTER TABLE site ADD CONSTRAINT refuse CHECK (access_note <> 'poison')",)


@pytest.fixture
def anna(app: Flask, company: SmallCompany) -> Tablet:
    """A tablet with three sites, on a database that takes no note which is poison."""

    @transactional
    def refuse() -> None:
        for statement in SQLITE if db.engine.dialect.name == "sqlite" else POSTGRESQL:
            db.session.execute(text(statement))

    with app.app_context():
        for site in company.sites:
            publish(company.id, company.visit(site_id=site), company.anna)
        refuse()
    tablet = enrol(app, company.id, company.anna)
    tablet.read()
    return tablet


def test_one_that_the_database_refuses_is_kept_and_the_others_go_in(
    app: Flask, company: SmallCompany, anna: Tablet
) -> None:
    first, second, third = company.sites
    anna.change(first, "site", set={"access_note": "Ring twice"})
    anna.change(second, "site", set={"access_note": POISON})
    anna.change(second, "site", set={"danger_note": "Dog"})
    anna.change(third, "site", add={"tags": ["gate"]})
    results = anna.sync()
    assert [result["status"] for result in results] == ["applied", "rejected", "applied", "applied"]
    assert results[1]["problem"]["code"] == "conflict"
    assert [result["version"] for result in results] == [2, None, 2, 2]
    assert anna.body(first)["access_note"] == "Ring twice"
    assert (anna.body(second)["access_note"], anna.body(second)["danger_note"]) == ("Ring at reception", "Dog")
    assert anna.body(third)["tags"] == ["gate"]
    with app.app_context():
        kept = db.session.get(Mutation, (company.id, results[1]["id"]))
        assert kept is not None
        assert kept.payload["set"] == {"access_note": POISON}


def test_a_group_goes_in_whole_or_not_at_all(app: Flask, company: SmallCompany, anna: Tablet) -> None:
    first, second, third = company.sites
    group = str(uuid.uuid4())
    anna.change(first, "site", set={"access_note": "In the group"}, group=group)
    anna.change(second, "site", set={"access_note": POISON}, group=group)
    anna.change(third, "site", set={"access_note": "By itself"})
    results = anna.sync()
    assert [result["status"] for result in results] == ["rejected", "rejected", "applied"]
    assert anna.body(first)["access_note"] == anna.body(second)["access_note"] == "Ring at reception"
    assert anna.body(third)["access_note"] == "By itself"


def test_sent_again_it_has_the_same_results(company: SmallCompany, anna: Tablet) -> None:
    anna.change(company.sites[0], "site", set={"access_note": POISON})
    anna.change(company.sites[1], "site", set={"access_note": "Side door"})
    again = list(anna.state.outbox)
    first = anna.send()
    anna.state.outbox = again
    second = anna.send()
    assert [one | {"repeated": True} for one in first] == second


def test_edits_of_one_document_meet_the_database_one_after_the_other(company: SmallCompany, anna: Tablet) -> None:
    """S-29: the last of three is refused, the ones before it stand."""
    site = company.sites[0]
    anna.change(site, "site", set={"access_note": "Left"})
    anna.change(site, "site", set={"access_note": "Right", "danger_note": "Stairs"})
    anna.change(site, "site", set={"access_note": POISON, "danger_note": "Lift"})
    results = anna.sync()
    assert [result["status"] for result in results] == ["applied", "applied", "rejected"]
    assert (anna.body(site)["access_note"], anna.body(site)["danger_note"]) == ("Right", "Stairs")
