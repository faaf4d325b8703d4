"""What cannot be written of a push holds up nothing else: a savepoint for each mutation, in effect."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from schemas.entities.base import iso
from server.extensions import db
from server.store import changes as changes_
from server.store import documents
from server.store.models import Conflict, Document, Mutation, Visit
from server.store.transaction import transactional
from tests.builders import SmallCompany, entry, publish
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


# --- what cannot be read back, or not be asked for ------------------------------------------------------------------


def sent(tablet: Tablet, *mutations: dict[str, Any], nan: bool = False) -> Any:
    """A push as it is on the wire; with `nan` one of its notes is no JSON, so that the lenient reader takes all."""
    body = json.dumps({"device_time": iso(datetime.now(UTC)), "mutations": mutations})
    transport: Any = tablet.transport
    headers = {"Authorization": f"Bearer {tablet.state.token}", "Content-Type": "application/json"}
    return transport.client.post(
        "/sync/v1/push", data=body.replace('"not a number"', "NaN") if nan else body, headers=headers
    )


@pytest.mark.parametrize("base", [2**31, 2**63, 10**30])
def test_a_version_that_no_column_holds_is_one_edits_fault(company: SmallCompany, anna: Tablet, base: int) -> None:
    """S-29"""
    wrong = anna.change(company.sites[0], "site", set={"access_note": "A"}) | {"base_version": base}
    right = anna.change(company.sites[0], "site", set={"danger_note": "Dog"})
    answer = sent(anna, wrong, right)
    assert answer.status_code == 200, answer.text
    assert [one["status"] for one in answer.json["results"]] == ["rejected", "applied"]


@pytest.mark.parametrize("nan", [False, True])
def test_a_number_beyond_64_bits_is_answered_now_and_each_time_again(
    app: Flask, company: SmallCompany, anna: Tablet, nan: bool
) -> None:
    """S-29: as an answer of a checklist it stands, as a field that is the server's it is refused and written down."""
    visit = next(doc for doc in anna.ids if anna.state.documents[doc]["collection"] == "visit")
    mutations = [
        anna.change(visit, add={"answers": [entry(item="seal", value=10**30)]}),
        anna.change(visit, set={"number": 10**30}),
        anna.change(company.sites[0], "site", set={"danger_note": "Dog"}),
        anna.change(company.sites[1], "site", set={"danger_note": "not a number"}),
    ]
    expected = ["applied", "overridden", "applied", "rejected" if nan else "applied"]
    for _ in range(2):
        answer = sent(anna, *mutations, nan=nan)
        assert answer.status_code == 200, answer.text
        assert [one["status"] for one in answer.json["results"]] == expected
    assert anna.transport("GET", "/sync/v1/mutations")[0] == 200
    anna.state.outbox = []
    anna.read()
    assert [entry["value"] for entry in anna.body(visit)["answers"]] == [1e30]


def too_large() -> None:
    """Ask the database for a number that it cannot hold: a failure of its own on one, of its driver on the other."""
    db.session.connection().execute(text("SELECT CAST(:n AS integer)"), {"n": 2**70})


def asked(poisoned: str) -> Callable[..., Any]:
    seen_by_device = documents.seen_by_device

    def instead(company_id: str, collection: str, document_id: str, *others: Any) -> Any:
        if document_id == poisoned:
            too_large()
        return seen_by_device(company_id, collection, document_id, *others)

    return instead


def written(poisoned: str) -> Callable[..., Any]:
    write_tables = changes_.write_tables

    def instead(session: Any, company_id: str, changes: Any) -> None:
        if any(change.id == poisoned for change in changes):
            too_large()
        write_tables(session, company_id, changes)

    return instead


@pytest.mark.parametrize(
    ("module", "name", "fault"), [(documents, "seen_by_device", asked), (changes_, "write_tables", written)]
)
def test_a_failure_while_one_is_judged_or_written_is_that_ones_alone(
    company: SmallCompany,
    anna: Tablet,
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
    name: str,
    fault: Callable[[str], Callable[..., Any]],
) -> None:
    """S-29"""
    first, second, third = company.sites
    monkeypatch.setattr(module, name, fault(second))
    for site in (first, second, third):
        anna.change(site, "site", set={"access_note": "Left"})["base_version"] = None
    assert [result["status"] for result in anna.sync()] == ["merged", "rejected", "merged"]
    assert [anna.body(site)["access_note"] for site in (first, third)] == ["Left", "Left"]


# --- what is refused leaves no trace --------------------------------------------------------------------------------


def test_an_entry_of_the_log_says_what_it_said_before_a_group_was_refused(
    app: Flask, company: SmallCompany, anna: Tablet
) -> None:
    """The work goes on on a visit that somebody else has by now, in a group that the database does not take."""

    def log() -> list[tuple[Any, str, str]]:
        with app.app_context():
            found = [(one.mine, (one.reason or {})["code"], one.state) for one in db.session.query(Conflict)]
            db.session.remove()
            return found

    visit = next(doc for doc in anna.ids if anna.state.documents[doc]["collection"] == "visit")
    with app.app_context():
        publish(company.id, visit, company.boris)
    anna.event(visit, "started")
    anna.send()
    before = log()
    assert [code for _, code, _ in before] == ["started-after-reassignment"]
    group = str(uuid.uuid4())
    anna.change(visit, add={"events": [entry(type="done")]}, group=group)
    anna.change(company.sites[0], "site", set={"access_note": POISON}, group=group)
    assert [result["status"] for result in anna.send()] == ["rejected", "rejected"]
    assert log() == before
    anna.change(visit, add={"events": [entry(type="done")]})
    anna.send()
    assert [code for _, code, _ in log()] == ["done-after-reassignment"]


def test_a_visit_that_is_refused_leaves_no_decision_of_its_coverage(
    app: Flask, company: SmallCompany, anna: Tablet
) -> None:
    group = str(uuid.uuid4())
    made = {"kind": "repair_minor", "site_id": company.sites[0]}
    anna.change(str(uuid.uuid4()), op="create", set=made, group=group)
    anna.change(company.sites[0], "site", set={"access_note": POISON}, group=group)
    assert [result["status"] for result in anna.send()] == ["rejected", "rejected"]
    with app.app_context():
        used = {visit.coverage_id for visit in db.session.query(Visit)}
        assert {one.id for one in db.session.query(Document).filter_by(collection="coverage")} == used
