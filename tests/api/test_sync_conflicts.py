"""When the office and a tablet meet: owners, policies, hard cases, the inbox with undo."""

from __future__ import annotations

import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from server.actions.import_sites import import_sites
from server.store.models import Customer, Site, Visit
from tests.builders import Office, SmallCompany, change, publish
from tests.tablets import Tablet, enrol

DATA = b"not really a photo, but bytes all the same"


@pytest.fixture
def visit(app: Flask, company: SmallCompany) -> str:
    with app.app_context():
        made = company.visit(asset_ids=[company.assets[0]])
        publish(company.id, made, company.anna, datetime.now(UTC))
        return made


@pytest.fixture
def anna(app: Flask, company: SmallCompany, visit: str) -> Tablet:
    tablet = enrol(app, company.id, company.anna)
    tablet.read()
    return tablet


@pytest.fixture
def boris(app: Flask, company: SmallCompany) -> Tablet:
    return enrol(app, company.id, company.boris)


def office(app: Flask, company: SmallCompany, model: Any, item_id: str, **values: Any) -> None:
    with app.app_context():
        change(model, company.id, item_id, **values)


def inbox(dispatcher: Office, **filters: str) -> list[dict[str, Any]]:
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    return list(dispatcher.get(f"/api/v1/conflicts?{query}").json["items"])


def test_an_office_field_from_a_tablet_is_a_proposal(anna: Tablet, visit: str, dispatcher: Office) -> None:
    """S-36"""
    anna.change(visit, set={"priority": 3})
    assert anna.sync()[0]["status"] == "overridden"
    assert anna.body(visit)["priority"] == 1
    (proposal,) = inbox(dispatcher, state="open")
    assert (proposal["kind"], proposal["mine"], proposal["theirs"]) == ("proposal", 3, 1)
    dispatcher.post(f"/api/v1/conflicts/{proposal['id']}/resolve", json={"choice": "mine"})
    anna.sync()
    assert anna.body(visit)["priority"] == 3


def test_a_server_field_from_a_tablet_is_refused_and_written_down(anna: Tablet, visit: str, dispatcher: Office) -> None:
    """S-5"""
    anna.change(visit, set={"exec_state": "closed"})
    assert anna.sync()[0]["status"] == "overridden"
    assert anna.body(visit)["exec_state"] == "not_started"
    assert [one["class"] for one in inbox(dispatcher)] == ["refused"]


def test_a_second_edit_before_the_next_pull_takes_nothing_of_the_office_away(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str
) -> None:
    """S-35: the first was merged with what the office wrote, which the tablet has not seen yet."""
    site = company.sites[0]
    anna.change(site, "site", set={"tags": ["lift"]})
    anna.change(company.customer, "customer", set={"note": "friendly"})
    office(app, company, Site, site, tags=["dog"])
    office(app, company, Customer, company.customer, note="pays late")
    anna.send()
    anna.change(site, "site", set={"tags": ["lift", "roof"]})
    anna.change(company.customer, "customer", set={"note": "friendly people"})
    anna.sync()
    assert anna.body(site)["tags"] == ["dog", "lift", "roof"]
    assert {"pays", "late", "friendly", "people"} <= set(anna.body(company.customer)["note"].split())


def test_different_fields_of_one_document_are_both_kept(
    app: Flask, company: SmallCompany, anna: Tablet, dispatcher: Office
) -> None:
    """S-35"""
    site = company.sites[0]
    anna.change(site, "site", set={"access_note": "seen on site"})
    office(app, company, Site, site, contact_phone="+376 1")
    assert anna.sync()[0]["status"] == "merged"
    assert (anna.body(site)["access_note"], anna.body(site)["contact_phone"]) == ("seen on site", "+376 1")
    assert inbox(dispatcher) == []


def test_an_own_earlier_edit_is_not_another_side(
    app: Flask, company: SmallCompany, anna: Tablet, dispatcher: Office
) -> None:
    """S-35"""
    site = company.sites[0]
    anna.change(site, "site", set={"access_note": "first"})
    anna.send()
    anna.change(site, "site", set={"access_note": "second"})
    assert anna.send()[0]["status"] == "applied"
    assert inbox(dispatcher) == []


@pytest.mark.parametrize(
    ("field", "stands"), [("access_note", "mine"), ("danger_note", "mine"), ("contact_phone", "theirs")]
)
def test_the_same_field_on_both_sides_follows_its_policy_and_can_be_undone(
    app: Flask, company: SmallCompany, anna: Tablet, dispatcher: Office, field: str, stands: str
) -> None:
    """S-35: both values, who and when; what was seen on site stands, commercial data is the office's."""
    site = company.sites[0]
    before = anna.body(site)[field]
    values = {"mine": "111 from the tablet", "theirs": "222 from the office"}
    anna.change(site, "site", set={field: values["mine"]})
    office(app, company, Site, site, **{field: values["theirs"]})
    result = anna.sync()[0]
    assert [one["chosen"] for one in result["conflicts"]] == [stands]
    assert anna.body(site)[field] == values[stands]
    (clash,) = inbox(dispatcher, state="open")
    assert (clash["base"], clash["mine"], clash["theirs"]) == (before, *values.values())
    assert clash["mine_by"]["name"] == "Anna"
    assert clash["mine_at"]
    assert clash["theirs_at"]
    other = "theirs" if stands == "mine" else "mine"
    dispatcher.post(f"/api/v1/conflicts/{clash['id']}/resolve", json={"choice": other})
    anna.sync()
    assert anna.body(site)[field] == values[other]
    dispatcher.post(f"/api/v1/conflicts/{clash['id']}/undo")
    anna.sync()
    assert anna.body(site)[field] == values[stands]


def test_an_undo_does_not_erase_what_was_written_after_the_resolution(
    app: Flask, company: SmallCompany, anna: Tablet, dispatcher: Office
) -> None:
    """S-35"""
    site = company.sites[0]
    anna.change(site, "site", set={"access_note": "mine"})
    office(app, company, Site, site, access_note="theirs")
    anna.sync()
    (clash,) = inbox(dispatcher, state="open")
    dispatcher.post(f"/api/v1/conflicts/{clash['id']}/resolve", json={"choice": "theirs"})
    office(app, company, Site, site, access_note="written later")
    assert dispatcher.post(f"/api/v1/conflicts/{clash['id']}/undo").status_code == 409
    assert dispatcher.get(f"/api/v1/sites/{site}").json["access_note"] == "written later"


def test_a_tablet_does_not_read_what_was_written_after_the_document_left_it(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str
) -> None:
    """S-16"""
    site = company.sites[0]
    anna.change(site, "site", set={"access_note": "mine"})
    office(app, company, Visit, visit, assignee_id=company.boris)
    office(app, company, Site, site, access_note="CANARY 4711")
    assert "CANARY" not in str(anna.sync())


def test_entries_of_two_tablets_are_all_kept_in_the_order_of_their_times(
    app: Flask, company: SmallCompany, anna: Tablet, boris: Tablet, visit: str
) -> None:
    """S-39"""
    anna.change(visit, add={"notes": [note("2026-01-01T09:00:00Z", "Anna")]})
    office(app, company, Visit, visit, assignee_id=company.boris)
    boris.read()
    boris.change(visit, add={"notes": [note("2026-01-01T08:00:00Z", "Boris")]})
    boris.send()
    anna.send()
    boris.read()
    assert [one["text"] for one in boris.body(visit)["notes"]] == ["Boris", "Anna"]


def note(at: str, text: str) -> dict[str, str]:
    return {"id": str(uuid4()), "at": at, "text": text}


def test_work_on_a_reassigned_visit_is_done_by_who_did_it_and_leaves_the_other_tablet(
    app: Flask, company: SmallCompany, anna: Tablet, boris: Tablet, visit: str, dispatcher: Office
) -> None:
    """S-32"""
    anna.work(visit, "started", "done")
    office(app, company, Visit, visit, assignee_id=company.boris)
    boris.read()
    assert visit in boris.ids
    anna.sync()
    boris.read()
    assert visit not in boris.ids
    assert boris.state.dropped[visit] == "done-by-other"
    assert anna.body(visit)["performed_by_id"] == company.anna
    assert [one["reason"]["code"] for one in inbox(dispatcher, state="open")] == ["done-after-reassignment"]


@pytest.mark.parametrize("how", ["mine", "defaults"])
def test_settled_for_who_did_it_a_visit_is_theirs_and_can_be_opened_again(
    app: Flask, company: SmallCompany, anna: Tablet, boris: Tablet, visit: str, dispatcher: Office, how: str
) -> None:
    anna.work(visit, "started", "done")
    office(app, company, Visit, visit, assignee_id=company.boris)
    anna.sync()
    [late] = inbox(dispatcher, state="open")
    assert late["names"] == {company.anna: "Anna", company.boris: "Boris"}
    assert late["tz"] == "Europe/Andorra"
    version = dispatcher.get(f"/api/v1/visits/{visit}").json["version"]
    if how == "mine":
        answer = dispatcher.post(f"/api/v1/conflicts/{late['id']}/resolve", json={"choice": "mine"})
    else:
        answer = dispatcher.post("/api/v1/conflicts/accept-defaults", json={"ids": [late["id"]]})
    assert answer.status_code == 200, answer.text
    settled = dispatcher.get(f"/api/v1/visits/{visit}").json
    assert settled["assignee_id"] == settled["performed_by_id"] == company.anna
    assert settled["version"] == version + 1
    anna.sync()
    assert anna.body(visit)["assignee_id"] == company.anna
    assert dispatcher.post(f"/api/v1/conflicts/{late['id']}/undo").status_code == 200
    assert dispatcher.get(f"/api/v1/visits/{visit}").json["assignee_id"] == company.boris
    dispatcher.post(f"/api/v1/conflicts/{late['id']}/resolve", json={"choice": "theirs"})
    kept = dispatcher.get(f"/api/v1/visits/{visit}").json
    assert (kept["assignee_id"], kept["performed_by_id"]) == (company.boris, company.anna)


def test_two_who_began_are_both_kept_and_told(
    app: Flask, company: SmallCompany, anna: Tablet, boris: Tablet, visit: str, dispatcher: Office
) -> None:
    """S-33"""
    anna.work(visit, "started", "done")
    office(app, company, Visit, visit, assignee_id=company.boris)
    boris.read()
    boris.work(visit, "started")
    boris.send()
    anna.sync()
    assert "double_visit" in anna.body(visit)["flags"]
    assert {event["by"] for event in anna.body(visit)["events"]} == {company.anna, company.boris}
    assert "double-visit" in [one["reason"]["code"] for one in inbox(dispatcher, state="open")]


def test_work_on_a_cancelled_visit_is_never_lost(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str, dispatcher: Office
) -> None:
    """S-34"""
    anna.work(visit, "started", "done")
    office(app, company, Visit, visit, plan_state="cancelled")
    anna.sync()
    assert anna.body(visit)["exec_state"] == "done"
    assert "done_on_cancelled" in anna.body(visit)["flags"]
    assert "done-on-cancelled" in [one["reason"]["code"] for one in inbox(dispatcher, state="open")]


def test_an_accepted_proposal_is_taken_back_whole(anna: Tablet, visit: str, dispatcher: Office) -> None:
    """S-36 (law 8): what followed from the accepted value goes back with it, and no visit is left half planned."""
    placed = ("plan_state", "assignee_id", "planned_start", "planned_end")
    before = [anna.body(visit)[name] for name in placed]
    anna.change(visit, set={"plan_state": "due"})
    anna.sync()
    (proposal,) = inbox(dispatcher, state="open")
    path = f"/api/v1/conflicts/{proposal['id']}"
    assert dispatcher.post(f"{path}/resolve", json={"choice": "mine"}).status_code == 200
    assert dispatcher.get(f"/api/v1/visits/{visit}").json["assignee_id"] is None
    assert dispatcher.post(f"{path}/undo").status_code == 200
    anna.sync()
    assert [anna.body(visit)[name] for name in placed] == before


def test_an_undo_that_would_break_a_visit_is_refused(anna: Tablet, visit: str, dispatcher: Office) -> None:
    """S-36 (law 8)"""
    anna.change(visit, set={"plan_state": "due"})
    anna.sync()
    (proposal,) = inbox(dispatcher, state="open")
    path = f"/api/v1/conflicts/{proposal['id']}"
    dispatcher.post(f"{path}/resolve", json={"choice": "mine"})
    dispatcher.post(f"/api/v1/visits/{visit}/cancel", json={"reason": "Sold"})
    answer = dispatcher.post(f"{path}/undo")
    assert (answer.status_code, answer.json["code"], answer.json["field"]) == (409, "conflict", "plan_state")


def test_an_accepted_default_can_be_opened_again(
    app: Flask, company: SmallCompany, anna: Tablet, dispatcher: Office
) -> None:
    """S-37"""
    site = company.sites[0]
    anna.change(site, "site", set={"access_note": "mine"})
    office(app, company, Site, site, access_note="theirs")
    anna.sync()
    (clash,) = inbox(dispatcher, state="open")
    dispatcher.post("/api/v1/conflicts/accept-defaults", json={"ids": [clash["id"]]})
    assert dispatcher.post(f"/api/v1/conflicts/{clash['id']}/undo").status_code == 200
    assert [one["id"] for one in inbox(dispatcher, state="open")] == [clash["id"]]
    assert dispatcher.get(f"/api/v1/sites/{site}").json["access_note"] == "mine"


@pytest.mark.parametrize("pushes", [1, 2])
def test_words_of_the_office_stay_in_a_text_that_the_tablet_goes_on_with(
    app: Flask, company: SmallCompany, anna: Tablet, dispatcher: Office, pushes: int
) -> None:
    """S-35 (law 2): the tablet has not pulled since; its second edit knows nothing of the merge of the first."""
    customer = company.customer
    office(app, company, Customer, customer, note="one two three")
    anna.read()
    office(app, company, Customer, customer, note="one two three, seen by the office")
    anna.change(customer, "customer", set={"note": "Anna: one two three"})
    if pushes == 2:
        anna.send()
    anna.change(customer, "customer", set={"note": "Anna was here: one two three"})
    anna.sync()
    assert anna.body(customer)["note"] == "Anna was here: one two three, seen by the office"


def test_a_visit_made_on_a_tablet_has_a_time_and_is_on_the_board(
    app: Flask, company: SmallCompany, anna: Tablet, dispatcher: Office
) -> None:
    """S-25: work that was found on the way is planned for the moment it was written down."""
    made = str(uuid4())
    anna.change(made, op="create", set={"kind": "repair_minor", "site_id": company.sites[0]})
    anna.sync()
    visit = dispatcher.get(f"/api/v1/visits/{made}").json
    start, end = (datetime.fromisoformat(visit[name]) for name in ("planned_start", "planned_end"))
    assert (end - start).total_seconds() == visit["service_minutes"] * 60
    day = start.astimezone(ZoneInfo("Europe/Andorra")).date()
    board = dispatcher.get(f"/api/v1/board?date={day}&branch_id={company.branch}").json
    assert made in {one["id"] for one in board["visits"]}


def test_a_visit_made_on_a_tablet_does_not_end_before_it_starts(anna: Tablet, company: SmallCompany) -> None:
    """S-25"""
    times = {"planned_start": "2026-11-25T10:00:00Z", "planned_end": "2026-11-25T09:00:00Z"}
    anna.change(str(uuid4()), op="create", set={"kind": "repair_minor", "site_id": company.sites[0]} | times)
    (result,) = anna.sync()
    assert (result["status"], result["problem"]["errors"][0]["field"]) == ("rejected", "planned_end")


def test_a_long_import_does_not_take_back_what_a_tablet_wrote_meanwhile(
    app: Flask, company: SmallCompany, anna: Tablet
) -> None:
    """Laws 1 and 2: the import read the site before the tablet's edit came in, and changes another field of it."""
    site = company.sites[0]
    pushed = []

    def push_once(phase: str, done: int, total: int) -> None:
        if phase == "checking" and not pushed:
            anna.change(site, "site", set={"access_note": "Behind the house"})
            pushed.append(executor.submit(anna.sync))
            if app.config["SQLALCHEMY_DATABASE_URI"].startswith("postgresql"):
                pushed[0].result(60)

    rows = b"external_ref,name,customer_ref,lat,lon\nS-1,Renamed,C-1,42.507,1.52\n"
    with ThreadPoolExecutor(1) as executor, app.app_context():
        report = import_sites(company.id, rows, progress=push_once)
    assert report.problems == []
    assert pushed[0].result(60)[0]["status"] in ("applied", "merged")
    anna.sync()
    assert (anna.body(site)["access_note"], anna.body(site)["name"]) == ("Behind the house", "Renamed")


def test_defaults_are_accepted_all_at_once(app: Flask, company: SmallCompany, anna: Tablet, dispatcher: Office) -> None:
    """S-37"""
    site = company.sites[0]
    for field in ("access_note", "danger_note"):
        anna.change(site, "site", set={field: "mine"})
        office(app, company, Site, site, **{field: "theirs"})
    anna.sync()
    ids = [one["id"] for one in inbox(dispatcher, state="open")]
    assert len(ids) == 2
    assert dispatcher.post("/api/v1/conflicts/accept-defaults", json={"ids": ids}).status_code == 200
    assert inbox(dispatcher, state="open") == []
    assert dispatcher.get(f"/api/v1/sites/{site}").json["access_note"] == "mine"


def test_a_file_goes_up_in_pieces_and_is_verified(app: Flask, anna: Tablet, visit: str) -> None:
    """S-50: announced by its hash, resumed at the byte that HEAD names, then verified."""
    client = app.test_client()
    auth = {"Authorization": f"Bearer {anna.state.token}", "Tus-Resumable": "1.0.0"}
    sha256 = hashlib.sha256(DATA).hexdigest()
    told = f"sha256 {base64.b64encode(sha256.encode()).decode()}"
    made = client.post("/sync/v1/uploads", headers=auth | {"Upload-Length": str(len(DATA)), "Upload-Metadata": told})
    assert made.status_code == 201
    place = made.headers["Location"]
    send(client, place, auth, 0, DATA[:9])
    assert client.head(place, headers=auth).headers["Upload-Offset"] == "9"
    assert send(client, place, auth, 4, DATA[4:]).status_code == 409
    assert send(client, place, auth, 9, DATA[9:]).headers["Upload-Offset"] == str(len(DATA))
    assert client.get(f"/sync/v1/attachments/{sha256}/receipt", headers=auth).json["state"] == "verified"
    assert client.get(f"/sync/v1/attachments/{sha256}", headers=auth, buffered=True).data == DATA


def test_a_file_with_another_hash_is_put_aside(app: Flask, anna: Tablet, tmp_path: Any) -> None:
    """S-51"""
    client = app.test_client()
    auth = {"Authorization": f"Bearer {anna.state.token}", "Tus-Resumable": "1.0.0"}
    sha256 = "0" * 64
    told = f"sha256 {base64.b64encode(sha256.encode()).decode()}"
    made = client.post("/sync/v1/uploads", headers=auth | {"Upload-Length": str(len(DATA)), "Upload-Metadata": told})
    answer = send(client, made.headers["Location"], auth, 0, DATA)
    assert answer.json["code"] == "upload-hash"
    assert client.get(f"/sync/v1/attachments/{sha256}/receipt", headers=auth).json["state"] == "quarantined"
    assert [path.read_bytes() for path in (tmp_path / "quarantine").rglob("*") if path.is_file()] == [DATA]


def send(client: Any, place: str, auth: dict[str, str], offset: int, data: bytes) -> Any:
    headers = auth | {"Upload-Offset": str(offset)}
    return client.patch(place, data=data, headers=headers, content_type="application/offset+octet-stream")


def test_a_problem_has_its_code_in_every_language(app: Flask) -> None:
    """S-61"""
    client = app.test_client()
    english, russian = (client.get("/sync/v1/pull", headers={"Accept-Language": language}) for language in ("en", "ru"))
    assert english.mimetype == russian.mimetype == "application/problem+json"
    assert english.json["code"] == russian.json["code"] == "unauthenticated"
    assert english.json["title"] != russian.json["title"]
