"""App and server of different ages: nothing that one of them does not know is lost."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from schemas import contract, shape
from schemas.entities import COLLECTIONS
from schemas.entities.base import iso, since
from schemas.entities.visit import AnswerEntry, VisitSchema
from server.actions.take_up import take_up_aside
from server.extensions import db
from server.store.models import Asset, Mutation, Visit
from tests.builders import SmallCompany, change, publish
from tests.tablets import Tablet, enrol


@pytest.fixture
def newer_schema(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A schema version later than that of tablets: `work_summary` came with it, and so did customers."""
    visit = VisitSchema()
    since(visit.fields["work_summary"], contract.SCHEMA_VERSION + 1)
    monkeypatch.setitem(COLLECTIONS, "visit", visit)
    monkeypatch.setattr(type(COLLECTIONS["customer"]), "since", contract.SCHEMA_VERSION + 1)
    monkeypatch.setattr(contract, "SCHEMA_VERSION", contract.SCHEMA_VERSION + 1)
    shape._later.cache_clear()
    yield
    shape._later.cache_clear()


class OlderServer:
    """A server of before `work_summary`, `note` in answers, and assets; `update` brings it up to date."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.patch = monkeypatch
        self.whole = dict(COLLECTIONS)
        visit = VisitSchema(exclude=("work_summary",))
        visit.fields["answers"].entry = AnswerEntry(exclude=("note",))  # type: ignore[attr-defined]
        monkeypatch.setitem(COLLECTIONS, "visit", visit)
        monkeypatch.delitem(COLLECTIONS, "asset")

    def update(self) -> None:
        for name, schema in self.whole.items():
            self.patch.setitem(COLLECTIONS, name, schema)


@pytest.fixture
def older(monkeypatch: pytest.MonkeyPatch, company: SmallCompany) -> OlderServer:
    return OlderServer(monkeypatch)


def update(tablet: Tablet, version: int) -> None:
    """The tablet's app is another one now; the office hears of it with the next contact."""
    tablet.state.schema_version = version
    tablet.send()


def ready(app: Flask, company: SmallCompany, version: int = contract.SCHEMA_VERSION) -> tuple[Tablet, str]:
    """Anna's tablet whose app knows a schema version, with one visit."""
    with app.app_context():
        visit = company.visit(asset_ids=[company.assets[0]])
        publish(company.id, visit, company.anna)
    tablet = enrol(app, company.id, company.anna)
    update(tablet, version)
    tablet.read()
    return tablet, visit


def stored(app: Flask, company: SmallCompany, visit: str) -> Any:
    with app.app_context():
        found = db.session.get(Visit, (company.id, visit))
        assert found is not None
        db.session.expunge(found)
        return found


def journal(app: Flask, company: SmallCompany, mutation_id: str) -> Mutation:
    with app.app_context():
        found = db.session.get(Mutation, (company.id, mutation_id))
        assert found is not None
        db.session.expunge(found)
        return found


@pytest.mark.usefixtures("newer_schema")
def test_an_older_app_gets_documents_that_it_knows_and_what_it_does_not_survives(
    app: Flask, company: SmallCompany
) -> None:
    """S-151, S-62: the office's value of a later field is not sent, and not lost by the app's edits."""
    tablet, visit = ready(app, company, version=contract.SCHEMA_VERSION - 1)
    with app.app_context():
        change(Visit, company.id, visit, work_summary="Written by a newer app")
    tablet.read()
    assert "work_summary" not in tablet.state.documents[visit]["document"]
    assert company.customer not in tablet.ids
    note = {"id": str(uuid.uuid4()), "at": iso(datetime.now(UTC)), "text": "Bearing is loud"}
    tablet.change(visit, add={"notes": [note]})
    (result,) = tablet.sync()
    assert (result["status"], result["conflicts"]) == ("applied", [])
    assert stored(app, company, visit).work_summary == "Written by a newer app"
    assert tablet.verify().whole
    assert tablet.transport("GET", f"/sync/v1/documents?ids={company.customer}")[1]["changes"][0]["op"] == "drop"


@pytest.mark.usefixtures("newer_schema")
def test_an_updated_app_gets_what_it_knows_now_without_a_resync(app: Flask, company: SmallCompany) -> None:
    """S-152, S-150: its next check finds just the documents in which a later field has a value."""
    tablet, visit = ready(app, company, version=contract.SCHEMA_VERSION - 1)
    with app.app_context():
        change(Visit, company.id, visit, work_summary="Seen by newer apps")
    tablet.read()
    cursor = tablet.state.cursor
    update(tablet, contract.SCHEMA_VERSION)
    found = tablet.verify()
    assert found.whole
    assert {visit, company.customer} <= set(found.repaired)
    assert company.sites[0] not in found.repaired
    assert tablet.body(visit)["work_summary"] == "Seen by newer apps"
    assert tablet.state.cursor == cursor


def test_an_app_that_is_too_old_is_told_after_its_push_was_taken(
    app: Flask, company: SmallCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S-153"""
    tablet, visit = ready(app, company)
    monkeypatch.setattr(contract, "OLDEST_VERSION", contract.SCHEMA_VERSION + 1)
    tablet.change(visit, set={"work_summary": "Done before the update"})
    (result,) = tablet.send()
    assert result["status"] == "applied"
    for path in ("/sync/v1/pull", "/sync/v1/digest", f"/sync/v1/documents?ids={visit}", "/sync/v1/stream"):
        status, answer = tablet.transport("GET", path)
        assert (status, answer["code"]) == (426, "update-needed"), path
    assert stored(app, company, visit).work_summary == "Done before the update"
    assert tablet.transport("GET", "/sync/v1/mutations")[1]["mutations"][0]["status"] == "applied"


def test_what_a_newer_app_writes_is_kept_aside_and_takes_effect_after_the_update(
    app: Flask, company: SmallCompany, older: OlderServer
) -> None:
    """S-154: a field, a key of an entry, and the rest has its effect at once."""
    tablet, visit = ready(app, company, version=contract.SCHEMA_VERSION + 1)
    answer = {"id": str(uuid.uuid4()), "at": iso(datetime.now(UTC)), "item": "seal", "value": True, "note": "Drips"}
    sent = tablet.change(visit, set={"work_summary": "Later"}, add={"answers": [answer]})
    sent["more"] = "envelope"
    (result,) = tablet.sync()
    assert (result["status"], result["kept_aside"]) == ("applied", ["answers.note", "more", "work_summary"])
    assert tablet.body(visit)["answers"][0]["value"] is True
    assert stored(app, company, visit).work_summary is None
    with app.app_context():
        assert take_up_aside(company.id, datetime.now(UTC)) == {"taken": 0, "waiting": 1}
    older.update()
    with app.app_context():
        change(Visit, company.id, visit, instructions="Meanwhile")
        assert take_up_aside(company.id, datetime.now(UTC)) == {"taken": 1, "waiting": 0}
    tablet.read()
    body = tablet.body(visit)
    assert (body["work_summary"], body["instructions"]) == ("Later", "Meanwhile")
    assert [(one["value"], one["note"], one["by"]) for one in body["answers"]] == [(True, "Drips", company.anna)]
    kept = journal(app, company, sent["id"])
    assert kept.payload["set"] == {"work_summary": "Later"}
    assert kept.aside == {"envelope": {"more": "envelope"}}
    tablet.state.outbox.append(sent)
    assert tablet.send()[0]["repeated"] is True


def test_a_collection_that_the_server_does_not_know_yet_waits_whole_and_its_group_with_it(
    app: Flask, company: SmallCompany, older: OlderServer
) -> None:
    """S-154, S-24: nothing of the group has effect before the update, all of it after."""
    tablet, visit = ready(app, company, version=contract.SCHEMA_VERSION + 1)
    group = str(uuid.uuid4())
    asset = company.assets[0]
    first = tablet.change(asset, collection="asset", set={"position": "Cellar"}, group=group)
    second = tablet.change(visit, set={"work_summary": "With it"}, group=group)
    alone = tablet.change(visit, add={"notes": [{"id": str(uuid.uuid4()), "at": iso(datetime.now(UTC)), "text": "x"}]})
    results = {result["id"]: result for result in tablet.send()}
    assert [results[one["id"]]["status"] for one in (first, second, alone)] == ["held", "held", "applied"]
    assert results[first["id"]]["problem"]["code"] == "newer-than-server"
    older.update()
    with app.app_context():
        assert take_up_aside(company.id, datetime.now(UTC)) == {"taken": 2, "waiting": 0}
        assert db.session.get(Asset, (company.id, asset)).position == "Cellar"  # type: ignore[union-attr]
    told = {one["id"]: one for one in tablet.transport("GET", "/sync/v1/mutations")[1]["mutations"]}
    assert {told[one["id"]]["status"] for one in (first, second)} <= {"applied", "merged"}
    assert told[first["id"]]["document_id"] == asset
    tablet.read()
    assert tablet.body(visit)["work_summary"] == "With it"


def test_an_unknown_field_of_an_app_that_is_not_newer_is_an_error(app: Flask, company: SmallCompany) -> None:
    """S-154, S-29: then it is a mistake, and its author should know."""
    tablet, visit = ready(app, company)
    tablet.change(visit, set={"colour": "red"})
    (result,) = tablet.send()
    assert (result["status"], result["problem"]["code"]) == ("rejected", "invalid-fields")


def test_what_turns_out_wrong_after_the_update_is_rejected_and_kept(
    app: Flask, company: SmallCompany, older: OlderServer
) -> None:
    """S-154: a held edit is judged like any other when its time comes."""
    tablet, _ = ready(app, company, version=contract.SCHEMA_VERSION + 1)
    sent = tablet.change(company.assets[0], collection="asset", set={"position": 7})
    assert tablet.send()[0]["status"] == "held"
    older.update()
    with app.app_context():
        take_up_aside(company.id, datetime.now(UTC))
    kept = journal(app, company, sent["id"])
    assert (kept.status, kept.aside, kept.payload["raw"]["set"]) == ("rejected", None, {"position": 7})
