"""The application, assembled: this file reads as its table of contents."""

from __future__ import annotations

from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from server.api import BLUEPRINTS, door, health, openapi
from server.config import ROOT, settings
from server.extensions import compress, db
from server.store import engine, marks, transaction
from server.web import pages


def create_app(overrides: dict[str, Any] | None = None) -> Flask:
    """Make the application; `overrides` are settings that win over the environment."""
    app = Flask(__name__, static_folder=None)
    app.config.update(settings(overrides))
    app.config["DATA_FOLDER"].mkdir(parents=True, exist_ok=True)
    if app.config["TRUSTED_PROXIES"]:
        hops = app.config["TRUSTED_PROXIES"]
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]

    db.init_app(app)
    engine.prepare(app)
    marks.install(app)
    transaction.install()

    api = openapi.make(app)
    door.install(app, pages.problem_page)
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(pages.blueprint)
    app.after_request(pages.security_headers)
    compress.init_app(app)

    if app.config["COMMANDS"]:
        _add_commands(app)
    return app


def _add_commands(app: Flask) -> None:
    """Imported here: what commands bring along is a sixth of the memory of a process that serves."""
    from flask_migrate import Migrate

    from server import cli

    Migrate(app, db, directory=str(ROOT / "migrations"))
    cli.register(app)
