"""Errors in the form that each can read: a page for browsers, a problem for programs, the web server's own too."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import NOBODY, problem
from tests.builders import Office, SmallCompany
from tests.serving import Server

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("language", "title", "office"),
    [("en-GB", "Not found", "To the office’s pages"), ("ru", "Не найдено", "К страницам офиса")],
)
def test_a_browser_gets_a_page_in_its_language(client: FlaskClient, language: str, title: str, office: str) -> None:
    answer = client.get("/nonsense", headers={"Accept": BROWSER, "Accept-Language": language})
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert f"<h1>{title}</h1>" in answer.text
    assert f'<a href="/">{office}</a>' in answer.text
    assert '<a href="/tablet/">' in answer.text
    assert "Content-Security-Policy" in answer.headers
    assert {"Accept", "Accept-Language"} <= set(answer.vary)


@pytest.mark.parametrize(
    "accept", ["*/*", "application/json", "application/problem+json, */*;q=0.1", "text/html;q=0", ""]
)
def test_a_program_gets_a_problem(client: FlaskClient, accept: str) -> None:
    problem(client.get("/nonsense", headers={"Accept": accept}), 404, "not-found")
    problem(client.get("/api/v1/nonsense", headers={"Accept": accept}), 404, "not-found")


def test_the_protocol_of_tablets_has_no_pages(client: FlaskClient) -> None:
    problem(client.get("/sync/v1/pull", headers={"Accept": BROWSER}), 401, "unauthenticated")


def test_nothing_that_was_asked_for_stands_unescaped_in_a_page(client: FlaskClient) -> None:
    answer = client.get("/<script>alert(1)</script>?x=<b>", headers={"Accept": BROWSER})
    assert "<script>alert" not in answer.text


def test_a_cache_is_told_when_the_language_decides(dispatcher: Office) -> None:
    """Sentences are in the reader's language; documents are the same for all."""
    assert "Accept-Language" in dispatcher.get(f"/api/v1/visits/{NOBODY}").vary
    assert (
        "Accept-Language" in dispatcher.get("/api/v1/occurrences").vary
        or not dispatcher.get("/api/v1/occurrences").json["items"]
    )
    assert "Accept-Language" not in dispatcher.get("/api/v1/sites").vary


def test_the_office_sees_with_which_address_a_technician_signs_in(
    client: FlaskClient, company: SmallCompany, dispatcher: Office
) -> None:
    people = {one["name"]: one["email"] for one in dispatcher.get("/api/v1/technicians").json["items"]}
    assert people == {"Anna": "anna@small.example", "Boris": "boris@small.example"}
    assert dispatcher.get(f"/api/v1/technicians/{company.anna}").json["email"] == "anna@small.example"
    made = dispatcher.patch(f"/api/v1/technicians/{company.anna}", json={"email": "x@y.example"})
    assert made.status_code == 422, "an account's address is no field of the document"
    anna = company.sign_in(client, "anna@small.example")
    problem(anna.get("/api/v1/technicians"), 403, "forbidden")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real server; what it refuses itself does not depend on the database."""
    folder = tmp_path_factory.mktemp("served")
    running = Server(f"sqlite:///{folder / 'rounds.db'}", folder)
    running.flask("db", "upgrade")
    running.start()
    yield running
    running.stop()


def said(server: Server, sent: bytes) -> tuple[int, str, dict[str, object]]:
    """Status, media type and body of the answer to these bytes."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as line:
        line.sendall(sent)
        with line.makefile("rb") as answer:
            status = int(answer.readline().split()[1])
            headers = {}
            while (text := answer.readline().strip()) != b"":
                name, _, value = text.decode().partition(":")
                headers[name.lower()] = value.strip()
            body = answer.read(int(headers["content-length"]))
    return status, headers["content-type"], json.loads(body)


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "address-too-long"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", 431, "headers-too-large"),
        (b"nonsense\r\n\r\n", 400, "bad-request"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nBad Header: 1\r\n\r\n", 400, "bad-request"),
    ],
)
def test_the_web_server_itself_answers_with_a_problem(server: Server, sent: bytes, status: int, code: str) -> None:
    found, kind, told = said(server, sent)
    assert (found, kind, told["code"], told["status"]) == (status, "application/problem+json", code, status)


@pytest.mark.parametrize("path", ["/api/v1/auth/login", "/sync/v1/enrol"])
def test_twenty_megabytes_in_chunks_are_as_much_too_large_as_with_a_length(server: Server, path: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    found, _, told = said(server, f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunk * 20 + b"0\r\n\r\n")
    assert (found, told["code"]) == (413, "too-large")
