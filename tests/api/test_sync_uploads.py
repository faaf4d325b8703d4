"""Files by tus 1.0: S-50, S-51, S-90 to S-95; and what a client may count on in versions and errors: S-60, S-62."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from server.actions import begin_upload
from server.actions.end_upload import end_unfinished
from server.store.files import current_files, places
from server.store.types import new_id
from tests import pictures
from tests.builders import SmallCompany, publish
from tests.tablets import Tablet, enrol
from tests.uploads import BYTES, announce, ask, attach, receipt, send, told, upload

PHOTO = pictures.photo()


@pytest.fixture
def anna(app: Flask, company: SmallCompany) -> Tablet:
    tablet = enrol(app, company.id, company.anna)
    tablet.read()
    return tablet


@pytest.fixture
def boris(app: Flask, company: SmallCompany) -> Tablet:
    return enrol(app, company.id, company.boris)


def checksum(data: bytes, algorithm: str = "sha1") -> str:
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


def test_an_upload_is_resumed_at_any_byte(anna: Tablet) -> None:
    """S-50, S-51: cut after a byte; the offset is asked for, the rest sent, the receipt says verified."""
    for number, cut in enumerate((1, 2, 100, -100, -1)):
        data = pictures.photo(number)
        cut %= len(data)
        place = announce(anna, data).headers["Location"]
        assert send(anna, place, data[:cut]).headers["Upload-Offset"] == str(cut)
        asked = ask(anna, "HEAD", place)
        assert (asked.headers["Upload-Offset"], asked.headers["Upload-Length"]) == (str(cut), str(len(data)))
        assert send(anna, place, data[cut:], cut).status_code == 204
        assert receipt(anna, data)["state"] == "verified"


def test_bytes_at_another_place_are_refused(anna: Tablet) -> None:
    """S-50"""
    place = announce(anna, PHOTO).headers["Location"]
    send(anna, place, PHOTO[:5])
    for offset in (0, 4, 6, len(PHOTO)):
        assert send(anna, place, PHOTO[offset:], offset).status_code == 409
    found = receipt(anna, PHOTO)
    assert (found["state"], found["received"], found["size"]) == ("waiting", 5, len(PHOTO))


def test_nothing_behind_the_promised_end_is_kept(anna: Tablet) -> None:
    """S-50"""
    place = announce(anna, PHOTO).headers["Location"]
    assert send(anna, place, PHOTO + b"more").headers["Upload-Offset"] == str(len(PHOTO))
    assert receipt(anna, PHOTO)["state"] == "verified"


def test_other_bytes_than_promised_are_put_aside_and_sent_again(
    app: Flask, company: SmallCompany, anna: Tablet
) -> None:
    """S-51: when the right ones have come, those that were put aside are of no use and go."""
    place = announce(anna, PHOTO).headers["Location"]
    answer = send(anna, place, bytes(len(PHOTO)))
    assert (answer.status_code, answer.json["code"]) == (460, "upload-hash")
    found = receipt(anna, PHOTO)
    assert (found["state"], found["problem"]["code"]) == ("quarantined", "upload-hash")
    aside = places.aside(company.id, place.rsplit("/", 1)[1])
    with app.app_context():
        current_files().open(aside).file.close()
    assert upload(anna, PHOTO).status_code == 204
    assert receipt(anna, PHOTO)["state"] == "verified"
    with app.app_context(), pytest.raises(FileNotFoundError):
        current_files().open(aside)


def test_an_upload_whose_server_died_at_the_last_byte_is_finished_when_it_is_asked_for(
    app: Flask, anna: Tablet
) -> None:
    """S-50: all bytes are here, nobody has looked at them yet."""
    for asking in ("HEAD", "receipt"):
        data = pictures.photo(len(asking))
        place = announce(anna, data).headers["Location"]
        with app.app_context():
            current_files().append(place.rsplit("/", 1)[1], io.BytesIO(data), 0, len(data))
        if asking == "HEAD":
            assert ask(anna, "HEAD", place).headers["Upload-Offset"] == str(len(data))
        assert receipt(anna, data)["state"] == "verified"


def test_a_file_sent_before_is_complete_at_once(anna: Tablet) -> None:
    """S-50: the reply was lost, the tablet begins again."""
    upload(anna, PHOTO)
    again = announce(anna, PHOTO)
    assert again.headers["Upload-Offset"] == str(len(PHOTO))
    assert send(anna, again.headers["Location"], PHOTO).headers["Upload-Offset"] == str(len(PHOTO))


def test_anothers_upload_is_as_if_it_was_not_there(anna: Tablet, boris: Tablet) -> None:
    """S-16"""
    place = announce(anna, PHOTO).headers["Location"]
    answers = [ask(boris, "HEAD", place), send(boris, place, PHOTO), ask(boris, "DELETE", place)]
    assert {answer.status_code for answer in answers} == {404}
    assert ask(anna, "HEAD", place).status_code == 200


def test_every_answer_tells_the_version_and_what_this_end_can_do(anna: Tablet) -> None:
    """S-90: tus 1.0, core and extensions."""
    told_all = ask(anna, "OPTIONS", "/sync/v1/uploads", Tus_Resumable="").headers
    assert told_all["Tus-Version"] == "1.0.0"
    extensions = {"creation", "creation-with-upload", "checksum", "termination", "expiration"}
    assert set(told_all["Tus-Extension"].split(",")) == extensions
    assert told_all["Tus-Checksum-Algorithm"].split(",")[0] == "sha1"
    place = announce(anna, PHOTO).headers["Location"]
    wrong = [ask(anna, method, place, Tus_Resumable="0.2.2") for method in ("HEAD", "PATCH", "DELETE")]
    wrong.append(ask(anna, "POST", "/sync/v1/uploads", Tus_Resumable="0.2.2"))
    assert {(answer.status_code, answer.headers["Tus-Version"]) for answer in wrong} == {(412, "1.0.0")}
    others = [ask(anna, "HEAD", place), send(anna, place, PHOTO[:3]), ask(anna, "HEAD", f"/sync/v1/uploads/{new_id()}")]
    for answer in [*wrong, *others]:
        assert (answer.headers["Tus-Resumable"], answer.headers["Cache-Control"]) == ("1.0.0", "no-store")


def test_what_was_told_is_told_back(anna: Tablet) -> None:
    """S-90: tus wants the metadata in the answer to HEAD as they came."""
    header = told(sha256=pictures.sha256(PHOTO), filename="Счётчик 5.jpg", own="word") + ",flag"
    place = ask(anna, "POST", "/sync/v1/uploads", Upload_Length=str(len(PHOTO)), Upload_Metadata=header)
    assert ask(anna, "HEAD", place.headers["Location"]).headers["Upload-Metadata"] == header


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Upload_Length": "-1"}, 400),
        ({"Upload_Length": "9" * 16}, 400),
        ({"Upload_Length": "0"}, 413),
        ({"Upload_Length": "25000001"}, 413),
        ({"Upload_Metadata": ""}, 400),
        ({"Upload_Metadata": told(sha256="../../etc/passwd")}, 400),
        ({"Upload_Metadata": told(sha256="a" * 64 + "\n")}, 400),
        ({"Upload_Metadata": "sha256 !"}, 400),
        ({"Upload_Metadata": told(sha256="a" * 64, filename="x" * 4000)}, 400),
        ({"Upload_Metadata": told(sha256="a" * 64, ahead_of="b")}, 400),
        ({"Upload_Metadata": told(sha256="a" * 64, ahead_of="b" * 64)}, 404),
    ],
)
def test_a_bad_announcement_is_refused(anna: Tablet, headers: dict[str, str], status: int) -> None:
    """S-90"""
    good = {"Upload_Length": "10", "Upload_Metadata": told(sha256="a" * 64)}
    assert ask(anna, "POST", "/sync/v1/uploads", **(good | headers)).status_code == status


@pytest.mark.parametrize("name", ["../../x.jpg", "a\x00b", "CON", "n" * 300, "снимок\u202egpj.exe"])
def test_a_name_is_a_label_and_nothing_else(app: Flask, anna: Tablet, name: str) -> None:
    """S-90: whatever a file is called, it lies under the hash of its bytes."""
    assert upload(anna, PHOTO, filename=name).status_code == 204
    folder = app.config["DATA_FOLDER"]
    kept = [path.name for path in (folder / "attachments").rglob("*") if path.is_file()]
    assert kept == [pictures.sha256(PHOTO)]


def test_the_first_bytes_may_come_with_the_announcement(anna: Tablet) -> None:
    """S-90: creation-with-upload saves a round trip."""
    header = told(sha256=pictures.sha256(PHOTO), media_type="image/jpeg")
    told_all = {"Upload_Length": str(len(PHOTO)), "Upload_Metadata": header, "Content_Type": BYTES}
    begun = ask(anna, "POST", "/sync/v1/uploads", PHOTO[:100], **told_all)
    assert (begun.status_code, begun.headers["Upload-Offset"]) == (201, "100")
    assert send(anna, begun.headers["Location"], PHOTO[100:], 100).status_code == 204
    assert receipt(anna, PHOTO)["state"] == "verified"


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_piece_with_another_checksum_is_not_kept(anna: Tablet, algorithm: str) -> None:
    """S-90"""
    place = announce(anna, PHOTO).headers["Location"]
    wrong = send(anna, place, PHOTO[:99] + b"!", Upload_Checksum=checksum(PHOTO[:100], algorithm))
    assert (wrong.status_code, wrong.json["code"]) == (460, "upload-checksum")
    assert ask(anna, "HEAD", place).headers["Upload-Offset"] == "0"
    right = send(anna, place, PHOTO[:100], Upload_Checksum=checksum(PHOTO[:100], algorithm))
    assert right.headers["Upload-Offset"] == "100"
    unknown = send(anna, place, PHOTO[100:], 100, Upload_Checksum="crc32 AAAA")
    assert (unknown.status_code, unknown.json["code"]) == (400, "checksum-algorithm")


def test_an_upload_can_be_taken_back(app: Flask, anna: Tablet) -> None:
    """S-90: its bytes go and it is no more; one that is finished stays, for a visit may name it."""
    place = announce(anna, PHOTO).headers["Location"]
    send(anna, place, PHOTO[:100])
    assert ask(anna, "DELETE", place).status_code == 204
    assert ask(anna, "DELETE", place).status_code == 204
    gone = ask(anna, "HEAD", place)
    assert gone.status_code == send(anna, place, PHOTO).status_code == 410
    assert not list((app.config["DATA_FOLDER"] / "uploads").iterdir())
    finished = announce(anna, PHOTO).headers["Location"]
    send(anna, finished, PHOTO)
    assert ask(anna, "DELETE", finished).status_code == 204
    assert receipt(anna, PHOTO)["state"] == "verified"


def test_methods_that_a_proxy_does_not_know_go_as_post(anna: Tablet) -> None:
    """S-90"""
    place = announce(anna, PHOTO).headers["Location"]
    patched = ask(anna, "POST", place, PHOTO[:9], Content_Type=BYTES, Upload_Offset="0", X_HTTP_Method_Override="PATCH")
    assert (patched.status_code, patched.headers["Upload-Offset"]) == (204, "9")
    assert ask(anna, "POST", place, X_HTTP_Method_Override="DELETE").status_code == 204
    assert ask(anna, "POST", place, X_HTTP_Method_Override="PUT").status_code == 405


def test_an_upload_that_is_never_finished_ends(app: Flask, company: SmallCompany, anna: Tablet) -> None:
    """S-90: until when is told with each answer; the tablet begins a new one, and what it has finished stays."""
    from datetime import UTC, datetime
    from email.utils import parsedate_to_datetime

    answer = announce(anna, PHOTO)
    until = parsedate_to_datetime(answer.headers["Upload-Expires"])
    assert timedelta(days=29) < until - datetime.now(UTC) < timedelta(days=31)
    place = answer.headers["Location"]
    send(anna, place, PHOTO[:100])
    done = pictures.photo(1)
    upload(anna, done)
    with app.app_context():
        assert end_unfinished(current_files(), company.id, until - timedelta(days=1)) == {"uploads_ended": 0}
        assert end_unfinished(current_files(), company.id, until + timedelta(days=1)) == {"uploads_ended": 1}
    assert ask(anna, "HEAD", place).status_code == 410
    assert receipt(anna, done)["state"] == "verified"
    assert upload(anna, PHOTO).status_code == 204


def test_a_tablet_has_a_quota_a_day_and_of_unfinished_bytes(
    anna: Tablet, boris: Tablet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S-95: beyond it 429 and when to come again; another tablet is not concerned."""
    monkeypatch.setattr(begin_upload, "MOST_A_DAY", 3)
    monkeypatch.setattr(begin_upload, "MOST_WAITING", 2 * len(PHOTO))
    for number in range(2):
        assert announce(anna, PHOTO, pictures.sha256(bytes([number]))).status_code == 201
    full = announce(anna, PHOTO, "f" * 64)
    assert (full.status_code, full.json["code"]) == (429, "too-much-waiting")
    assert int(full.headers["Retry-After"]) > 0
    monkeypatch.setattr(begin_upload, "MOST_WAITING", 10**9)
    assert announce(anna, PHOTO, "e" * 64).status_code == 201
    full = announce(anna, PHOTO, "f" * 64)
    assert (full.status_code, full.json["code"]) == (429, "too-many-files")
    assert 60 <= int(full.headers["Retry-After"]) <= 3600
    assert announce(boris, PHOTO).status_code == 201


@pytest.fixture
def setting(app: Flask) -> Iterator[dict[str, float]]:
    before = dict(app.config)
    yield app.config
    app.config.update(before)


def test_a_full_disk_takes_no_files_and_all_facts(
    app: Flask, company: SmallCompany, anna: Tablet, setting: dict[str, float]
) -> None:
    """S-95: 507 for photos while less is free than must be; the visit is closed all the same. F6"""
    with app.app_context():
        visit = company.visit()
        publish(company.id, visit, company.anna)
    anna.read()
    place = announce(anna, PHOTO).headers["Location"]
    setting["FILES_KEEP_FREE"] = 1.1
    for answer in (announce(anna, pictures.photo(1)), send(anna, place, PHOTO)):
        assert (answer.status_code, answer.json["code"]) == (507, "storage-full")
        assert "Retry-After" in answer.headers
    attach(anna, visit, PHOTO)
    anna.work(visit, "started", "done")
    assert [result["status"] for result in anna.sync()] == ["applied", "applied"]
    setting["FILES_KEEP_FREE"] = 0
    assert send(anna, place, PHOTO).status_code == 204


def test_a_company_has_a_quota(anna: Tablet, setting: dict[str, float]) -> None:
    """S-95"""
    upload(anna, PHOTO)
    setting["FILES_COMPANY_BYTES"] = len(PHOTO) + 5
    full = announce(anna, pictures.photo(1))
    assert (full.status_code, full.json["code"]) == (507, "files-quota")
    assert announce(anna, PHOTO).status_code == 201


def test_senders_beyond_the_places_come_again_later(anna: Tablet, setting: dict[str, float]) -> None:
    """S-94: threads are kept for pushes."""
    place = announce(anna, PHOTO).headers["Location"]
    setting["UPLOADS_AT_ONCE"] = 0
    busy = send(anna, place, PHOTO)
    assert (busy.status_code, busy.json["code"]) == (503, "busy")
    assert 3 <= int(busy.headers["Retry-After"]) <= 10
    setting["UPLOADS_AT_ONCE"] = 1
    assert send(anna, place, PHOTO).status_code == 204


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
