"""A new version of the tablet app: taken whole, at a moment the technician chooses, and never at the cost of work."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, Response, request
from playwright.sync_api import Page, expect
from werkzeug.serving import make_server

from server.web import pages
from tests.browser.clocked import Chromium

ENROL = """async () => {
    const database = await import('/static/technician/db.js');
    const db = database.openDatabase();
    await database.register(db, {
        token: 't', device_id: 'd', device_name: 'Tablet', company: {},
        technician: {id: 'laia', name: 'Laia', locale: 'en'},
    });
    await navigator.serviceWorker.ready;
}"""
UPDATE = "() => navigator.serviceWorker.ready.then(known => known.update()).then(() => true, () => false)"
WAITING = """() => navigator.serviceWorker.ready.then(known => new Promise(resolve => {
    const worker = known.installing;
    if (!worker) return resolve(known.waiting ? 'waiting' : 'none');
    const ended = () => ['installed', 'redundant'].includes(worker.state) && resolve(worker.state);
    worker.addEventListener('statechange', ended);
}))"""


class Releases:
    """Serves the pages from a copy, so that a test can publish another version."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.missing: str | None = None
        app = Flask("pages", static_folder=None)
        app.register_blueprint(pages.blueprint)
        app.after_request(pages.security_headers)
        app.after_request(read_whole)
        app.before_request(self._lose)
        self.server = make_server("127.0.0.1", 0, app, threaded=True)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def _lose(self) -> tuple[str, int] | None:
        return ("", 503) if self.missing and request.path.endswith(self.missing) else None

    def publish(self, words: str) -> None:
        """A version in which the list is called something else."""
        file = self.folder / "shared" / "text" / "en.js"
        text = file.read_text(encoding="utf-8")
        start = text.index('"nav.today": "') + len('"nav.today": "')
        file.write_text(text[:start] + words + text[text.index('"', start) :], encoding="utf-8")


def read_whole(response: Response) -> Response:
    """An answer whose file is closed before it is sent: werkzeug's server leaves it open when the browser hangs up."""
    response.direct_passthrough = False
    response.make_sequence()
    response.close()
    return response


@pytest.fixture
def releases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Releases]:
    folder = tmp_path / "web"
    shutil.copytree(pages.WEB, folder, ignore=shutil.ignore_patterns("__pycache__", "*.pmtiles"))
    monkeypatch.setattr(pages, "WEB", folder)
    served = Releases(folder)
    thread = threading.Thread(target=served.server.serve_forever)
    thread.start()
    yield served
    served.server.shutdown()
    thread.join()
    served.server.server_close()


@pytest.fixture
def tablet(browser: Chromium, releases: Releases) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1024, "height": 768}, locale="en-GB")
    page = context.new_page()
    page.goto(f"{releases.url}/tablet/")
    page.evaluate(ENROL)
    page.reload()
    expect(page.locator(".places a").first).to_have_text("Today")
    yield page
    context.close()


def test_a_new_version_waits_until_it_is_asked_for(tablet: Page, releases: Releases) -> None:
    releases.publish("This day")
    tablet.locator(".places a").last.click()
    assert tablet.evaluate(UPDATE)
    expect(tablet.locator(".notice.info")).to_be_visible()
    expect(tablet.locator(".places a").first).to_have_text("Today")
    tablet.locator(".notice.info .button").click()
    expect(tablet.locator(".places a").first).to_have_text("This day")
    expect(tablet.locator(".more")).to_be_visible()


def test_a_version_that_came_through_in_part_is_not_taken(tablet: Page, releases: Releases) -> None:
    releases.publish("Half")
    releases.missing = "/shared/icons.js"
    tablet.evaluate(UPDATE)
    assert tablet.evaluate(WAITING) in ("redundant", "none")
    tablet.reload()
    expect(tablet.locator(".places a").first).to_have_text("Today")
    releases.missing = None


def test_without_any_server_the_app_opens_as_it_was(tablet: Page, releases: Releases) -> None:
    tablet.context.set_offline(True)
    for view in ("", "sync", "more"):
        tablet.goto(f"{releases.url}/tablet/{view}")
        expect(tablet.locator(".places a").first).to_have_text("Today")
