"""Compressed pushes and pulls: S-97, S-20. Bombs are answered, and cost no memory (F25)."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
from backports import zstd
from flask import Flask
from werkzeug.test import TestResponse

from schemas.entities.base import iso
from server.actions.enrol_device import make_code
from server.api import inflate
from server.problems import Problem
from tests.builders import SmallCompany, entry, publish
from tests.serving import Server
from tests.tablets import OverHttp, Tablet, enrol


def gz(data: bytes) -> bytes:
    """The same bytes at every moment, so that every process names the cases alike."""
    return gzip.compress(data, mtime=0)


ENCODERS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zstd": zstd.compress, "identity": bytes}


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


def body_of(tablet: Tablet, visit: str, notes: int = 1, text: str = "Seal is dry") -> bytes:
    for _ in range(notes):
        tablet.change(visit, add={"notes": [entry(text=text)]})
    return json.dumps({"device_time": iso(datetime.now(UTC)), "mutations": tablet.unsent()}).encode()


def push(tablet: Tablet, data: bytes, encoding: str) -> TestResponse:
    transport: Any = tablet.transport
    headers = {"Authorization": f"Bearer {tablet.state.token}", "Content-Encoding": encoding}
    answer: TestResponse = transport.client.post(
        "/sync/v1/push", data=data, headers=headers, content_type="application/json"
    )
    return answer


@pytest.mark.parametrize("encoding", ENCODERS)
def test_a_push_may_come_compressed(anna: Tablet, visit: str, encoding: str) -> None:
    """S-97"""
    answer = push(anna, ENCODERS[encoding](body_of(anna, visit)), encoding)
    assert [result["status"] for result in answer.json["results"]] == ["applied"]


def test_a_compressed_push_may_be_larger_than_a_plain_one(anna: Tablet, visit: str) -> None:
    """S-20, S-97: 1 MiB as it is sent, 8 MiB as it is read."""
    data = body_of(anna, visit, 280, "Bearing is loud at full load. " * 130)
    assert 1024 * 1024 < len(data) < 8 * 1024 * 1024
    assert push(anna, data, "identity").status_code == 413
    answer = push(anna, gzip.compress(data), "gzip")
    assert {result["status"] for result in answer.json["results"]} <= {"applied", "merged"}


@pytest.mark.parametrize(
    ("encoding", "data", "status", "code"),
    [
        ("br", b"x", 415, "not-acceptable"),
        ("gzip, gzip", gz(gz(b"{}")), 415, "not-acceptable"),
        ("gzip", b"not gzip at all", 400, "broken-encoding"),
        ("gzip", gz(b"{}" * 1000)[:-4], 400, "broken-encoding"),
        ("gzip", gz(b"{}") + b"more", 400, "broken-encoding"),
        ("gzip", b"", 400, "broken-encoding"),
        ("zstd", b"not zstd at all", 400, "broken-encoding"),
        ("zstd", zstd.compress(b"{}" * 1000)[:-1], 400, "broken-encoding"),
        ("zstd", zstd.compress(b"{}") + b"more", 400, "broken-encoding"),
        ("gzip", gz(b"[]"), 400, "broken-json"),
    ],
)
def test_what_is_not_what_it_says_is_refused(anna: Tablet, encoding: str, data: bytes, status: int, code: str) -> None:
    """S-97"""
    answer = push(anna, data, encoding)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    if status == 415:
        assert answer.headers["Accept-Encoding"] == "gzip, zstd"


@pytest.mark.parametrize("size", [16 * 1024, 64 * 1024, 64 * 1024 + 1, 8 * 1024 * 1024])
@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_all_of_a_body_comes_out_whatever_its_size(app: Flask, encoding: str, size: int) -> None:
    """S-97: pieces in and pieces out do not meet at the same bytes."""
    data = bytes(range(256)) * (size // 256) + bytes(size % 256)
    sent = ENCODERS[encoding](data)
    told = {"data": sent, "headers": {"Content-Encoding": encoding}, "method": "POST"}
    with app.test_request_context(**told):
        assert inflate.body(most_sent=len(sent), most=size) == data
    with app.test_request_context(**told), pytest.raises(Problem, match="too-large"):
        inflate.body(most_sent=len(sent), most=size - 1)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_answers_come_compressed_to_whom_can_read_that(anna: Tablet, encoding: str) -> None:
    """S-97"""
    transport: Any = anna.transport
    headers = {"Authorization": f"Bearer {anna.state.token}"}
    plain = transport.client.get("/sync/v1/pull", headers=headers)
    small = transport.client.get("/sync/v1/pull", headers=headers | {"Accept-Encoding": encoding})
    assert small.headers["Content-Encoding"] == encoding
    inflated = gzip.decompress(small.data) if encoding == "gzip" else zstd.decompress(small.data)
    assert json.loads(inflated)["changes"] == plain.json["changes"]
    assert len(small.data) < len(plain.data) / 2


ZEROS = 200_000_000


def gzip_zeros() -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(1_000_000)) for _ in range(ZEROS // 1_000_000)) + packer.flush()


def wide_zstd() -> bytes:
    """A frame that asks its reader for a window of 128 MiB."""
    options = {zstd.CompressionParameter.window_log: 27, zstd.CompressionParameter.enable_long_distance_matching: 1}
    return zstd.compress(os.urandom(100_000) * 5, options=options)


def parts(part: bytes) -> bytes:
    return gzip.compress(b'{"mutations":[' + part * (7_900_000 // len(part)) + b"0]}")


BOMBS: dict[str, tuple[str, Callable[[], bytes], int]] = {
    "gzip": ("gzip", gzip_zeros, 413),
    "zstd": ("zstd", lambda: zstd.compress(bytes(ZEROS)), 413),
    "gzip in gzip": ("gzip", lambda: gzip.compress(gzip_zeros()), 400),
    "wide window": ("zstd", wide_zstd, 400),
    "empty objects": ("gzip", lambda: parts(b"{},"), 413),
    "nested lists": ("gzip", lambda: gzip.compress(b"[" * 7_900_000), 413),
    "short texts": ("gzip", lambda: parts(b'"a",'), 413),
}


@pytest.fixture(scope="module")
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Tablet, psutil.Process]]:
    """A server of one process, one of Anna's tablets on it, and the process."""
    from server.app import create_app
    from server.extensions import db
    from tests.conftest import copied

    folder: Path = tmp_path_factory.mktemp("bombs")
    company = request.getfixturevalue("sqlite_company").company
    with copied(request, "sqlite", "company", folder) as url:
        app = create_app({"DATABASE_URL": url, "DATA_FOLDER": folder, "TESTING": True})
        with app.app_context():
            code = make_code(company.id, company.anna, user_id=None, now=datetime.now(UTC)).code
            db.session.remove()
            db.engine.dispose()
        server = Server(url, folder)
        server.start()
        tablet = Tablet(OverHttp(server.url))
        tablet.enrol(code, device_name="Tablet")
        tablet.read()
        assert server.process is not None
        (worker,) = psutil.Process(server.process.pid).children()
        yield server, tablet, worker
        server.kill()


@pytest.mark.parametrize("bomb", BOMBS)
def test_f25_a_bomb_is_answered_and_costs_no_memory(running: tuple[Server, Tablet, psutil.Process], bomb: str) -> None:
    """S-97: the connection that it came by goes on, and the process is not 32 MiB larger for it. F25"""
    server, tablet, worker = running
    encoding, make, status = BOMBS[bomb]
    data = make()
    assert len(data) < 1024 * 1024
    wire = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    headers = {"Authorization": f"Bearer {tablet.state.token}", "Content-Type": "application/json"}
    before = worker.memory_info().rss
    for _ in range(3):
        wire.request("POST", "/sync/v1/push", data, headers | {"Content-Encoding": encoding})
        answer = wire.getresponse()
        assert answer.status == status
        assert json.loads(answer.read())["code"]
    assert worker.memory_info().rss - before < 32 * 1024 * 1024
    wire.request("GET", "/sync/v1/pull", headers=headers)
    assert wire.getresponse().status == 200
    wire.close()


def test_f25_a_body_without_an_end_is_cut_off(running: tuple[Server, Tablet, psutil.Process]) -> None:
    """S-97: chunk follows chunk; after 1 MiB the answer is there, while the client still sends. F25"""
    server, tablet, worker = running
    before = worker.memory_info().rss
    wire = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    wire.putrequest("POST", "/sync/v1/push")
    for name, value in (
        ("Authorization", f"Bearer {tablet.state.token}"),
        ("Content-Type", "application/json"),
        ("Transfer-Encoding", "chunked"),
    ):
        wire.putheader(name, value)
    wire.endheaders()
    chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    try:
        for _ in range(40 * 1024 // 64):
            wire.send(chunk)
    except OSError:
        pass
    answer = wire.getresponse()
    assert answer.status == 413
    wire.close()
    assert worker.memory_info().rss - before < 32 * 1024 * 1024
