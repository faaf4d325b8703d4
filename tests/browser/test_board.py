"""The dispatcher's screens in a real browser against a real server."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import BrowserContext, Page, Response, StorageState, ViewportSize, expect

from tests.browser.clocked import Chromium
from tests.browser.office import EMAIL, Office, bar, open_board, todo
from tests.serving import Server

WIDE: ViewportSize = {"width": 1440, "height": 900}
IDENTIFIER = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}")
FILLED = {"/board": "[data-bar], [data-day]", "/conflicts": "[data-case]", "/devices": "tbody tr"}
"""What each page shows once it has its data."""
SIZES = [(1440, 900), (1024, 768), (412, 915)]
OVERFLOW = """() => [...document.querySelectorAll("body *")].filter((node) => {
  const style = getComputedStyle(node);
  return style.overflowX === "visible" && node.clientWidth > 0 && node.scrollWidth > node.clientWidth + 1
    && style.display !== "inline" && !node.closest(".maplibregl-map, .visually-hidden, svg, .legend-row, .skip");
}).map((node) => `${node.className}: ${node.textContent.trim().slice(0, 50)}`)"""
NO_WEBGL = """HTMLCanvasElement.prototype.getContext = (original => function (kind, ...rest) {
  return kind.startsWith("webgl") ? null : original.call(this, kind, ...rest);
})(HTMLCanvasElement.prototype.getContext);"""


@pytest.fixture(scope="module")
def day(office: Office) -> str:
    """A coming day on which several technicians work and somebody's visit waits."""
    today = date.fromisoformat(office.today)
    for ahead in range(1, 9):
        coming = (today + timedelta(days=ahead)).isoformat()
        board = office.board(coming)
        if sum(1 for one in board["technicians"] if one["shift"]) >= 2 and board["unscheduled"]:
            return coming
    raise AssertionError("the demo has no day to plan")


@pytest.fixture
def context(browser: Chromium, signed_in: StorageState) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport=WIDE, locale="en-GB", color_scheme="light", storage_state=signed_in)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A page that is signed in."""
    return context.new_page()


def waiting_visit(office: Office, day: str) -> dict[str, Any]:
    """A visit that is nobody's and that a drag would not forbid by a promise."""
    unscheduled = office.board(day)["unscheduled"]
    found: dict[str, Any] = next((one for one in unscheduled if not one["locked"]), unscheduled[0])
    return found


def test_wrong_password_is_said_and_the_address_stays(page: Page, demo_server: Server) -> None:
    page.context.clear_cookies()
    page.goto(demo_server.url)
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".error-box")).to_be_visible()
    expect(page.get_by_label("E-mail")).to_have_value(EMAIL)
    expect(page.get_by_label("Password")).to_be_focused()


def test_board_shows_each_technician_and_each_visit(page: Page, demo_server: Server, office: Office, day: str) -> None:
    board = office.board(day)
    open_board(page, demo_server, day)
    expect(page.locator(".tl-row")).to_have_count(len(board["technicians"]))
    expect(page.locator("button[data-bar]")).to_have_count(len(board["visits"]))
    expect(page.locator("[data-todo]")).to_have_count(len(board["unscheduled"]))
    expect(page.locator(".maplibregl-ctrl-attrib")).to_contain_text("OpenStreetMap")


def test_selection_is_one_thing_in_all_panes(page: Page, demo_server: Server, office: Office, day: str) -> None:
    visit = waiting_visit(office, day)
    open_board(page, demo_server, day)
    todo(page, visit["id"]).locator(".todo-main").click()
    expect(todo(page, visit["id"])).to_have_class(re.compile("is-selected"))
    expect(page.locator(".inspector")).to_contain_text(visit["site"]["name"])
    expect(page.locator(".inspector")).to_contain_text(visit["number"])
    expect(page).to_have_url(re.compile(visit["id"]))
    page.reload()
    expect(page.locator(".inspector")).to_contain_text(visit["number"])


def test_find_takes_words_in_any_order_and_selects(page: Page, demo_server: Server, office: Office, day: str) -> None:
    visit = waiting_visit(office, day)
    open_board(page, demo_server, day)
    page.keyboard.press("/")
    expect(page.get_by_role("combobox", name=re.compile("Visit, site"))).to_be_focused()
    page.keyboard.type(f"{visit['number']} {visit['site']['name'].split()[0]}")
    page.keyboard.press("Enter")
    expect(page.locator(".inspector")).to_contain_text(visit["number"])


def test_keys_walk_the_board_and_list_themselves(page: Page, demo_server: Server, day: str) -> None:
    open_board(page, demo_server, day)
    page.keyboard.press("j")
    expect(page.locator(".inspector[data-visit]")).to_be_visible()
    first = page.locator(".inspector").get_attribute("data-visit")
    page.keyboard.press("j")
    expect(page.locator(".inspector")).not_to_have_attribute("data-visit", str(first))
    page.keyboard.press("k")
    expect(page.locator(".inspector")).to_have_attribute("data-visit", str(first))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("review and publish")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.locator(".inspector[data-visit]")).to_have_count(0)


def test_dragged_visit_goes_to_the_draft_and_ctrl_z_takes_it_back(
    page: Page, demo_server: Server, office: Office, day: str
) -> None:
    visit = waiting_visit(office, day)
    open_board(page, demo_server, day)
    row = page.locator("[data-lane]").first
    technician = str(row.get_attribute("data-lane"))
    card = todo(page, visit["id"]).locator(".todo-main")
    card.scroll_into_view_if_needed()
    start, lane = card.bounding_box(), row.bounding_box()
    assert start
    assert lane
    page.mouse.move(start["x"] + 40, start["y"] + 12)
    page.mouse.down()
    page.mouse.move(start["x"] + 60, start["y"] + 24)
    page.mouse.move(lane["x"] + lane["width"] * 0.6, lane["y"] + lane["height"] / 2, steps=4)
    expect(page.locator(".carried")).to_contain_text(visit["site"]["name"])
    expect(page.locator(".tl-row").first).to_have_class(re.compile("is-target"))
    page.mouse.up()
    expect(bar(page, visit["id"])).to_be_visible()
    expect(todo(page, visit["id"])).to_have_count(0)
    now = next(one for one in office.board(day)["visits"] if one["id"] == visit["id"])
    assert now["assignee_id"] == technician
    assert now["draft"]
    page.keyboard.press("Control+z")
    expect(todo(page, visit["id"])).to_be_visible()
    expect(bar(page, visit["id"])).to_have_count(0)


def test_escape_drops_nothing(page: Page, demo_server: Server, office: Office, day: str) -> None:
    visit = waiting_visit(office, day)
    open_board(page, demo_server, day)
    card = todo(page, visit["id"]).locator(".todo-main")
    card.scroll_into_view_if_needed()
    start, lane = card.bounding_box(), page.locator("[data-lane]").first.bounding_box()
    assert start
    assert lane
    page.mouse.move(start["x"] + 40, start["y"] + 12)
    page.mouse.down()
    page.mouse.move(lane["x"] + 300, lane["y"] + 20, steps=4)
    expect(page.locator(".carried")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".carried")).to_have_count(0)
    page.mouse.up()
    expect(todo(page, visit["id"])).to_be_visible()


def test_visit_is_moved_reviewed_and_published_without_a_pointer(
    page: Page, demo_server: Server, office: Office, day: str
) -> None:
    visit = waiting_visit(office, day)
    open_board(page, demo_server, day)
    todo(page, visit["id"]).locator(".todo-main").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+M")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(visit["site"]["name"])
    dialog.get_by_label("Start").fill("930")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(bar(page, visit["id"])).to_be_visible()
    expect(page.locator(".draft")).to_contain_text("Draft")
    page.keyboard.press("p")
    expect(dialog).to_contain_text(visit["site"]["name"])
    dialog.get_by_role("button", name="Publish", exact=True).press("Enter")
    expect(page.locator(".draft")).to_contain_text(re.compile("[Aa]ll published"))
    assert office.get(f"/visits/{visit['id']}")["plan_state"] == "published"


def movable(office: Office, day: str) -> dict[str, Any]:
    """A published visit that can be moved, in a row that has a row under it."""
    board = office.board(day)
    last = board["technicians"][-1]["id"]
    found: dict[str, Any] = next(
        one
        for one in board["visits"]
        if not one["locked"] and one["exec_state"] == "not_started" and one["assignee_id"] != last
    )
    return found


def test_a_visit_is_carried_by_keys_and_put_back_or_down_with_the_focus_on_it(
    page: Page, demo_server: Server, office: Office, day: str
) -> None:
    visit = movable(office, day)
    open_board(page, demo_server, day)
    shown = bar(page, visit["id"])
    shown.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("m")
    expect(page.locator(".tl-ghost")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(page.locator(".tl-ghost")).to_have_count(0)
    expect(shown).to_be_focused()
    assert next(one for one in office.board(day)["visits"] if one["id"] == visit["id"]) == visit

    page.keyboard.press("m")
    row = page.locator(".tl-row.is-target [data-lane]")
    page.keyboard.press("ArrowDown")
    expect(row).not_to_have_attribute("data-lane", visit["assignee_id"])
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    technician = row.get_attribute("data-lane")
    page.keyboard.press("Enter")
    expect(page.locator(f'[data-lane="{technician}"] button[data-bar="{visit["id"]}"]')).to_be_focused()
    moved = next(one for one in office.board(day)["visits"] if one["id"] == visit["id"])
    assert (moved["assignee_id"], moved["draft"]) == (technician, True)
    page.keyboard.press("Control+z")
    expect(page.locator(f'[data-lane="{visit["assignee_id"]}"] button[data-bar="{visit["id"]}"]')).to_be_visible()


def test_the_form_of_a_move_says_what_the_board_says_afterwards_and_untouched_moves_nothing(
    page: Page, demo_server: Server, office: Office, day: str
) -> None:
    visit = movable(office, day)
    before = office.board(day)
    open_board(page, demo_server, day)
    bar(page, visit["id"]).focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+M")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Start").press("Enter")
    expect(dialog).to_have_count(0)
    expect(bar(page, visit["id"])).to_be_focused()
    assert office.board(day)["draft"] == before["draft"]

    page.keyboard.press("Shift+M")
    other = next(
        one for one in before["technicians"] if one["id"] != visit["assignee_id"] and one["shift"] and one["travel_km"]
    )
    dialog.get_by_role("radio", name=other["name"]).check()
    wanted = datetime.fromisoformat(f"{day}T15:55").replace(tzinfo=ZoneInfo(office.zone)).astimezone(UTC)
    begins = f"{wanted:%Y-%m-%dT%H:%M:00}"

    def is_asked(answer: Response) -> bool:
        if "/board/trial" not in answer.url:
            return False
        firsts = [moves[0]["start_at"] for moves in answer.request.post_data_json["alternatives"]]
        return sum(first.startswith(begins) for first in firsts) * 2 > len(firsts)

    with page.expect_response(is_asked) as asked:
        dialog.get_by_label("Start").fill("15:55")
    outcome = next(
        outcome
        for moves, outcome in zip(
            asked.value.request.post_data_json["alternatives"], asked.value.json()["outcomes"], strict=True
        )
        if moves[0]["technician_id"] == other["id"]
    )
    minutes = re.compile(rf"[+−]?{abs(round(outcome['extra_s'] / 60))} min")
    expect(dialog.locator(".move-row:has(:checked) .move-cost")).to_have_text(minutes)
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    after = office.board(day)
    assert after["totals"]["driving_s"] - before["totals"]["driving_s"] == outcome["extra_s"]
    told = {one["token"] for one in outcome["broken"]}
    assert told <= {one["token"] for shown in after["visits"] for one in shown["broken"]}
    page.keyboard.press("Control+z")
    expect(page.locator(f'[data-lane="{visit["assignee_id"]}"] button[data-bar="{visit["id"]}"]')).to_be_visible()


def test_planned_day_can_be_discarded(page: Page, demo_server: Server, office: Office, day: str) -> None:
    before = office.board(day)
    open_board(page, demo_server, day)
    page.get_by_role("button", name="Plan this day").click()
    expect(page.locator(".toast")).to_contain_text("Planned", timeout=60_000)
    expect(page.locator(".draft")).to_contain_text("Draft")
    page.get_by_role("button", name="Review and publish").click()
    page.get_by_role("dialog").get_by_role("button", name="Discard the draft").click()
    expect(page.locator(".draft")).to_contain_text(re.compile("[Aa]ll published"))
    after = office.board(day)
    assert {one["id"] for one in after["visits"]} == {one["id"] for one in before["visits"]}


def test_refresh_never_moves_what_is_selected(
    context: BrowserContext, demo_server: Server, office: Office, day: str
) -> None:
    page = context.new_page()
    open_board(page, demo_server, day)
    visit = waiting_visit(office, day)
    todo(page, visit["id"]).locator(".todo-main").click()
    technician = office.board(day)["technicians"][0]
    begin = datetime.fromisoformat(f"{day}T10:00:00+00:00")
    change = {
        "plan_state": "published",
        "assignee_id": technician["id"],
        "planned_start": begin.isoformat().replace("+00:00", "Z"),
        "planned_end": (begin + timedelta(hours=1)).isoformat().replace("+00:00", "Z"),
    }
    office.patch(f"/visits/{visit['id']}", change)
    page.clock.fast_forward(16_000)
    show = page.get_by_role("button", name=re.compile("change.* — show"))
    expect(show).to_be_visible()
    expect(todo(page, visit["id"])).to_have_class(re.compile("is-selected"))
    show.click()
    expect(bar(page, visit["id"])).to_have_attribute("aria-current", "true")


def test_locked_visit_cannot_be_moved_until_it_is_unlocked(
    page: Page, demo_server: Server, office: Office, day: str
) -> None:
    board = office.board(day)
    visit = next(one for one in board["visits"] if not one["locked"] and one["exec_state"] == "not_started")
    open_board(page, demo_server, day)
    bar(page, visit["id"]).focus()
    page.keyboard.press("Enter")
    page.keyboard.press("l")
    expect(page.get_by_role("button", name="Unlock")).to_be_visible()
    expect(page.get_by_role("button", name="Move…")).to_be_disabled()
    expect(page.locator(".inspector")).to_contain_text("Locked")
    page.keyboard.press("Control+z")
    expect(page.get_by_role("button", name="Move…")).to_be_enabled()


def test_cancelled_visit_comes_back_by_undo(page: Page, demo_server: Server, office: Office, day: str) -> None:
    visit = waiting_visit(office, day)
    open_board(page, demo_server, day)
    todo(page, visit["id"]).locator(".todo-main").click()
    page.get_by_role("button", name="Cancel the visit").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("It is there twice").check()
    dialog.get_by_role("button", name="Cancel the visit").click()
    expect(todo(page, visit["id"])).to_have_count(0)
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(todo(page, visit["id"])).to_be_visible()


def test_finished_visit_is_reviewed_returned_and_closed(page: Page, demo_server: Server, office: Office) -> None:
    done = [one for one in office.board(office.today)["visits"] if one["exec_state"] == "done" and not one["conflicts"]]
    reviewed, returned = done[0], done[-1]
    assert reviewed["id"] != returned["id"]
    open_board(page, demo_server, office.today)
    bar(page, reviewed["id"]).focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Mark as reviewed").click()
    expect(page.locator(".inspector-state")).to_contain_text("reviewed")
    page.get_by_role("button", name="Close the visit").click()
    expect(page.locator(".inspector-state")).to_contain_text("closed")
    expect(page.get_by_role("button", name="Return to the technician")).to_have_count(0)
    bar(page, returned["id"]).focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Return to the technician").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Return to the technician")).to_be_disabled()
    dialog.get_by_label("What is still to be done").fill("The act has no signature.")
    dialog.get_by_role("button", name="Return to the technician").click()
    expect(page.get_by_role("button", name="Mark as reviewed")).to_have_count(0)
    visit = office.get(f"/visits/{returned['id']}")
    assert (visit["exec_state"], visit["events"][-1]["reason"]) == ("accepted", "The act has no signature.")
    assert office.get(f"/visits/{reviewed['id']}")["exec_state"] == "closed"


def test_board_without_webgl_says_so_and_keeps_working(
    page: Page, demo_server: Server, office: Office, day: str
) -> None:
    page.add_init_script(NO_WEBGL)
    open_board(page, demo_server, day)
    expect(page.locator(".map-missing")).to_contain_text("cannot draw the map")
    visit = waiting_visit(office, day)
    todo(page, visit["id"]).locator(".todo-main").click()
    expect(page.locator(".inspector")).to_contain_text(visit["number"])


def test_a_visit_is_made_and_placed_from_the_board(page: Page, demo_server: Server, office: Office, day: str) -> None:
    open_board(page, demo_server, day)
    page.keyboard.press("n")
    form = page.locator(".new-visit")
    form.get_by_role("button", name="Make the visit").click()
    expect(form.locator("[data-field=site] .fault")).to_be_visible()
    expect(form.locator("[data-field=kind] .fault")).to_be_visible()
    form.get_by_role("combobox", name="Customer or site").fill("hotel")
    form.get_by_role("option").first.wait_for()
    page.keyboard.press("Enter")
    form.get_by_label("Kind of work").and_(form.locator("select")).select_option(label="Minor repair")
    form.get_by_role("textbox", name="What was asked for").fill("Drips by the lift")
    form.get_by_role("textbox", name="from", exact=True).fill("10")
    form.get_by_role("textbox", name="to", exact=True).fill("10.05")
    form.get_by_role("button", name="Make and place").click()
    expect(form.locator("[data-field=hours] .fault")).to_contain_text("09:30")
    form.get_by_role("textbox", name="from", exact=True).fill("10.00")
    form.get_by_role("button", name="Make and place").click()
    expect(form.locator("[data-field=hours] .fault")).to_contain_text("at least 15 minutes")
    form.get_by_role("textbox", name="to", exact=True).fill("12.00")
    form.get_by_role("button", name="Make and place").click()
    placing = page.locator("dialog", has_text="Move")
    placing.get_by_role("button", name="Move to draft").click()
    expect(placing).to_be_hidden()
    expect(page.locator(".inspector")).to_contain_text("Drips by the lift")
    number = page.locator(".inspector .pane-head .hint").text_content()
    [made] = [one for one in office.board(day)["visits"] if one["number"] == number]
    assert (made["draft"], made["symptom"], made["window_start"] is not None) == (True, "Drips by the lift", True)


def test_russian_board_is_russian(page: Page, demo_server: Server, day: str) -> None:
    open_board(page, demo_server, day)
    page.get_by_role("button", name="RU", exact=True).click()
    expect(page.locator("html")).to_have_attribute("lang", "ru")
    expect(page.get_by_role("button", name="Проверить и опубликовать")).to_be_visible()
    expect(page.get_by_role("heading", name=re.compile("Не назначены"))).to_be_visible()
    expect(page).to_have_title(re.compile("Доска"))
    page.get_by_role("button", name="EN", exact=True).click()
    expect(page.locator("html")).to_have_attribute("lang", "en")


@pytest.mark.parametrize("locale", ["en", "ru"])
@pytest.mark.parametrize("path", ["/board", "/conflicts", "/devices"])
def test_nothing_overflows_and_nothing_is_reported(page: Page, demo_server: Server, path: str, locale: str) -> None:
    page.add_init_script(f"localStorage.setItem('rounds.locale', '{locale}')")
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("request", lambda asked: faults.append(asked.url) if "/csp" in asked.url else None)
    page.on(
        "request",
        lambda asked: None if asked.url.startswith((demo_server.url, "blob:", "data:")) else faults.append(asked.url),
    )
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.goto(demo_server.url + path)
        expect(page.locator("main")).to_be_visible()
        expect(page.locator("html")).to_have_attribute("lang", locale)
        page.locator(FILLED[path]).first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert page.evaluate(OVERFLOW) == [], width
        expect(page.locator("main")).not_to_contain_text(IDENTIFIER)
        assert faults == []


def test_conflict_is_decided_by_keys_and_undone(page: Page, demo_server: Server, office: Office) -> None:
    site = make_conflict(office)
    page.goto(f"{demo_server.url}/conflicts")
    case = page.locator("[data-case]").filter(has_text=site["name"]).first
    case.click()
    row = page.locator("[data-row]").filter(has_text="North gate, code 4471")
    ours = row.get_by_label(re.compile("North gate, code 4417"))
    theirs = row.get_by_label(re.compile("North gate, code 4471"))
    expect(theirs).to_be_checked()
    expect(row).to_contain_text("Default")
    theirs.focus()
    page.keyboard.press("ArrowLeft")
    expect(ours).to_be_checked()
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text(site["name"])
    expect(row).to_have_count(0)
    assert office.get(f"/sites/{site['id']}")["access_note"].endswith("4417")
    page.keyboard.press("Control+z")
    expect(case).to_be_visible()


def make_conflict(office: Office) -> dict[str, Any]:
    """A tablet and the office change the access note of one site without knowing of each other."""
    server = office.server
    status, enrolled = server.call(
        "POST",
        "/sync/v1/enrol",
        {"code": code_of_somebody(office), "device_name": "Test", "app_version": "test", "schema_version": 1},
    )
    assert status in (200, 201), enrolled
    device = enrolled["token"]
    site, cursor = None, ""
    while site is None:
        _, page = server.call(
            "GET", f"/sync/v1/pull?limit=500&cursor={cursor}" if cursor else "/sync/v1/pull?limit=500", token=device
        )
        site = next((one for one in page["changes"] if one["collection"] == "site" and one["op"] == "put"), None)
        cursor = page["cursor"]
        assert site or page["more"], "the technician has no site"
    office.patch(f"/sites/{site['id']}", {"access_note": "North gate, code 4417"})
    now = server.now().isoformat().replace("+00:00", "Z")
    mutation = {
        "id": str(uuid.uuid4()),
        "n": 1,
        "collection": "site",
        "document_id": site["id"],
        "op": "update",
        "base_version": site["version"],
        "set": {"access_note": "North gate, code 4471"},
        "made_at": now,
    }
    status, answer = server.call("POST", "/sync/v1/push", {"device_time": now, "mutations": [mutation]}, token=device)
    assert status == 200, answer
    document: dict[str, Any] = site["document"] | {"id": site["id"]}
    return document


def code_of_somebody(office: Office) -> str:
    """An enrolment code for a technician who has visits today."""
    visits = office.board(office.today)["visits"]
    return office.code_for(next(one["assignee_id"] for one in visits if one["plan_state"] == "published"))


def test_tablet_is_enrolled_with_a_code_and_a_square(page: Page, demo_server: Server) -> None:
    page.goto(f"{demo_server.url}/board")
    page.get_by_role("link", name="Tablets").click()
    page.get_by_role("button", name="Enrol a tablet").click()
    page.get_by_role("dialog").get_by_role("button", name="Make a code").click()
    expect(page.locator(".enrol-code")).to_have_text(re.compile(r"^[A-Z0-9-]{6,}$"))
    square = page.get_by_role("img", name=re.compile("QR"))
    expect(square).to_be_visible()
    assert square.evaluate("image => image.decode().then(() => image.naturalWidth > 0)")
