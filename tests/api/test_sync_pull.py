"""Pull: pages, closure, who gets what, and what leaves: S-10 to S-16."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from schemas.entities import COLLECTIONS
from schemas.entities.base import technician_scope
from server.extensions import db
from server.store.feed import next_number
from server.store.models import Asset, Company, DeviceScope, Site, Visit
from server.store.transaction import transactional
from server.store.types import new_id
from sync.client import Refused
from sync.feed import decode
from tests.builders import SmallCompany, change, publish, small_company
from tests.tablets import Tablet, enrol

CATALOGUE = {"branch", "checklist", "product_model", "service_kind"}


def given(app: Flask, company: SmallCompany, technician: str | None, site: int = 0, **values: Any) -> str:
    """A visit published to a technician."""
    with app.app_context():
        visit = company.visit(site_id=company.sites[site], asset_ids=[company.assets[site]], **values)
        if technician:
            publish(company.id, visit, technician)
        return visit


def edit(app: Flask, model: Any, company: SmallCompany, item_id: str, **values: Any) -> None:
    with app.app_context():
        change(model, company.id, item_id, **values)


@pytest.fixture
def anna(app: Flask, company: SmallCompany) -> Tablet:
    return enrol(app, company.id, company.anna, "Anna's")


@pytest.fixture
def boris(app: Flask, company: SmallCompany) -> Tablet:
    return enrol(app, company.id, company.boris, "Boris's")


def test_a_visit_comes_with_all_that_it_refers_to(app: Flask, company: SmallCompany, anna: Tablet) -> None:
    """S-11 (law 6): site, customer and equipment are there when `more` is false; the catalogue is everybody's."""
    visit = given(app, company, company.anna)
    anna.read()
    assert {visit, company.sites[0], company.assets[0], company.customer, company.anna} <= anna.ids
    assert not {company.sites[1], company.assets[1], company.boris} & anna.ids
    assert {held["collection"] for held in anna.state.documents.values()} >= CATALOGUE


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 1000])
def test_pages_of_any_size_give_the_same(app: Flask, company: SmallCompany, limit: int) -> None:
    """S-10"""
    for site in range(3):
        given(app, company, company.anna, site)
    whole, paged = (enrol(app, company.id, company.anna) for _ in range(2))
    whole.read(1000)
    paged.read(limit)
    assert paged.state.documents == whole.state.documents
    given(app, company, company.anna, 1)
    edit(app, Site, company, company.sites[0], access_note="Side door")
    whole.read(1000)
    paged.read(limit)
    assert paged.state.documents == whole.state.documents


def test_own_work_comes_before_the_catalogue_and_the_first_sync_says_when_it_is_complete(
    app: Flask, company: SmallCompany
) -> None:
    """S-13"""
    visit = given(app, company, company.anna)
    anna = enrol(app, company.id, company.anna)
    while visit not in anna.ids:
        assert anna.pull(1)
        assert not anna.state.complete
    assert not CATALOGUE & {held["collection"] for held in anna.state.documents.values()}
    anna.read(2)
    assert anna.state.complete


def test_after_the_first_sync_a_long_delta_is_not_a_first_sync(app: Flask, company: SmallCompany, anna: Tablet) -> None:
    """S-13"""
    anna.read()
    for site in range(3):
        given(app, company, company.anna, site)
    page = anna.transport("GET", f"/sync/v1/pull?cursor={anna.state.cursor}&limit=1")[1]
    assert page["more"]
    assert page["first_sync_complete"]


def test_reassignment_moves_the_visit_and_what_only_it_needs(
    app: Flask, company: SmallCompany, anna: Tablet, boris: Tablet
) -> None:
    """S-11, S-14: the visit and its equipment leave A; the customer stays, for A has another visit there."""
    moved = given(app, company, company.anna, 0)
    given(app, company, company.anna, 1)
    anna.read()
    boris.read()
    assert company.sites[0] not in boris.ids
    with app.app_context():
        publish(company.id, moved, company.boris)
    anna.read()
    boris.read()
    assert {moved, company.sites[0], company.assets[0], company.customer} <= boris.ids
    assert not {moved, company.sites[0], company.assets[0]} & anna.ids
    assert {company.customer, company.sites[1]} <= anna.ids
    assert anna.state.dropped == {
        moved: "reassigned",
        company.sites[0]: "not-needed",
        company.assets[0]: "not-needed",
    }


def test_a_site_that_another_visit_needs_stays(app: Flask, company: SmallCompany, anna: Tablet) -> None:
    """S-11"""
    moved, _ = given(app, company, company.anna, 0), given(app, company, company.anna, 0)
    anna.read()
    with app.app_context():
        publish(company.id, moved, company.boris)
    anna.read()
    assert anna.state.dropped == {moved: "reassigned"}
    assert company.sites[0] in anna.ids


def test_a_visit_that_changes_its_site_swaps_what_it_brings(app: Flask, company: SmallCompany, anna: Tablet) -> None:
    """S-11"""
    visit = given(app, company, company.anna, 0)
    anna.read()
    edit(app, Visit, company, visit, site_id=company.sites[2], asset_ids=[company.assets[2]])
    anna.read()
    assert {company.sites[2], company.assets[2]} <= anna.ids
    assert not {company.sites[0], company.assets[0]} & anna.ids


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"plan_state": "cancelled"}, "cancelled"),
        ({"plan_state": "withdrawn"}, "withdrawn"),
        ({"plan_state": "due"}, "withdrawn"),
        ({"archived": True}, "archived"),
    ],
)
def test_a_visit_that_leaves_says_why(
    app: Flask, company: SmallCompany, anna: Tablet, values: dict[str, Any], reason: str
) -> None:
    """S-14"""
    visit = given(app, company, company.anna)
    anna.read()
    edit(app, Visit, company, visit, **values)
    anna.read()
    assert anna.state.dropped[visit] == reason


@transactional
def delete(company: SmallCompany, model: Any, item_id: str) -> None:
    db.session.delete(db.session.get(model, (company.id, item_id)))


def test_what_is_deleted_is_dropped_even_where_it_is_still_referred_to(
    app: Flask, company: SmallCompany, anna: Tablet, boris: Tablet
) -> None:
    """S-14"""
    visit = given(app, company, company.anna)
    anna.read()
    with app.app_context():
        delete(company, Asset, company.assets[0])
    anna.read()
    assert anna.state.dropped == {company.assets[0]: "deleted"}
    with app.app_context():
        publish(company.id, visit, company.boris)
    boris.read()
    assert visit in boris.ids
    assert company.assets[0] not in boris.ids


def test_a_document_that_comes_after_what_refers_to_it_is_sent_when_it_is_there(
    app: Flask, company: SmallCompany, anna: Tablet
) -> None:
    """S-11: no order of arrival breaks a pull."""
    late = new_id()
    visit = given(app, company, company.anna)
    edit(app, Visit, company, visit, asset_ids=[late])
    anna.read()
    assert late not in anna.ids

    @transactional
    def arrive() -> None:
        db.session.add(
            Asset(company_id=company.id, id=late, site_id=company.sites[0], model_id=company.model, serial="late",
                  in_service=True, recent_visits=[])
        )  # fmt: skip

    with app.app_context():
        arrive()
    anna.read()
    assert late in anna.ids


def test_a_new_tablet_is_not_told_of_what_it_never_had(app: Flask, company: SmallCompany) -> None:
    """S-14"""
    visit = given(app, company, company.anna)
    edit(app, Visit, company, visit, archived=True)
    fresh = enrol(app, company.id, company.anna)
    page = fresh.transport("GET", "/sync/v1/pull?limit=1000")[1]
    assert {change["op"] for change in page["changes"]} == {"put"}


def test_a_document_that_leaves_between_two_pages_is_dropped_in_the_end(app: Flask, company: SmallCompany) -> None:
    """S-10: an unfinished first pull and a change in between end in the same."""
    visits = [given(app, company, company.anna, site) for site in range(3)]
    for pages in range(1, 12):
        tablet = enrol(app, company.id, company.anna)
        for _ in range(pages):
            tablet.pull(1)
        with app.app_context():
            publish(company.id, visits[0], company.boris)
        tablet.read(1)
        other = enrol(app, company.id, company.anna)
        other.read()
        assert tablet.state.documents == other.state.documents
        with app.app_context():
            publish(company.id, visits[0], company.anna)


def test_a_document_says_only_what_is_not_as_usual(app: Flask, company: SmallCompany, anna: Tablet) -> None:
    """S-17: what it leaves out is what the contract says."""
    visit = given(app, company, company.anna, priority=3)
    page = anna.transport("GET", "/sync/v1/pull?limit=1000")[1]
    (change,) = [one for one in page["changes"] if one["id"] == visit]
    assert change["document"]["priority"] == 3
    told = anna.transport("GET", "/sync/v1/schema")[1]["collections"]["visit"]["fields"]
    left_out = told.keys() - change["document"].keys()
    assert {"events", "plan_state", "exec_state", "locked", "signature"} <= left_out
    with app.app_context():
        item = db.session.get(Visit, (company.id, visit))
        whole = COLLECTIONS["visit"].wire(item)
    assert {name: told[name]["usual"] for name in left_out} == {name: whole[name] for name in left_out}


def test_a_reader_never_goes_back(app: Flask, company: SmallCompany, anna: Tablet) -> None:
    """S-12 (law 7)"""
    visit = given(app, company, company.anna)
    anna.read()
    page = anna.transport("GET", "/sync/v1/pull?limit=1000")[1]
    edit(app, Visit, company, visit, instructions="New")
    anna.read()
    for old in page["changes"]:
        anna._take(old)
    assert anna.body(visit)["instructions"] == "New"


# --- nothing outside of the scopes ----------------------------------------------------------------------------------


def test_another_companys_documents_are_as_if_they_were_not_there(app: Flask, company: SmallCompany) -> None:
    """S-16 (law 5)"""
    anna = enrol(app, company.id, company.anna)
    with app.app_context():
        change_email()
        other = small_company()
        theirs = other.visit()
        publish(other.id, theirs, other.anna)
    anna.read()
    assert not {theirs, other.sites[0], other.customer, other.branch} & anna.ids
    nothing = new_id()
    for wanted in (theirs, nothing):
        anna.change(wanted, set={"work_summary": "x"})
    first, second = anna.send()
    assert first["problem"]["code"] == second["problem"]["code"] == "not-found"
    assert first["problem"]["detail"] == second["problem"]["detail"]


@transactional
def change_email() -> None:
    from server.store.models import User

    for user in db.session.query(User):
        user.email = f"first.{user.email}"


def test_another_technicians_documents_are_as_if_they_were_not_there(
    app: Flask, company: SmallCompany, anna: Tablet
) -> None:
    """S-16: not to be read, not to be written, not to be brought in by referring to them."""
    theirs = given(app, company, company.boris, 2)
    anna.read()
    assert not {theirs, company.sites[2], company.assets[2]} & anna.ids
    anna.change(theirs, set={"work_summary": "x"})
    anna.change(company.sites[2], "site", set={"access_note": "x"})
    own = given(app, company, company.anna)
    anna.change(own, add={"asset_ids": [company.assets[2]]})
    anna.change(
        new_id(),
        op="create",
        set={"kind": "repair_minor", "site_id": company.sites[0], "asset_ids": [company.assets[2]]},
    )
    anna.change(new_id(), op="create", set={"kind": "repair_minor", "site_id": company.sites[2]})
    found = [result["problem"]["code"] for result in anna.send()]
    assert found == ["not-found", "not-found", "unknown-reference", "unknown-reference", "unknown-reference"]
    anna.read()
    assert company.assets[2] not in anna.ids


def test_another_technician_is_not_to_be_read(app: Flask, company: SmallCompany, anna: Tablet, boris: Tablet) -> None:
    """S-16: a technician's document says where they live."""
    given(app, company, company.anna)
    anna.read()
    assert company.boris not in anna.ids
    assert company.anna in anna.ids


# --- cursors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cursor", ["x", "AAAA", "MS5lLjUueno", "%00", "ä"])
def test_a_cursor_that_the_server_did_not_write_is_refused(anna: Tablet, cursor: str) -> None:
    """S-15"""
    status, answer = anna.transport("GET", f"/sync/v1/pull?cursor={cursor}")
    assert (status, answer["code"]) == (400, "bad-cursor")


def test_a_forged_place_in_a_cursor_is_refused(app: Flask, anna: Tablet) -> None:
    """S-15: of the right form and the right history, with something else than an id in it."""
    anna.read()
    epoch = decode(anna.state.cursor or "").epoch
    forged = base64.urlsafe_b64encode(f"1.{epoch}.1.no-id".encode()).rstrip(b"=").decode()
    status, answer = anna.transport("GET", f"/sync/v1/pull?cursor={forged}")
    assert (status, answer["code"]) == (400, "bad-cursor")


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "x", "1.5"])
def test_a_limit_out_of_range_is_refused(anna: Tablet, limit: str) -> None:
    """S-10"""
    assert anna.transport("GET", f"/sync/v1/pull?limit={limit}")[0] == 422


def test_a_server_restored_from_backup_gives_a_new_baseline_and_the_outbox_lives(
    app: Flask, company: SmallCompany, anna: Tablet
) -> None:
    """S-15: the epoch differs; the device reads all anew, drops what is gone, and its unsent edits go up."""
    kept, gone = given(app, company, company.anna, 0), given(app, company, company.anna, 1)
    anna.read()
    anna.change(kept, set={"work_summary": "Seal replaced"})

    @transactional
    def restore() -> None:
        held = db.session.get(Company, company.id)
        assert held is not None
        held.epoch = "restored"
        visit = db.session.get(Visit, (company.id, gone))
        assert visit is not None
        visit.plan_state, visit.assignee_id = "due", None

    with app.app_context():
        restore()
    with pytest.raises(Refused, match="410 epoch-changed"):
        anna._ask("GET", anna._pull_path(None))
    (result,) = anna.sync(2)
    assert result["status"] == "applied"
    assert anna.body(kept)["work_summary"] == "Seal replaced"
    assert gone not in anna.ids


def test_two_tablets_of_one_technician_end_alike(app: Flask, company: SmallCompany, anna: Tablet) -> None:
    """Law 1"""
    visit = given(app, company, company.anna)
    second = enrol(app, company.id, company.anna, "Second")
    anna.read()
    second.read()
    anna.work(visit, "en_route", "arrived", "started", start=datetime.now(UTC) - timedelta(minutes=30))
    second.change(company.sites[0], "site", set={"danger_note": "Wet floor"})
    for tablet in (anna, second, anna):
        tablet.sync()
    assert anna.state.documents == second.state.documents
    assert second.body(visit)["exec_state"] == "working"
    assert anna.body(company.sites[0])["danger_note"] == "Wet floor"


def test_a_scope_that_is_granted_later_brings_what_did_not_change_since_and_its_end_takes_it_again(
    app: Flask, company: SmallCompany, anna: Tablet
) -> None:
    """S-10, S-14 (laws 1, 5 and 6): a row counts for a device as `max(row, grant)`, and an end is one for all rows."""
    with app.app_context():
        visit = company.visit(site_id=company.sites[2])
        publish(company.id, visit, company.boris)
    anna.read()
    before = set(anna.ids)
    assert visit not in before
    key = (company.id, anna.state.device_id, technician_scope(company.boris))

    @transactional
    def turn(*, grant: bool) -> None:
        number = next_number(db.session(), company.id)
        held = db.session.get(DeviceScope, key)
        if held is not None:
            db.session.delete(held)
            db.session.flush()
        granted = held.granted if held is not None and not grant else number
        ended = None if grant else number
        row = DeviceScope(company_id=key[0], device_id=key[1], scope=key[2], granted=granted, revoked=ended)
        db.session.add(row)

    for limit in (1, 50):
        with app.app_context():
            turn(grant=True)
        anna.read(limit)
        assert {visit, company.sites[2], company.boris} <= anna.ids
        assert anna.verify().whole
        with app.app_context():
            turn(grant=False)
        anna.read(limit)
        assert anna.ids == before
        assert anna.state.dropped[visit] == "revoked"
        assert anna.verify().whole
