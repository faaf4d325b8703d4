"""Push: exactly once, one bad one blocks no other, groups, numbers: S-18 to S-30."""

from __future__ import annotations

import json
import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.entities import COLLECTIONS
from schemas.entities.base import iso
from schemas.json_limits import DEEPEST, json_text, unstorable
from server.store.models import Site, Visit
from server.store.types import new_id
from sync.client import Offline, Replica
from tests.builders import SmallCompany, change, entry, publish
from tests.tablets import OverClient, Tablet, enrol


def office(app: Flask, model: Any, company: SmallCompany, item_id: str, **values: Any) -> None:
    with app.app_context():
        change(model, company.id, item_id, **values)


@pytest.fixture
def visit(app: Flask, company: SmallCompany) -> str:
    with app.app_context():
        made = company.visit(asset_ids=[company.assets[0]])
        publish(company.id, made, company.anna)
        return made


@pytest.fixture
def anna(app: Flask, company: SmallCompany, visit: str) -> Tablet:
    tablet = enrol(app, company.id, company.anna, "Anna's")
    tablet.read()
    return tablet


@pytest.fixture
def site(company: SmallCompany) -> str:
    return company.sites[0]


def raw_push(tablet: Tablet, text: str | bytes) -> Any:
    transport: Any = tablet.transport
    return transport.client.post(
        "/sync/v1/push",
        data=text,
        headers={"Authorization": f"Bearer {tablet.state.token}", "Content-Type": "application/json"},
    )


def truth(app: Flask, company: SmallCompany) -> Tablet:
    """What a fresh tablet of Anna's sees."""
    tablet = enrol(app, company.id, company.anna, "Fresh")
    tablet.read()
    return tablet


# --- one edit -------------------------------------------------------------------------------------------------------


def test_an_edit_lands_and_says_its_version(app: Flask, company: SmallCompany, anna: Tablet, site: str) -> None:
    """S-18, S-26"""
    anna.change(site, "site", set={"access_note": "Side door"})
    (result,) = anna.sync()
    assert (result["status"], result["conflicts"], result["problem"]) == ("applied", [], None)
    assert result["version"] == anna.state.documents[site]["version"] == 2
    assert truth(app, company).body(site)["access_note"] == "Side door"


def test_own_edits_are_seen_before_and_after_they_are_sent(anna: Tablet, site: str) -> None:
    """S-22 (law 7)"""
    anna.change(site, "site", set={"access_note": "Side door"}, add={"tags": ["dog"]})
    assert (anna.view(site) or {})["access_note"] == "Side door"
    assert (anna.view(site) or {})["tags"] == ["dog"]
    anna.send()
    assert (anna.view(site) or {})["tags"] == ["dog"], "answered, and not read yet"
    anna.sync()
    assert COLLECTIONS["site"].whole(anna.view(site) or {}) == anna.body(site)
    assert anna.body(site)["tags"] == ["dog"]


def test_entries_are_stamped_with_who_and_when(anna: Tablet, company: SmallCompany, visit: str) -> None:
    """S-41: the corrected time is in the bounds, whatever the tablet's clock says."""
    wrong = datetime.now(UTC) + timedelta(days=400)
    anna.event(visit, "en_route", wrong)
    anna.push(device_time=iso(wrong), rtt_ms=100)
    anna.read()
    (event,) = anna.body(visit)["events"]
    assert (event["by"], event["by_name"], event["device_id"]) == (company.anna, "Anna", anna.state.device_id)
    assert abs(datetime.fromisoformat(event["at_corrected"]) - datetime.now(UTC)) < timedelta(seconds=60)
    assert datetime.fromisoformat(event["at"]) > datetime.now(UTC) + timedelta(days=300)


def test_a_visit_made_on_site_is_a_visit(anna: Tablet, company: SmallCompany, app: Flask) -> None:
    """S-25: made offline with its id, its first events in the same mutation."""
    made = new_id()
    anna.change(
        made, op="create", set={"kind": "repair_minor", "site_id": company.sites[0], "work_summary": "Leak"},
        add={"events": [{"id": str(uuid.uuid4()), "type": "started", "at": iso(datetime.now(UTC))}]},
    )  # fmt: skip
    anna.change(made, set={"work_summary": "Leak, gasket changed"})
    assert [result["status"] for result in anna.sync()] == ["applied", "applied"]
    body = anna.body(made)
    assert (body["origin"], body["assignee_id"], body["exec_state"]) == ("technician", company.anna, "working")
    assert body["work_summary"] == "Leak, gasket changed"
    assert body["number"].startswith("V-")


# --- exactly once ---------------------------------------------------------------------------------------------------


def test_a_lost_reply_is_got_again(app: Flask, company: SmallCompany, anna: Tablet, visit: str) -> None:
    """S-23, S-27: the same mutation again has the stored result, also after others have written."""
    anna.change(visit, set={"work_summary": "A"})
    transport: Any = anna.transport
    transport.lose = 1
    with pytest.raises(Offline):
        anna.send()
    office(app, Visit, company, visit, work_summary="B, by the office")
    (result,) = anna.send()
    assert result["status"] == "applied"
    assert result["repeated"]
    anna.read()
    assert anna.body(visit)["work_summary"] == "B, by the office"


def test_a_tablet_killed_between_push_and_reply_wakes_up_and_goes_on(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str
) -> None:
    """S-19"""
    anna.work(visit, "en_route", "arrived")
    saved = anna.save()
    anna.send()
    transport = OverClient(app.test_client())
    woken = Replica.load(transport, json.loads(json.dumps(saved)))
    transport.replica = woken
    woken.exchange(device_time=iso(datetime.now(UTC)))
    assert [event["type"] for event in woken.state.documents[visit]["document"]["events"]] == ["en_route", "arrived"]
    assert not woken.unsent()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_any_prefix_again_any_order_any_number_of_times_is_the_same(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str, site: str, seed: int
) -> None:
    """S-23, S-27 (law 3): batches cut anywhere, doubled, shuffled, their replies lost; one effect each."""
    rng = random.Random(seed)
    anna.read()
    before = {event["id"] for event in anna.body(visit)["events"]}
    moment = datetime.now(UTC)
    for number in range(6):
        anna.event(visit, "paused", moment + timedelta(seconds=number - 10))
        anna.change(site, "site", set={"access_note": f"note {number} {seed}"})
    edits = anna.unsent()
    sent = 0
    while sent < len(edits):
        upto = rng.randrange(sent, len(edits)) + 1
        batch = edits[rng.randrange(0, sent + 1) : upto] * rng.choice([1, 1, 2])
        rng.shuffle(batch)
        answer = raw_push(anna, json.dumps({"device_time": iso(datetime.now(UTC)), "mutations": batch}))
        assert answer.status_code == 200
        sent = upto if rng.random() < 0.7 else sent
    anna.sync()
    assert anna.body(site)["access_note"] == f"note 5 {seed}"
    added = [event["id"] for event in anna.body(visit)["events"] if event["id"] not in before]
    assert added == [edit["add"]["events"][0]["id"] for edit in edits if edit["add"]]
    journal = anna.transport("GET", f"/sync/v1/mutations?after={edits[0]['n'] - 1}&limit=1000")[1]["mutations"]
    assert [row["id"] for row in journal] == [edit["id"] for edit in edits]


def test_a_mutation_twice_in_one_push_is_a_duplicate(anna: Tablet, visit: str) -> None:
    """S-26"""
    anna.change(visit, set={"work_summary": "A"})
    anna.state.outbox *= 2
    assert [result["status"] for result in anna.send()] == ["applied", "duplicate"]


def test_the_id_of_another_tablets_mutation_is_refused_and_kept(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str
) -> None:
    """S-28: neither the other's result is told, nor its effect taken."""
    second = enrol(app, company.id, company.anna)
    second.read()
    second.change(visit, set={"work_summary": "second"})
    taken = second.unsent()[0]["id"]
    second.send()
    anna.edit("visit", visit, mutation_id=taken, made_at=iso(datetime.now(UTC)), set={"work_summary": "first"})
    for _ in range(2):
        result = raw_push(anna, json.dumps({"device_time": iso(datetime.now(UTC)), "mutations": anna.unsent()}))
        assert [one["problem"]["code"] for one in result.json["results"]] == ["id-taken"]
    (row,) = anna.transport("GET", "/sync/v1/mutations")[1]["mutations"]
    assert row["payload"]["raw"]["set"] == {"work_summary": "first"}


def test_a_number_used_twice_is_a_fork(anna: Tablet, visit: str) -> None:
    """S-21: a copied token or a restored tablet; the later one is refused and kept, in one push and over two."""
    anna.change(visit, set={"work_summary": "A"})
    anna.state.n = 0
    anna.change(visit, set={"work_summary": "B"})
    assert [(r["status"], (r["problem"] or {}).get("code")) for r in anna.send()] == [
        ("applied", None),
        ("rejected", "number-taken"),
    ]
    anna.state.n = 0
    anna.change(visit, set={"work_summary": "C"})
    assert anna.send()[0]["problem"]["code"] == "number-taken"


def test_numbers_that_never_came_are_reported(anna: Tablet, visit: str) -> None:
    """S-21"""
    for _ in range(4):
        anna.change(visit, set={"work_summary": "A"})
    held = anna.state.outbox
    del held[1:3]
    answer = raw_push(anna, json.dumps({"device_time": iso(datetime.now(UTC)), "mutations": held}))
    assert answer.json["gaps"] == [2, 3]


def test_a_number_that_could_not_be_read_did_come(anna: Tablet, visit: str) -> None:
    """S-21"""
    for _ in range(3):
        anna.change(visit, set={"work_summary": "A"})
    anna.state.outbox[1]["set"] = {"no_such_field": 1}
    answer = raw_push(anna, json.dumps({"device_time": iso(datetime.now(UTC)), "mutations": anna.unsent()}))
    assert answer.json["gaps"] == []


# --- groups ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spoil", ["unknown-field", "not-there", "unreadable"])
def test_a_group_goes_in_whole_or_not_at_all(anna: Tablet, visit: str, site: str, spoil: str) -> None:
    """S-24: whatever is wrong with one of them, and although another mutation stands between them."""
    group = str(uuid.uuid4())
    anna.change(visit, set={"work_summary": "A"}, group=group)
    anna.change(site, "site", set={"danger_note": "Stairs"})
    bad: dict[str, Any] = {
        "unknown-field": {"document_id": site, "collection": "site", "set": {"nope": 1}},
        "not-there": {"document_id": new_id(), "set": {"work_summary": "x"}},
        "unreadable": {"document_id": site, "collection": "site", "set": {"access_note": "\x00"}},
    }[spoil]
    anna.change(bad.pop("document_id"), bad.pop("collection", "visit"), group=group, **bad)
    results = anna.sync()
    assert [result["status"] for result in results] == ["rejected", "applied", "rejected"]
    assert results[0]["problem"]["code"] == "group-rejected"
    assert anna.body(visit)["work_summary"] is None
    assert anna.body(site)["danger_note"] == "Stairs"


def test_a_good_group_goes_in(anna: Tablet, visit: str, site: str) -> None:
    """S-24"""
    group = str(uuid.uuid4())
    anna.change(visit, set={"work_summary": "A"}, group=group)
    anna.change(site, "site", set={"danger_note": "Stairs"}, group=group)
    assert [result["status"] for result in anna.sync()] == ["applied", "applied"]


# --- poison ---------------------------------------------------------------------------------------------------------


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


POISON: dict[str, Any] = {
    "no object": 7,
    "nothing": None,
    "a list": [[]],
    "empty": {},
    "unknown collection": {"collection": "invoice"},
    "collection with a NUL": {"collection": "visit\x00"},
    "collection of another type": {"collection": ["visit"]},
    "unknown field": {"set": {"nope": 1}},
    "field of another type": {"set": {"work_summary": {"a": 1}}},
    "add to what is no list": {"add": {"work_summary": ["x"]}},
    "add that is no list": {"add": {"events": {}}},
    "entry without id": {"add": {"events": [{"type": "started", "at": "2026-11-23T09:00:00Z"}]}},
    "unknown event": {
        "add": {"events": [{"id": str(uuid.UUID(int=5)), "type": "flown", "at": "2026-11-23T09:00:00Z"}]}
    },
    "time without offset": {"made_at": "2026-11-23T09:00:00"},
    "time out of all bounds": {"made_at": "99999-01-01T00:00:00Z"},
    "number nought": {"n": 0},
    "number true": {"n": True},
    "number as text": {"n": "3"},
    "number beyond all": {"n": 2**63},
    "id that is none": {"id": "no-id"},
    "id of another type": {"id": 5},
    "document id that is none": {"document_id": "x"},
    "group that is none": {"group": "x"},
    "version below nought": {"base_version": -1},
    "unknown key": {"extra": 1},
    "text too long": {"set": {"work_summary": "x" * 5000}},
    "NUL in a text": {"set": {"work_summary": "a\x00b"}},
    "NUL in a field that the server makes": {"set": {"number": "a\x00b"}},
    "NUL in a field name": {"set": {"a\x00b": 1}},
    "half of a surrogate pair": {"set": {"work_summary": "\ud83d"}},
    "half of a surrogate pair as a name": {"set": {"\ud83d": 1}},
    "half of a surrogate pair as an id": {"id": "\ud83d"},
    "not a number": {"set": {"work_summary": float("nan")}},
    "endless": {"set": {"number": float("inf")}},
    "deep": {"set": {"number": nested(40)}},
    "very deep": {"set": {"number": nested(600)}},
    "huge": {"set": {"number": "x" * 400_000}},
    "very many keys": {"set": {f"k{n}": n for n in range(40_000)}},
    "very many unknown keys": {f"k{n}": n for n in range(40_000)},
}


@pytest.mark.parametrize("name", POISON)
def test_f24_poison_is_kept_aside_and_the_others_go_in(anna: Tablet, visit: str, site: str, name: str) -> None:
    """S-29: rejected with a problem, kept whole for the office and the device to see, kept once however often it
    comes; its neighbours have their effect."""
    anna.change(visit, set={"work_summary": "before"})
    anna.change(visit)
    anna.change(site, "site", set={"danger_note": "after"})
    poison = POISON[name]
    first, bad, last = anna.unsent()
    if isinstance(poison, dict):
        poison = bad | poison if poison else {}
    text = json.dumps({"device_time": iso(datetime.now(UTC)), "mutations": [first, poison, last]})
    for round_ in range(2):
        answer = raw_push(anna, text)
        assert answer.status_code == 200, answer.text
        assert [one["status"] for one in answer.json["results"]] == ["applied", "rejected", "applied"]
        assert [one.get("repeated", False) for one in answer.json["results"]] == [bool(round_)] * 3
    problem = answer.json["results"][1]["problem"]
    assert problem["code"] in ("invalid-fields", "unknown-collection")
    assert len(problem.get("errors", [])) <= 20
    journal = anna.transport("GET", "/sync/v1/mutations")[1]["mutations"]
    (row,) = [row for row in journal if row["status"] == "rejected"]
    payload = row["payload"]
    kept = payload["raw"] if "raw" in payload else json.loads(payload["raw_text"])
    assert ordered(kept) == ordered(poison)
    anna.read()
    assert anna.body(visit)["work_summary"] == "before"
    assert anna.body(site)["danger_note"] == "after"


def ordered(value: Any) -> str:
    """One text for equal values: the keys of objects in order (PostgreSQL keeps its own), all else as it is."""
    return json.dumps(value, sort_keys=True)


def test_two_unreadable_ones_with_one_id_are_kept_once(anna: Tablet, visit: str) -> None:
    """S-29"""
    anna.change(visit, set={"nope": 1})
    anna.state.outbox.append(anna.state.outbox[0] | {"set": {"nope": 2}})
    answer = raw_push(anna, json.dumps({"device_time": iso(datetime.now(UTC)), "mutations": anna.unsent()}))
    assert [one["status"] for one in answer.json["results"]] == ["rejected", "duplicate"]


def test_an_unreadable_one_with_the_id_of_a_readable_one_does_not_stop_the_push(anna: Tablet, visit: str) -> None:
    """S-29"""
    anna.change(visit, set={"work_summary": "A"})
    anna.state.outbox.append(anna.state.outbox[0] | {"set": {"nope": 2}})
    answer = raw_push(anna, json.dumps({"device_time": iso(datetime.now(UTC)), "mutations": anna.unsent()}))
    assert [one["status"] for one in answer.json["results"]] == ["applied", "duplicate"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "broken-json"),
        (b"[]", 400, "broken-json"),
        (b"{", 400, "broken-json"),
        (b"\xff{}", 400, "broken-json"),
        (b"{}", 422, "invalid-fields"),
        (b'{"mutations": {}, "device_time": "2026-11-23T09:00:00Z"}', 422, "invalid-fields"),
        (b'{"mutations": [], "device_time": "now"}', 422, "invalid-fields"),
        (b'{"mutations": [' + b"1," * 500 + b'1], "device_time": "2026-11-23T09:00:00Z"}', 413, "too-many-mutations"),
        (b" " * (1024 * 1024 + 1), 413, "too-large"),
    ],
)
def test_a_push_that_is_none_is_refused_whole(anna: Tablet, body: bytes, status: int, code: str) -> None:
    """S-20, S-61"""
    answer = raw_push(anna, body)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.mimetype == "application/problem+json"


def test_a_mutation_that_changes_what_a_device_may_not_is_refused(anna: Tablet, visit: str, site: str) -> None:
    """S-25, S-31"""
    anna.change(visit, op="delete")
    anna.change(new_id(), "site", op="create", set={"name": "X"})
    anna.change(visit, op="create", set={"work_summary": "again"})
    delete, make, again = anna.sync()
    assert (delete["problem"]["code"], make["problem"]["code"]) == ("not-allowed-from-device",) * 2
    assert again["status"] == "applied"


def test_what_was_rejected_is_to_be_seen_for_ever(anna: Tablet, visit: str) -> None:
    """S-30 (law 2): with its payload and the reason, in the reader's language."""
    anna.change(visit, set={"nope": 1})
    anna.change(visit, set={"work_summary": "A"})
    anna.sync()
    page = anna.transport("GET", "/sync/v1/mutations?after=0&limit=1")[1]
    assert page["more"]
    assert page["mutations"][0]["payload"]["raw"]["set"] == {"nope": 1}
    assert page["mutations"][0]["problem"]["detail"]
    second = anna.transport("GET", "/sync/v1/mutations?after=1")[1]
    assert [row["status"] for row in second["mutations"]] == ["applied"]


def test_half_of_a_reading_that_the_clock_makes_impossible_is_still_taken(
    anna: Tablet, company: SmallCompany, visit: str
) -> None:
    """S-40: a clock 900 years ahead gives times before all bounds; the moment of receipt stands in for them."""
    reading = {
        "id": str(uuid.uuid4()), "at": "1975-01-01T00:00:00Z", "asset_id": company.assets[0], "meter": "hours",
        "value": 1,
    }  # fmt: skip
    anna.change(visit, add={"readings": [reading]})
    (result,) = anna.push(device_time="2926-11-23T09:00:00Z")
    assert result["status"] == "applied"


@given(value=st.recursive(st.none() | st.booleans() | st.floats() | st.text() | st.integers(), lambda inner: (
    st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)), max_leaves=12))  # fmt: skip
def test_the_text_of_a_value_is_its_json(value: Any) -> None:
    assert json_text(value) == json.dumps(value, separators=(",", ":"))


def test_depth_is_counted_as_people_do() -> None:
    assert unstorable(nested(DEEPEST - 1)) is None
    assert unstorable(nested(DEEPEST)) == "too-deep"


def test_the_office_sees_the_edit_of_a_site_at_once(app: Flask, company: SmallCompany, anna: Tablet, site: str) -> None:
    """Law 1"""
    anna.change(site, "site", set={"access_note": "Side door"})
    anna.sync()
    with app.app_context():
        from server.extensions import db

        assert db.session.get(Site, (company.id, site)).access_note == "Side door"


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("readings", {"meter": "hours", "value": 999.0, "unit": "h"}),
        ("findings", {"severity": "minor", "text": "Rust"}),
    ],
)
def test_an_entry_names_no_asset_that_was_never_on_the_tablet(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str, name: str, more: dict[str, Any]
) -> None:
    """S-16 (law 5): of equipment that has left the tablet meanwhile what was seen is still taken."""
    foreign = company.assets[2]
    assert foreign not in anna.ids
    anna.change(visit, add={name: [entry(asset_id=foreign) | more]})
    anna.change(visit, set={"work_summary": "after"})
    refused, taken = anna.send()
    assert (refused["status"], taken["status"]) == ("rejected", "applied")
    assert refused["problem"]["errors"][0]["field"] == f"{name}.0.asset_id"
    with app.app_context():
        own = company.visit(asset_ids=[foreign])
        publish(company.id, own, company.anna, datetime.now(UTC))
    anna.read()
    with app.app_context():
        publish(company.id, own, company.boris, datetime.now(UTC))
    anna.read()
    assert foreign not in anna.ids
    anna.change(visit, add={name: [entry(asset_id=foreign) | more]})
    assert anna.send()[0]["status"] in ("applied", "merged")
