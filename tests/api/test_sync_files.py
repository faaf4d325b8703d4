"""What became of a file: receipts, quarantine, pictures, who may see it. S-51, S-52, S-91 to S-93, S-96."""

from __future__ import annotations

import io
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from werkzeug.test import TestResponse

from server.store.files import current_files, places
from tests import pictures
from tests.api.conftest import problem
from tests.builders import Office, SmallCompany, publish
from tests.pictures import sha256
from tests.tablets import Tablet, enrol
from tests.uploads import announce, ask, attach, receipt, send, upload

PHOTO = pictures.photo()


@pytest.fixture
def visit(app: Flask, company: SmallCompany) -> str:
    with app.app_context():
        made = company.visit()
        publish(company.id, made, company.anna)
    return made


@pytest.fixture
def anna(app: Flask, company: SmallCompany, visit: str) -> Tablet:
    tablet = enrol(app, company.id, company.anna)
    tablet.read()
    return tablet


@pytest.fixture
def boris(app: Flask, company: SmallCompany) -> Tablet:
    return enrol(app, company.id, company.boris)


def path(data: bytes, what: str = "") -> str:
    return f"/sync/v1/attachments/{sha256(data)}{what}"


def quarantine(office: Office) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = office.get("/api/v1/quarantine?state=quarantined").json["items"]
    return found


def picture(answer: TestResponse) -> Image.Image:
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg"), answer.text
    return Image.open(io.BytesIO(answer.data))


def test_a_visit_is_done_while_its_photos_are_on_their_way(
    app: Flask, company: SmallCompany, anna: Tablet, dispatcher: Office, visit: str
) -> None:
    """S-91: the document names hashes that are not here yet; who looks sees which, and nothing waits for them."""
    first, second = pictures.photo(1), pictures.photo(2)
    attach(anna, visit, first, second)
    anna.work(visit, "started", "done")
    assert [result["status"] for result in anna.sync()] == ["applied", "applied"]
    assert anna.body(visit)["exec_state"] == "done"
    seen = dispatcher.get(f"/api/v1/visits/{visit}/attachments").json
    assert (seen["awaiting"], [one["state"] for one in seen["items"]]) == (2, ["waiting", "waiting"])
    version = anna.state.documents[visit]["version"]
    upload(anna, first)
    seen = dispatcher.get(f"/api/v1/visits/{visit}/attachments").json
    found = {one["sha256"]: (one["state"], one["shown"]) for one in seen["items"]}
    assert seen["awaiting"] == 1
    assert found == {sha256(first): ("verified", True), sha256(second): ("waiting", False)}
    anna.read()
    assert anna.state.documents[visit]["version"] == version


def test_the_board_counts_what_a_visit_awaits(
    app: Flask, company: SmallCompany, anna: Tablet, dispatcher: Office, visit: str
) -> None:
    """S-91"""
    from datetime import UTC, datetime

    from tests.builders import publish as plan

    now = datetime.now(UTC).replace(hour=9, minute=0)
    with app.app_context():
        plan(company.id, visit, company.anna, now)
    attach(anna, visit, PHOTO, pictures.photo(1))
    upload(anna, PHOTO)
    board = dispatcher.get(f"/api/v1/board?date={now.date()}&branch_id={company.branch}").json
    shown = next(one for one in board["visits"] if one["id"] == visit)
    assert (shown["photos"], shown["awaiting_media"]) == (2, 1)


def test_receipts_come_in_one_round_trip_and_in_the_order_asked(
    app: Flask, company: SmallCompany, anna: Tablet, boris: Tablet, visit: str
) -> None:
    """S-92: verified, on its way, named but not sent by anybody, nobody's."""
    verified, waiting, named, nobodys = (pictures.photo(number) for number in range(4))
    attach(anna, visit, verified, named)
    upload(anna, verified)
    send(anna, announce(anna, waiting).headers["Location"], waiting[:7])
    hashes = [sha256(data) for data in (nobodys, verified, waiting, named, verified)]
    found = ask(anna, "POST", "/sync/v1/attachments/receipts", json={"sha256": hashes}).json["receipts"]
    assert [one["sha256"] for one in found] == hashes
    assert [one["state"] for one in found] == ["unknown", "verified", "waiting", "waiting", "verified"]
    assert [one["received"] for one in found] == [0, len(verified), 7, 0, len(verified)]
    # Boris has none of it in his scopes: for him all of it is as if it never was.
    others = ask(boris, "POST", "/sync/v1/attachments/receipts", json={"sha256": hashes}).json["receipts"]
    assert {one["state"] for one in others} == {"unknown"}
    assert ask(boris, "GET", path(verified, "/receipt")).status_code == 404
    for wrong in ([], ["x"], ["0" * 64] * 501):
        assert ask(anna, "POST", "/sync/v1/attachments/receipts", json={"sha256": wrong}).status_code == 422


def test_a_file_reaches_who_has_the_visit_and_nobody_else(
    app: Flask, company: SmallCompany, anna: Tablet, boris: Tablet, visit: str
) -> None:
    """S-52, S-16: knowing the hash is not having the file, nor its thumbnail; whoever gets the visit gets both."""
    upload(anna, PHOTO)
    attach(anna, visit, PHOTO)
    shown = ask(anna, "GET", path(PHOTO)).data
    for what in ("", "/thumbnail", "/receipt"):
        assert ask(anna, "GET", path(PHOTO, what)).status_code == 200
        assert ask(boris, "GET", path(PHOTO, what)).status_code == 404
    assert announce(boris, PHOTO).headers["Upload-Offset"] == "0"
    assert ask(boris, "GET", path(PHOTO)).status_code == 404
    with app.app_context():
        publish(company.id, visit, company.boris)
    assert ask(boris, "GET", path(PHOTO)).data == shown
    assert ask(boris, "GET", path(PHOTO, "/thumbnail")).status_code == 200
    assert receipt(boris, PHOTO)["state"] == "verified"


def test_the_same_content_is_kept_once(app: Flask, company: SmallCompany, anna: Tablet, boris: Tablet) -> None:
    """S-91: content has one place, whoever sends it; each sender has a receipt of its own."""
    upload(anna, PHOTO)
    upload(boris, PHOTO)
    assert receipt(anna, PHOTO)["state"] == receipt(boris, PHOTO)["state"] == "verified"
    kept = [file for file in (app.config["DATA_FOLDER"] / "attachments").rglob("*") if file.is_file()]
    assert [file.name for file in kept] == [sha256(PHOTO)]
    assert not list((app.config["DATA_FOLDER"] / "uploads").iterdir())


def test_what_is_shown_is_upright_and_without_the_place(
    app: Flask, company: SmallCompany, anna: Tablet, dispatcher: Office, visit: str
) -> None:
    """S-93: for tablets and office alike; the bytes as sent are evidence, a download for a manager."""
    sent = pictures.with_place()
    attach(anna, visit, sent)
    upload(anna, sent)
    office = f"/api/v1/attachments/{sha256(sent)}"
    shown = [ask(anna, "GET", path(sent)), dispatcher.get(office)]
    small = [ask(anna, "GET", path(sent, "/thumbnail")), dispatcher.get(f"{office}/thumbnail")]
    for answer in shown + small:
        found = picture(answer)
        assert not found.getexif()
        assert found.height > found.width
        assert b"CANARY" not in answer.data
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert max(picture(small[0]).size) <= 320
    problem(dispatcher.get(f"{office}/original"), 403, "forbidden")
    manager = company.sign_in(dispatcher.client, "manager@small.example")
    original = manager.get(f"{office}/original")
    assert original.data == sent
    assert original.mimetype == "application/octet-stream"
    assert original.headers["Content-Disposition"].startswith("attachment")


def test_a_picture_that_was_fetched_is_not_fetched_again(anna: Tablet, visit: str) -> None:
    """S-93"""
    upload(anna, PHOTO)
    first = ask(anna, "GET", path(PHOTO))
    assert "immutable" in first.headers["Cache-Control"]
    again = ask(anna, "GET", path(PHOTO), If_None_Match=first.headers["ETag"])
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(
    ("data", "claimed", "fault"),
    [
        (pictures.HTML, "image/jpeg", "active-content"),
        (pictures.SVG, "image/svg+xml", "active-content"),
        (pictures.polyglot(), "image/jpeg", "more-than-a-picture"),
        (PHOTO[:-300], "image/jpeg", "truncated"),
        (pictures.png_bomb(), "image/png", "too-many-pixels"),
    ],
    ids=["html", "svg", "polyglot", "truncated", "bomb"],
)
def test_what_is_not_what_it_says_is_put_aside_and_holds_nothing_up(
    anna: Tablet, dispatcher: Office, visit: str, data: bytes, claimed: str, fault: str
) -> None:
    """S-51, S-93: all of it is at the office; a person looks; the visit is done. F26"""
    attach(anna, visit, data, media_type=claimed)
    assert upload(anna, data, media_type=claimed).status_code == 204
    told = receipt(anna, data)
    assert (told["state"], told["problem"]["code"], told["received"]) == ("quarantined", "file-quarantined", len(data))
    # Sent again it would be the same: the tablet is told at once that all of it is here.
    assert announce(anna, data, media_type=claimed).headers["Upload-Offset"] == str(len(data))
    for what in ("", "/thumbnail"):
        assert ask(anna, "GET", path(data, what)).status_code == 404
        assert dispatcher.get(f"/api/v1/attachments/{sha256(data)}{what}").status_code == 404
    anna.work(visit, "started", "done")
    anna.sync()
    assert anna.body(visit)["exec_state"] == "done"
    (found,) = quarantine(dispatcher)
    assert (found["fault"], found["visit_ids"], found["technician_name"]) == (fault, [visit], "Anna")
    assert found["text"] not in ("", f"file.{fault}")
    file = dispatcher.get(f"/api/v1/quarantine/{found['id']}/file")
    assert file.data == data
    assert file.mimetype == "application/octet-stream"
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in file.headers["Content-Security-Policy"]
    assert file.headers["X-Content-Type-Options"] == "nosniff"


def test_the_office_lets_a_file_stand(anna: Tablet, dispatcher: Office, visit: str) -> None:
    """S-93: what can be drawn of it is drawn, and the tablet may delete its copy."""
    data = pictures.polyglot()
    attach(anna, visit, data)
    upload(anna, data)
    (found,) = quarantine(dispatcher)
    place = f"/api/v1/quarantine/{found['id']}"
    problem(dispatcher.post(f"{place}/release", json={"reason": ""}), 422, "invalid-fields", "reason")
    decided = dispatcher.post(f"{place}/release", json={"reason": "A motion photo"})
    assert (decided.status_code, decided.json["state"], decided.json["decision"]) == (200, "released", "A motion photo")
    assert receipt(anna, data)["state"] == "verified"
    assert b"PK\x03\x04" not in ask(anna, "GET", path(data)).data
    assert picture(ask(anna, "GET", path(data))).size == (160, 120)
    assert dispatcher.get(f"/api/v1/visits/{visit}/attachments").json["awaiting"] == 0
    problem(dispatcher.post(f"{place}/discard", json={"reason": "x"}), 409, "not-quarantined")
    assert dispatcher.get(f"{place}/file").status_code == 404
    assert quarantine(dispatcher) == []


def test_a_page_that_was_let_stand_is_only_ever_a_download(anna: Tablet, dispatcher: Office, visit: str) -> None:
    """S-93"""
    attach(anna, visit, pictures.HTML)
    upload(anna, pictures.HTML)
    (found,) = quarantine(dispatcher)
    dispatcher.post(f"/api/v1/quarantine/{found['id']}/release", json={"reason": "A log of the controller"})
    for answer in (
        ask(anna, "GET", path(pictures.HTML)),
        dispatcher.get(f"/api/v1/attachments/{sha256(pictures.HTML)}"),
    ):
        assert answer.data == pictures.HTML
        assert answer.mimetype == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_the_office_deletes_a_file_and_the_sender_is_told_why(
    app: Flask, company: SmallCompany, anna: Tablet, dispatcher: Office, visit: str
) -> None:
    """S-93: the reason reaches the tablet, and the technician may send another photo, or the same again."""
    attach(anna, visit, pictures.SVG, media_type="image/svg+xml")
    upload(anna, pictures.SVG, media_type="image/svg+xml")
    (found,) = quarantine(dispatcher)
    place = f"/api/v1/quarantine/{found['id']}"
    assert dispatcher.post(f"{place}/discard", json={"reason": "Not a photo"}).json["state"] == "discarded"
    told = receipt(anna, pictures.SVG)
    assert (told["state"], told["problem"]["code"]) == ("discarded", "file-discarded")
    assert "Not a photo" in told["problem"]["detail"]
    with app.app_context(), pytest.raises(FileNotFoundError):
        current_files().open(places.aside(company.id, found["id"]))
    shown = dispatcher.get(f"/api/v1/visits/{visit}/attachments").json["items"]
    assert [one["state"] for one in shown] == ["discarded"]
    problem(dispatcher.post(f"{place}/release", json={"reason": "x"}), 409, "not-quarantined")
    assert announce(anna, pictures.SVG).headers["Upload-Offset"] == "0"


def test_other_bytes_than_promised_cannot_stand_for_the_file(anna: Tablet, dispatcher: Office) -> None:
    """S-51"""
    send(anna, announce(anna, PHOTO).headers["Location"], bytes(len(PHOTO)))
    (found,) = quarantine(dispatcher)
    assert not found["may_release"]
    problem(dispatcher.post(f"/api/v1/quarantine/{found['id']}/release", json={"reason": "x"}), 409, "not-the-promised")


@pytest.mark.parametrize("claimed", ["image/heic", "image/jpeg"])
def test_a_photo_that_no_page_can_show_is_kept_as_a_file(
    anna: Tablet, dispatcher: Office, visit: str, claimed: str
) -> None:
    """S-93: it is verified, and the office downloads it. F26"""
    attach(anna, visit, pictures.HEIC, media_type=claimed)
    upload(anna, pictures.HEIC, media_type=claimed)
    assert receipt(anna, pictures.HEIC)["state"] == "verified"
    (shown,) = dispatcher.get(f"/api/v1/visits/{visit}/attachments").json["items"]
    assert (shown["state"], shown["shown"], shown["media_type"]) == ("verified", False, "image/heic")
    answer = dispatcher.get(f"/api/v1/attachments/{sha256(pictures.HEIC)}")
    assert (answer.data, answer.mimetype) == (pictures.HEIC, "application/octet-stream")


def test_a_small_picture_goes_ahead_of_its_photo(anna: Tablet, boris: Tablet, dispatcher: Office, visit: str) -> None:
    """S-93, S-96: it is shown until the photo is here, to those who may see the photo, and verifies nothing."""
    small = pictures.photo(9, 64, 48)
    attach(anna, visit, PHOTO)
    thumbnail = f"/api/v1/attachments/{sha256(PHOTO)}/thumbnail"
    assert dispatcher.get(thumbnail).status_code == 404
    assert upload(anna, small, ahead_of=sha256(PHOTO)).status_code == 204
    assert picture(dispatcher.get(thumbnail)).size == (64, 48)
    assert picture(ask(anna, "GET", path(PHOTO, "/thumbnail"))).size == (64, 48)
    assert ask(boris, "GET", path(PHOTO, "/thumbnail")).status_code == 404
    (shown,) = dispatcher.get(f"/api/v1/visits/{visit}/attachments").json["items"]
    assert (shown["state"], shown["thumbnail"], shown["shown"]) == ("waiting", True, False)
    assert receipt(anna, PHOTO)["state"] == "waiting"
    assert announce(anna, PHOTO, ahead_of=sha256(pictures.photo(7))).status_code == 404
    assert announce(anna, PHOTO, ahead_of=sha256(PHOTO), size=100_001).status_code == 413
    upload(anna, PHOTO)
    assert picture(dispatcher.get(thumbnail)).size == (160, 120)


def test_another_companys_files_are_not_there(app: Flask, anna: Tablet, dispatcher: Office) -> None:
    """S-16"""
    from server.actions.found_company import found_company

    upload(anna, pictures.SVG, media_type="image/svg+xml")
    upload(anna, PHOTO)
    (found,) = quarantine(dispatcher)
    with app.app_context():
        found_company("Other", email="admin@other.example", password="correct horse battery")
    client = app.test_client()
    token = client.post(
        "/api/v1/auth/login", json={"email": "admin@other.example", "password": "correct horse battery"}
    ).json["token"]
    other = Office(client=client, token=token)
    assert other.get("/api/v1/quarantine").json["items"] == []
    for there in (
        f"/api/v1/attachments/{sha256(PHOTO)}",
        f"/api/v1/attachments/{sha256(PHOTO)}/thumbnail",
        f"/api/v1/attachments/{sha256(PHOTO)}/original",
        f"/api/v1/quarantine/{found['id']}/file",
    ):
        assert other.get(there).status_code == 404
    for decision in ("release", "discard"):
        assert other.post(f"/api/v1/quarantine/{found['id']}/{decision}", json={"reason": "x"}).status_code == 404


def test_naming_a_file_is_not_having_it(
    app: Flask, company: SmallCompany, anna: Tablet, boris: Tablet, visit: str
) -> None:
    """S-52, S-16 (law 5): who writes another's hash into an own visit gets neither the bytes nor a word of them."""
    upload(anna, PHOTO)
    attach(anna, visit, PHOTO)
    with app.app_context():
        own = company.visit(site_id=company.sites[1])
        publish(company.id, own, company.boris)
    boris.read()
    attach(boris, own, PHOTO)
    for what in ("", "/thumbnail"):
        assert ask(boris, "GET", path(PHOTO, what)).status_code == 404
    assert receipt(boris, PHOTO)["state"] == "waiting"
    assert announce(boris, pictures.photo(9, 64, 48), ahead_of=sha256(PHOTO)).status_code == 201
    upload(boris, pictures.photo(9, 64, 48), ahead_of=sha256(PHOTO))
    assert ask(boris, "GET", path(PHOTO)).status_code == 404
    assert ask(boris, "GET", path(PHOTO, "/thumbnail")).status_code == 404
    upload(boris, PHOTO)
    assert ask(boris, "GET", path(PHOTO)).status_code == 200


def test_a_photo_that_follows_under_a_new_registration_is_seen_like_any_other(
    app: Flask, company: SmallCompany, anna: Tablet, boris: Tablet, visit: str
) -> None:
    """S-52, S-82: the entry bears the former tablet, the bytes came from the new one, both are one person's."""
    attach(anna, visit, PHOTO)
    upload(enrol(app, company.id, company.anna), PHOTO)
    with app.app_context():
        publish(company.id, visit, company.boris)
    assert ask(boris, "GET", path(PHOTO)).status_code == 200
