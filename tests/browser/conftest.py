"""A living demo company behind a real server, and a real Chromium, both at 10:43 on a Tuesday."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, StorageState, expect, sync_playwright

from tests.browser.clocked import Chromium
from tests.browser.hands import enrol
from tests.browser.office import Office, sign_in
from tests.clocked import until_the_morning
from tests.serving import Server

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")

OpenTablet = Callable[..., Page]

# What a page is expected to show comes in its time; how soon is a matter of the machine.
expect.set_options(timeout=30_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser" in str(item.path):
            item.add_marker(pytest.mark.browser)


def demo_of_the_run(folder: Path) -> tuple[Path, timedelta]:
    """A folder with the demo company's database, and its clock's offset: loaded by whichever process is first."""
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = folder / "offset"
        if not told.exists():
            server = Server(
                f"sqlite:///{folder / 'rounds.db'}", folder, clock_offset=until_the_morning(datetime.now(UTC))
            )
            server.flask("db", "upgrade")
            server.flask("demo", "load")
            told.write_text(str(server.clock_offset.total_seconds()))
    return folder, timedelta(seconds=float(told.read_text()))


@pytest.fixture(scope="session")
def demo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The demo company on SQLite behind gunicorn; all browser tests of a process share it."""
    base = tmp_path_factory.getbasetemp()
    loaded, offset = demo_of_the_run((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "browser-demo")
    folder = tmp_path_factory.mktemp("demo") / "data"
    shutil.copytree(loaded, folder)
    server = Server(f"sqlite:///{folder / 'rounds.db'}", folder, clock_offset=offset)
    server.start()
    branches = server.call("GET", "/api/v1/branches", token=server.sign_in("dispatcher@rounds.example"))[1]["items"]
    server.branch = next(branch["id"] for branch in branches if branch["locale"] == "en")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def browser(demo_server: Server) -> Iterator[Chromium]:
    """The system's Chromium, headless, with the server's clock."""
    path = os.environ.get("ROUNDS_TEST_BROWSER") or next(
        (found for name in BROWSERS if (found := shutil.which(name))), None
    )
    if path is None:
        pytest.fail("No Chromium here. On Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = Chromium(playwright.chromium, path, demo_server.now)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def office(demo_server: Server) -> Office:
    return Office(demo_server)


@pytest.fixture(scope="session")
def signed_in(browser: Chromium, demo_server: Server) -> StorageState:
    """What a browser keeps of a dispatcher who signed in; a context made with it need not sign in again."""
    context = browser.new_context(locale="en-GB")
    sign_in(context.new_page(), demo_server)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def open_tablet(browser: Chromium, demo_server: Server, office: Office) -> Iterator[OpenTablet]:
    """Open the tablet app in a fresh browser profile, enrolled for a technician; close it at the end."""
    contexts: list[BrowserContext] = []

    def open_page(
        technician_id: str | None,
        *,
        size: tuple[int, int] = (1024, 768),
        locale: str = "en-GB",
        theme: str = "light",
        at: str | None = None,
    ) -> Page:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            locale=locale,
            timezone_id=office.zone,
            has_touch=True,
            color_scheme="dark" if theme == "dark" else "light",
        )
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{at or demo_server.url}/tablet/")
        page.evaluate("language => localStorage.setItem('rounds.locale', language)", locale[:2])
        page.reload()
        if technician_id:
            enrol(page, office.code_for(technician_id))
        return page

    yield open_page
    for context in contexts:
        context.close()
