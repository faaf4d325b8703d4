"""What a tablet says of itself, its tokens, its clock, and what the office hears: S-70 to S-79, S-82 to S-87."""

from __future__ import annotations

import copy
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from schemas.entities.base import iso
from server.actions.device_notices import close_notice
from server.actions.end_device import revoke
from server.actions.enrol_device import MISSES_OF_ADDRESS, make_code
from server.extensions import db
from server.store.models import Device, FormerToken, Mutation
from server.store.queries import fleet
from server.store.transaction import transactional
from sync.client import Refused, Replica, WrongPerson
from tests.builders import SmallCompany, change, publish
from tests.tablets import OverClient, Tablet, enrol


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


def device(app: Flask, tablet: Tablet) -> Device:
    with app.app_context():
        found = db.session.query(Device).filter_by(id=tablet.state.device_id).one()
        db.session.expunge(found)
        return found


def set_device(app: Flask, tablet: Tablet, **values: Any) -> None:
    with app.app_context():
        company_id = db.session.query(Device.company_id).filter_by(id=tablet.state.device_id).scalar()
        change(Device, company_id, tablet.state.device_id, **values)


def notices(app: Flask, company: SmallCompany, tablet: Tablet | None = None) -> dict[str, Any]:
    """Open notices by kind: their params and how often they were seen."""
    with app.app_context():
        every = fleet.open_notices(company.id)
        wanted = tablet.state.device_id if tablet else None
        return {one.kind: (one.params, one.count) for one in every if one.device_id == wanted}


def push(tablet: Tablet, *mutations: Any, at: datetime | None = None, **more: Any) -> Any:
    status, answer = tablet.transport(
        "POST", "/sync/v1/push", {"device_time": iso(at or datetime.now(UTC)), "mutations": list(mutations)} | more
    )
    assert status == 200, answer
    return answer


def twin(app: Flask, tablet: Tablet) -> Tablet:
    """The same tablet once more, as a copy of its store has it."""
    return Tablet(OverClient(app.test_client()), copy.deepcopy(tablet.state))


# --- what a tablet says of itself -----------------------------------------------------------------------------------


def test_a_tablet_tells_what_is_on_it_with_each_contact(app: Flask, company: SmallCompany, anna: Tablet) -> None:
    """S-70: an empty push is a contact; version, room and backlog are kept."""
    told = {"next_n": 1, "unsent": 0, "photos": 2, "photo_bytes": 5_000_000, "room_used": 10, "room_quota": 100}
    push(anna, app_version="7.1", schema_version=3, told=told, rtt_ms=40)
    kept = device(app, anna)
    assert (kept.app_version, kept.schema_version, kept.clock_uncertainty_s) == ("7.1", 3, 0.02)
    assert kept.told is not None
    assert (kept.told["photos"], kept.told["room_quota"], kept.told["first_unsent"]) == (2, 100, None)


@pytest.mark.parametrize("told", [17, {"next_n": "x"}, {"next_n": -1}, {"next_n": 2, "room_used": 1e400}, [None]])
def test_what_cannot_be_read_of_it_holds_up_no_mutation(anna: Tablet, visit: str, told: Any) -> None:
    """S-70"""
    mutation = anna.change(visit, set={"work_summary": "A"})
    assert push(anna, mutation, told=told)["results"][0]["status"] == "applied"


def test_answers_say_where_the_history_stands(app: Flask, company: SmallCompany, anna: Tablet, visit: str) -> None:
    """S-71: push and pull name the same history; the number rises with what is committed."""
    before = push(anna)
    anna.change(visit, set={"work_summary": "A"})
    anna.send()
    after = push(anna)
    page = anna.transport("GET", "/sync/v1/pull")[1]
    assert before["epoch"] == after["epoch"] == page["epoch"]
    assert before["seq"] < after["seq"] == page["seq"]
    assert after["backed_up_through"] == page["backed_up_through"] == 0


# --- numbers --------------------------------------------------------------------------------------------------------


def test_a_lost_number_is_said_to_the_office_and_on_the_tablet(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str
) -> None:
    """S-83: two edits are gone from the outbox although they were never sent."""
    for text in "ABCD":
        anna.change(visit, set={"work_summary": text})
    del anna.state.outbox[1:3]
    anna.send()
    params, count = notices(app, company, anna)["hole"]
    assert (params["n"], params["numbers"], count) == (2, ["2–3"], 1)
    [told] = anna.state.notices
    assert (told["code"], "2–3" in told["text"]) == ("hole", True)
    anna.send()
    assert notices(app, company, anna)["hole"][1] == 1


def test_a_number_on_its_way_is_not_lost(app: Flask, company: SmallCompany, anna: Tablet, visit: str) -> None:
    """S-83: the later half of the outbox comes first; the tablet says that it has the rest."""
    for text in "ABCD":
        anna.change(visit, set={"work_summary": text})
    first, rest = anna.state.outbox[:2], anna.state.outbox[2:]
    answer = push(anna, *rest, told={"next_n": 5, "first_unsent": 1, "unsent": 2})
    assert (answer["gaps"], answer["notices"]) == ([1, 2], [])
    push(anna, *first, told={"next_n": 5, "unsent": 0})
    assert notices(app, company, anna) == {}
    assert device(app, anna).missing == []


def test_numbers_that_come_after_all_close_the_notice(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str
) -> None:
    """S-83: the tablet was wrong about what it had."""
    lost, kept = anna.change(visit, set={"work_summary": "A"}), anna.change(visit, set={"work_summary": "B"})
    push(anna, kept, told={"next_n": 3, "unsent": 0})
    assert "hole" in notices(app, company, anna)
    push(anna, lost, told={"next_n": 3, "unsent": 0})
    assert "hole" not in notices(app, company, anna)


def test_numbers_that_the_office_wrote_off_are_waited_for_no_more(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str
) -> None:
    """S-83"""
    for text in "ABC":
        anna.change(visit, set={"work_summary": text})
    del anna.state.outbox[0]
    anna.send()
    with app.app_context():
        [one] = fleet.open_notices(company.id)
        close_notice(company.id, one.id, user_id=None, now=datetime.now(UTC))
    anna.send()
    assert notices(app, company, anna) == {}
    assert push(anna)["gaps"] == []


def test_a_copied_tablet_is_said_to_the_office_with_its_first_own_edit(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str
) -> None:
    """S-21, S-83: both go on from the same number; the second one's work is kept, and the fork is said at once."""
    copied = twin(app, anna)
    anna.change(visit, set={"work_summary": "Anna's"})
    anna.send()
    assert notices(app, company, anna) == {}
    copied.change(visit, set={"work_summary": "the copy's"})
    assert copied.send()[0]["problem"]["code"] == "number-taken"
    assert notices(app, company, anna)["fork"] == ({"numbers": [1]}, 1)
    assert copied.state.notices[0]["code"] == "fork"
    with app.app_context():
        [kept] = db.session.query(Mutation).filter_by(status="rejected")
    assert kept.payload["set"] == {"work_summary": "the copy's"}


# --- tokens ---------------------------------------------------------------------------------------------------------


def test_a_token_is_renewed_each_day_and_the_queue_goes_on(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str
) -> None:
    """S-75: the old one works until the new one is used, then no more."""
    first = anna.state.token
    assert not push(anna)["renew_token"]
    set_device(app, anna, token_issued_at=datetime.now(UTC) - timedelta(hours=25))
    anna.change(visit, set={"work_summary": "A"})
    anna.sync()
    assert anna.state.token != first
    old = twin(app, anna)
    old.state.token, old.state.former_tokens = first, []
    old.read()
    anna.change(visit, set={"work_summary": "B"})
    assert [result["status"] for result in anna.sync()] == ["applied"]
    assert anna.state.n == 2
    _long_ago(app)
    with pytest.raises(Refused, match="unauthenticated"):
        old.read()
    assert anna.sync() == []


def test_a_lost_answer_to_a_renewal_costs_nothing(app: Flask, company: SmallCompany, anna: Tablet) -> None:
    """S-75"""
    transport: Any = anna.transport
    transport.client.post("/sync/v1/token", headers={"Authorization": f"Bearer {anna.state.token}"})
    anna.read()
    anna.renew_token()
    anna.read()
    assert notices(app, company, anna) == {}


def test_requests_under_way_are_answered_when_the_token_changes(app: Flask, anna: Tablet) -> None:
    """S-75: a photo that is being sent still has the old one."""
    old = twin(app, anna)
    anna.renew_token()
    anna.read()
    old.read()


def test_a_token_that_was_given_back_shows_a_copy(app: Flask, company: SmallCompany, anna: Tablet) -> None:
    """S-77: the thief renewed it first; the tablet itself is the one that is refused, and the office hears of it."""
    thief = twin(app, anna)
    thief.renew_token()
    thief.read()
    _long_ago(app)
    with pytest.raises(Refused, match="unauthenticated"):
        anna.read()
    assert notices(app, company, anna)["token-copied"] == ({}, 1)


def test_a_token_in_two_places_at_once_is_said(app: Flask, company: SmallCompany, anna: Tablet) -> None:
    """S-77: here, there, and here again within a minute."""
    copied = twin(app, anna)
    here, there = anna.transport, copied.transport
    assert isinstance(here, OverClient)
    assert isinstance(there, OverClient)
    here.address, there.address = "192.0.2.1", "198.51.100.7"
    for one in (anna, copied):
        one.send()
    assert "two-places" not in notices(app, company, anna)
    anna.read()
    assert notices(app, company, anna)["two-places"] == ({"here": "192.0.2.1", "there": "198.51.100.7"}, 1)


def test_who_moves_from_one_network_to_another_is_left_in_peace(
    app: Flask, company: SmallCompany, anna: Tablet
) -> None:
    """S-77: back at the first one after an hour; two hosts of one IPv6 network are one place."""
    transport = anna.transport
    assert isinstance(transport, OverClient)
    for address in ("192.0.2.1", "198.51.100.7"):
        transport.address = address
        anna.send()
    set_device(app, anna, address_changed_at=datetime.now(UTC) - timedelta(hours=1))
    transport.address = "192.0.2.1"
    anna.send()
    for host in ("1", "2", "1"):
        transport.address = f"2001:db8::{host}"
        anna.send()
    assert notices(app, company, anna) == {}


def test_a_token_that_was_not_used_for_90_days_is_in_force_no_more(
    app: Flask, company: SmallCompany, anna: Tablet
) -> None:
    """S-78, S-79"""
    set_device(app, anna, last_seen_at=datetime.now(UTC) - timedelta(days=89))
    anna.read()
    set_device(app, anna, last_seen_at=datetime.now(UTC) - timedelta(days=91))
    with pytest.raises(Refused) as caught:
        anna.read()
    assert (caught.value.status, caught.value.code, caught.value.problem["wipe"]) == (401, "token-expired", True)


def _long_ago(app: Flask) -> None:
    """Let all tokens that were given back have been so for an hour."""
    with app.app_context():
        _age_tokens()


@transactional
def _age_tokens() -> None:
    for one in db.session.query(FormerToken):
        one.ended_at -= timedelta(hours=1)


# --- the end of access, and a new beginning -------------------------------------------------------------------------


def test_a_revoked_tablet_is_told_to_wipe_and_keeps_what_was_written_on_it(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str
) -> None:
    """S-4, S-79"""
    anna.change(visit, set={"work_summary": "A"})
    with app.app_context():
        revoke(company.id, anna.state.device_id, now=datetime.now(UTC))
    with pytest.raises(Refused, match="device-revoked"):
        anna.read()
    assert (anna.ids, anna.state.cursor, len(anna.unsent())) == (set(), None, 1)
    assert device(app, anna).wipe_told_at is not None


def test_enrolled_again_the_same_work_has_its_effect_once(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str
) -> None:
    """S-82: one edit whose answer was lost, one that was never sent; both go again, numbered from 1."""
    note = {"id": str(uuid.uuid4()), "at": iso(datetime.now(UTC)), "text": "sent, no answer"}
    anna.change(visit, add={"notes": [note]})
    push(anna, *anna.state.outbox)
    anna.change(visit, set={"work_summary": "not sent"})
    with app.app_context():
        revoke(company.id, anna.state.device_id, now=datetime.now(UTC))
        code = make_code(company.id, company.anna, user_id=None, now=datetime.now(UTC)).code
    with pytest.raises(Refused):
        anna.read()
    anna.enrol(code, device_name="Anna's")
    first, second = anna.sync()
    assert (first["status"], first.get("repeated")) == ("applied", True)
    assert second["status"] in ("applied", "merged")
    assert [one["text"] for one in anna.body(visit)["notes"]] == ["sent, no answer"]
    assert anna.body(visit)["work_summary"] == "not sent"
    assert notices(app, company, anna) == {}
    assert push(anna)["gaps"] == []


def test_other_contents_under_a_known_id_are_not_taken_for_the_same(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str
) -> None:
    """S-28, S-82: nor is another technician's."""
    mutation = anna.change(visit, set={"work_summary": "A"})
    anna.send()
    again = enrol(app, company.id, company.anna)
    assert push(again, mutation | {"set": {"work_summary": "B"}})["results"][0]["problem"]["code"] == "id-taken"
    boris = enrol(app, company.id, company.boris)
    assert push(boris, mutation)["results"][0]["problem"]["code"] == "id-taken"


def test_f29_a_replica_is_one_persons(app: Flask, company: SmallCompany, anna: Tablet, visit: str) -> None:
    """S-84: another's code is refused by the client; what is unsent stays its author's."""
    anna.change(visit, set={"work_summary": "Anna's"})
    token = anna.state.token
    with app.app_context():
        code = make_code(company.id, company.boris, user_id=None, now=datetime.now(UTC)).code
    with pytest.raises(WrongPerson, match="Boris"):
        anna.enrol(code, device_name="Tablet")
    assert (anna.state.token, len(anna.unsent())) == (token, 1)
    boris: Replica = enrol(app, company.id, company.boris, "Anna's")
    assert boris.state.device_id != anna.state.device_id
    assert anna.sync()[0]["status"] == "applied"


def test_who_logs_out_for_good_ends_the_access(app: Flask, anna: Tablet) -> None:
    """S-85"""
    assert anna.transport("POST", "/sync/v1/leave")[0] == 204
    with pytest.raises(Refused, match="device-revoked"):
        anna.read()
    assert device(app, anna).ended_because == "left"


# --- guessing codes -------------------------------------------------------------------------------------------------


def test_an_address_that_misses_too_often_must_wait_and_another_need_not(app: Flask, company: SmallCompany) -> None:
    """S-86: 429 with Retry-After, also for a code that is right."""
    with app.app_context():
        right = make_code(company.id, company.anna, user_id=None, now=datetime.now(UTC))
    tablet = Tablet(OverClient(app.test_client()))
    for n in range(MISSES_OF_ADDRESS):
        with pytest.raises(Refused, match="wrong-code"):
            tablet.enrol(f"{n:027d}", device_name="Tablet")
    with pytest.raises(Refused) as caught:
        tablet.enrol(right.code, device_name="Tablet")
    assert (caught.value.status, caught.value.code) == (429, "too-many-tries")
    other = OverClient(app.test_client())
    other.address = "192.0.2.1"
    Tablet(other).enrol(right.qr, device_name="Tablet")


def test_a_code_whose_second_half_is_guessed_at_dies_and_the_office_hears_of_it(
    app: Flask, company: SmallCompany
) -> None:
    """S-86: five misses, then the right one does not work either."""
    with app.app_context():
        right = make_code(company.id, company.anna, user_id=None, now=datetime.now(UTC))
    for n in range(5):
        assert notices(app, company) == {}
        with pytest.raises(Refused, match="wrong-code"):
            Tablet(OverClient(app.test_client())).enrol(f"{right.code[:5]}-2222{n + 2}", device_name="Tablet")
    for code in (right.code, right.qr):
        with pytest.raises(Refused, match="wrong-code"):
            Tablet(OverClient(app.test_client())).enrol(code, device_name="Tablet")
    assert notices(app, company) == {"code-guessed": ({"name": "Anna"}, 1)}


def test_right_codes_are_no_misses(app: Flask, company: SmallCompany) -> None:
    """S-86: a depot enrols many tablets from one address."""
    for _ in range(MISSES_OF_ADDRESS + 1):
        with app.app_context():
            code = make_code(company.id, company.anna, user_id=None, now=datetime.now(UTC)).qr
        Tablet(OverClient(app.test_client())).enrol(code, device_name="Tablet")


# --- clocks ---------------------------------------------------------------------------------------------------------


def test_a_clock_that_was_set_is_noticed_and_what_came_is_as_uncertain(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str
) -> None:
    """S-87: three days ahead at the last contact, right at this one; the edit may be of before or after."""
    ahead = datetime.now(UTC) + timedelta(days=3)
    push(anna, at=ahead)
    mutation = anna.change(visit, set={"work_summary": "A"}, at=ahead)
    push(anna, mutation)
    params, _ = notices(app, company, anna)["clock-jump"]
    assert params["seconds"] == pytest.approx(3 * 86400, abs=5)
    with app.app_context():
        kept = db.session.query(Mutation).one()
    assert kept.made_at == datetime.fromisoformat(iso(ahead))
    assert kept.uncertainty_s == pytest.approx(2 * 3 * 86400, rel=0.01)
    assert kept.made_at_corrected is not None
    assert kept.made_at_corrected <= datetime.now(UTC) + timedelta(minutes=5)


@pytest.mark.parametrize("days", [-400, 400, 20_000, -20_000])
def test_no_clock_keeps_a_tablet_from_its_contact(anna: Tablet, visit: str, days: int) -> None:
    """S-40, S-87: 1970, 2081, and a year either way; the time of what was done comes out right."""
    wrong = max(datetime.now(UTC) + timedelta(days=days), datetime(1970, 1, 1, tzinfo=UTC))
    mutation = anna.event(visit, "started", wrong - timedelta(minutes=10) if days != -20_000 else wrong)
    assert push(anna, mutation, at=wrong)["results"][0]["status"] == "applied"
    anna.read()
    at = datetime.fromisoformat(anna.body(visit)["events"][0]["at_corrected"])
    assert abs((datetime.now(UTC) - at).total_seconds() - (600 if days != -20_000 else 0)) < 5
