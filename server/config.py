"""Settings, all from the environment, with defaults that run on a laptop."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import orjson

APP_VERSION = "0.1.0"
"""The tablet app that this server hands out; it has the number too, in `technician/sync.js`."""

ROOT = Path(__file__).resolve().parent.parent

BODY_LIMIT = 8 * 1024 * 1024
"""Longest request body in bytes that is read at all; a push is held to less, an upload counts by chunk."""


def data_folder() -> Path:
    """Where the database file, uploads and logs live: `$ROUNDS_DATA`, by default `var/` in the clone."""
    return Path(os.environ.get("ROUNDS_DATA") or ROOT / "var").resolve()


def database_url(url: str | None = None) -> str:
    """`$DATABASE_URL` with psycopg 3 named as its driver, or the SQLite file in the data folder."""
    url = url or os.environ.get("DATABASE_URL")
    if not url:
        return f"sqlite:///{data_folder() / 'rounds.db'}"
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    return url


def settings(overrides: dict[str, Any] | None = None) -> dict[str, Any]:
    """The Flask configuration; `overrides` wins over the environment."""
    overrides = overrides or {}
    url = database_url(overrides.get("DATABASE_URL"))
    values: dict[str, Any] = {
        "SQLALCHEMY_DATABASE_URI": url,
        "SQLALCHEMY_ENGINE_OPTIONS": _engine_options(url),
        "DATA_FOLDER": data_folder(),
        "MAX_CONTENT_LENGTH": BODY_LIMIT,
        "FILES": os.environ.get("FILES", ""),
        "FILES_KEEP_FREE": float(os.environ.get("FILES_KEEP_FREE", "10")) / 100,
        "FILES_COMPANY_BYTES": int(float(os.environ.get("FILES_COMPANY_GB", "0")) * 10**9),
        "UPLOADS_AT_ONCE": max(1, int(os.environ.get("WEB_THREADS", "32")) // 3),
        "COMMANDS": os.environ.get("WEB_COMMANDS", "1") != "0",
        "PLAN_SECONDS": float(os.environ.get("ROUNDS_PLAN_SECONDS", "3")),
        "REQUESTS_AT_ONCE": int(os.environ.get("WEB_REQUESTS", "0")),
        "STREAMS": int(os.environ.get("WEB_STREAMS", "0")),
        "STREAM_HEARTBEAT_S": float(os.environ.get("ROUNDS_STREAM_HEARTBEAT", "15")),
        "MASTER_WINS": os.environ.get("ROUNDS_STOCK_MERGE", "policy") == "master-wins",
        "TRUSTED_PROXIES": int(os.environ.get("ROUNDS_TRUSTED_PROXIES", "0")),
        "API_TITLE": "Rounds",
        "API_VERSION": "v1",
        "OPENAPI_VERSION": "3.1.0",
        "OPENAPI_URL_PREFIX": "/api",
        "OPENAPI_JSON_PATH": "openapi.json",
        "API_SPEC_OPTIONS": {
            "info": {"description": "Field service that works without a network.", "license": {"name": "Apache-2.0"}},
        },
        "COMPRESS_ALGORITHM": ["zstd", "gzip"],
        "COMPRESS_MIN_SIZE": 700,
        "COMPRESS_MIMETYPES": [
            "application/json",
            "application/problem+json",
            "text/html",
            "text/css",
            "text/javascript",
            "application/manifest+json",
            "image/svg+xml",
        ],
    }
    return values | overrides


def _engine_options(url: str) -> dict[str, Any]:
    shared = {"pool_use_lifo": True, "json_deserializer": _from_json}
    if url.startswith("sqlite"):
        return shared | {"connect_args": {"timeout": 20, "check_same_thread": False}}
    options = "-c lock_timeout=5000 -c statement_timeout=30000 -c idle_in_transaction_session_timeout=60000"
    return shared | {"pool_size": 10, "max_overflow": 20, "connect_args": {"options": options}}


def _from_json(text: str | bytes) -> Any:
    """JSON out of the database: a float that PostgreSQL gives back with all its digits is that float again.

    Raises TypeError for a number, which SQLite keeps as such: the driver takes it as it is.
    """
    if isinstance(text, int | float):
        raise TypeError("a number already")
    return orjson.loads(text)
