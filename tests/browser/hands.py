"""What a technician's hand does on the tablet."""

from __future__ import annotations

import io
import re

from PIL import Image
from playwright.sync_api import FilePayload, Page, expect


def enrol(page: Page, code: str) -> None:
    page.locator("#enrol-code").fill(code)
    page.locator(".enrol-form .primary").click()
    expect(page.locator("[data-sync=all_sent], [data-sync=photos]").first).to_be_visible()
    expect(page.locator(".row, .card-body, .later").first).to_be_visible()
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")


def open_visit(page: Page, visit_id: str, tab: str = "what") -> None:
    page.goto(re.sub(r"/tablet/.*", f"/tablet/visit/{visit_id}/{tab}", page.url))
    expect(page.locator(".tabs")).to_be_visible()


def press(page: Page, word: str) -> None:
    page.locator(".dock .primary").filter(has_text=word).click()


def start_work(page: Page) -> None:
    """Drive, arrive, start, whatever else is being worked at; ends on the checks."""
    press(page, "Drive")
    press(page, "I am here")
    press(page, "Start")
    expect(page.locator("#tab-checks[aria-selected=true], .reasons").first).to_be_visible()
    if page.locator(".reasons").count():
        page.locator(".reasons .button").last.click()
    expect(page.locator("#tab-checks")).to_have_attribute("aria-selected", "true")


def answer_everything(page: Page) -> None:
    """Answer each item of the checklist as a hand would, whatever kinds it has."""
    items = page.locator("li.check")
    for index in range(items.count()):
        item = items.nth(index)
        if item.locator(".half.ok").count():
            item.locator(".half.ok").click()
            expect(item.locator(".given.ok")).to_be_visible()
        elif item.locator(".check-open").count():
            item.locator(".check-open").click()
            low = item.locator(".scale span").first
            item.locator("input:not([type=file])").fill(low.inner_text() if low.count() else "3")
            page.locator(".key.go").click()
            expect(item.locator(".given, .value").first).to_be_visible()
            close = page.locator(".keypad .key.go")
            if close.count():
                close.click()
        elif item.locator("textarea").count():
            item.locator("textarea").fill("as it should be")
            item.locator(".button").click()
            expect(item.locator(".given")).to_be_visible()
        elif item.locator("input[type=file]").count():
            item.locator("input[type=file]").set_input_files(photo("item.jpg"))
            expect(item.locator(".tile img")).to_be_visible()


def photo(name: str, colour: tuple[int, int, int] = (90, 120, 110)) -> FilePayload:
    """A photo of 12 megapixels, as a camera makes it."""
    data = io.BytesIO()
    Image.new("RGB", (4000, 3000), colour).save(data, "JPEG")
    return FilePayload(name=name, mimeType="image/jpeg", buffer=data.getvalue())


def send_now(page: Page) -> None:
    """Open the sync centre and wait until nothing is only here."""
    page.goto(re.sub(r"/tablet/.*", "/tablet/sync", page.url))
    page.locator(".dock .primary").click()
    expect(page.locator(".group-line .chip.ok")).to_be_visible(timeout=20_000)


def sign(page: Page, name: str) -> None:
    page.locator(".sign input").fill(name)
    pad = page.locator(".signature-pad canvas")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 40, box["y"] + 60)
    page.mouse.down()
    for step in range(12):
        page.mouse.move(box["x"] + 40 + 10 * step, box["y"] + 60 + 15 * (step % 3))
    page.mouse.up()
