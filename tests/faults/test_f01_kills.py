"""F1: the server is killed at random under load, and started again. S-19, S-23, S-27 (laws 2, 3 and 4)."""

from __future__ import annotations

import os
from pathlib import Path

from flask import Flask

from tests.builders import SmallCompany
from tests.faults.load import Load, some_tablets
from tests.faults.restarted import RestartedServer
from tests.faults.wholeness import unwhole

KILLS = int(os.environ.get("ROUNDS_TEST_KILLS", "10"))
DEVICES = 3


def test_f1_nothing_acknowledged_is_lost_and_nothing_is_doubled_when_the_server_is_killed(
    app: Flask, company: SmallCompany, database_url: str, tmp_path: Path
) -> None:
    """Three tablets push all the time; all processes of the server are killed, and are there again; all is counted."""
    server = RestartedServer(database_url, tmp_path, workers=2)
    server.start()
    try:
        tablets, visit = some_tablets(app, company, server.url, DEVICES)
        with Load(tablets, visit, server) as load:
            for _ in range(KILLS):
                load.pushes(DEVICES)
                server.kill_once()
                load.forget_pushes()
            load.pushes(DEVICES)
        load.settle()
    finally:
        server.kill()
    assert len(load.acknowledged) >= KILLS * DEVICES
    with app.app_context():
        assert unwhole(company.id) == []
