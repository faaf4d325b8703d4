"""F13: the network comes and goes and tablets are killed; then silence: all is sent, and all replicas are equal."""

from __future__ import annotations

import os
from pathlib import Path

from flask import Flask

from tests.builders import SmallCompany
from tests.faults.flapping import Flapping
from tests.faults.wholeness import unwhole
from tests.serving import Server

RUNS = int(os.environ.get("ROUNDS_TEST_FLAPS", "10"))
"""On each database."""


def test_f13_after_a_network_that_comes_and_goes_everybody_is_home_and_all_replicas_are_equal(
    app: Flask, company: SmallCompany, database_url: str, tmp_path: Path
) -> None:
    server = Server(database_url, tmp_path)
    server.start()
    try:
        fleet = Flapping(app, company, server, tmp_path, seed=1)
        for run in range(RUNS):
            assert (run, fleet.run()) == (run, [])
    finally:
        server.kill()
    assert fleet.kills >= RUNS
    with app.app_context():
        assert unwhole(company.id) == []
