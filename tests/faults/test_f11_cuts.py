"""F10, F11, F12: connections that end at a byte, hang, lose the answer, or bring all once more: S-23, S-27, S-50."""

from __future__ import annotations

import copy
import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from schemas.entities.base import iso
from server.app import create_app
from server.extensions import db
from sync.client import Offline
from tests import pictures, uploads
from tests.builders import SmallCompany, change
from tests.conftest import DATABASES, copied
from tests.faults.cuts import Request, cut_answer, cut_sent, exchange
from tests.faults.load import some_tablets, write_note
from tests.faults.proxy import Fault, FaultProxy
from tests.faults.wholeness import unwhole
from tests.serving import Server
from tests.tablets import OverHttp, Tablet

CUTS = int(os.environ.get("ROUNDS_TEST_CUTS", "500"))
"""So many of F11 in all, over both databases, four kinds of request, and both ways; 0 for each byte."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A running server, and a proxy before it."""

    server: Server
    proxy: FaultProxy
    app: Flask
    company: SmallCompany

    def tablet(self) -> tuple[Tablet, str]:
        """A tablet that talks through the proxy, and its visit."""
        (tablet,), visit = some_tablets(self.app, self.company, self.server.url, 1)
        through = Tablet(OverHttp(self.proxy.url, timeout_s=20), tablet.state)
        return through, visit

    def unwhole(self) -> list[str]:
        with self.app.app_context():
            found = unwhole(self.company.id)
            db.session.remove()
        return found


@pytest.fixture(scope="module", params=DATABASES)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder: Path = tmp_path_factory.mktemp("cuts")
    template = request.getfixturevalue(f"{request.param}_company")
    with copied(request, request.param, "company", folder) as url:
        server = Server(url, folder)
        server.start()
        app = create_app({"DATABASE_URL": url, "DATA_FOLDER": folder, "TESTING": True})
        with FaultProxy(server.port) as proxy:
            yield Place(server=server, proxy=proxy, app=app, company=copy.deepcopy(template.company))
        server.kill()
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def places(length: int) -> range:
    """Where to cut something of this length: spread over all of it, its first and its last byte among them."""
    if not CUTS:
        return range(length)
    # Two databases, four requests, two ways.
    return range(0, length, max(1, length // (CUTS // 16)))


def pushing(tablet: Tablet) -> Request:
    body = {"device_time": iso(datetime.now(UTC)), "mutations": tablet.unsent()}
    return Request(method="POST", path="/sync/v1/push", token=tablet.state.token, body=json.dumps(body).encode())


def test_f11_a_push_that_is_cut_at_any_byte_has_its_effect_once(place: Place) -> None:
    tablet, visit = place.tablet()
    write_note(tablet, visit)
    request = pushing(tablet)
    cuts = cut_sent(place.proxy, request, places(len(request.bytes)))
    assert tablet.transport("GET", "/sync/v1/mutations")[1]["mutations"] == []
    whole = exchange(place.server.port, request)
    assert whole.status == 200
    for n in places(len(whole.bytes)):
        # Each of these is a new edit: the answer that does not arrive is its first.
        write_note(tablet, visit)
        cuts += cut_answer(place.proxy, pushing(tablet), [n])
    tablet.sync()
    notes = [entry["id"] for entry in tablet.body(visit)["notes"]]
    assert len(notes) == len(set(notes)) == 1 + len(places(len(whole.bytes)))
    assert tablet.unsent() == []
    assert place.unwhole() == []
    assert cuts >= (CUTS // 8 if CUTS else len(request.bytes))


def test_f11_a_pull_that_is_cut_at_any_byte_is_pulled_again(place: Place) -> None:
    tablet, _ = place.tablet()
    known = copy.deepcopy(tablet.state.documents)
    tablet.state.documents, tablet.state.cursor = {}, None
    request = Request(method="GET", path="/sync/v1/pull?limit=5", token=tablet.state.token)
    cut_sent(place.proxy, request, places(len(request.bytes)))
    whole = exchange(place.server.port, request)
    for n in places(len(whole.bytes)):
        place.proxy.next(Fault(cut_answer=n))
        before = tablet.save()
        with pytest.raises(Offline):
            tablet.pull(5)
        assert tablet.save() == before, "half an answer changed what the tablet knows"
    tablet.read(5)
    assert tablet.state.documents == known


def test_f11_a_photo_that_is_cut_at_any_byte_goes_on_where_it_was(place: Place) -> None:
    """Each PATCH sends all that is missing and is cut at a byte of the request, or of the answer."""
    tablet, _ = place.tablet()
    data = pictures.large_photo(int(uuid.uuid4().int % 1000), 4_000)
    told = (("Tus-Resumable", "1.0.0"), ("Upload-Length", str(len(data))))
    metadata = uploads.told(sha256=pictures.sha256(data), media_type="image/jpeg")
    begin = Request(
        method="POST", path="/sync/v1/uploads", token=tablet.state.token, headers=(*told, ("Upload-Metadata", metadata))
    )
    made = exchange(place.server.port, begin)
    assert made.status == 201
    where = next(line for line in made.bytes.split(b"\r\n") if line.lower().startswith(b"location:"))
    path = "/sync" + where.decode().partition("/sync")[2]

    def patch(offset: int) -> Request:
        headers = (("Tus-Resumable", "1.0.0"), ("Upload-Offset", str(offset)), ("Content-Type", uploads.BYTES))
        return Request(method="PATCH", path=path, token=tablet.state.token, body=data[offset:], headers=headers)

    def reached() -> int:
        head = Request(method="HEAD", path=path, token=tablet.state.token, headers=(("Tus-Resumable", "1.0.0"),))
        lines = exchange(place.server.port, head).bytes.split(b"\r\n")
        return int(next(line for line in lines if line.lower().startswith(b"upload-offset:")).split(b":")[1])

    at, head = 0, len(patch(0).bytes) - len(data)
    for n in places(head + len(data)):
        # What follows the head of this request is what is still missing.
        cut_sent(place.proxy, patch(at), [min(n, head) if n < head else head + max(n - head - at, 0)])
        now = reached()
        assert at <= now <= max(at, n)
        at = now
    assert exchange(place.server.port, patch(at)).status == 204
    _, receipt = tablet.transport("GET", f"/sync/v1/attachments/{pictures.sha256(data)}/receipt")
    assert receipt["state"] == "verified"


def test_f11_a_stream_that_is_cut_at_any_byte_is_opened_again_and_says_what_was_missed(place: Place) -> None:
    """The news of an edit is told to who comes back, with the cursor that was pulled. S-142"""
    tablet, visit = place.tablet()
    path = f"/sync/v1/stream?cursor={tablet.state.cursor}"
    request = Request(method="GET", path=path, token=tablet.state.token)
    cut_sent(place.proxy, request, places(len(request.bytes)))
    with place.app.app_context():
        from server.store.models import Visit

        change(Visit, place.company.id, visit, title=str(uuid.uuid4()))
        db.session.remove()
    told = exchange(place.server.port, request, until=b"data: {}").bytes
    assert b"event: news" in told
    for n in places(len(told)):
        cut_answer(place.proxy, request, [n])
    assert b"event: news" in exchange(place.server.port, request, until=b"data: {}").bytes


def test_f12_lost_late_and_repeated_answers_change_nothing(place: Place) -> None:
    """The server answered and nothing of it came; others wrote meanwhile; all comes again, late and reordered."""
    (tablet, other), visit = some_tablets(place.app, place.company, place.server.url, 2)
    with FaultProxy(place.server.port, record=True) as proxy:
        lossy = Tablet(OverHttp(proxy.url), tablet.state)
        written = lost_late_and_repeated(place, proxy, lossy, other, visit)
    other.read()
    notes = [entry["id"] for entry in other.body(visit)["notes"]]
    assert set(written) <= set(notes)
    assert len(notes) == len(set(notes)) == 24
    assert place.unwhole() == []


def lost_late_and_repeated(place: Place, proxy: FaultProxy, tablet: Tablet, other: Tablet, visit: str) -> list[str]:
    """What the tablet wrote, when every answer to its pushes was lost first, and all of them came again later."""
    written = []
    for n in range(12):
        written.append(write_note(tablet, visit))
        tablet.change(visit, set={"work_summary": f"tablet {n}"})
        proxy.next(Fault(cut_answer=0, duplicate=n % 2 == 0))
        with pytest.raises(Offline):
            tablet.send()
        with place.app.app_context():
            from server.store.models import Site

            change(Site, place.company.id, place.company.sites[0], access_note=f"office {n}")
            db.session.remove()
        write_note(other, visit)
        other.sync()
        results = tablet.send(most=2)
        assert [result.get("repeated") for result in results] == [True, True]
        assert results[1]["version"] is not None
    before = stored(place, visit)
    late = proxy.replay()
    assert len(late) >= 24
    assert stored(place, visit) == before
    return written


def stored(place: Place, visit: str) -> Any:
    """The document as it is stored, with its version."""
    from server.store import documents

    with place.app.app_context():
        found = documents.stored(place.company.id, visit)
        db.session.remove()
    return found


def test_f10_a_half_open_connection_costs_nothing_but_time(place: Place) -> None:
    """A push, a pull and a photo hang half-way; the tablet goes on by another connection, and what hung comes late."""
    tablet, visit = place.tablet()
    impatient = Tablet(OverHttp(place.proxy.url, timeout_s=0.5), tablet.state)
    write_note(impatient, visit)
    request = pushing(impatient)
    for fault in (Fault(cut_sent=len(request.bytes) // 2, how="hang"), Fault(cut_answer=20, how="hang")):
        place.proxy.next(fault)
        with pytest.raises(Offline):
            impatient.send()
        assert place.proxy.wait_hung()
    place.proxy.next(Fault(cut_answer=20, how="hang"))
    cursor = impatient.state.cursor
    with pytest.raises(Offline):
        impatient.pull()
    assert impatient.state.cursor == cursor
    patient = Tablet(OverHttp(place.proxy.url), impatient.state)
    (result,) = patient.send()
    assert result["status"] in ("applied", "merged")
    before = stored(place, visit)
    place.proxy.release()
    patient.read()
    assert len(patient.body(visit)["notes"]) == 1
    assert stored(place, visit) == before
