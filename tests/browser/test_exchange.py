"""The exchange without a network, by hand: pictures from screen to screen both ways, and files."""

from __future__ import annotations

import io
import random
import re
from pathlib import Path

import segno
from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, StorageState, expect

from sync import frames
from tests.browser.clocked import Chromium
from tests.browser.conftest import OpenTablet
from tests.browser.hands import open_visit, send_now, start_work
from tests.browser.office import Office, sign_in
from tests.builders import entry
from tests.carriers import Carrier
from tests.serving import Server
from tests.tablets import OverHttp, Tablet

LONG = " ".join(str(random.Random(1).random()) for _ in range(40))
"""A note that makes more than one picture."""


def pictures_of(shown: Locator) -> list[FilePayload]:
    """A photo of each picture that is shown, one step after another."""
    shown.locator(".frames-steps .button").nth(1).click()
    of = int(re.findall(r"\d+", shown.locator(".frames-at").inner_text())[1])
    taken = []
    for _ in range(of):
        at = shown.locator(".frames-at").inner_text()
        expect(shown.locator("canvas")).to_have_attribute("data-drawn", re.findall(r"\d+", at)[0])
        taken.append(FilePayload(name=f"{at}.png", mimeType="image/png", buffer=shown.locator("canvas").screenshot()))
        shown.locator(".frames-steps .button").last.click()
        expect(shown.locator(".frames-at")).not_to_have_text(at)
    return taken


def carry_by_pictures(reader: Locator, photos: list[FilePayload]) -> None:
    """Hand photos over in any order: first all but one, with doubles, then the one that was missed."""
    random.Random(7).shuffle(photos)
    reader.locator("input[type=file]").set_input_files([*photos[1:], photos[1]])
    expect(reader.locator(".frames-seen")).to_contain_text(str(len(photos) - 1))
    reader.locator("input[type=file]").set_input_files(photos[:1])


def drop(page: Page, file: Path) -> None:
    """Drag a file onto the office's page."""
    transfer = page.evaluate_handle(
        """([name, bytes]) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([Uint8Array.from(bytes)], name));
          return transfer;
        }""",
        [file.name, list(file.read_bytes())],
    )
    page.dispatch_event(".exchange-drop", "drop", {"dataTransfer": transfer})


def filmed(data: bytes, path: Path) -> None:
    """A film of an exchange file's pictures, as a camera sees them: motion JPEG."""
    with path.open("wb") as film:
        for text in frames.cut(data):
            code = io.BytesIO()
            segno.make(text, error="l", mode="alphanumeric").save(code, kind="png", scale=6, border=4)
            picture = Image.new("RGB", (1280, 720), (150, 150, 150))
            drawn = Image.open(code).convert("RGB").resize((640, 640))
            picture.paste(drawn, (320, 40))
            still = io.BytesIO()
            picture.save(still, "JPEG", quality=80)
            film.write(still.getvalue() * 10)


def open_exchange(page: Page) -> Locator:
    page.goto(re.sub(r"/tablet/.*", "/tablet/sync", page.url))
    page.locator(".carry-open").click()
    expect(page.locator("dialog .carry")).to_be_visible()
    return page.locator("dialog")


def test_work_goes_to_the_office_and_back_as_pictures_without_a_network(
    open_tablet: OpenTablet, browser: Chromium, signed_in: StorageState, demo_server: Server, office: Office
) -> None:
    technician, visits = office.free_technician()
    visit = visits[0]["id"]
    page = open_tablet(technician, size=(412, 915))
    page.context.set_offline(True)
    open_visit(page, visit)
    page.locator(".site-note .button").first.click()
    page.locator(".site-edit textarea").fill(LONG)
    page.locator(".site-edit .primary").click()
    start_work(page)
    dialog = open_exchange(page)
    dialog.locator("section").first.locator(".primary").click()
    dialog.locator(".carry-ways .button", has_text="Show as pictures").click()
    for part in ("canvas", ".frames-at", ".frames-steps"):
        expect(dialog.locator(f".frames {part}")).to_be_in_viewport(ratio=1)
    box = dialog.locator(".frames canvas").bounding_box()
    assert box is not None
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= 915
    photos = pictures_of(dialog.locator(".frames"))

    desk = browser.new_context(storage_state=signed_in, viewport={"width": 1440, "height": 900}, locale="en-GB")
    board = desk.new_page()
    board.goto(f"{demo_server.url}/exchange")
    board.get_by_role("button", name="Read pictures").click()
    carry_by_pictures(board.locator(".frame-reader"), photos)
    came = board.locator(".exchange-came")
    expect(came).to_contain_text("4 taken")
    assert office.get(f"/visits/{visit}")["exec_state"] == "working"

    came.get_by_role("button", name="Make the answer").click()
    board.get_by_role("button", name="Show as pictures").click()
    answer = pictures_of(board.locator("dialog .frames"))
    dialog.get_by_role("button", name="Read pictures").click()
    carry_by_pictures(dialog.locator(".frame-reader"), answer)
    expect(dialog.locator(".carry-done").last).to_contain_text("4 answers")
    desk.close()

    dialog.locator("header .button").click()
    expect(page.locator(".items [data-state=accepted]").first).to_be_visible()
    expect(page.locator(".items [data-state=sent], .items [data-state=saved]")).to_have_count(0)
    page.context.set_offline(False)
    send_now(page)
    assert len(office.get(f"/visits/{visit}")["events"]) == 3


def test_a_file_is_dropped_at_the_office_and_its_answer_chosen_on_the_tablet(
    open_tablet: OpenTablet,
    browser: Chromium,
    signed_in: StorageState,
    demo_server: Server,
    office: Office,
    tmp_path: Path,
) -> None:
    technician, visits = office.free_technician()
    page = open_tablet(technician, size=(412, 915), locale="ru-RU")
    page.context.set_offline(True)
    open_visit(page, visits[0]["id"])
    word = page.locator(".dock .primary").inner_text()
    page.locator(".dock .primary").click()
    expect(page.locator(".dock .primary")).not_to_have_text(word)
    dialog = open_exchange(page)
    dialog.locator("section").first.locator(".primary").click()
    with page.expect_download() as saved:
        dialog.locator("section").first.locator(".carry-ways .button").first.click()
    file = tmp_path / "tablet.rndx"
    saved.value.save_as(file)

    desk = browser.new_context(storage_state=signed_in, viewport={"width": 1440, "height": 900}, locale="en-GB")
    board = desk.new_page()
    board.goto(f"{demo_server.url}/exchange")
    drop(board, file)
    expect(board.locator(".exchange-came").first).to_contain_text("1 taken")
    board.locator("[data-exchange=file]").set_input_files(file)
    expect(board.locator(".exchange-came").first).to_contain_text("Nothing changed")
    cut = tmp_path / "cut.rndx"
    cut.write_bytes(file.read_bytes()[:-1])
    board.locator("[data-exchange=file]").set_input_files(cut)
    expect(board.locator(".exchange-log .error-box")).to_contain_text("end of the file is missing")
    board.locator(".exchange-came").first.get_by_role("button", name="Make the answer").click()
    with board.expect_download() as made:
        board.locator("dialog footer .primary").click()
    answer = tmp_path / "office.rndx"
    made.value.save_as(answer)
    desk.close()

    chooser = dialog.locator("[data-carry=file]")
    chooser.set_input_files(answer)
    expect(dialog.locator(".carry-done").last).to_contain_text("1 ответ")
    chooser.set_input_files(answer)
    expect(dialog.locator(".carry-note")).to_contain_text("Ничего не изменилось")
    chooser.set_input_files(file)
    expect(dialog.locator(".carry-trouble")).to_be_visible()


def test_the_office_s_camera_reads_a_tablet_s_pictures(
    browser: Chromium, demo_server: Server, office: Office, tmp_path: Path
) -> None:
    """The tablet is the reference replica; the camera is a film."""
    technician, visits = office.free_technician()
    tablet = Tablet(OverHttp(demo_server.url))
    tablet.enrol(office.code_for(technician), device_name="Reference")
    carrier = Carrier(tablet)
    for number in range(12):
        tablet.change(visits[0]["id"], add={"notes": [entry(text=f"Seen by camera {number}")]})
    filmed(carrier.write(), tmp_path / "film.mjpeg")
    camera = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
    film = f"--use-file-for-fake-video-capture={tmp_path / 'film.mjpeg'}"
    desk = browser.kept_context(tmp_path / "profile", *camera, film, locale="en-GB")
    board = desk.new_page()
    sign_in(board, demo_server)
    board.goto(f"{demo_server.url}/exchange")
    board.get_by_role("button", name="Read pictures").click()
    board.get_by_role("button", name="Read with the camera").click()
    expect(board.locator(".exchange-came")).to_contain_text("12 merged", timeout=60_000)
    expect(board.locator("video")).to_have_count(0)
    desk.close()
