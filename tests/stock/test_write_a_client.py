"""The examples of docs/how-to/write-a-client.md are programs; each is run, and the office sees what it did."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask

from server.actions.enrol_device import make_code
from tests.builders import PASSWORD, SmallCompany, publish
from tests.serving import ROOT, Server
from tests.stock.test_stock_clients import node

HOW_TO = ROOT / "docs" / "how-to"
TEXT = (HOW_TO / "write-a-client.md").read_text("utf-8")
WAYS = {"Native": "python", "RxDB": "js", "WatermelonDB": "js"}
SAYS = {"Native": "applied Side door\n", "RxDB": "pushed Side door\n", "WatermelonDB": "synced Side door\n"}


def example(way: str) -> str:
    """The one program of a chapter."""
    chapter = TEXT.split(f"\n## {way}\n")[1].split("\n## ")[0]
    (program,) = re.findall(rf"```{WAYS[way]}\n(.*?)```", chapter, re.S)
    return str(program)


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[Server]:
    running = Server(database_url, tmp_path)
    running.start()
    try:
        yield running
    finally:
        running.kill()


@pytest.mark.node
def test_each_way_of_the_how_to_works(app: Flask, company: SmallCompany, server: Server, tmp_path: Path) -> None:
    """S-111, S-116, S-130: one after the other on one server, each on a tablet of its own and a site of its own."""
    shutil.copy(HOW_TO / "stock-clients.mjs", tmp_path)
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    dispatcher = server.sign_in("dispatcher@small.example", PASSWORD)
    for way, technician, site in zip(WAYS, (company.anna, company.boris, company.anna), company.sites, strict=True):
        with app.app_context():
            visit = company.visit(site_id=site)
            publish(company.id, visit, technician)
            code = make_code(company.id, technician, user_id=None, now=datetime.now(UTC)).code
        file = tmp_path / ("example.py" if WAYS[way] == "python" else "example.mjs")
        file.write_text(example(way), "utf-8")
        settings = {"ROUNDS_URL": server.url, "ROUNDS_CODE": code}
        if WAYS[way] == "js":
            done = node(str(file), **settings)
        else:
            environment = os.environ | settings | {"PYTHONPATH": str(ROOT)}
            command = [sys.executable, str(file)]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.stdout.endswith(SAYS[way]), done.stdout + done.stderr
        said = server.call("GET", f"/api/v1/sites/{site}", token=dispatcher)[1]["access_note"]
        assert said == "Side door", way
        with app.app_context():
            publish(company.id, visit, None)
