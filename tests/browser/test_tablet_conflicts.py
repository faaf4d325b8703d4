"""The technician's own conflicts: one entry for each event, with names, and one press to let the other value stand."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect

from tests.browser.conftest import OpenTablet
from tests.browser.hands import open_visit, send_now, start_work
from tests.browser.office import Office

RAW_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}|[0-9a-f]{4}…")


def test_one_reassignment_is_told_once_with_names_and_no_ids(open_tablet: OpenTablet, office: Office) -> None:
    technician, visits = office.free_technician()
    other = office.somebody_else(technician)
    visit = visits[0]["id"]
    page = open_tablet(technician, size=(412, 915))
    page.context.set_offline(True)
    open_visit(page, visit)
    start_work(page)
    office.patch(f"/visits/{visit}", {"assignee_id": other})
    page.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('rounds:send-now'))")
    send_now(page)
    rows = page.locator(".conflict").filter(has_text=f"· {visits[0]['site']['name']}")
    expect(rows).to_have_count(1)
    names = {one["id"]: one["name"] for one in office.get("/technicians?limit=200")["items"]}
    expect(rows).to_contain_text(names[other])
    assert not RAW_ID.search(page.locator(".sync-centre").inner_text())


def test_another_value_is_let_stand_by_one_press_without_a_network(open_tablet: OpenTablet, office: Office) -> None:
    technician, visits = office.free_technician()
    site = visits[0]["site"]["id"]
    page = open_tablet(technician, size=(412, 915))
    page.context.set_offline(True)
    open_visit(page, visits[0]["id"])
    page.locator(".site-note .button").first.click()
    page.locator(".site-edit textarea").fill("Key at the bar")
    page.locator(".site-edit .primary").click()
    office.patch(f"/sites/{site}", {"access_note": "Key at the reception"})
    page.context.set_offline(False)
    send_now(page)
    row = page.locator(".conflict").filter(has_text=f"· {visits[0]['site']['name']}")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Key at the bar")
    expect(row).to_contain_text("Key at the reception")
    page.context.set_offline(True)
    row.locator(".conflict-head").click()
    row.locator(".conflict-body .button").filter(has_text="Key at the reception").click()
    expect(row.locator(".conflict-body")).to_contain_text("saved here")
    expect(row.locator(".conflict-head")).to_contain_text("“Key at the reception” from")
    page.context.set_offline(False)
    send_now(page)
    assert office.get(f"/sites/{site}")["access_note"] == "Key at the reception"
    (entry,) = office.get(f"/conflicts?document_id={site}")["items"]
    assert (entry["state"], entry["resolution"]["choice"]) == ("resolved", "theirs")


def test_a_code_is_asked_for_only_when_it_was_tried_without(open_tablet: OpenTablet) -> None:
    page = open_tablet(None)
    expect(page.locator(".enrol-form")).not_to_contain_text("Type the code")
    press_button = page.locator(".enrol-form .primary")
    expect(press_button).to_be_enabled()
    press_button.click()
    expect(page.locator("#enrol-missing")).to_be_visible()
    expect(page.locator("#enrol-code")).to_be_focused()
    page.locator("#enrol-code").fill("A")
    expect(page.locator("#enrol-missing")).to_have_count(0)


def test_a_cause_says_at_once_and_without_a_network_who_pays(open_tablet: OpenTablet, office: Office) -> None:
    technician, visits = office.free_technician()
    visit, checklist = visits[0]["id"], checklist_with_a_check(office)
    office.patch(f"/visits/{visit}", {"checklist_id": checklist["id"]})
    page = open_tablet(technician, size=(412, 915))
    page.context.set_offline(True)
    open_visit(page, visit, "checks")
    key = next(item["key"] for item in checklist["items"] if item["kind"] == "check")
    item = page.locator(f"[data-item={key}]")
    item.locator(".half.bad").click()
    expect(item.locator(".finding")).to_be_visible()
    cause = item.locator(".cause > .button")
    cause.click()
    page.locator(".dialog .button").filter(has_text="Misuse").click()
    expect(cause).to_contain_text("Misuse")
    page.context.set_offline(False)
    send_now(page)
    assert [one.get("cause") for one in office.get(f"/visits/{visit}")["findings"]][-1] == "misuse"


def checklist_with_a_check(office: Office) -> Any:
    lists = office.get("/checklists?limit=200")["items"]
    return next(one for one in lists if any(item["kind"] == "check" for item in one["items"]))
