"""Is the process alive, and can it serve?"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from server.store import health

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """200 when this process can answer and its database can be read; 503 otherwise, by the error handler."""
    health.read()
    return jsonify({"status": "ok"})


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """200 when migrations are in place and there is a company to serve; 503 with what is missing."""
    missing = health.missing()
    return jsonify({"status": "ready" if not missing else "waiting", "missing": missing}), 503 if missing else 200
