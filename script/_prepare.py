"""Before the first start: migrate, and load the demo company where there is no company yet."""

from __future__ import annotations

import subprocess
import sys

import flask_migrate
from _prepare_codes import DEMO, DEMO_EMAIL, OWN

from server.app import create_app
from server.store import health
from server.store.queries import people


def main() -> int:
    """Bring the database to the newest migration: `DEMO` or `OWN` by whose company is there, else what failed."""
    app = create_app()
    with app.app_context():
        flask_migrate.upgrade()
        if "company" not in health.missing():
            return DEMO if people.user_by_email(DEMO_EMAIL) else OWN
    return subprocess.run([sys.executable, "-m", "flask", "demo", "load"], check=False).returncode or DEMO


if __name__ == "__main__":
    sys.exit(main())
