"""Files of tablets: S-50 to S-52, and what a client may count on in versions and errors: S-60, S-62."""

from __future__ import annotations

import base64
import hashlib
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from schemas.entities.base import iso
from server.store.files import Files
from tests.builders import SmallCompany, publish
from tests.tablets import Tablet, enrol

PHOTO = b"\xff\xd8" + bytes(range(30))
SHA = hashlib.sha256(PHOTO).hexdigest()


@pytest.fixture
def anna(app: Flask, company: SmallCompany) -> Tablet:
    tablet = enrol(app, company.id, company.anna)
    tablet.read()
    return tablet


@pytest.fixture
def boris(app: Flask, company: SmallCompany) -> Tablet:
    return enrol(app, company.id, company.boris)


def ask(tablet: Tablet, method: str, path: str, data: bytes = b"", **headers: str) -> TestResponse:
    transport: Any = tablet.transport
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    given |= {"Authorization": f"Bearer {tablet.state.token}", "Tus-Resumable": "1.0.0"}
    answer: TestResponse = transport.client.open(path, method=method, data=data, headers=given, buffered=True)
    return answer


def announce(tablet: Tablet, data: bytes = PHOTO, sha256: str = SHA) -> TestResponse:
    told = (
        "sha256 "
        + base64.b64encode(sha256.encode()).decode()
        + ",media_type "
        + base64.b64encode(b"image/jpeg").decode()
    )
    return ask(tablet, "POST", "/sync/v1/uploads", Upload_Length=str(len(data)), Upload_Metadata=told)


def send(tablet: Tablet, place: str, data: bytes, offset: int) -> TestResponse:
    return ask(tablet, "PATCH", place, data, Content_Type="application/offset+octet-stream", Upload_Offset=str(offset))


def receipt(tablet: Tablet) -> Any:
    return ask(tablet, "GET", f"/sync/v1/attachments/{SHA}/receipt").json


def test_an_upload_is_resumed_at_every_byte(anna: Tablet) -> None:
    """S-50, S-51: cut after each byte; the offset is asked for, the rest sent, the receipt says verified."""
    for cut in range(1, len(PHOTO)):
        data = PHOTO + bytes([cut])
        sha256 = hashlib.sha256(data).hexdigest()
        place = announce(anna, data, sha256).headers["Location"]
        assert send(anna, place, data[:cut], 0).headers["Upload-Offset"] == str(cut)
        offset = int(ask(anna, "HEAD", place).headers["Upload-Offset"])
        assert offset == cut
        assert send(anna, place, data[offset:], offset).status_code == 204
        assert ask(anna, "GET", f"/sync/v1/attachments/{sha256}/receipt").json["state"] == "verified"


def test_bytes_at_another_place_are_refused(anna: Tablet) -> None:
    """S-50"""
    place = announce(anna).headers["Location"]
    send(anna, place, PHOTO[:5], 0)
    assert send(anna, place, PHOTO[5:], 6).status_code == 409
    assert receipt(anna) == {"state": "waiting", "received": 5, "size": len(PHOTO)}


def test_other_bytes_than_promised_are_put_aside_and_sent_again(anna: Tablet) -> None:
    """S-51"""
    answer = send(anna, announce(anna).headers["Location"], bytes(len(PHOTO)), 0)
    assert (answer.status_code, answer.json["code"]) == (460, "upload-hash")
    assert receipt(anna)["state"] == "quarantined"
    assert send(anna, announce(anna).headers["Location"], PHOTO, 0).status_code == 204
    assert receipt(anna)["state"] == "verified"


def test_an_upload_whose_server_died_at_the_last_byte_is_finished_when_it_is_asked_for(
    app: Flask, anna: Tablet
) -> None:
    """S-50: all bytes are here, nobody has looked at them yet."""
    import io

    place = announce(anna).headers["Location"]
    Files(app.config["DATA_FOLDER"]).append(place.rsplit("/", 1)[1], io.BytesIO(PHOTO), 0, len(PHOTO))
    assert ask(anna, "HEAD", place).headers["Upload-Offset"] == str(len(PHOTO))
    assert receipt(anna)["state"] == "verified"


def test_a_file_reaches_who_has_the_visit_and_nobody_else(
    app: Flask, company: SmallCompany, anna: Tablet, boris: Tablet
) -> None:
    """S-52, S-16: knowing the hash is not having the file; whoever gets the visit gets the file."""
    with app.app_context():
        visit = company.visit()
        publish(company.id, visit, company.anna)
    anna.read()
    send(anna, announce(anna).headers["Location"], PHOTO, 0)
    entry = {"id": str(uuid.uuid4()), "at": iso(datetime.now(UTC)), "kind": "photo", "sha256": SHA, "size": len(PHOTO)}
    anna.change(visit, add={"attachments": [entry | {"media_type": "image/jpeg"}]})
    anna.sync()
    path = f"/sync/v1/attachments/{SHA}"
    assert ask(anna, "GET", path).data == PHOTO
    assert ask(boris, "GET", path).status_code == 404
    assert announce(boris).headers["Upload-Offset"] == "0"
    assert ask(boris, "GET", path).status_code == 404
    with app.app_context():
        publish(company.id, visit, company.boris)
    assert ask(boris, "GET", path).data == PHOTO


def test_a_file_sent_before_is_complete_at_once(anna: Tablet) -> None:
    """S-50: the reply was lost, the tablet begins again."""
    send(anna, announce(anna).headers["Location"], PHOTO, 0)
    assert announce(anna).headers["Upload-Offset"] == str(len(PHOTO))


def test_anothers_upload_is_as_if_it_was_not_there(anna: Tablet, boris: Tablet) -> None:
    """S-16"""
    place = announce(anna).headers["Location"]
    assert ask(boris, "HEAD", place).status_code == send(boris, place, PHOTO, 0).status_code == 404


def test_problems_speak_the_readers_language(anna: Tablet) -> None:
    """S-61, S-60: a code for machines, words for people."""
    answers = [ask(anna, "GET", "/sync/v1/pull?cursor=x", Accept_Language=language) for language in ("en", "ru")]
    assert {answer.json["code"] for answer in answers} == {"bad-cursor"}
    assert answers[0].json["detail"] != answers[1].json["detail"]


def test_what_an_old_client_does_not_name_stays(app: Flask, company: SmallCompany, anna: Tablet) -> None:
    """S-62, S-18: a patch of one field leaves all others as they are."""
    with app.app_context():
        publish(company.id, company.visit(), company.anna)
    anna.read()
    site = company.sites[0]
    before = dict(anna.body(site))
    anna.change(site, "site", set={"danger_note": "Dog"})
    anna.sync()
    assert anna.body(site) == before | {"danger_note": "Dog"}
