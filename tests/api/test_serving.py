"""What a process that serves brings into its memory."""

from __future__ import annotations

import os
import subprocess
import sys

from server.config import ROOT

UNNEEDED = ("alembic", "apscheduler", "numpy", "psycopg", "rich", "segno", "server.cli", "server.demo")


def test_a_process_that_serves_loads_nothing_that_only_commands_and_plans_need(tmp_path):
    script = f"import sys, wsgi; print(*[name for name in {UNNEEDED} if name in sys.modules])"
    environment = os.environ | {
        "WEB_COMMANDS": "0",
        "DATABASE_URL": f"sqlite:///{tmp_path}/a.db",
        "ROUNDS_DATA": str(tmp_path),
    }

    told = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )

    assert told.stdout.split() == []


def test_the_processes_of_gunicorn_are_told_so():
    told = subprocess.run(
        [sys.executable, "-c", "import os, server.gunicorn_conf; print(os.environ['WEB_COMMANDS'])"],
        cwd=ROOT, env={key: value for key, value in os.environ.items() if key != "WEB_COMMANDS"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert told.stdout.strip() == "0"
