"""The tablet and the board hear of changes as they happen, long before they would have asked."""

from __future__ import annotations

from playwright.sync_api import StorageState, expect

from tests.browser.clocked import Chromium
from tests.browser.conftest import OpenTablet
from tests.browser.hands import open_visit
from tests.browser.office import Office
from tests.serving import Server

SOON_MS = 12_000
"""Less than the shortest time between two questions, 15 s."""


def test_what_the_office_writes_is_on_the_tablet_and_on_the_board_at_once(
    open_tablet: OpenTablet, office: Office, demo_server: Server, browser: Chromium, signed_in: StorageState
) -> None:
    technician, visits = office.free_technician()
    # Nothing is done there: another test may have them.
    office.taken.discard(technician)
    visit = visits[0]
    tablet = open_tablet(technician)
    open_visit(tablet, visit["id"])
    context = browser.new_context(locale="en-GB", storage_state=signed_in, timezone_id=office.zone)
    board = context.new_page()
    with board.expect_response("**/api/v1/stream") as line:
        board.goto(f"{demo_server.url}/board?visit={visit['id']}")
    assert line.value.status == 200
    with board.expect_response("**/api/v1/board?*", timeout=SOON_MS):
        office.patch(f"/visits/{visit['id']}", {"instructions": "The key is in the blue box"})
    expect(tablet.get_by_text("The key is in the blue box").first).to_be_visible(timeout=SOON_MS)
    context.close()
