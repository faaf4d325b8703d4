"""Photos from the tablet to the office: over a thin link, through a reload, and what a person must look at first."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.conftest import OpenTablet
from tests.browser.hands import open_visit, press
from tests.browser.office import Office
from tests.faults.proxy import FaultProxy
from tests.pictures import HTML
from tests.serving import Server

BYTES_A_SECOND = 4000
ONE_WAY_S = 0.3
"""32 kbit/s, 600 ms there and back."""


def detailed(number: int, side: int = 900) -> FilePayload:
    """A photo that does not compress to nothing: about 250 kB as the tablet sends it."""
    rows = (Image.effect_noise((side, side), 40 + number), Image.linear_gradient("L").resize((side, side)))
    data = io.BytesIO()
    Image.merge("RGB", (rows[0], rows[1], rows[0])).save(data, "JPEG", quality=90)
    return FilePayload(name=f"photo-{number}.jpg", mimeType="image/jpeg", buffer=data.getvalue())


def take(page: Page, *photos: FilePayload) -> None:
    """Take photos on the open photos tab, each kept before the next."""
    for photo in photos:
        before = page.locator(".tile.large").count()
        page.locator(".dock input[type=file]").set_input_files(photo)
        expect(page.locator(".tile.large img")).to_have_count(before + 1)


@pytest.fixture
def link(demo_server: Server) -> Iterator[FaultProxy]:
    """A link to the office, as good as any until it is made thin."""
    with FaultProxy(demo_server.port, record=True) as proxy:
        yield proxy


def pieces(link: FaultProxy) -> list[int]:
    """Bytes of each piece of a photo or small picture that was sent over the link, the first with its announcement."""
    heads = [
        head
        for stream in link.sent_streams()
        for head in re.findall(rb"(?:PATCH|POST) /sync/v1/uploads\S* HTTP/1.1\r\n.*?\r\n\r\n", stream, re.S)
    ]
    return [int(re.findall(rb"(?i)content-length: (\d+)", head)[0]) for head in heads]


def test_a_step_is_at_the_office_at_once_while_photos_wait(
    open_tablet: OpenTablet, office: Office, link: FaultProxy
) -> None:
    technician, visits = office.free_technician()
    visit = visits[0]["id"]
    page = open_tablet(technician, at=link.url)
    open_visit(page, visit, "photos")
    link.refuse()
    link.cut_all()
    take(page, *(detailed(number, 300) for number in range(11)), detailed(11))
    link.link(rate=BYTES_A_SECOND, delay_s=ONE_WAY_S)
    link.refuse(False)
    expect(page.locator(".tile[data-state=sending]").first).to_be_visible(timeout=60_000)
    assert page.locator(".tile[data-state=saved]").count() > 7
    page.locator("#tab-what").click()
    started = time.monotonic()
    press(page, "Drive")
    while office.get(f"/visits/{visit}")["exec_state"] != "en_route":
        # In quiet under two seconds, with forty photos (bench/bandwidth.py); behind these it would be minutes.
        assert time.monotonic() - started < 20
    # Nothing long was on its way before it: a piece is what the link carries in half a second.
    assert sorted(pieces(link))[-3] <= 0.75 * BYTES_A_SECOND
    # The photos go on by themselves, and on a good link all of them arrive.
    link.link(rate=None, delay_s=0)
    page.locator("#tab-photos").click()
    expect(page.locator(".tile[data-state=verified]")).to_have_count(12, timeout=60_000)
    expect(page.locator(".photos-missing")).to_have_count(0)


def test_a_photo_goes_on_after_a_reload_where_it_was(open_tablet: OpenTablet, office: Office, link: FaultProxy) -> None:
    technician, visits = office.free_technician()
    page = open_tablet(technician, at=link.url)
    open_visit(page, visits[0]["id"], "photos")
    link.link(rate=60_000, delay_s=0.02)
    before = link.sent
    take(page, detailed(1, 1600))
    tile = page.locator(".tile.large").last
    expect(tile).to_have_attribute("data-state", "sending", timeout=30_000)
    expect(tile.locator("figcaption")).to_contain_text("%", timeout=30_000)
    page.reload()
    link.link(rate=None, delay_s=0)
    expect(page.locator(".tile.large").last).to_have_attribute("data-state", "verified", timeout=30_000)
    expect(page.locator(".tile.large figcaption").last).to_have_text("at office")
    size = page.evaluate(
        "() => new Promise((done) => { const open = indexedDB.open('rounds'); open.onsuccess = () => {"
        " open.result.transaction('photos').objectStore('photos').getAll().onsuccess = (event) =>"
        " done(event.target.result.at(-1).size); }; })"
    )
    assert link.sent - before < 1.8 * size + 100_000


def test_a_page_that_is_called_a_photo_waits_for_the_office(open_tablet: OpenTablet, office: Office) -> None:
    technician, visits = office.free_technician()
    visit = visits[0]["id"]
    tablet = open_tablet(technician)
    open_visit(tablet, visit, "photos")
    tablet.locator(".dock input[type=file]").set_input_files(
        FilePayload(name="plate.jpg", mimeType="image/jpeg", buffer=HTML)
    )
    tile = tablet.locator(".tile.large").last
    expect(tile).to_have_attribute("data-state", "held", timeout=20_000)
    expect(tile.locator("figcaption")).to_have_text("at office")
    held = next(one for one in office.get("/quarantine?limit=200")["items"] if visit in one["visit_ids"])
    office.post(f"/quarantine/{held['id']}/discard", {"reason": "Not a photo of the plate"})
    tablet.evaluate("dispatchEvent(new Event('rounds:send-now'))")
    expect(tile).to_have_attribute("data-state", "needs", timeout=20_000)
