"""What a technician's hand does on the tablet."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Sequence

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


def start_work(page: Page, words: Sequence[str] = ("Drive", "I am here", "Start")) -> None:
    """Drive, arrive, start, whatever else is being worked at; ends on the checks. `words`: as the buttons say it."""
    for word in words:
        press(page, word)
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


SIGNED_TO_X = 150
"""Where a signature of `sign` ends, in pixels from the left of its pad."""


def sign(page: Page, name: str) -> None:
    page.locator(".sign input").fill(name)
    pad = page.locator(".signature-pad canvas")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 40, box["y"] + 60)
    page.mouse.down()
    for step in range(12):
        page.mouse.move(box["x"] + SIGNED_TO_X - 110 + 10 * step, box["y"] + 60 + 15 * (step % 3))
    page.mouse.up()


IN_DATABASE = """store => new Promise((done, failed) => {
    const open = indexedDB.open('rounds');
    open.onerror = () => failed(open.error);
    open.onsuccess = () => {
        const ask = open.result.transaction(store).objectStore(store).getAll();
        ask.onerror = () => failed(ask.error);
        ask.onsuccess = () => { open.result.close(); const rows = ask.result; done(WHAT); };
    }; })"""


def in_database(page: Page, store: str, what: str, *, patience_s: float = 30.0) -> None:
    """Wait until the tablet's own database is as `what` says: an expression over `rows`, all of one store."""
    until = time.monotonic() + patience_s
    while not page.evaluate(IN_DATABASE.replace("WHAT", what), store):
        assert time.monotonic() < until, what


def kept_on_disk(page: Page, field: str, what: str | None) -> None:
    """Wait until what is being entered in a field is in the tablet's database as `what` says, over its `value`.

    None: until there is no draft of it any more.
    """
    if what is None:
        in_database(page, "drafts", f"!rows.some(row => row.field === {field!r})")
    else:
        in_database(page, "drafts", f"rows.some(row => row.field === {field!r} && (value => {what})(row.value))")
