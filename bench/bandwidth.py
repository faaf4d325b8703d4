"""How soon the office knows of a step of the work, over a thin link on which 40 photos wait.

    python -m bench.bandwidth [--samples 8] [--photos 40] [--long]

A real server, the tablet's app in a real Chromium, and between them a link of 32 kbit/s with 600 ms there and back that
everything shares. The time is from the press to the moment at which the office's API shows the new state, in seconds:
with nothing else on the link, with the photos on it, and for a second step pressed right after the first. `--long` adds
`use`, the share of what the link can carry that was photo while nothing else was sent: somebody looks at the tablet, or
nobody; and a link of 2 s each way that loses every fifth packet, and a line that is half open for half a minute.
The last line is JSON.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import statistics
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.clocked import Chromium
from tests.browser.hands import enrol, open_visit, start_work
from tests.browser.office import Office
from tests.browser.test_tablet_photos import detailed, pieces, take
from tests.clocked import until_the_morning
from tests.faults.proxy import FaultProxy
from tests.serving import Server

RATE = 4000.0
"""Bytes a second each way: 32 kbit/s."""

ONE_WAY_S = 0.3
GOAL_S = 2.0
SETTLE_S = 2.5
USE_S = 12.0


class Bench:
    """One tablet at work on one visit, and the office that watches it."""

    def __init__(self, server: Server, office: Office, page: Page, link: FaultProxy, visit: str) -> None:
        self.server, self.office, self.page, self.link, self.visit = server, office, page, link, visit

    def state(self) -> str:
        return str(self.office.get(f"/visits/{self.visit}")["exec_state"])

    def until(self, wanted: str, since: float, most_s: float = 120) -> float:
        """Seconds until the office knows."""
        while self.state() != wanted:
            if time.perf_counter() - since > most_s:
                raise RuntimeError(f"the office never saw {wanted}")
            # A thin pause: the asking must not take the server from what is asked for.
            time.sleep(0.05)
        return time.perf_counter() - since

    def step(self) -> float:
        """Pause, or continue: whichever comes next."""
        paused = self.page.locator(".dock .side:not(a)").count() == 0
        began = time.perf_counter()
        self.page.locator(".dock .primary" if paused else ".dock .side").click()
        return self.until("working" if paused else "paused", began)

    def twice(self) -> float:
        """Two steps in one breath; the time of the second."""
        began = self.state()
        side, primary = self.page.locator(".dock .side:not(a)"), self.page.locator(".dock .primary")
        (side if began == "working" else primary).click()
        if began == "working":
            expect(side).to_have_count(0)
        else:
            expect(side).to_have_count(1)
        time.sleep(0.3)
        since = time.perf_counter()
        (primary if began == "working" else side).click()
        # The first step is on its way: its state may be seen between.
        while (seen := len(self.office.get(f"/visits/{self.visit}")["events"])) < self.events + 2:
            if time.perf_counter() - since > 120:
                raise RuntimeError("the office never saw the second step")
            time.sleep(0.05)
        self.events = seen
        return time.perf_counter() - since

    events = 0

    def sampled(self, n: int, what: Callable[[], float]) -> list[float]:
        found: list[float] = []
        for _ in range(n):
            self.events = len(self.office.get(f"/visits/{self.visit}")["events"])
            found.append(what())
            print(f"{what.__name__} {found[-1]:.2f} s", file=sys.stderr, flush=True)
            time.sleep(SETTLE_S)
        return found

    def sent_of_photos(self) -> int:
        """Bytes of photos, small pictures ahead of them included, that were put on the link."""
        return sum(pieces(self.link))

    def use(self, seconds: float = USE_S) -> float:
        """Share of what the link could carry that was photo."""
        before, since = self.sent_of_photos(), time.perf_counter()
        time.sleep(seconds)
        return (self.sent_of_photos() - before) / ((time.perf_counter() - since) * RATE)


def figures(times: list[float]) -> dict[str, float]:
    return {"p50_s": round(statistics.median(times), 2), "max_s": round(max(times), 2)}


HIDE = """(hidden) => { Object.defineProperty(document, 'visibilityState', {configurable: true,
    get: () => hidden ? 'hidden' : 'visible'}); }"""


def sizes(visit: dict[str, Any]) -> dict[str, int]:
    """Bytes of the body of a push of one step: as it is, as gzip, and with a dictionary that both ends have."""
    event = {"id": visit["id"], "at": "2026-11-25T09:42:17.123Z", "type": "paused"}
    mutation = {"id": visit["id"], "collection": "visit", "document_id": visit["id"], "op": "update", "base_version": 7}
    mutation |= {"set": {}, "add": {"events": [event]}, "remove": {}, "made_at": event["at"], "group": None, "n": 12}
    push = {"app_version": "0.1.0", "schema_version": 1, "device_time": event["at"], "rtt_ms": 642}
    body = json.dumps(push | {"mutations": [mutation]}, separators=(",", ":")).encode()
    other = body.replace(visit["id"].encode(), b"0" * 36).replace(b"2026-11-25T09:42:17.123Z", b"")
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, zdict=other)
    return {
        "plain": len(body),
        "gzip": len(gzip.compress(body)),
        "dictionary": len(packer.compress(body) + packer.flush()),
    }


def on(bench: Bench, samples: int, photos: int, long: bool) -> dict[str, Any]:
    page, link = bench.page, bench.link
    open_visit(page, bench.visit)
    start_work(page)
    bench.until("working", time.perf_counter())
    page.locator("#tab-what").click()
    link.link(rate=RATE, delay_s=ONE_WAY_S)
    time.sleep(SETTLE_S)
    found: dict[str, Any] = {"alone": figures(bench.sampled(samples, bench.step))}
    link.link(rate=None, delay_s=0)
    link.refuse()
    link.cut_all()
    page.locator("#tab-photos").click()
    take(page, *(detailed(number, 600) for number in range(photos)))
    link.link(rate=RATE, delay_s=ONE_WAY_S)
    link.refuse(False)
    page.evaluate("dispatchEvent(new Event('rounds:send-now'))")
    while bench.sent_of_photos() < 4000:
        time.sleep(0.2)
    found["photos_waiting"] = page.locator(".tile:is([data-state=saved], [data-state=sending])").count()
    page.locator("#tab-what").click()
    time.sleep(2 * SETTLE_S)
    found["with_photos"] = figures(bench.sampled(samples, bench.step))
    found["second_step"] = figures(bench.sampled(max(2, samples // 2), bench.twice))
    if long:
        found["use_watched"] = round(bench.use(), 2)
        page.evaluate(HIDE, True)
        time.sleep(3 * SETTLE_S)
        found["use_unwatched"] = round(bench.use(2 * USE_S), 2)
        page.evaluate(HIDE, False)
        found |= on_rough(bench)
    link.link(rate=None, delay_s=0)
    page.locator("#tab-photos").click()
    expect(page.locator(".tile[data-state=verified]")).to_have_count(photos, timeout=180_000)
    found["photos_arrived"] = photos
    return found


def on_rough(bench: Bench) -> dict[str, Any]:
    """A worse link: a step, then a line that is half open, and where the photo goes on."""
    link = bench.link
    link.link(rate=RATE, delay_s=2.0)
    link.up.loss = link.down.loss = 0.2
    time.sleep(5)
    step = figures([bench.step()])["p50_s"]
    link.up.loss = link.down.loss = 0.0
    link.link(rate=RATE, delay_s=ONE_WAY_S)
    before = bench.sent_of_photos()
    link.hold()
    time.sleep(30)
    link.hold(False)
    since = time.perf_counter()
    while bench.sent_of_photos() <= before + 4000:
        time.sleep(0.2)
    return {"rough_step_s": step, "after_half_open_s": round(time.perf_counter() - since, 1)}


def run(samples: int, photos: int, long: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        offset = until_the_morning(datetime.now(UTC))
        server = Server(f"sqlite:///{folder / 'rounds.db'}", folder, clock_offset=offset)
        server.flask("db", "upgrade")
        server.flask("demo", "load")
        server.start()
        path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
        chromium = Chromium(playwright.chromium, path, server.now)
        try:
            branches = server.call("GET", "/api/v1/branches", token=server.sign_in("dispatcher@rounds.example"))
            server.branch = next(branch["id"] for branch in branches[1]["items"] if branch["locale"] == "en")
            office = Office(server)
            technician, visits = office.with_two()
            # With a rate from the start, so that no buffer of the link hides what it has not carried.
            with FaultProxy(server.port, rate=10_000_000.0, record=True) as link:
                page = chromium.new_context(locale="en-GB", viewport={"width": 412, "height": 915}).new_page()
                page.goto(f"{link.url}/tablet/")
                enrol(page, office.code_for(technician))
                bench = Bench(server, office, page, link, visits[0]["id"])
                found = on(bench, samples, photos, long)
            return found | {"push_bytes": sizes(visits[0])}
        finally:
            chromium.close()
            server.stop()


WORDS = {
    "alone": "nothing else on the link",
    "with_photos": "photos on it",
    "second_step": "a second step in the same breath",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--photos", type=int, default=40)
    parser.add_argument("--long", action="store_true")
    arguments = parser.parse_args()
    found = run(max(2, arguments.samples), arguments.photos, arguments.long)
    print(
        f"A step over 32 kbit/s and 600 ms, {found['photos_waiting']} photos waiting; seconds until the office has it\n"
    )
    print("|                                   | p50  | max  |\n|-----------------------------------|-----:|-----:|")
    for name, text in WORDS.items():
        print(f"| {text:33} | {found[name]['p50_s']:4.2f} | {found[name]['max_s']:4.2f} |")
    print(json.dumps(found | {"rate_bit_s": int(RATE * 8), "round_trip_ms": int(2000 * ONE_WAY_S), "goal_s": GOAL_S}))


if __name__ == "__main__":
    main()
