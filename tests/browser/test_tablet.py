"""The technician's tablet in a real browser against a real server: with it, without it, and after it came back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.sync_api import Route, expect

from tests.browser.conftest import OpenTablet
from tests.browser.hands import answer_everything, open_visit, photo, press, send_now, sign, start_work
from tests.browser.office import Office
from tests.serving import Server

SIZES = [(360, 740), (412, 915), (768, 1024), (1024, 768), (1440, 900)]


def views_of(visit_id: str) -> list[str]:
    """Every address of the tablet, for one visit."""
    tabs = ("what", "checks", "photos", "finish")
    return ["", "sync", "more", "nope", "visit/nope", *(f"visit/{visit_id}/{tab}" for tab in tabs)]


def test_unknown_code_says_what_to_do_and_keeps_what_was_typed(open_tablet: OpenTablet) -> None:
    page = open_tablet(None)
    page.locator("#enrol-code").fill("AAAAA-AAAAA")
    page.locator(".enrol-form .primary").click()
    expect(page.locator(".error-box")).to_be_visible()
    expect(page.locator("#enrol-code")).to_have_value("AAAAA-AAAAA")
    expect(page.locator("#enrol-code")).to_be_focused()


def test_enrolled_tablet_shows_the_published_day(open_tablet: OpenTablet, office: Office) -> None:
    technician, visits = office.technician_to_look_at()
    page = open_tablet(technician)
    for visit in visits:
        last_word = visit["site"]["name"].split()[-1]
        row = page.locator(".row").filter(has_text=last_word).first
        expect(row).to_be_visible()
    first = min(visit["planned_start"] for visit in visits)
    here = datetime.fromisoformat(first).astimezone(ZoneInfo(office.zone))
    expect(page.locator(".row time").filter(has_text=f"{here:%H:%M}").first).to_be_visible()


def test_a_visit_done_without_the_server_reaches_it_whole_once_it_is_back(
    open_tablet: OpenTablet, office: Office, demo_server: Server
) -> None:
    technician, visits = office.free_technician()
    visit_id = visits[0]["id"]
    page = open_tablet(technician)
    demo_server.stop()
    try:
        open_visit(page, visit_id)
        start_work(page)
        answer_everything(page)
        page.locator("#tab-photos").click()
        page.locator(".dock input[type=file]").set_input_files(photo("plate.jpg", (200, 40, 30)))
        expect(page.locator(".tile.large img").last).to_be_visible()
        page.locator("#tab-finish").click()
        page.locator(".act textarea").fill("Seals changed, tested under load")
        sign(page, "Irena Font")
        press(page, "Sign and finish")
        expect(page.locator("[data-sync=no_contact], [data-sync=waiting]").first).to_be_visible()
        page.reload()
        expect(page.locator(".row.over, .rows .row").first).to_be_visible()
        open_visit(page, visit_id, "finish")
        expect(page.locator(".act textarea")).to_have_value("Seals changed, tested under load")
        expect(page.locator(".visit-head [data-where=saved]")).to_be_visible()
        assert page.locator("[data-sync=all_sent]").count() == 0
    finally:
        demo_server.start()
    send_now(page)
    visit = office.get(f"/visits/{visit_id}")
    assert visit["exec_state"] == "done"
    assert [event["type"] for event in visit["events"]] == ["en_route", "arrived", "started", "done"]
    assert visit["work_summary"] == "Seals changed, tested under load"
    assert visit["signature"]["name"] == "Irena Font"
    sums = [entry["sha256"] for entry in visit["attachments"]]
    assert sums
    for digest in sums:
        status, _ = demo_server.call("GET", f"/api/v1/attachments/{digest}", token=office.token)
        assert status == 200


def test_undo_takes_a_step_back_and_erases_nothing(open_tablet: OpenTablet, office: Office) -> None:
    technician, visits = office.free_technician()
    page = open_tablet(technician)
    open_visit(page, visits[0]["id"])
    press(page, "Drive")
    expect(page.locator(".undo-line")).to_be_visible()
    page.locator(".undo-line button").click()
    expect(page.locator(".dock .primary").filter(has_text="Drive")).to_be_visible()
    send_now(page)
    visit = office.get(f"/visits/{visits[0]['id']}")
    assert visit["exec_state"] == "not_started"
    assert [event["type"] for event in visit["events"]] == ["en_route", "undo"]


def test_a_value_out_of_limits_becomes_a_finding_at_once(open_tablet: OpenTablet, office: Office) -> None:
    technician, visits = office.free_technician()
    checklist = next(
        one
        for one in office.get("/checklists?limit=200")["items"]
        if any(item["kind"] == "measure" and item.get("max") is not None for item in one["items"])
    )
    office.patch(f"/visits/{visits[0]['id']}", {"checklist_id": checklist["id"]})
    page = open_tablet(technician, size=(412, 915))
    open_visit(page, visits[0]["id"], "checks")
    limited = [item["key"] for item in checklist["items"] if item["kind"] == "measure" and item.get("max") is not None]
    key = limited[0]
    page.locator(f"[data-item={key}] .check-open").click()
    page.locator(f"[data-item={key}] input:not([type=file])").fill("99999")
    page.locator(".key.go").click()
    expect(page.locator(f"[data-item={key}] .finding")).to_be_visible()
    expect(page.locator(f"[data-item={key}] .chip.danger")).to_be_visible()


def test_a_finding_outside_of_the_checklist_reaches_the_office_with_its_photo(
    open_tablet: OpenTablet, office: Office
) -> None:
    technician, visits = office.free_technician()
    visit_id = visits[0]["id"]
    page = open_tablet(technician, size=(412, 915))
    open_visit(page, visit_id, "checks")
    page.locator(".findings > .button").click()
    form = page.locator(".finding-form")
    form.get_by_role("button", name="Add the finding").click()
    expect(form.locator(".fault")).to_be_visible()
    form.locator("textarea").fill("The cable of the door heater is scorched")
    # Closed or killed, the form keeps what was entered.
    page.reload()
    page.get_by_role("button", name="Go on with the finding").click()
    expect(form.locator("textarea")).to_have_value("The cable of the door heater is scorched")
    form.get_by_role("button", name="Critical").click()
    form.locator("select").last.select_option("installation")
    form.locator("input[type=file]").set_input_files(photo("cable.jpg", (40, 40, 40)))
    expect(form.locator(".tile img")).to_be_visible()
    form.get_by_role("button", name="Add the finding").click()
    found = page.locator(".found")
    expect(found).to_contain_text("scorched")
    expect(found.locator(".tile img")).to_be_visible()
    send_now(page)
    visit = office.get(f"/visits/{visit_id}")
    [finding] = visit["findings"]
    assert (finding["severity"], finding["cause"]) == ("critical", "installation")
    assert finding["text"] == "The cable of the door heater is scorched"
    assert finding["asset_id"] in visit["asset_ids"]
    assert [one["item"] for one in visit["attachments"]] == [finding["item"]]
    assert office.get(f"/visits/{visit_id}/work")["findings"][0]["cause"]


def test_a_visit_that_the_office_sent_back_is_marked_in_the_day(open_tablet: OpenTablet, office: Office) -> None:
    technician, visits = office.free_technician()
    visit_id = visits[0]["id"]
    page = open_tablet(technician)
    open_visit(page, visit_id)
    page.get_by_role("button", name="Customer refused").click()
    page.locator(".reasons .button").first.click()
    expect(page.locator(".dock-over")).to_be_visible()
    send_now(page)
    office.post(f"/visits/{visit_id}/return", {"reason": "Ask for the manager"})
    send_now(page)
    page.locator(".places a").first.click()
    expect(page.locator(".row-more .returned")).to_have_count(1)
    page.locator(".row").filter(has=page.locator(".returned")).first.click()
    expect(page.locator(".detail .back-line")).to_contain_text("Ask for the manager")
    page.locator(".news button").first.click()
    expect(page.locator(".news-list")).to_contain_text("came back from the office: Ask for the manager")


def test_who_begins_a_second_visit_is_asked_and_time_at_two_is_said(open_tablet: OpenTablet, office: Office) -> None:
    technician, visits = office.with_two()
    first, second = (visit["id"] for visit in visits[:2])
    page = open_tablet(technician)
    open_visit(page, first)
    start_work(page)
    open_visit(page, second)
    press(page, "Drive")
    press(page, "I am here")
    press(page, "Start")
    page.locator(".reasons .button").last.click()
    expect(page.locator("#tab-checks")).to_have_attribute("aria-selected", "true")
    page.locator(".back").click()
    notice = page.locator(".two-at-once")
    expect(notice).to_contain_text("2 visits at once")
    notice.locator(".button").first.click()
    expect(notice).to_have_count(0)
    send_now(page)
    states = sorted(office.get(f"/visits/{one}")["exec_state"] for one in (first, second))
    assert states == ["paused", "working"]


def test_an_address_that_leads_nowhere_says_so_and_offers_the_way_back(open_tablet: OpenTablet, office: Office) -> None:
    technician, _ = office.technician_to_look_at()
    page = open_tablet(technician)
    for view, words in (
        ("visit/nope", "There is no such visit on this tablet"),
        ("nope", "This address leads to no page of the tablet"),
        ("visit/nope/nope", "This address leads to no page of the tablet"),
    ):
        page.goto(re.sub(r"/tablet/.*", f"/tablet/{view}", page.url))
        expect(page.locator(".nowhere")).to_contain_text(words)
        page.locator(".nowhere .dock .primary").click()
        expect(page.locator(".row").first).to_be_visible()


def test_a_correction_of_the_access_note_reaches_the_office(open_tablet: OpenTablet, office: Office) -> None:
    technician, visits = office.free_technician()
    page = open_tablet(technician)
    open_visit(page, visits[0]["id"])
    page.locator(".site-note .button").first.click()
    page.locator(".site-edit textarea").fill("Ring twice, ask for Irena")
    page.locator(".site-edit .primary").click()
    expect(page.locator(".site-note").first).to_contain_text("Ring twice")
    send_now(page)
    assert office.get(f"/sites/{visits[0]['site']['id']}")["access_note"] == "Ring twice, ask for Irena"


def test_f29_a_signed_off_tablet_keeps_its_work_and_sends_it_when_enrolled_again(
    open_tablet: OpenTablet, office: Office
) -> None:
    technician, visits = office.free_technician()
    page = open_tablet(technician)
    device = next(one for one in office.get("/devices?limit=200")["items"] if one["technician_id"] == technician)
    office.post(f"/devices/{device['id']}/revoke")
    open_visit(page, visits[0]["id"])
    page.locator(".notes textarea").fill("written after the sign-off")
    page.locator(".notes .button").click()
    expect(page.locator(".note")).to_contain_text("written after the sign-off")
    page.goto(re.sub(r"/tablet/.*", "/tablet/more", page.url))
    expect(page.locator(".notice")).to_be_visible()
    page.locator("#enrol-code").fill(office.code_for(technician))
    page.locator(".enrol-form .primary").click()
    expect(page.locator(".notice")).to_have_count(0)
    send_now(page)
    assert [note["text"] for note in office.get(f"/visits/{visits[0]['id']}")["notes"]] == [
        "written after the sign-off"
    ]


def test_no_page_breaks_the_policy_or_throws(open_tablet: OpenTablet, office: Office) -> None:
    technician, visits = office.technician_to_look_at()
    page = open_tablet(technician)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if "Content Security" in line.text else None)
    for view in views_of(visits[0]["id"]):
        page.goto(re.sub(r"/tablet/.*", f"/tablet/{view}", page.url))
        expect(page.locator("main, .tab-panel").first).to_be_visible()
    assert complaints == []


OVERFLOW = """() => [...document.querySelectorAll('body, body *')].filter(el => {
    const style = getComputedStyle(el);
    if (el.closest('.map, .tabs, .visually-hidden, svg, textarea') || style.display === 'inline') return false;
    return el.scrollWidth > el.clientWidth + 1 && el.clientWidth > 0 && !['auto', 'scroll'].includes(style.overflowX);
}).map(el => el.className + ': ' + el.textContent.slice(0, 40))"""

DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
SMALL = """() => [...document.querySelectorAll(
    'button, a[href], input, textarea, summary, label.button')].filter(el => {
    const box = el.getBoundingClientRect();
    if (!box.width || el.closest('.map, .visually-hidden') || el.classList.contains('visually-hidden')) return false;
    return Math.min(box.width, box.height) < 47.5;
}).map(el => el.className + ' ' + el.textContent.slice(0, 30) + JSON.stringify(el.getBoundingClientRect()))"""


def test_nothing_overflows_and_every_target_is_a_thumb_wide(open_tablet: OpenTablet, office: Office) -> None:
    technician, visits = office.technician_to_look_at()
    page = open_tablet(technician)
    faults: list[str] = []
    for language in ("en", "ru"):
        page.evaluate("language => localStorage.setItem('rounds.locale', language)", language)
        for view in views_of(visits[0]["id"]):
            page.goto(re.sub(r"/tablet/.*", f"/tablet/{view}", page.url))
            expect(page.locator("html")).to_have_attribute("lang", language)
            for width, height in SIZES:
                page.set_viewport_size({"width": width, "height": height})
                page.evaluate(DRAWN)
                expect(page.locator("main, .tab-panel").first).to_be_visible()
                for check in (OVERFLOW, SMALL):
                    faults += [f"{language} {width} /{view}: {fault}" for fault in page.evaluate(check)]
    assert not faults, "\n".join(faults)


def test_what_the_office_moves_is_told_on_the_tablet(
    open_tablet: OpenTablet, office: Office, demo_server: Server
) -> None:
    technician, visits = office.free_technician()
    page = open_tablet(technician)
    visit = office.get(f"/visits/{visits[0]['id']}")
    later = datetime.fromisoformat(visit["planned_start"]).astimezone(UTC) + timedelta(minutes=5)
    status, answer = demo_server.call(
        "PATCH",
        f"/api/v1/visits/{visit['id']}",
        {"instructions": f"Bring the long ladder {later:%H:%M}"},
        token=office.token,
    )
    assert status == 200, answer
    page.goto(re.sub(r"/tablet/.*", "/tablet/sync", page.url))
    page.locator(".dock .primary").click()
    page.locator(".places a").first.click()
    page.locator(".news button").first.click()
    expect(page.locator(".news-list li")).to_have_count(1)
    page.locator(".news-list .button").click()
    expect(page.locator(".news")).to_have_count(0)


def test_the_map_is_there_without_a_network(open_tablet: OpenTablet, office: Office) -> None:
    technician, _ = office.technician_to_look_at()
    page = open_tablet(technician)
    expect(page.locator(".map-strip[data-ready]")).to_be_visible(timeout=20_000)
    page.context.set_offline(True)
    page.reload()
    expect(page.locator(".row").first).to_be_visible()
    expect(page.locator(".map-strip[data-ready]")).to_be_visible(timeout=20_000)


def test_the_work_of_today_can_begin_while_the_rest_of_the_first_load_is_on_its_way(
    open_tablet: OpenTablet, office: Office
) -> None:
    """S-224: the link breaks after the first page; the day is there and says so."""
    technician, visits = office.technician_to_look_at()
    page = open_tablet(None)
    pulled: list[str] = []

    def thin_link(route: Route) -> None:
        pulled.append(route.request.url)
        if len(pulled) == 1:
            route.continue_(url=re.sub(r"limit=\d+", "limit=60", route.request.url))
        else:
            route.abort()

    page.route("**/sync/v1/pull?*", thin_link)
    page.locator("#enrol-code").fill(office.code_for(technician))
    page.locator(".enrol-form .primary").click()
    expect(page.locator(".coming")).to_be_visible()
    for visit in visits:
        expect(page.locator(".row, .card").filter(has_text=visit["site"]["name"].split()[-1]).first).to_be_visible()
    open_visit(page, visits[0]["id"])
    page.locator("#tab-checks").click()
    expect(page.locator("#tab-panel li").first).to_be_visible()
    page.unroute("**/sync/v1/pull?*")
    page.goto(re.sub(r"/tablet/.*", "/tablet/sync", page.url))
    page.locator(".dock .primary").click()
    expect(page.locator(".sync-facts")).to_contain_text("This tablet holds the visits from")
    page.locator(".places a").first.click()
    expect(page.locator(".coming")).to_have_count(0)
