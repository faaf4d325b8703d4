"""tus-js-client, as it is published, against real servers over bad networks: S-50, S-90, S-94.

Run for each database with files on the local disk, and once with a store that speaks S3.
"""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from server.actions.enrol_device import make_code
from server.app import create_app
from server.extensions import db
from tests import pictures, s3
from tests.builders import SmallCompany
from tests.conftest import copied
from tests.faults.proxy import Fault, FaultProxy
from tests.serving import ROOT, Server
from tests.tablets import OverHttp, Tablet

NODE = shutil.which("node")
PLACES = ["sqlite-local", pytest.param("postgresql-local", marks=pytest.mark.postgresql), "sqlite-s3"]
pytestmark = [
    pytest.mark.skipif(NODE is None or not (ROOT / "node_modules" / "tus-js-client").is_dir(), reason="needs Node"),
]


@dataclass
class Place:
    """A running server on a database of its own, and the company in it."""

    server: Server
    app: Flask
    company: SmallCompany

    @property
    def url(self) -> str:
        return self.server.url

    def tablet(self) -> Tablet:
        """Anna's, enrolled anew."""
        with self.app.app_context():
            code = make_code(self.company.id, self.company.anna, user_id=None, now=datetime.now(UTC)).code
            db.session.remove()
        tablet = Tablet(OverHttp(self.url))
        tablet.enrol(code, device_name="Tablet")
        return tablet


@pytest.fixture(scope="module", params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One server for all tests of this file; each sends files of its own."""
    dialect, _, where = request.param.partition("-")
    folder = tmp_path_factory.mktemp(request.param)
    template = request.getfixturevalue(f"{dialect}_company")
    with ExitStack() as stack:
        url = stack.enter_context(copied(request, dialect, "company", folder))
        settings = (
            {"FILES": f"s3://{s3.BUCKET}/rounds"} | stack.enter_context(s3.server(folder)) if where == "s3" else {}
        )
        server = Server(url, folder, settings=settings)
        server.start()
        stack.callback(server.kill)
        app = create_app({"DATABASE_URL": url, "DATA_FOLDER": folder, "TESTING": True})
        yield Place(server=server, app=app, company=copy.deepcopy(template.company))
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def anna(place: Place) -> Tablet:
    return place.tablet()


class Stock:
    """A file and the stock client that sends it."""

    def __init__(self, tablet: Tablet, folder: Path, data: bytes, **metadata: str) -> None:
        self.tablet, self.data = tablet, data
        self.file = folder / f"{pictures.sha256(data)[:8]}.jpg"
        self.file.write_bytes(data)
        self.metadata = {"sha256": pictures.sha256(data), "filename": "Photo.jpg", "filetype": "image/jpeg"} | metadata

    def begin(self, url: str, **told: Any) -> subprocess.Popen[str]:
        """Start sending to the server at `url`."""
        command = {"endpoint": f"{url}/sync/v1/uploads", "token": self.tablet.state.token, "file": str(self.file)}
        command |= {"metadata": self.metadata} | told
        assert NODE is not None
        return subprocess.Popen(
            [NODE, "tests/web/stock-tus.mjs", json.dumps(command)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )

    def send(self, url: str, **told: Any) -> list[dict[str, Any]]:
        """Send to the end; all that happened."""
        with self.begin(url, **told) as process:
            out, _ = process.communicate(timeout=60)
        return [json.loads(line) for line in out.splitlines()]

    @property
    def receipt(self) -> Any:
        _, answer = self.tablet.transport("GET", f"/sync/v1/attachments/{self.metadata['sha256']}/receipt")
        return answer


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"chunkSize": 20_000},
        {"uploadDataDuringCreation": True},
        {"uploadDataDuringCreation": True, "chunkSize": 20_000, "overridePatchMethod": True},
    ],
    ids=["as it comes", "in pieces", "with the announcement", "by POST alone"],
)
def test_the_stock_client_sends_a_photo(place: Place, anna: Tablet, tmp_path: Path, options: dict[str, Any]) -> None:
    """S-90: with its defaults and with what it can be told."""
    photo = Stock(anna, tmp_path, pictures.large_photo(1, 90_001))
    assert photo.send(place.url, options=options)[-1] == {"event": "success"}
    assert photo.receipt["state"] == "verified"


def test_the_largest_file_goes_in_one_piece(place: Place, anna: Tablet, tmp_path: Path) -> None:
    """S-90: the stock client sends all in one request unless it is told otherwise."""
    photo = Stock(anna, tmp_path, pictures.PDF + bytes(25_000_000 - len(pictures.PDF)), filetype="application/pdf")
    assert photo.send(place.url)[-1] == {"event": "success"}
    assert photo.receipt["state"] == "verified"


def test_a_cut_at_any_byte_costs_nothing_but_time(place: Place, anna: Tablet, tmp_path: Path) -> None:
    """S-50: connections end in the announcement, in headers, in the photo and in answers; in the end all is there.

    Each cut is on a connection of its own: 60 in what is sent, at bytes 0 to 2,301, and 40 in what is answered.
    """
    photo = Stock(anna, tmp_path, pictures.large_photo(2, 60_000))
    with FaultProxy(place.server.port) as proxy:
        proxy.next(*(Fault(cut_sent=at, how="reset" if at % 2 else "close") for at in range(0, 2_340, 39)))
        proxy.next(*(Fault(cut_answer=at) for at in range(0, 400, 10)))
        happened = photo.send(proxy.url, retries=200)
        assert happened[-1] == {"event": "success"}, happened[-3:]
        assert proxy.connections > 100
    assert photo.receipt["state"] == "verified"


def test_a_server_that_is_killed_in_the_middle_goes_on_where_it_was(place: Place, anna: Tablet, tmp_path: Path) -> None:
    """S-50: kill -9 while a piece arrives; what was on disk is not sent again."""
    data = pictures.large_photo(3, 1_200_000)
    photo = Stock(anna, tmp_path, data)
    with FaultProxy(place.server.port, rate=600_000) as proxy:
        client = photo.begin(proxy.url, retries=100, retryMs=100)
        wait_until(lambda: proxy.sent > len(data) / 2)
        place.server.kill()
        place.server.start()
        out, _ = client.communicate(timeout=60)
        assert out.splitlines()[-1] == '{"event":"success"}'
        assert proxy.sent < 1.5 * len(data)
    assert photo.receipt["state"] == "verified"


def test_a_half_open_connection_does_not_keep_the_upload(place: Place, anna: Tablet, tmp_path: Path) -> None:
    """S-94: the tablet's network is gone without a word; it comes again by another way and goes on. F10"""
    photo = Stock(anna, tmp_path, pictures.large_photo(4, 200_000))
    with FaultProxy(place.server.port) as proxy:
        proxy.next(Fault(), Fault(cut_sent=100_000, how="hang"))
        first = photo.begin(proxy.url, options={"chunkSize": 50_000})
        assert first.stdout is not None
        url = json.loads(first.stdout.readline())["url"]
        # The announcement's connection is kept and used on; end it so that the next one hangs.
        proxy.cut_all()
        first.kill()
        first.communicate()
        second = photo.begin(proxy.url, resume=url)
        assert proxy.wait_hung()
        second.kill()
        second.communicate()
        assert photo.send(place.url, resume=url)[-1] == {"event": "success"}
    assert photo.receipt["state"] == "verified"


def test_the_stock_client_takes_an_upload_back(place: Place, anna: Tablet, tmp_path: Path) -> None:
    """S-90: termination."""
    photo = Stock(anna, tmp_path, pictures.large_photo(5, 90_000))
    happened = photo.send(place.url, abortAfter=20_000, options={"chunkSize": 20_000})
    assert happened[-1] == {"event": "aborted"}
    assert photo.receipt["code"] == "not-found"


def test_the_stock_client_hears_that_other_bytes_came(place: Place, anna: Tablet, tmp_path: Path) -> None:
    """S-51"""
    photo = Stock(anna, tmp_path, pictures.photo(6), sha256="0" * 64)
    (error,) = [one for one in photo.send(place.url) if one["event"] == "error"]
    assert (error["status"], json.loads(error["body"])["code"]) == (460, "upload-hash")


def wait_until(is_so: Any, patience_s: float = 30.0) -> None:
    deadline = time.monotonic() + patience_s
    tick = threading.Event()
    while not is_so():
        assert time.monotonic() < deadline
        tick.wait(0.005)
