"""Before the first start: migrate, and load the demo company where there is no company yet."""

from __future__ import annotations

import subprocess
import sys

import flask_migrate

from server.app import create_app
from server.store import health


def main() -> int:
    """Bring the database to the newest migration; exit code of the demo's loader, 0 when there is a company."""
    app = create_app()
    with app.app_context():
        flask_migrate.upgrade()
        if "company" not in health.missing():
            return 0
    return subprocess.run([sys.executable, "-m", "flask", "demo", "load"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
