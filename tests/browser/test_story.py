"""The main job by hand: planned on the board, done on a tablet without the server, settled in the inbox."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.clocked import Chromium
from tests.browser.conftest import OpenTablet
from tests.browser.hands import answer_everything, enrol, open_visit, photo, press, send_now, sign, start_work
from tests.browser.office import Office, bar, open_board, sign_in
from tests.serving import Server

SEEN = "Gate code is 4471, opened with it"
THEIRS = "New code 4417, the caretaker called"
SUMMARY = "Seals changed, tested under load"
NOTE = "The pump hums when it starts"


def test_planned_done_without_a_network_and_settled(
    browser: Chromium, open_tablet: OpenTablet, office: Office, demo_server: Server
) -> None:
    page = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB").new_page()
    sign_in(page, demo_server)
    day = (date.fromisoformat(office.today) + timedelta(days=1)).isoformat()
    visit = plan_and_publish(page, office, day)
    tablet = open_tablet(None)
    enrol(tablet, code_from_the_page(page, demo_server, visit["assignee_id"]))

    demo_server.stop()
    try:
        do_the_visit(tablet, visit["id"])
        tablet.reload()
        expect(tablet.locator(".row, .later").first).to_be_visible()
        open_visit(tablet, visit["id"], "finish")
        expect(tablet.locator(".act textarea")).to_have_value(SUMMARY)
        expect(tablet.locator(".visit-head [data-where=saved]")).to_contain_text("saved here", ignore_case=True)
        tablet.context.set_offline(True)
    finally:
        demo_server.start()
    office.patch(f"/sites/{visit['site']['id']}", {"access_note": THEIRS})
    tablet.context.set_offline(False)
    send_now(tablet)

    settle(page, office, visit)
    nothing_is_lost(office, visit["id"])
    open_board(page, demo_server, day)
    bar(page, visit["id"]).click()
    inspector = page.locator(".inspector")
    expect(inspector.locator(".inspector-state")).to_contain_text("done")
    coverage = office.get(f"/visits/{visit['id']}")["coverage"]
    expect(inspector.locator(".pays")).to_contain_text({"free": "Free", "paid": "Paid"}[coverage["outcome"]])
    expect(inspector).to_contain_text(coverage["reason"]["text"]["en"].split(": ", 1)[-1])
    page.context.close()


def plan_and_publish(page: Page, office: Office, day: str) -> dict[str, Any]:
    """Plan the day, read why a visit is where it is, publish; the visit, of a technician whom no test has used."""
    open_board(page, office.server, day)
    page.get_by_role("button", name="Plan this day").click()
    expect(page.locator(".toast")).to_contain_text("Planned", timeout=60_000)
    visit = next(
        one
        for one in office.board(day)["visits"]
        if one["draft"]
        and one["assignee_id"] not in office.taken
        and (one["coverage"] or {}).get("outcome") in ("free", "paid")
        and (checklist := office.get(f"/visits/{one['id']}")["checklist_id"])
        and {"check", "measure"} <= {item["kind"] for item in office.get(f"/checklists/{checklist}")["items"]}
    )
    office.taken.add(visit["assignee_id"])
    bar(page, visit["id"]).focus()
    page.keyboard.press("Enter")
    inspector = page.locator(".inspector")
    expect(inspector).to_contain_text(visit["number"])
    expect(inspector.locator("dt").filter(has_text=re.compile("^Why"))).to_be_visible()
    page.get_by_role("button", name="Review and publish").click()
    page.get_by_role("dialog").get_by_role("button", name="Publish", exact=True).click()
    expect(page.locator(".draft")).to_contain_text(re.compile("all published", re.IGNORECASE))
    planned: dict[str, Any] = visit
    return planned


def code_from_the_page(page: Page, server: Server, technician_id: str) -> str:
    """What the dispatcher reads to the technician."""
    page.goto(f"{server.url}/devices")
    page.get_by_role("button", name="Enrol a tablet").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Whose tablet is it").select_option(technician_id)
    dialog.get_by_role("button", name="Make a code").click()
    code = page.locator(".enrol-code").inner_text()
    dialog.get_by_role("button", name="Close").last.click()
    return code


def do_the_visit(tablet: Page, visit_id: str) -> None:
    """All that a visit has: steps, checks, values, a note, a correction of the place, a photo, a signature."""
    open_visit(tablet, visit_id)
    start_work(tablet)
    answer_everything(tablet)
    tablet.locator("#tab-what").click()
    tablet.locator(".notes textarea").fill(NOTE)
    tablet.locator(".notes .button").click()
    expect(tablet.locator(".note")).to_contain_text(NOTE)
    tablet.locator(".site-note .button").first.click()
    tablet.locator(".site-edit textarea").fill(SEEN)
    tablet.locator(".site-edit .primary").click()
    expect(tablet.locator(".site-note").first).to_contain_text(SEEN)
    tablet.locator("#tab-photos").click()
    photos = tablet.locator(".tile.large").count()
    tablet.locator(".dock input[type=file]").set_input_files(photo("plate.jpg", (200, 40, 30)))
    expect(tablet.locator(".tile.large img")).to_have_count(photos + 1)
    tablet.locator("#tab-finish").click()
    tablet.locator(".act textarea").fill(SUMMARY)
    sign(tablet, "Irena Font")
    press(tablet, "Sign and finish")
    expect(tablet.locator(".tabs")).to_have_count(0)


def settle(page: Page, office: Office, visit: dict[str, Any]) -> None:
    """Both values are in the inbox; the office's is chosen, taken back, and what was seen on site is kept."""
    visit_id, site_id = visit["id"], visit["site"]["id"]
    site = f"/sites/{site_id}"
    assert office.get(site)["access_note"] == SEEN
    page.goto(f"{office.server.url}/conflicts")
    case = page.locator(f'[data-case^="{visit_id}|"], [data-case^="{site_id}|"]')
    case.click()
    row = page.locator("[data-row]").filter(has_text=SEEN)
    expect(row.get_by_label(re.compile(SEEN))).to_be_checked()
    row.get_by_label(re.compile(THEIRS)).check()
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text(visit["site"]["name"])
    expect(case).to_have_count(0)
    assert office.get(site)["access_note"] == THEIRS
    page.keyboard.press("Control+z")
    expect(case).to_be_visible()
    assert office.get(site)["access_note"] == SEEN
    case.click()
    row.get_by_label(re.compile(SEEN)).check()
    page.keyboard.press("Enter")
    expect(case).to_have_count(0)
    assert office.get(site)["access_note"] == SEEN


def nothing_is_lost(office: Office, visit_id: str) -> None:
    visit = office.get(f"/visits/{visit_id}")
    assert visit["exec_state"] == "done"
    assert [event["type"] for event in visit["events"]] == ["en_route", "arrived", "started", "done"]
    assert [note["text"] for note in visit["notes"]] == [NOTE]
    assert visit["work_summary"] == SUMMARY
    assert visit["signature"]["name"] == "Irena Font"
    assert visit["attachments"]
    values = [answer["value"] for answer in visit["answers"]]
    assert True in values
    assert any(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)


CYRILLIC = re.compile("^[^A-Za-z]*[А-Яа-яё][^A-Za-z]*$")


def test_the_same_screens_speak_russian(
    browser: Chromium, open_tablet: OpenTablet, office: Office, demo_server: Server
) -> None:
    page = browser.new_context(viewport={"width": 1440, "height": 900}, locale="ru-RU").new_page()
    page.goto(demo_server.url)
    expect(page.locator("html")).to_have_attribute("lang", "ru")
    expect(page.get_by_role("button", name="Войти")).to_be_visible()
    page.evaluate("localStorage.setItem('rounds.locale', 'ru')")
    sign_in(page, demo_server)
    words = page.locator("header nav a, .day-bar button:not(.icon-only), .pane-head h2").all_inner_texts()
    technician, visits = office.free_technician()
    tablet = open_tablet(technician, locale="ru-RU")
    for tab in ("what", "checks", "photos", "finish"):
        open_visit(tablet, visits[0]["id"], tab)
        expect(tablet.locator(f"#tab-{tab}")).to_have_attribute("aria-selected", "true")
        words += tablet.locator(".tabs [role=tab], .dock .button").all_inner_texts()
    words = [text.strip() for text in words if text.strip()]
    assert len(words) > 20
    assert [text for text in words if not CYRILLIC.match(text)] == []
    page.context.close()
