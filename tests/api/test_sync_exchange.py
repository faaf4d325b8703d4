"""The exchange without a network, as files: S-200 to S-215."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from server.actions.end_device import revoke
from server.actions.found_company import found_company
from server.extensions import db
from server.store.models import Conflict, Device, Mutation, Site
from server.store.queries.devices import history
from sync import carried, sealed
from sync.client import Refused
from sync.feed import Cursor
from tests import pictures
from tests.api.conftest import problem
from tests.builders import PASSWORD, Office, SmallCompany, change, entry, publish
from tests.carriers import Carrier, brought, made, taken
from tests.tablets import Tablet, enrol
from tests.uploads import receipt


@pytest.fixture
def visit(app: Flask, company: SmallCompany) -> str:
    with app.app_context():
        one = company.visit(asset_ids=[company.assets[0]])
        publish(company.id, one, company.anna)
        return one


@pytest.fixture
def anna(app: Flask, company: SmallCompany, visit: str) -> Tablet:
    tablet = enrol(app, company.id, company.anna, "Anna's")
    tablet.sync()
    return tablet


@pytest.fixture
def carrier(anna: Tablet) -> Carrier:
    return Carrier(anna)


def test_work_comes_to_the_office_by_file(
    anna: Tablet, carrier: Carrier, visit: str, dispatcher: Office, company: SmallCompany
) -> None:
    """S-206: through the same door, with the same judgement and in the same journal as a push."""
    anna.work(visit, "started", "done")
    anna.change(company.sites[0], "site", set={"access_note": "Key at the bar"})
    anna.change(visit, set={"no_such_field": 1})
    came = taken(dispatcher, carrier.write())
    assert (came["device_name"], came["technician_name"], came["n"]) == ("Anna's", "Anna", 1)
    assert came["counts"] == {"applied": 3, "rejected": 1}
    assert (came["again"], came["salvaged"], came["ended"]) == (False, None, None)
    seen = dispatcher.get(f"/api/v1/visits/{visit}").json
    assert seen["exec_state"] == "done"
    assert {event["by_name"] for event in seen["events"]} == {"Anna"}
    assert len(anna.unsent()) == 4


def test_a_file_has_its_effect_once_also_beside_the_network(
    app: Flask, anna: Tablet, carrier: Carrier, visit: str, dispatcher: Office
) -> None:
    """S-215, S-27: taken twice, and what is in it sent over the network later."""
    anna.work(visit, "started", "done")
    anna.change(visit, add={"notes": [entry(text="Once")]})
    data = carrier.write()
    first, again = taken(dispatcher, data), taken(dispatcher, data)
    assert (first["again"], again["again"]) == (False, True)
    assert [one["status"] for one in again["results"]] == [one["status"] for one in first["results"]]
    assert all(result["repeated"] for result in anna.sync())
    assert taken(dispatcher, data)["again"]
    shown = dispatcher.get(f"/api/v1/visits/{visit}").json
    assert (len(shown["events"]), len(shown["notes"])) == (2, 1)
    with app.app_context():
        assert db.session.query(Mutation).count() == 3


def test_the_office_s_file_brings_answers_and_documents(
    app: Flask, anna: Tablet, carrier: Carrier, visit: str, dispatcher: Office, company: SmallCompany
) -> None:
    """S-208, S-209: after it the tablet stands as after an exchange over the network, and a pull finds nothing."""
    anna.work(visit, "started")
    anna.change(visit, set={"no_such_field": 1})
    taken(dispatcher, carrier.write())
    with app.app_context():
        change(Site, company.id, company.sites[0], access_note="Key at the reception")
    result = carrier.read(made(dispatcher, anna))
    assert (result.outcome, result.answers, result.more) == ("taken", 2, False)
    assert anna.unsent() == []
    assert {one["status"] for one in anna.state.results.values()} == {"applied", "rejected"}
    assert anna.body(company.sites[0])["access_note"] == "Key at the reception"
    assert anna.body(visit)["exec_state"] == "working"
    before = anna.save()["documents"]
    anna.sync()
    assert anna.save()["documents"] == before
    assert anna.verify().whole


def test_a_file_twice_and_an_older_one_change_nothing(
    app: Flask, anna: Tablet, carrier: Carrier, dispatcher: Office, company: SmallCompany
) -> None:
    """S-210"""
    taken(dispatcher, carrier.write())
    older = made(dispatcher, anna)
    with app.app_context():
        change(Site, company.id, company.sites[0], access_note="New")
    newer = made(dispatcher, anna)
    assert carrier.read(newer).outcome == "taken"
    kept = anna.save()
    assert carrier.read(newer).outcome == "again"
    assert carrier.read(older).outcome == "older"
    assert anna.save() == kept


def test_a_file_that_the_network_has_overtaken_takes_nothing_back(
    app: Flask, anna: Tablet, carrier: Carrier, visit: str, dispatcher: Office, company: SmallCompany
) -> None:
    """S-211: its documents stay as they were pulled since, and a later file goes on from there."""
    taken(dispatcher, carrier.write())
    with app.app_context():
        change(Site, company.id, company.sites[0], access_note="One")
    data = made(dispatcher, anna)
    with app.app_context():
        change(Site, company.id, company.sites[0], access_note="Two")
        publish(company.id, visit, company.boris)
    anna.sync()
    kept = anna.save()["documents"]
    result = carrier.read(data)
    assert (result.outcome, result.changes) == ("taken", 0)
    assert anna.save()["documents"] == kept
    with app.app_context():
        publish(company.id, visit, company.anna)
    # Made from where the first file said that the tablet was, which is behind by now.
    assert carrier.read(made(dispatcher, anna)).outcome == "taken"
    assert visit in anna.ids
    assert anna.verify().whole


def test_a_file_between_which_and_the_tablet_one_is_missing_brings_only_answers(
    app: Flask, anna: Tablet, carrier: Carrier, visit: str, dispatcher: Office, company: SmallCompany
) -> None:
    """S-211: a tablet that was set back does not take changes that follow on others that it lacks."""
    anna.work(visit, "started")
    saved = anna.save()
    with app.app_context():
        change(Site, company.id, company.sites[0], access_note="One")
    anna.read()
    taken(dispatcher, carrier.write())
    with app.app_context():
        change(Site, company.id, company.sites[1], access_note="Two")
    data = made(dispatcher, anna)
    carrier.tablet = Tablet(anna.transport, type(anna.state)(**saved))
    result = carrier.read(data)
    assert (result.outcome, result.answers, result.changes) == ("gap", 1, 0)
    assert carrier.tablet.body(company.sites[0])["access_note"] != "One"
    # The next file says where it is, and the answer begins there.
    taken(dispatcher, carrier.write(n=9))
    assert carrier.read(made(dispatcher, anna)).outcome == "taken"
    assert carrier.tablet.verify().whole


def test_a_tablet_that_has_read_nothing_gets_a_whole_baseline(
    app: Flask, company: SmallCompany, visit: str, dispatcher: Office
) -> None:
    """S-211: enrolled and never pulled."""
    tablet = enrol(app, company.id, company.anna)
    carrier = Carrier(tablet)
    assert carrier.read(made(dispatcher, tablet)).outcome == "taken"
    assert tablet.state.complete
    assert visit in tablet.ids
    assert tablet.verify().whole
    # A baseline that comes when something is here already is the whole truth: what it does not name goes.
    fresh = enrol(app, company.id, company.anna)
    other = Carrier(fresh)
    with app.app_context():
        publish(company.id, visit, company.boris)
    taken(dispatcher, other.write())
    data = made(dispatcher, fresh)
    fresh.read()
    fresh.state.documents[company.sites[2]] = {"collection": "site", "version": 0, "document": {"id": company.sites[2]}}
    assert other.read(data).outcome == "taken"
    assert fresh.verify().whole


def test_another_history_sends_all_again_and_starts_anew(
    app: Flask, anna: Tablet, carrier: Carrier, visit: str, dispatcher: Office, company: SmallCompany
) -> None:
    """S-212, S-210: over two files each way; a file of the former history is older."""
    from server.actions.history import renew_epoch
    from server.store.queries import devices

    anna.work(visit, "started")
    taken(dispatcher, carrier.write())
    former = made(dispatcher, anna)
    assert carrier.read(made(dispatcher, anna)).outcome == "taken"
    with app.app_context():
        renew_epoch(company.id, devices.history(company.id).epoch, datetime.now(UTC))
    anna.work(visit, "done")
    taken(dispatcher, carrier.write())
    result = carrier.read(made(dispatcher, anna))
    assert (result.outcome, result.changes) == ("restored", 0)
    assert anna.state.cursor is None
    assert carrier.read(former).outcome == "older"
    assert len(anna.unsent()) == 1  # the one that only the former history had answered
    again = taken(dispatcher, carrier.write())
    assert again["again"]
    assert carrier.read(made(dispatcher, anna)).outcome == "taken"
    assert anna.unsent() == []
    assert anna.verify().whole


def test_photos_come_along_and_their_receipts_come_back(
    anna: Tablet, carrier: Carrier, visit: str, dispatcher: Office
) -> None:
    """S-213: each by itself; one that is not what its hash says is refused alone."""
    good, bad = pictures.photo(1), pictures.photo(2)
    said = [
        entry(kind="photo", sha256=pictures.sha256(one), size=len(one), media_type="image/jpeg") for one in (good, bad)
    ]
    anna.change(visit, add={"attachments": said})
    told = carrier.write(good, bad)
    came = taken(dispatcher, told)
    assert [one["state"] for one in came["files"]] == ["verified", "verified"]
    assert receipt(anna, good)["state"] == "verified"
    [one, two] = carrier.unseal(made(dispatcher, anna))["receipts"]
    assert (one["state"], two["state"]) == ("verified", "verified")
    wrong = carrier.write(pictures.photo(3), files=[said[0] | {"sha256": "0" * 64, "size": len(pictures.photo(3))}])
    [told] = taken(dispatcher, wrong)["files"]
    assert (told["state"], told["problem"]["code"]) == ("quarantined", "upload-hash")


def test_an_upload_that_was_begun_over_the_network_is_finished_by_the_file(
    anna: Tablet, carrier: Carrier, visit: str, dispatcher: Office
) -> None:
    """S-213"""
    from tests.uploads import announce, send

    data = pictures.photo(4)
    send(anna, announce(anna, data).headers["Location"], data[:100])
    [one] = taken(dispatcher, carrier.write(data))["files"]
    assert one["state"] == "verified"


def test_a_file_of_a_revoked_tablet_goes_to_salvage(
    app: Flask, anna: Tablet, carrier: Carrier, visit: str, dispatcher: Office, company: SmallCompany
) -> None:
    """S-214: nothing is merged by itself, nothing is sent to it any more."""
    began = datetime.now(UTC) - timedelta(days=2)
    anna.work(visit, "started", "done", start=began)
    data = carrier.write(pictures.photo(5))
    with app.app_context():
        revoke(company.id, anna.state.device_id, now=datetime.now(UTC))
    came = taken(dispatcher, data)
    assert (came["ended"], came["salvaged"], came["results"]) == ("revoked", True, [])
    [photo] = came["files"]
    assert (photo["state"], photo["problem"]["code"]) == ("unknown", "exchange-photo-left")
    assert taken(dispatcher, data)["salvaged"] is True
    [piece] = dispatcher.get("/api/v1/salvage").json["items"]
    assert piece["count"] == 2
    assert dispatcher.get(f"/api/v1/visits/{visit}").json["exec_state"] == "not_started"
    manager = company.sign_in(app.test_client(), "manager@small.example")
    done = manager.post(f"/api/v1/salvage/{piece['id']}/import", json={})
    assert done.status_code == 200, done.text
    seen = dispatcher.get(f"/api/v1/visits/{visit}").json
    assert seen["exec_state"] == "done"
    assert abs(datetime.fromisoformat(seen["started_at"]) - began) < timedelta(seconds=5)
    problem(dispatcher.post(f"/api/v1/devices/{anna.state.device_id}/exchange"), 409, "exchange-ended")


def test_what_is_not_whole_and_true_is_refused_as_a_whole(
    app: Flask, anna: Tablet, carrier: Carrier, visit: str, dispatcher: Office, company: SmallCompany
) -> None:
    """S-215, S-202: each with its own words, and nothing half taken."""
    anna.work(visit, "started")
    data = carrier.write()
    altered = bytearray(data)
    altered[200] ^= 1
    problem(brought(dispatcher, bytes(altered)), 422, "exchange-altered")
    problem(brought(dispatcher, data[:-30]), 422, "exchange-cut")
    problem(brought(dispatcher, b"PK\x03\x04"), 422, "exchange-unreadable")
    problem(brought(dispatcher, b""), 422, "exchange-unreadable")
    problem(brought(dispatcher, data[:4] + b"\2" + data[5:]), 422, "exchange-newer")
    problem(brought(dispatcher, bytes(carried.MOST_BYTES + 1)), 413, "exchange-too-large")
    problem(brought(dispatcher, made(dispatcher, anna)), 422, "exchange-own")
    problem(dispatcher.post("/api/v1/exchange", json={}), 415, "not-acceptable")
    with app.app_context():
        found_company("Other", email="admin@other.example", password=PASSWORD)
        assert db.session.query(Mutation).count() == 0
    other = company.sign_in(app.test_client(), "admin@other.example")
    problem(brought(other, data), 422, "exchange-other-office")
    stranger = Carrier(anna)
    stranger.keys = sealed.Keys(agree=stranger.keys.sign, sign=stranger.keys.agree)
    problem(brought(dispatcher, stranger.write()), 422, "exchange-unknown-tablet")


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"\0\0\0\5short",
        b"\0\0\0\4abcd",
        carried.pack({"n": 1}),
        carried.pack({"n": 0, "push": {"device_time": "2026-01-01T00:00:00Z", "mutations": []}}),
        carried.pack({"n": 1, "push": {"device_time": "2026-01-01T00:00:00Z", "mutations": []}}, [b"more"]),
        carried.pack({"n": 1, "push": {"device_time": "2026-01-01T00:00:00Z", "mutations": [None] * 2001}}),
        carried.pack({"n": 1, "push": {"device_time": "2026-01-01T00:00:00Z", "mutations": [[]] * 400_001}}),
        carried.pack({"text": "0" * (carried.MOST_TEXT + 1)}),
    ],
    ids=["nothing", "cut", "no gzip", "no push", "no number", "more bytes", "too many", "a bomb of parts", "a bomb"],
)
def test_contents_that_a_tablet_does_not_write_are_refused(carrier: Carrier, dispatcher: Office, plain: bytes) -> None:
    """S-205, S-215"""
    problem(brought(dispatcher, carrier.seal(plain)), 422, "exchange-contents")


def test_one_bad_edit_in_a_file_blocks_no_other(carrier: Carrier, anna: Tablet, visit: str, dispatcher: Office) -> None:
    """S-206, S-29"""
    anna.work(visit, "started")
    data = carrier.write()
    told = carried.outgoing(anna, device_time="2026-01-01T00:00:00.000Z")
    told["push"]["mutations"].insert(0, {"nonsense": "\ud800"})
    assert taken(dispatcher, data)["counts"] == {"applied": 1}
    told["push"]["mutations"][0]["deep"] = None
    came = taken(dispatcher, carrier.seal(carried.pack(told)))
    assert [one["status"] for one in came["results"]] == ["rejected", "applied"]


def test_times_in_a_file_are_those_of_the_work(
    app: Flask, anna: Tablet, carrier: Carrier, visit: str, dispatcher: Office
) -> None:
    """S-207: a file that was on its way for days is corrected by the clock's last measurement, not by its way."""
    ago = datetime.now(UTC) - timedelta(days=3)
    anna.work(visit, "started", start=ago)
    taken(dispatcher, carrier.write(at=ago + timedelta(hours=1)))
    event = dispatcher.get(f"/api/v1/visits/{visit}").json["events"][0]
    assert abs(datetime.fromisoformat(event["at_corrected"]) - ago) < timedelta(seconds=5)
    with app.app_context():
        device = db.session.query(Device).one()
        assert abs(device.clock_offset_s or 0) < 5


def test_a_file_from_the_future_shows_how_far_the_clock_was_set(
    anna: Tablet, carrier: Carrier, visit: str, dispatcher: Office
) -> None:
    """S-207: it was not written after it was received."""
    ahead = datetime.now(UTC) + timedelta(days=1)
    anna.work(visit, "started", start=ahead - timedelta(minutes=10))
    taken(dispatcher, carrier.write(at=ahead))
    event = dispatcher.get(f"/api/v1/visits/{visit}").json["events"][0]
    assert datetime.fromisoformat(event["at_corrected"]) < datetime.now(UTC) - timedelta(minutes=9)


@pytest.mark.parametrize("epoch", ["", "e" * 70])
def test_a_cursor_that_nobody_gave_out_is_not_how_far_a_tablet_has_read(
    app: Flask, company: SmallCompany, anna: Tablet, carrier: Carrier, visit: str, dispatcher: Office, epoch: str
) -> None:
    """S-208: of another history, or beyond all numbers; the edits beside it are taken."""
    with app.app_context():
        device = db.session.query(Device).one()
        before, here = (device.cursor_seq, device.epoch), history(company.id).epoch
        db.session.remove()
    anna.work(visit, "started")
    cursor = Cursor(seq=10**17, epoch=epoch or here).encode()
    assert taken(dispatcher, carrier.write(cursor=cursor))["counts"] == {"applied": 1}
    with app.app_context():
        device = db.session.query(Device).one()
        assert (device.cursor_seq, device.epoch) == before


def test_keys_are_shown_once_and_may_be_shown_anew(
    app: Flask, company: SmallCompany, anna: Tablet, carrier: Carrier, visit: str, dispatcher: Office
) -> None:
    """S-200, S-201: a file that an older key signed is taken; answers are sealed for the newest."""
    anna.work(visit, "started")
    data = carrier.write()
    newer = Carrier(anna)
    assert newer.office == carrier.office
    assert taken(dispatcher, data)["counts"] == {"applied": 1}
    assert newer.read(made(dispatcher, anna)).outcome == "taken"
    # Its memory was put back to before it made the newer ones: it shows those that it has.
    again = Carrier(anna, carrier.keys)
    assert again.read(made(dispatcher, anna)).outcome == "taken"
    transport: Any = anna.transport
    for wrong in ("", "AAAA", "!" * 87, "A" * 87):
        status, answer = transport("POST", "/sync/v1/exchange-keys", {"agree": wrong, "sign": wrong})
        assert (status, answer["code"]) == (422, "invalid-fields")
    with pytest.raises(Refused, match="invalid-fields"):
        Carrier(enrol(app, company.id, company.boris), newer.keys)


def test_the_office_sees_which_tablets_exchange_files(
    app: Flask, company: SmallCompany, anna: Tablet, dispatcher: Office
) -> None:
    """S-208: with how far that has come; no file is made for a tablet that has shown no keys."""
    assert dispatcher.get("/api/v1/exchange").json == {"items": []}
    problem(dispatcher.post(f"/api/v1/devices/{anna.state.device_id}/exchange"), 409, "exchange-no-keys")
    problem(dispatcher.post(f"/api/v1/devices/{company.id}/exchange"), 404, "not-found")
    carrier = Carrier(anna)
    taken(dispatcher, carrier.write())
    made(dispatcher, anna)
    [item] = dispatcher.get("/api/v1/exchange").json["items"]
    assert (item["device_name"], item["technician_name"]) == ("Anna's", "Anna")
    assert (item["taken_n"], item["made_n"]) == (1, 1)


def test_an_older_file_does_not_say_where_the_tablet_is_now(
    app: Flask, anna: Tablet, carrier: Carrier, dispatcher: Office
) -> None:
    """S-208: what it told of itself then is past; its edits are known by their ids."""
    old = carrier.write(schema_version=1)
    anna.change("00000000-0000-4000-8000-000000000000", set={"title": "x"})
    taken(dispatcher, carrier.write())
    with app.app_context():
        device = db.session.query(Device).one()
        told, seen = device.told, device.last_seen_at
    taken(dispatcher, old)
    with app.app_context():
        device = db.session.query(Device).one()
        assert (device.told, device.last_seen_at) == (told, seen)
    assert dispatcher.get("/api/v1/exchange").json["items"][0]["taken_n"] == 2


def test_the_commands_take_and_make_files(
    app: Flask, anna: Tablet, carrier: Carrier, visit: str, tmp_path: Path
) -> None:
    """S-206, S-209, S-215: the same as on the page."""
    run = app.test_cli_runner()
    anna.work(visit, "started")
    file, answer = tmp_path / "anna.rndx", tmp_path / "answer.rndx"
    file.write_bytes(carrier.write(pictures.photo(6)))
    first = run.invoke(args=["exchange", "take", str(file)])
    assert (first.exit_code, "1 edit" in first.output, "verified" in first.output) == (0, True, True), first.output
    assert "nothing new" in run.invoke(args=["exchange", "take", str(file)]).output
    done = run.invoke(args=["exchange", "make", anna.state.device_id, "--out", str(answer)])
    assert done.exit_code == 0, done.output
    assert carrier.read(answer.read_bytes()).answers == 1
    file.write_bytes(file.read_bytes()[:-1])
    cut = run.invoke(args=["exchange", "take", str(file), "--locale", "ru"])
    assert (cut.exit_code, "не хватает конца" in cut.output) == (2, True), cut.output


def test_a_clash_by_file_is_the_same_clash(
    app: Flask, anna: Tablet, carrier: Carrier, dispatcher: Office, company: SmallCompany
) -> None:
    """S-206, S-35, S-42: and the tablet learns of it by file."""
    anna.change(company.sites[0], "site", set={"access_note": "Key at the bar"})
    with app.app_context():
        change(Site, company.id, company.sites[0], access_note="Key at the reception")
    assert taken(dispatcher, carrier.write())["conflicts"] == 1
    with app.app_context():
        assert [one.mine_by for one in db.session.query(Conflict)] == ["Anna"]
    told = carrier.unseal(made(dispatcher, anna))
    assert [one["field"] for one in told["conflicts"]] == ["access_note"]
