"""What RxDB clients rely on, at the wire: S-110 to S-122."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from flask import Flask

from schemas import whole
from schemas.contract import document_schema
from schemas.entities import COLLECTIONS
from schemas.json_limits import json_text
from server.actions.end_device import revoke
from server.api import rxdb
from server.extensions import db
from server.store.models import Company, Site, Visit
from server.store.transaction import transactional
from sync.stream import END
from tests.builders import Office, SmallCompany, change, entry, publish
from tests.serving import Server
from tests.streams import Reader
from tests.tablets import Tablet, enrol


class Rx:
    """An RxDB client's requests, made by hand."""

    def __init__(self, tablet: Tablet) -> None:
        self.tablet = tablet

    def call(self, method: str, path: str, **kwargs: Any) -> Any:
        transport: Any = self.tablet.transport
        headers = {"Authorization": f"Bearer {self.tablet.state.token}"}
        return transport.client.open(f"/sync/rxdb/{path}", method=method, headers=headers, **kwargs)

    def pull(self, collection: str, checkpoint: Any = None, limit: int = 100) -> Any:
        answer = self.call("GET", f"{collection}/1/pull", query_string={**(checkpoint or {}), "limit": limit})
        assert answer.status_code == 200, answer.text
        return answer.json

    def read(self, collection: str, checkpoint: Any = None, limit: int = 100) -> tuple[list[Any], Any]:
        documents: list[Any] = []
        while True:
            page = self.pull(collection, checkpoint, limit)
            documents += page["documents"]
            if page["documents"]:
                checkpoint = (checkpoint or {}) | page["checkpoint"]
            if len(page["documents"]) < limit:
                return documents, checkpoint

    def push(self, collection: str, *rows: tuple[Any, Any]) -> Any:
        body = [{"newDocumentState": new} | ({"assumedMasterState": base} if base else {}) for base, new in rows]
        answer = self.call("POST", f"{collection}/1/push", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json


@pytest.fixture
def visit(app: Flask, company: SmallCompany) -> str:
    with app.app_context():
        made = company.visit(asset_ids=[company.assets[0]])
        publish(company.id, made, company.anna)
        return made


@pytest.fixture
def anna(app: Flask, company: SmallCompany, visit: str) -> Rx:
    return Rx(enrol(app, company.id, company.anna, "Anna's"))


@pytest.fixture
def boris(app: Flask, company: SmallCompany) -> Rx:
    return Rx(enrol(app, company.id, company.boris, "Boris's"))


def one(documents: list[Any], document_id: str) -> Any:
    (found,) = [each for each in documents if each["id"] == document_id]
    return found


def office(app: Flask, company: SmallCompany, model: Any, item_id: str, **values: Any) -> None:
    with app.app_context():
        change(model, company.id, item_id, **values)


# --- pull -----------------------------------------------------------------------------------------------------------


def test_a_collection_is_read_to_its_end(anna: Rx, company: SmallCompany, visit: str) -> None:
    """S-116, S-118: only what is in the device's scopes, with version and mark."""
    for collection, ids in (("site", {company.sites[0]}), ("visit", {visit}), ("asset", {company.assets[0]})):
        documents, checkpoint = anna.read(collection)
        assert {each["id"] for each in documents} == ids
        for each in documents:
            assert (each["_deleted"], each["version"] >= 1) == (False, True)
            assert set(each) == {"version", "_deleted", *COLLECTIONS[collection].fields}
        assert anna.pull(collection, checkpoint)["documents"] == []


@pytest.mark.parametrize("limit", [1, 2, 1000])
def test_pages_are_full_while_there_is_more(app: Flask, company: SmallCompany, anna: Rx, limit: int) -> None:
    """S-117: a short page ends a client's pull, so that only the last one may be short."""
    with app.app_context():
        visits = [company.visit(site_id=site) for site in company.sites]
        for made in visits:
            publish(company.id, made, company.anna)
    documents, checkpoint = anna.read("visit", limit=limit)
    assert set(visits) < {each["id"] for each in documents}
    office(app, company, Site, company.sites[1], access_note="New")
    assert [each["id"] for each in anna.pull("site", anna.read("site", limit=limit)[1], 5)["documents"]] == []
    assert anna.pull("visit", checkpoint)["documents"] == []


def test_a_checkpoint_has_the_same_keys_every_time(app: Flask, anna: Rx, company: SmallCompany, visit: str) -> None:
    """S-116: a client lays the new one over the old one; `lwt` stands for `seq` where that is what a client sends."""
    first = anna.pull("visit", limit=1)["checkpoint"]
    office(app, company, Visit, visit, instructions="Key at the bar")
    second = anna.pull("visit", first)["checkpoint"]
    assert set(first) == set(second) == {"seq", "lwt", "id", "epoch", "again"}
    by_lwt = {"lwt": second["lwt"], "id": second["id"]}
    assert anna.pull("visit", by_lwt)["documents"] == []


@pytest.mark.parametrize("sent", [{"seq": -1}, {"seq": "x"}, {"id": "x"}, {"again": "x"}, {"limit": 0}, {"seq": 2**60}])
def test_what_is_no_checkpoint_is_refused_in_plain_text(anna: Rx, sent: dict[str, Any]) -> None:
    """S-114: a client that reads documents out of a JSON error stops for good; text it tries again."""
    answer = anna.call("GET", "visit/1/pull", query_string=sent)
    assert answer.status_code in (400, 422)
    assert answer.mimetype == "text/plain"
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(answer.text)


@pytest.mark.parametrize("path", ["visit/1/pull", "visit/9/pull", "nothing/1/pull", "visit/1/nothing", "visit/x/pull"])
def test_no_error_of_these_addresses_is_json(app: Flask, anna: Rx, path: str) -> None:
    """S-114: without a token, revoked, unknown, by another method, with a broken or foreign body."""
    transport: Any = anna.tablet.transport
    answers = [
        transport.client.get(f"/sync/rxdb/{path}"),
        anna.call("DELETE", path),
        anna.call("POST", "visit/1/push", data="[", content_type="application/json"),
        anna.call("POST", "visit/1/push", json={"rows": []}),
        anna.call("POST", "visit/1/push", data="[]", content_type="text/xml"),
        anna.call("POST", "visit/1/push", json=[{}] * 1001),
        anna.call("POST", "nothing/1/push", json=[]),
    ]
    if path != "visit/1/pull":
        answers.append(anna.call("GET", path))
    for answer in answers:
        assert answer.status_code >= 400
        assert answer.mimetype == "text/plain"
        assert not answer.text.startswith(("{", "["))


def test_a_tombstone_satisfies_the_schema_and_tells_nothing(
    app: Flask, company: SmallCompany, anna: Rx, visit: str
) -> None:
    """S-119"""
    office(app, company, Visit, visit, instructions="SECRET", symptom="SECRET")
    _, checkpoint = anna.read("visit")
    _, site_checkpoint = anna.read("site")
    with app.app_context():
        publish(company.id, visit, company.boris)
    for collection, document_id, place in (
        ("visit", visit, checkpoint),
        ("site", company.sites[0], site_checkpoint),
    ):
        (gone,) = anna.pull(collection, place)["documents"]
        assert (gone["id"], gone["_deleted"]) == (document_id, True)
        assert "SECRET" not in json.dumps(gone)
        own = {name: value for name, value in gone.items() if name not in ("version", "_deleted")}
        jsonschema.validate(own, document_schema(COLLECTIONS[collection]))
        assert set(own) == set(COLLECTIONS[collection].fields)
        assert own["name" if collection == "site" else "title"] in ("", "-")


def test_a_document_that_comes_back_is_there_again(app: Flask, company: SmallCompany, anna: Rx, visit: str) -> None:
    """S-118"""
    _, checkpoint = anna.read("visit")
    for to in (company.boris, company.anna):
        with app.app_context():
            publish(company.id, visit, to)
        documents, checkpoint = anna.read("visit", checkpoint)
    assert [(each["id"], each["_deleted"]) for each in documents] == [(visit, False)]


def test_a_checkpoint_of_another_history_begins_anew_and_says_so(
    app: Flask, company: SmallCompany, anna: Rx, visit: str
) -> None:
    """S-122: a server restored from a backup; also where only the number shows it."""
    _, checkpoint = anna.read("visit")

    @transactional
    def restored() -> None:
        row = db.session.get(Company, company.id)
        assert row is not None
        row.epoch = "another"

    with app.app_context():
        restored()
    page = anna.pull("visit", checkpoint)
    assert [each["id"] for each in page["documents"]] == [visit]
    assert (page["checkpoint"]["epoch"], checkpoint["epoch"] == "another") == ("another", False)
    ahead = {"seq": checkpoint["seq"] + 1000, "id": ""}
    assert [each["id"] for each in anna.pull("visit", ahead)["documents"]] == [visit]


def test_fields_that_a_client_of_an_older_schema_does_not_know_are_not_sent(
    app: Flask, anna: Rx, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S-118: a field says since when it is there."""
    field = COLLECTIONS["site"].fields["danger_note"]
    monkeypatch.setitem(field.metadata, "since", 2)
    monkeypatch.setattr(whole, "SCHEMA_VERSION", 2)
    monkeypatch.setattr(rxdb, "SCHEMA_VERSION", 2)
    old, new = (anna.call("GET", f"site/{version}/pull").json["documents"][0] for version in (1, 2))
    assert set(new) - set(old) == {"danger_note"}
    assert anna.push("site", (old, old | {"access_note": "Side door"})) == []


# --- push -----------------------------------------------------------------------------------------------------------


def site_of(rx: Rx) -> Any:
    (site,), _ = rx.read("site")
    return site


def journal(rx: Rx) -> list[Any]:
    transport: Any = rx.tablet.transport
    headers = {"Authorization": f"Bearer {rx.tablet.state.token}"}
    found: list[Any] = transport.client.get("/sync/v1/mutations", headers=headers).json["mutations"]
    return found


def open_conflicts(dispatcher: Office) -> list[Any]:
    found: list[Any] = dispatcher.get("/api/v1/conflicts").json["items"]
    return found


def test_an_edit_of_a_whole_document_is_a_patch_by_its_base(app: Flask, company: SmallCompany, anna: Rx) -> None:
    """S-110, S-111, S-120: what others changed meanwhile stays, and the answer is the document as it is now."""
    site = site_of(anna)
    office(app, company, Site, site["id"], danger_note="Dog")
    (answer,) = anna.push("site", (site, site | {"access_note": "Side door"}))
    assert (answer["access_note"], answer["danger_note"], answer["version"]) == ("Side door", "Dog", 3)
    (mutation,) = journal(anna)
    assert mutation["payload"]["set"] == {"access_note": "Side door"}
    assert (mutation["status"], mutation["n"], mutation["payload"]["base_version"]) == ("merged", 1, 1)
    assert anna.push("site", (answer, answer)) == []
    assert len(journal(anna)) == 1


def test_what_is_taken_as_it_was_sent_is_not_answered(anna: Rx) -> None:
    """S-120: and the next edit leads on from there although the client has not heard of the new version."""
    site = site_of(anna)
    first = site | {"access_note": "Side door"}
    second = first | {"access_note": "Front door", "tags": ["dog"]}
    assert anna.push("site", (site, first)) == []
    assert anna.push("site", (first, second)) == []
    assert site_of(anna)["access_note"] == "Front door"
    assert [each["status"] for each in journal(anna)] == ["applied", "applied"]


def test_a_clash_is_recorded_with_base_and_both_values(
    app: Flask, company: SmallCompany, anna: Rx, dispatcher: Office
) -> None:
    """S-111 (S-35): the base is what the row says."""
    site = site_of(anna)
    office(app, company, Site, site["id"], access_note="By the lift")
    assert anna.push("site", (site, site | {"access_note": "Side door", "contact_name": "Eva"})) == []
    (clash,) = open_conflicts(dispatcher)
    assert [clash[name] for name in ("field", "base", "mine", "theirs", "chosen")] == [
        "access_note", "Ring at reception", "Side door", "By the lift", "mine",
    ]  # fmt: skip


def test_the_base_is_found_by_its_contents_where_the_client_keeps_no_version(
    app: Flask, company: SmallCompany, anna: Rx, dispatcher: Office
) -> None:
    """S-111: and nothing that the client does not know is taken for emptied."""
    site = {name: value for name, value in site_of(anna).items() if name in ("id", "access_note", "name", "_deleted")}
    office(app, company, Site, site["id"], danger_note="Dog")
    assert anna.push("site", (site, site | {"access_note": "Side door"})) == []
    assert [site_of(anna)[name] for name in ("danger_note", "access_note", "tz")] == [
        "Dog",
        "Side door",
        "Europe/Andorra",
    ]
    assert open_conflicts(dispatcher) == []
    office(app, company, Site, site["id"], access_note="By the lift")
    base = site | {"access_note": "Side door"}
    anna.push("site", (base, base | {"access_note": "Front door"}))
    assert [(each["base"], each["theirs"]) for each in open_conflicts(dispatcher)] == [("Side door", "By the lift")]


def test_a_lost_answer_is_got_again_and_nothing_newer_is_overwritten(
    app: Flask, company: SmallCompany, anna: Rx
) -> None:
    """S-113 (S-27): A to B, the answer is lost, the office writes C, and B comes again."""
    site = site_of(anna)
    row = (site, site | {"access_note": "B"})
    assert anna.push("site", row) == []
    office(app, company, Site, site["id"], access_note="C")
    for _ in range(2):
        (answer,) = anna.push("site", row)
        assert answer["access_note"] == "C"
    assert len(journal(anna)) == 1


def test_an_edit_that_a_person_makes_again_is_a_new_one(anna: Rx) -> None:
    """S-113: on, off and on once more before any newer version was heard of; each of them may come twice."""
    off = site_of(anna)
    on = off | {"access_note": "On"}
    for row in ((off, on), (on, off), (off, on)):
        assert anna.push("site", row) == []
        assert anna.push("site", row) == []
    assert site_of(anna)["access_note"] == "On"
    assert len(journal(anna)) == 3


def test_an_old_row_that_comes_late_changes_nothing(anna: Rx) -> None:
    """S-113 (law 3): a network held it back while the device went on."""
    site = site_of(anna)
    b, c = site | {"access_note": "B"}, site | {"access_note": "C"}
    assert anna.push("site", (site, b)) == []
    assert anna.push("site", (b, c)) == []
    (answer,) = anna.push("site", (site, b))
    assert answer["access_note"] == "C"
    assert len(journal(anna)) == 2


def test_one_wrong_value_holds_nothing_else_back(anna: Rx, dispatcher: Office, company: SmallCompany) -> None:
    """S-112: each is kept with its problem, the rest of the document goes in, the row is never refused."""
    site = site_of(anna)
    new = site | {
        "access_note": "Side door", "danger_note": "x" * 2001, "colour": "red", "contact_name": "a\x00b", "name": "Inn",
    }  # fmt: skip
    (answer,) = anna.push("site", (site, new))
    assert (answer["access_note"], answer["danger_note"], answer["name"]) == ("Side door", None, "Hotel 1")
    told = {frozenset(each["payload"].get("set") or ()): each["status"] for each in journal(anna)}
    assert told[frozenset({"access_note", "name"})] == "overridden"
    rejected = [each for each in journal(anna) if each["status"] == "rejected"]
    assert len(rejected) == 3
    assert all(each["problem"]["code"] == "invalid-fields" for each in rejected)
    (proposal,) = open_conflicts(dispatcher)
    assert (proposal["field"], proposal["mine"]) == ("name", "Inn")


def test_a_row_that_is_none_is_kept_and_the_others_go_in(anna: Rx) -> None:
    """S-112 (S-29)"""
    site = site_of(anna)
    body = [
        7, None, [], {"newDocumentState": {"id": 5}}, {"newDocumentState": {"id": "no uuid", "_deleted": False}},
        {"newDocumentState": site | {"access_note": "Side door"}, "assumedMasterState": site},
    ]  # fmt: skip
    answer = anna.call("POST", "site/1/push", json=body)
    assert [(each["id"], each["_deleted"]) for each in answer.json] == [("no uuid", True)]
    assert site_of(anna)["access_note"] == "Side door"
    assert sorted(each["status"] for each in journal(anna)) == ["applied", *["rejected"] * 5]
    assert anna.call("POST", "site/1/push", json={"docs": body}).json == answer.json
    assert len(journal(anna)) == 6


def test_a_deep_row_and_half_a_surrogate_pair_are_kept(anna: Rx) -> None:
    """S-112 (S-29)"""
    site = site_of(anna)
    deep: Any = []
    for _ in range(40):
        deep = [deep]
    text = json_text([{"newDocumentState": site | {"tags": deep, "access_note": "\ud800"}, "assumedMasterState": site}])
    answer = anna.call("POST", "site/1/push", data=text, content_type="application/json")
    assert [each["version"] for each in answer.json] == [1]
    assert [each["status"] for each in journal(anna)] == ["rejected", "rejected"]


def test_events_of_a_visit_are_added_one_by_one(app: Flask, anna: Rx, visit: str, dispatcher: Office) -> None:
    """S-111 (S-38, S-39, S-41): the whole list is sent; what is there is not doubled, gone ones are not taken away."""
    (before,), _ = anna.read("visit")
    started = entry(type="started")
    (now,) = anna.push("visit", (before, before | {"events": [started]}))
    assert (now["exec_state"], now["events"][0]["by_name"]) == ("working", "Anna")
    done = entry(type="done")
    (later,) = anna.push("visit", (now, now | {"events": [*now["events"], done]}))
    assert [event["id"] for event in later["events"]] == [started["id"], done["id"]]
    assert later["exec_state"] == "done"
    (kept,) = anna.push("visit", (later, later | {"events": later["events"][:1]}))
    assert len(kept["events"]) == 2
    altered = [later["events"][0] | {"type": "refused"}, later["events"][1]]
    (kept,) = anna.push("visit", (kept, kept | {"events": altered}))
    assert kept["events"] == later["events"]
    assert [each["kind"] for each in open_conflicts(dispatcher)] == ["refused", "refused"]


def test_sets_are_changed_by_elements(app: Flask, company: SmallCompany, anna: Rx) -> None:
    """S-111: what others added stays, what the person took away goes."""
    office(app, company, Site, company.sites[0], tags=["a", "b"])
    site = site_of(anna)
    office(app, company, Site, company.sites[0], tags=["a", "b", "c"])
    (answer,) = anna.push("site", (site, site | {"tags": ["b", "d"]}))
    assert answer["tags"] == ["b", "c", "d"]


def test_a_visit_made_on_a_device(anna: Rx, company: SmallCompany) -> None:
    """S-120 (S-25): the answer has what the server made; what was sent there is kept as refused."""
    made = str(uuid.uuid4())
    new = {
        "id": made, "kind": "repair_minor", "site_id": company.sites[0], "title": "", "number": "", "exec_state": "",
        "asset_ids": [company.assets[0]], "events": [entry(type="started")], "work_summary": "Leak", "flags": [],
        "symptom": "x" * 1001, "_deleted": False,
    }  # fmt: skip
    (answer,) = anna.push("visit", (None, new))
    assert (answer["exec_state"], answer["work_summary"], answer["symptom"]) == ("working", "Leak", None)
    assert (answer["title"], answer["number"][:2], answer["asset_ids"]) == ("Repair minor", "V-", [company.assets[0]])
    assert anna.push("visit", (answer, answer)) == []
    assert sorted(each["status"] for each in journal(anna)) == ["applied", "rejected"]


def test_what_may_not_be_made_or_deleted_comes_back_as_it_is(anna: Rx) -> None:
    """S-112 (S-31): a new site goes from the device, a deleted one returns; its last edit is taken all the same."""
    site = site_of(anna)
    (gone,) = anna.push("site", (None, site | {"id": str(uuid.uuid4())}))
    assert gone["_deleted"] is True
    (back,) = anna.push("site", (site, site | {"access_note": "Side door", "_deleted": True}))
    assert (back["_deleted"], back["access_note"]) == (False, "Side door")
    problems = [each["problem"] and each["problem"]["code"] for each in journal(anna)]
    assert problems == ["not-allowed-from-device", None, "not-allowed-from-device"]


# --- scopes ---------------------------------------------------------------------------------------------------------


def test_a_push_after_a_removal_is_judged_and_answered_with_the_tombstone(
    app: Flask, company: SmallCompany, anna: Rx, boris: Rx, visit: str, dispatcher: Office
) -> None:
    """S-121 (S-14, S-32): the document must not stay on the device, the work must not be lost."""
    (before,), _ = anna.read("visit")
    with app.app_context():
        publish(company.id, visit, company.boris)
    work = before | {"work_summary": "Gasket changed"}
    for _ in range(2):
        (answer,) = anna.push("visit", (before, work))
        assert (answer["id"], answer["_deleted"], answer["work_summary"]) == (visit, True, None)
    (theirs,), _ = boris.read("visit")
    assert theirs["work_summary"] == "Gasket changed"
    assert anna.push("visit", (answer, answer)) == []


def test_a_removal_that_met_a_push_on_its_way_is_told_once_more(
    app: Flask, company: SmallCompany, anna: Rx, visit: str
) -> None:
    """S-121: a client passes over a removal while it waits for the answer to a push, and would keep the document."""
    (before,), checkpoint = anna.read("visit")
    assert anna.push("visit", (before, before | {"work_summary": "Gasket changed"})) == []
    with app.app_context():
        publish(company.id, visit, company.boris)
    page = anna.pull("visit", checkpoint)
    assert [(each["id"], each["_deleted"]) for each in page["documents"]] == [(visit, True)]
    once_more = anna.pull("visit", checkpoint | page["checkpoint"])
    assert [(each["id"], each["_deleted"]) for each in once_more["documents"]] == [(visit, True)]
    assert anna.pull("visit", page["checkpoint"] | once_more["checkpoint"])["documents"] == []


def test_another_persons_document_is_like_none(app: Flask, company: SmallCompany, anna: Rx, boris: Rx) -> None:
    """S-110 (S-16): neither its being there nor its contents can be had by pushing to it or by asking for it again."""
    site = site_of(anna)
    foreign = site | {"access_note": "Mine now"}
    for base in (site, None):
        answers = [boris.push("site", (base, state))[0] for state in (foreign, foreign | {"id": str(uuid.uuid4())})]
        assert [{**answer, "id": ""} for answer in answers] == [{**answers[0], "id": ""}] * 2
        assert answers[0]["_deleted"] is True
    told = [
        boris.pull("site", {"again": document_id})["documents"][0] | {"id": ""}
        for document_id in (site["id"], str(uuid.uuid4()))
    ]
    assert told[0] == told[1]
    assert site_of(anna)["access_note"] == "Ring at reception"


def test_what_is_sent_after_access_has_ended_is_kept_for_the_office(
    app: Flask, company: SmallCompany, anna: Rx, dispatcher: Office
) -> None:
    """S-110 (S-80): as the mutations that it would have been, once however often it comes."""
    manager = company.sign_in(dispatcher.client, "manager@small.example")
    site = site_of(anna)
    with app.app_context():
        revoke(company.id, anna.tablet.state.device_id, now=datetime.now(UTC))
    rows = [{"newDocumentState": site | {"access_note": "Side door"}, "assumedMasterState": site}, 7]
    for body in (rows, rows, [], {"rows": 1}):
        answer = anna.call("POST", "site/1/push", json=body)
        assert (answer.status_code, answer.mimetype) == (401, "text/plain")
        assert answer.text.startswith("device-revoked")
    (kept,) = dispatcher.get("/api/v1/salvage").json["items"]
    assert kept["count"] == 2
    taken = manager.post(f"/api/v1/salvage/{kept['id']}/import", json={})
    assert taken.status_code == 200, taken.text
    assert dispatcher.get(f"/api/v1/sites/{site['id']}").json["access_note"] == "Side door"


# --- stream ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[Server]:
    running = Server(database_url, tmp_path, settings={"ROUNDS_STREAM_HEARTBEAT": "0.2"})
    running.start()
    try:
        yield running
    finally:
        running.kill()


def test_a_stream_goes_on_where_it_broke_and_where_the_device_has_read(
    app: Flask, company: SmallCompany, anna: Rx, visit: str, server: Server
) -> None:
    """S-123: events are pages without a gap, one stream for each collection; a broken line loses nothing."""
    token, site = anna.tablet.state.token, company.sites[0]
    _, checkpoint = anna.read("site")
    anna.pull("site", checkpoint)
    office(app, company, Site, site, access_note="Before")

    def listen(collection: str, last_id: str = "") -> Reader:
        return Reader(server.port, f"/sync/rxdb/{collection}/1/stream", token, last_id=last_id)

    with listen("site") as sites, listen("visit") as visits:
        first = sites.next()
        assert [each["access_note"] for each in json.loads(first.data)["documents"]] == ["Before"]
        assert json.loads(first.id) == json.loads(first.data)["checkpoint"]
        assert [each["id"] for each in json.loads(visits.next().data)["documents"]] == [visit]
        office(app, company, Site, site, access_note="While")
        second = sites.next()
        assert [each["access_note"] for each in json.loads(second.data)["documents"]] == ["While"]
        office(app, company, Visit, visit, instructions="Key at the bar")
        assert [each["instructions"] for each in json.loads(visits.next().data)["documents"]] == ["Key at the bar"]
    office(app, company, Site, site, access_note="Meanwhile")
    with listen("site", last_id=second.id) as sites:
        assert [each["access_note"] for each in json.loads(sites.next().data)["documents"]] == ["Meanwhile"]
        with app.app_context():
            publish(company.id, visit, company.boris)
        (gone,) = json.loads(sites.next().data)["documents"]
        assert (gone["id"], gone["_deleted"]) == (site, True)
        with app.app_context():
            revoke(company.id, anna.tablet.state.device_id, now=datetime.now(UTC))
        assert sites.next().kind == END


def test_what_is_no_checkpoint_opens_no_stream(anna: Rx) -> None:
    """S-123, S-114"""
    transport: Any = anna.tablet.transport
    headers = {"Authorization": f"Bearer {anna.tablet.state.token}"}
    for last_id, query in (("x", ""), ("[]", ""), ('{"id": "x"}', ""), ("", "?seq=x")):
        sent = headers | ({"Last-Event-ID": last_id} if last_id else {})
        answer = transport.client.get(f"/sync/rxdb/site/1/stream{query}", headers=sent)
        assert (answer.status_code in (400, 422), answer.mimetype) == (True, "text/plain")


# --- the other profile ----------------------------------------------------------------------------------------------


def test_where_the_server_wins_the_device_hears_so_and_a_person_decides(
    app: Flask, company: SmallCompany, anna: Rx, dispatcher: Office
) -> None:
    """S-115: the edit is in the conflict log, whatever the policy of the field; what did not clash is taken."""
    app.config["MASTER_WINS"] = True
    site = site_of(anna)
    office(app, company, Site, site["id"], access_note="By the lift")
    (answer,) = anna.push("site", (site, site | {"access_note": "Side door", "contact_name": "Eva", "tags": ["dog"]}))
    assert (answer["access_note"], answer["contact_name"], answer["tags"]) == ("By the lift", "Eva", ["dog"])
    (clash,) = open_conflicts(dispatcher)
    assert (clash["mine"], clash["theirs"], clash["chosen"], clash["policy"]) == (
        "Side door", "By the lift", "theirs", "ask",
    )  # fmt: skip
