"""What is written about the API is true: each example of docs/api.md runs, and the page needs nobody else."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.api import docs_page
from server.api.door import PLAIN_TEXT
from tests.api.conftest import AtWork, Calm
from tests.builders import PASSWORD

TEXT = (Path(__file__).resolve().parent.parent.parent / "docs" / "api.md").read_text("utf-8")
REFUSED = "colour"
"""The one example that is to be refused sends this field."""


def commands() -> list[str]:
    """The lines of all shell examples."""
    blocks = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    return [line for block in blocks for line in block.strip().splitlines()]


def curl(client: FlaskClient, words: list[str]) -> TestResponse:
    """What curl would do with these words."""
    method, url, body, headers = None, "", None, {}
    rest = iter(words[1:])
    for word in rest:
        if word == "-X":
            method = next(rest)
        elif word == "-H":
            name, _, value = next(rest).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(rest)
        elif not word.startswith("-"):
            url = word
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return client.open(path, method=method or ("POST" if body else "GET"), data=body, headers=headers)


def value_at(answer: Any, path: str) -> str:
    """What jq finds: names, and numbers in brackets."""
    for name, index in re.findall(r"\.(\w+)(?:\[(\d+)\])?", path):
        answer = answer[name]
        answer = answer[int(index)] if index else answer
    return str(answer)


def expanded(line: str, known: dict[str, str]) -> list[str]:
    """The words of a line with its variables; like a shell, none are filled in between single quotes."""
    quoted = re.split(r"('[^']*')", line)
    filled = [
        part if part.startswith("'") else re.sub(r"\$(\w+)", lambda found: known[found[1]], part) for part in quoted
    ]
    return shlex.split("".join(filled))


def test_each_example_of_the_documentation_runs(at_work: AtWork, client: FlaskClient) -> None:
    client = client.application.test_client(use_cookies=False)
    known = {"ROUNDS": "http://127.0.0.1:8000"}
    ran = 0
    for line in commands():
        if line.startswith("export "):
            continue
        taken = re.fullmatch(r"(\w+)=\$\((curl .*) \| jq -r '(.+)'\)", line)
        words = expanded(taken[2] if taken else line, known)
        words = [
            word.replace("dispatcher@rounds.example", "dispatcher@small.example").replace("rounds-demo", PASSWORD)
            for word in words
        ]
        answer = curl(client, words)
        if REFUSED in line:
            assert answer.status_code == 422, line
            assert answer.json["title"] in TEXT
            continue
        assert answer.status_code < 300, (line, answer.text)
        if taken:
            known[taken[1]] = value_at(answer.json, taken[3])
        ran += 1
    assert ran > 15


def test_each_path_and_parameter_that_is_named_exists(calm: Calm) -> None:
    described = calm.client.get("/api/openapi.json").json
    patterns = {re.sub(r"{\w+}", "[^/]+", path): path for path in described["paths"]}
    named = set(re.findall(r"(/api/v1/[^\s\"'`|)]+)", TEXT))
    assert len(named) > 10
    for address in named:
        path, _, query = address.partition("?")
        found = [patterns[one] for one in patterns if re.fullmatch(one, path)]
        assert found, path
        known = {one["name"] for one in described["paths"][found[0]].get("get", {}).get("parameters", ())}
        assert {pair.split("=")[0] for pair in query.split("&") if query} <= known, address


def test_the_page_and_its_files_come_from_here_under_the_sites_policy(calm: Calm) -> None:
    for language in ("en", "ru"):
        page = calm.client.get("/api/docs", headers={"Accept-Language": language})
        assert page.status_code == 200
        assert f'<html lang="{language}">' in page.text
        assert "script-src 'self'" in page.headers["Content-Security-Policy"]
        for address in re.findall(r'(?:src|href)="([^"]+)"', page.text):
            assert address.startswith("/")
            assert calm.client.get(address, buffered=True).status_code == 200
    for name in docs_page.FILES:
        text = (docs_page.FOLDER / name).read_text("utf-8")
        assert not re.findall(r"https?://|innerHTML|eval\(", text)
    assert calm.client.get("/api/docs/__init__.py").status_code == 404


def test_every_operation_is_described_whole(calm: Calm) -> None:
    described = calm.client.get("/api/openapi.json").json
    assert described["openapi"].startswith("3.1")
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            if method == "parameters":
                continue
            label = f"{method} {path}"
            assert operation["summary"], label
            assert operation["tags"], label
            failing = {status for status in operation["responses"] if status >= "400"}
            assert "503" in failing, label
            for status in failing:
                content = operation["responses"][status]["content"]
                if path.startswith(PLAIN_TEXT):
                    assert content == {"text/plain": {"schema": {"type": "string"}}}, label
                else:
                    assert content["application/problem+json"]["schema"]["$ref"].endswith("/Problem"), label
            if operation.get("security"):
                assert "401" in failing, label
            if "requestBody" in operation:
                assert all(body["schema"] for body in operation["requestBody"]["content"].values()), label
                assert {"400", "413", "415", "422"} <= failing, label
