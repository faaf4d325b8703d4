"""What a technician has entered outlives a tablet that is killed in the middle of a word, until it is added."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import Error, Page, expect

from tests.browser.clocked import Chromium
from tests.browser.conftest import OpenTablet
from tests.browser.hands import SIGNED_TO_X, enrol, in_database, kept_on_disk, open_visit, send_now, sign
from tests.browser.office import Office
from tests.serving import Server

Tablet = tuple["KilledTablet", list[dict[str, Any]]]


class KilledTablet:
    """A tablet without a network in a browser process of its own, which can be killed as a battery does it."""

    def __init__(self, browser: Chromium, server: Server, office: Office, profile: Path, technician: str) -> None:
        self.browser, self.server, self.profile = browser, server, profile
        self.options = {"locale": "en-GB", "timezone_id": office.zone, "viewport": {"width": 1024, "height": 768}}
        self.context = browser.kept_context(profile, **self.options)
        self.page = self.context.new_page()
        self.page.goto(f"{server.url}/tablet/")
        enrol(self.page, office.code_for(technician))
        self.context.set_offline(True)

    def killed(self) -> Page:
        """End the browser's processes at once, start it again, and show the page of before."""
        where = self.page.url
        for process in psutil.process_iter(["cmdline"]):
            if str(self.profile) in " ".join(process.info["cmdline"] or []):
                process.kill()
        # The other end is gone; how soon the driver notices is a race.
        with suppress(Error):
            self.context.close()
        self.context = self.browser.kept_context(self.profile, **self.options, offline=True)
        self.page = self.context.new_page()
        self.page.goto(where)
        return self.page


@pytest.fixture
def tablet(browser: Chromium, demo_server: Server, office: Office, tmp_path: Path) -> Iterator[Tablet]:
    technician, visits = office.free_technician()
    made = KilledTablet(browser, demo_server, office, tmp_path / "profile", technician)
    yield made, visits
    made.context.close()


def measured_visit(page: Page, visits: list[dict[str, Any]]) -> str:
    """Open the checks of a visit that has a value to measure; the item's key."""
    for visit in visits:
        open_visit(page, visit["id"], "checks")
        item = page.locator("li.check:has(.check-open)").first
        if item.count():
            return str(item.get_attribute("data-item"))
    pytest.fail("The demo has no checklist with a measured value for this technician")


def test_f20_what_was_added_and_what_was_being_entered_outlive_a_killed_browser(
    tablet: Tablet,
) -> None:
    killed, visits = tablet
    page = killed.page
    open_visit(page, visits[0]["id"])
    page.locator(".notes textarea").fill("the last thing before the battery died")
    page.locator(".notes .button").click()
    expect(page.locator(".note")).to_contain_text("battery died")
    page.locator(".notes textarea").press_sequentially("half a sen")
    page.locator(".site-note .button").first.click()
    page.locator(".site-edit textarea").press_sequentially("Ring tw")
    kept_on_disk(page, "note", "value === 'half a sen'")
    kept_on_disk(page, "access_note", "value.endsWith('Ring tw')")
    page = killed.killed()
    expect(page.locator(".note")).to_contain_text("battery died")
    expect(page.locator(".notes textarea")).to_have_value("half a sen")
    expect(page.locator(".site-edit textarea").first).to_have_value(re.compile("Ring tw$"))
    page.locator(".notes textarea").press_sequentially("tence")
    page.locator(".notes .button").click()
    expect(page.locator(".note")).to_have_count(2)
    kept_on_disk(page, "note", None)
    page = killed.killed()
    expect(page.locator(".note").last).to_contain_text("half a sentence")
    expect(page.locator(".notes textarea")).to_have_value("")


def test_f20_digits_on_the_keypad_and_a_signature_outlive_a_killed_browser(tablet: Tablet) -> None:
    killed, visits = tablet
    page = killed.page
    key = measured_visit(page, visits)
    page.locator(f"[data-item={key}] .check-open").click()
    for digit in "47":
        page.locator(".key").filter(has_text=digit).click()
    kept_on_disk(page, f"item.{key}", "value === '47'")
    page = killed.killed()
    expect(page.locator(f"[data-item={key}] .entry input")).to_have_value("47")
    page.locator(".key").filter(has_text="1").click()
    page.locator(".key.go").click()
    expect(page.locator(f"[data-item={key}]")).to_contain_text("471")
    page.locator("#tab-finish").click()
    page.locator(".act textarea").press_sequentially("Seals chan")
    sign(page, "Irena Font")
    before = ink(page)
    in_database(page, "outbox", "JSON.stringify(rows).includes('Seals chan')")
    kept_on_disk(page, "sign.name", "value === 'Irena Font'")
    kept_on_disk(page, "sign.strokes", f"value.at(-1).at(-1)[0] > {SIGNED_TO_X - 2}")
    page = killed.killed()
    expect(page.locator(".sign input")).to_have_value("Irena Font")
    expect(page.locator(".act textarea")).to_have_value("Seals chan")
    assert before > 0
    page.wait_for_function(f"before => Math.abs(({INK})() - before) < before / 3", arg=before)


INK = """() => { const canvas = document.querySelector('.signature-pad canvas');
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    return data.reduce((sum, value, index) => sum + (index % 4 === 3 && value > 40 ? 1 : 0), 0); }"""


def ink(page: Page) -> int:
    """How many pixels of the signature pad are drawn on."""
    expect(page.locator(".signature-pad canvas")).to_be_visible()
    return int(page.evaluate(INK))


def test_a_visit_taken_away_while_somebody_writes_says_why_and_hands_in_what_was_typed(
    open_tablet: OpenTablet, office: Office
) -> None:
    technician, visits = office.free_technician()
    other = office.somebody_else(technician)
    visit = visits[0]["id"]
    page = open_tablet(technician, size=(412, 915))
    open_visit(page, visit)
    page.locator(".notes textarea").fill("The pump hums")
    page.locator(".notes .button").click()
    expect(page.locator(".note")).to_contain_text("The pump hums")
    page.locator(".notes textarea").fill("and the fan")
    office.patch(f"/visits/{visit}", {"assignee_id": other})
    page.evaluate("dispatchEvent(new Event('rounds:send-now'))")
    expect(page.locator(".gone-why")).to_contain_text("The office gave this visit to a colleague")
    expect(page.locator(".not-added-box")).to_contain_text("and the fan")
    page.locator(".not-added-box .button").last.click()
    expect(page.locator(".not-added-box")).to_have_count(0)
    page.locator(".visit-head .back").click()
    page.locator("a[href$='/tablet/sync']").first.click()
    expect(page.locator(".group-line .chip.ok")).to_be_visible(timeout=20_000)
    send_now(page)
    assert [note["text"] for note in office.get(f"/visits/{visit}")["notes"]] == ["The pump hums", "Note: and the fan"]
