"""The page that shows the API to people: drawn from `/api/openapi.json`, loads nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, abort, request

FOLDER = Path(__file__).resolve().parent
FILES = {"page.js": "text/javascript; charset=utf-8", "page.css": "text/css; charset=utf-8"}

blueprint = Blueprint("docs_page", __name__)

PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rounds API</title>
<link rel="icon" href="/static/icons/rounds.svg" type="image/svg+xml">
<link rel="stylesheet" href="/api/docs/page.css">
<script type="module" src="/api/docs/page.js"></script>
</head>
<body></body>
</html>
"""


@blueprint.get("/api/docs")
def page() -> Response:
    """The page, in the reader's language."""
    language = request.accept_languages.best_match(["en", "ru"], default="en")
    response = Response(PAGE.format(language=language), content_type="text/html; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Vary"] = "Accept-Language"
    return response


@blueprint.get("/api/docs/<name>")
def file(name: str) -> Response:
    """Its script and its style."""
    if name not in FILES:
        abort(404)
    response = Response((FOLDER / name).read_bytes(), content_type=FILES[name])
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response
