"""Serve the pages and their files, and the headers that bind what a page may do.

Nothing is built: each file is sent as it lies in `server/web/`. The tablet's service worker gets its list of
files, each with its SHA-256, from here.
"""

import base64
import hashlib
import json
import logging
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, request, send_file

WEB = Path(__file__).resolve().parent

blueprint = Blueprint("web", __name__)

# Only these folders and kinds of files are public; anything else in server/web/ is source of the server.
PUBLIC_FOLDERS = ("vendor", "shared", "technician", "dispatcher", "map", "icons")
MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".pmtiles": "application/vnd.pmtiles",
}

IMPORT_MAP = json.dumps(
    {
        "imports": {
            "preact": "/static/vendor/preact/preact.mjs",
            "preact/hooks": "/static/vendor/preact/hooks.mjs",
            "@preact/signals": "/static/vendor/signals/signals.js",
            "@preact/signals-core": "/static/vendor/signals-core/signals-core.js",
            "htm": "/static/vendor/htm/htm.js",
            "dexie": "/static/vendor/dexie/dexie.min.mjs",
            "signature_pad": "/static/vendor/signature_pad/signature_pad.min.js",
            "tus-js-client": "/static/shared/tus.js",
            "qr": "/static/vendor/qr/index.js",
            "qr/decode.js": "/static/vendor/qr/decode.js",
            "maplibre-gl": "/static/vendor/maplibre-gl/maplibre-gl.mjs",
            "pmtiles": "/static/vendor/pmtiles/pmtiles.js",
            "fflate": "/static/vendor/fflate/fflate.js",
        }
    },
    indent=1,
)
_IMPORT_MAP_HASH = base64.b64encode(hashlib.sha256(IMPORT_MAP.encode()).digest()).decode()

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"script-src 'self' 'sha256-{_IMPORT_MAP_HASH}'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "report-uri /csp",
    )
)

_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(self)",
}

# Files of the tablet that must be there without a network: everything but the map, which is large and optional.
_TABLET_FILES = ("shared", "technician", "vendor", "icons")
_MAP_LIBRARIES = ("vendor/maplibre-gl/", "vendor/pmtiles/", "vendor/fflate/")
_OFFLINE_SUFFIXES = {".js", ".mjs", ".css", ".svg", ".png"}


def security_headers(response: Response) -> Response:
    """Set the headers every answer carries; one that a handler has set itself (attachments) stands.

    Most of them bind what a page may do. JSON for tablets is none, and they are longer than most of its answers.
    """
    if request.path.startswith("/sync/") and response.mimetype in ("application/json", "application/problem+json"):
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Cache-Control", "no-store")
        return response
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if request.path.startswith(("/api/", "/sync/")):
        response.headers.setdefault("Cache-Control", "no-store")
    return response


@blueprint.get("/")
@blueprint.get("/login")
@blueprint.get("/board")
@blueprint.get("/conflicts")
@blueprint.get("/devices")
@blueprint.get("/files")
@blueprint.get("/exchange")
def office() -> Response:
    """The office's shell; `dispatcher/main.js` shows the page that the address names."""
    return _page(_shell(_language(), app="dispatcher", title="Rounds", density="office"))


@blueprint.get("/tablet")
@blueprint.get("/tablet/")
@blueprint.get("/tablet/<path:_view>")
def tablet(_view: str = "") -> Response:
    """The tablet's shell, the same for each of its addresses."""
    return _page(_tablet_shell())


@blueprint.get("/tablet/manifest.webmanifest")
def manifest() -> Response:
    """What a device needs to put the tablet app on its home screen."""
    russian = _language() == "ru"
    body = {
        "id": "/tablet/",
        "name": "Rounds: выезды" if russian else "Rounds: visits",
        "short_name": "Rounds",
        "lang": "ru" if russian else "en",
        "start_url": "/tablet/",
        "scope": "/tablet/",
        "display": "standalone",
        "background_color": "#F3F2EE",
        "theme_color": "#0B5D5A",
        "icons": [
            {"src": "/static/icons/rounds.svg", "sizes": "any", "type": "image/svg+xml"},
            {"src": "/static/icons/rounds-192.png", "sizes": "192x192", "type": "image/png"},
            {"src": "/static/icons/rounds-512.png", "sizes": "512x512", "type": "image/png"},
            {"src": "/static/icons/rounds-512.png", "sizes": "512x512", "type": "image/png", "purpose": "maskable"},
        ],
    }
    return Response(
        json.dumps(body, ensure_ascii=False),
        content_type="application/manifest+json",
        headers={"Cache-Control": "no-cache", "Vary": "Accept-Language"},
    )


@blueprint.get("/tablet/map-worker.mjs")
def map_worker() -> Response:
    """The map's worker under the tablet's addresses: a service worker answers for workers in its own scope only."""
    return static_file(f"{_MAP_LIBRARIES[0]}maplibre-gl-worker.mjs")


@blueprint.get("/tablet/sw.js")
def service_worker() -> Response:
    """The service worker with its list of files; a changed file changes this text, and so updates the tablets."""
    source = (WEB / "technician" / "sw.js").read_text(encoding="utf-8")
    shell = _tablet_shell().encode()
    files = {"/tablet/": hashlib.sha256(shell).hexdigest()} | _with_digests(tablet_files())
    listing = json.dumps(files, sort_keys=True)
    version = hashlib.sha256(listing.encode()).hexdigest()[:12]
    head = (
        f"const VERSION = {json.dumps(version)};\nconst FILES = {listing};\n"
        f"const MAP_FILES = {json.dumps(_map_listing(), sort_keys=True)};\n"
    )
    return Response(head + source, content_type="text/javascript; charset=utf-8", headers={"Cache-Control": "no-cache"})


def tablet_files() -> list[str]:
    """Names, relative to `server/web/`, of the files that the tablet keeps for work without a network."""
    return [
        name
        for folder in _TABLET_FILES
        for name in _files_in(folder)
        if name != "technician/sw.js" and not name.startswith(_MAP_LIBRARIES)
    ]


def map_files() -> list[str]:
    """Names of the map's program: kept by the tablet too, but nothing waits for them."""
    return [name for folder in ("map", *_MAP_LIBRARIES) for name in _files_in(folder)]


def _map_listing() -> dict[str, str]:
    files = _with_digests(map_files())
    return files | {"/tablet/map-worker.mjs": files[f"/static/{_MAP_LIBRARIES[0]}maplibre-gl-worker.mjs"]}


def _files_in(folder: str) -> list[str]:
    paths = sorted((WEB / folder).rglob("*"))
    return [path.relative_to(WEB).as_posix() for path in paths if path.suffix in _OFFLINE_SUFFIXES]


def _with_digests(names: list[str]) -> dict[str, str]:
    return {f"/static/{name}": _digest(WEB / name, _stamp(WEB / name)) for name in names}


@blueprint.get("/static/<path:name>")
def static_file(name: str) -> Response:
    """A file of the pages. It is revalidated by its SHA-256, so an update is seen at once; ranges serve the map."""
    path = (WEB / name).resolve()
    kind = MEDIA_TYPES.get(path.suffix)
    inside = path.is_relative_to(WEB) and path.relative_to(WEB).parts[:1]
    if kind is None or not inside or inside[0] not in PUBLIC_FOLDERS or not path.is_file():
        abort(404)
    response = send_file(
        path, mimetype=kind, conditional=True, etag=_digest(path, _stamp(path)), last_modified=None, max_age=None
    )
    response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.post("/csp")
def policy_report() -> Response:
    """Note a page that tried what the policy forbids; the body is a stranger's and is cut short."""
    body = request.get_data(cache=False)[:2000] if (request.content_length or 0) <= 16_384 else b""
    logging.getLogger("rounds.csp").warning("policy report: %r", body)
    return Response(status=204)


def _page(text: str) -> Response:
    response = Response(text, content_type="text/html; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Vary"] = "Accept-Language"
    return response


def problem_page(language: str, problem: dict[str, Any]) -> Response:
    """A problem for who asked with a browser: what it is, what to do next, the way to the office and the tablet."""
    words = _PROBLEM_WORDS[language]
    lines = [f"<p>{escape(str(problem['detail']))}</p>"]
    if problem.get("request_id"):
        lines.append(f'<p class="secondary">{words[2]} <code>{escape(str(problem["request_id"]))}</code></p>')
    text = f"""<!doctype html>
<html lang="{language}" data-density="office">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(str(problem["title"]))} · Rounds</title>
<link rel="icon" href="/static/icons/rounds.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/shared/tokens.css">
<link rel="stylesheet" href="/static/shared/base.css">
<link rel="stylesheet" href="/static/shared/components.css">
<link rel="stylesheet" href="/static/dispatcher/main.css">
</head>
<body>
<div id="app"><main class="sign-in" id="main"><form action="/">
<h1>{escape(str(problem["title"]))}</h1>
{"".join(lines)}
<p class="sign-in-foot"><a href="/">{words[0]}</a><a href="/tablet/">{words[1]}</a></p>
</form></main></div>
</body>
</html>
"""
    response = Response(text, problem["status"], content_type="text/html; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    return response


_PROBLEM_WORDS = {
    "en": ("To the office’s pages", "To the tablet’s page", "The request’s id, for whoever looks after Rounds:"),
    "ru": ("К страницам офиса", "К странице планшета", "Номер запроса для того, кто обслуживает Rounds:"),
}


def _language() -> str:
    return request.accept_languages.best_match(["en", "ru"], default="en") or "en"


def _tablet_shell() -> str:
    # One text for all readers: the kept copy must have one hash. The page sets its language itself.
    return _shell("en", app="technician", title="Rounds", density="tablet", head=_TABLET_HEAD)


_TABLET_HEAD = """<link rel="manifest" href="/tablet/manifest.webmanifest">
<link rel="apple-touch-icon" href="/static/icons/rounds-192.png">
"""


def _shell(language: str, *, app: str, title: str, density: str, head: str = "") -> str:
    """The page around an app: its styles, the import map, and one module to start."""
    return f"""<!doctype html>
<html lang="{language}" data-density="{density}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="theme-color" content="#ffffff" media="(prefers-color-scheme: light)">
<meta name="theme-color" content="#191d1f" media="(prefers-color-scheme: dark)">
<title>{title}</title>
<script src="/static/shared/theme.js"></script>
<link rel="icon" href="/static/icons/rounds.svg" type="image/svg+xml">
{head}<link rel="stylesheet" href="/static/shared/tokens.css">
<link rel="stylesheet" href="/static/shared/base.css">
<link rel="stylesheet" href="/static/shared/components.css">
<link rel="stylesheet" href="/static/{app}/main.css">
<script type="importmap">{IMPORT_MAP}</script>
<script type="module" src="/static/{app}/main.js"></script>
</head>
<body>
<div id="app"></div>
</body>
</html>
"""


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


@cache
def _digest(path: Path, _stamp: tuple[int, int]) -> str:
    """SHA-256 of a file in hex; computed again only when its time or size changes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
