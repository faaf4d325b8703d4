"""The office judges: what a day breaks before it is published, and what was done on site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, StorageState, expect

from tests.browser.clocked import Chromium
from tests.browser.conftest import OpenTablet
from tests.browser.hands import open_visit, photo, send_now, start_work
from tests.browser.office import Office, bar, open_board
from tests.serving import Server


@pytest.fixture
def page(browser: Chromium, signed_in: StorageState) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, locale="en-GB", color_scheme="light", storage_state=signed_in
    )
    yield context.new_page()
    context.close()


def test_a_broken_rule_is_on_the_bar_and_in_the_review_and_is_published_knowingly(
    page: Page, demo_server: Server, office: Office
) -> None:
    day = (date.fromisoformat(office.today) + timedelta(days=1)).isoformat()
    visit = next(
        one
        for one in office.board(day)["visits"]
        if one["plan_state"] == "published" and not one["locked"] and not one["conflicts"]
    )
    night = {"visit_id": visit["id"], "technician_id": visit["assignee_id"], "start_at": f"{day}T03:00:00Z"}
    office.post("/board/moves", {"date": day, "branch_id": demo_server.branch, "moves": [night]})
    open_board(page, demo_server, day)
    shown = bar(page, visit["id"])
    expect(shown).to_have_attribute("data-state", "broken")
    expect(shown).to_contain_text("before shift")
    page.goto(f"{page.url}&visit={visit['id']}")
    expect(page.locator(".inspector .broken")).to_contain_text(re.compile("would have to set off \\d+ min before"))
    page.keyboard.press("p")
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".broken")).to_contain_text(visit["site"]["name"])
    go = dialog.get_by_role("button", name="Publish", exact=True)
    expect(go).to_be_disabled()
    dialog.get_by_role("checkbox").check()
    go.click()
    expect(page.locator(".draft")).to_contain_text(re.compile("[Aa]ll published"))
    expect(shown).to_have_attribute("data-state", "broken")


def done_with_findings(office: Office) -> tuple[str, dict[str, Any]]:
    """A day of the demo's past with finished work in which something was found."""
    for back in range(1, 30):
        day = (date.fromisoformat(office.today) - timedelta(days=back)).isoformat()
        for visit in office.board(day)["visits"]:
            if visit["exec_state"] == "done" and office.get(f"/visits/{visit['id']}")["findings"]:
                return day, visit
    raise AssertionError("the demo has no finding")


def test_finished_work_is_judged_from_the_board_and_its_follow_up_made_in_one_press(
    page: Page, demo_server: Server, office: Office
) -> None:
    day, visit = done_with_findings(office)
    work = office.get(f"/visits/{visit['id']}/work")
    page.goto(f"{demo_server.url}/board?date={day}&branch={demo_server.branch}&visit={visit['id']}")
    inspector = page.locator(".inspector")
    expect(inspector.locator(".check")).to_have_count(len(work["checks"]))
    expect(inspector.locator(".finding")).to_contain_text([one["text"] for one in work["findings"]])
    expect(inspector.locator(".signed svg path")).to_have_count(1 if work["signature"] else 0)
    expect(inspector.locator(".times li")).to_have_count(len(work["events"]))
    inspector.get_by_role("button", name="Show the visit whole").click()
    expect(inspector).to_have_class(re.compile("is-large"))
    inspector.get_by_role("button", name="Create the follow-up visit").click()
    made = inspector.get_by_role("button", name=re.compile("Follow-up V-\\d+ is created"))
    expect(made).to_be_visible()
    follow = office.get(f"/visits/{visit['id']}/work")["follow_up"]
    assert office.get(f"/visits/{follow['visit_id']}")["origin"] == "follow_up"
    page.keyboard.press("Escape")
    expect(inspector).not_to_have_class(re.compile("is-large"))
    expect(inspector).to_contain_text(visit["site"]["name"])


def test_photos_from_the_tablet_stand_at_the_visit_and_open(
    page: Page, open_tablet: OpenTablet, office: Office, demo_server: Server
) -> None:
    technician, visits = office.free_technician()
    visit = visits[0]["id"]
    tablet = open_tablet(technician)
    open_visit(tablet, visit)
    start_work(tablet)
    tablet.locator("#tab-photos").click()
    tablet.locator(".dock input[type=file]").set_input_files(photo("plate.jpg"))
    expect(tablet.locator(".tile img").first).to_be_visible()
    send_now(tablet)
    page.goto(f"{demo_server.url}/board?date={office.today}&branch={demo_server.branch}&visit={visit}")
    picture = page.locator(".inspector .photo")
    expect(picture.locator("a")).to_have_count(1)
    page.wait_for_function("() => document.querySelector('.inspector .photo img')?.naturalWidth > 0")
    with page.expect_popup() as opening:
        picture.locator("a").click()
    assert opening.value.evaluate("() => document.images[0]?.naturalWidth") > 0


def test_files_that_are_not_what_they_say_have_their_page(page: Page, demo_server: Server) -> None:
    page.goto(f"{demo_server.url}/board")
    page.get_by_role("link", name="Files").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Files to look at")
    expect(page.locator("#main")).to_contain_text("Nothing to look at")


def test_another_language_is_spoken_everywhere_at_once(page: Page, demo_server: Server, office: Office) -> None:
    open_board(page, demo_server, office.today)
    needs = page.locator(".needs")
    expect(needs).to_contain_text("wait for a decision")
    page.get_by_role("button", name="RU", exact=True).click()
    expect(needs).to_contain_text(re.compile("жд[уё]т решения"))
    expect(needs).not_to_contain_text("decision")
    page.get_by_role("button", name="EN", exact=True).click()
    expect(needs).to_contain_text("wait for a decision")
