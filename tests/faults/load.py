"""Tablets that push all the time, whatever befalls the server, and the count at the end: nothing lost or doubled."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from types import TracebackType

from flask import Flask

from schemas.entities.base import iso
from server.actions.enrol_device import make_code
from server.extensions import db
from sync.client import Offline, Refused
from tests.builders import SmallCompany, publish
from tests.serving import Server
from tests.tablets import OverHttp, Tablet

LONGEST_S = 60.0
AGAIN_S = 0.03


def some_tablets(app: Flask, company: SmallCompany, url: str, count: int) -> tuple[list[Tablet], str]:
    """Tablets of Anna's that have read, and the visit that they all have."""
    with app.app_context():
        visit = company.visit()
        publish(company.id, visit, company.anna)
        codes = [make_code(company.id, company.anna, user_id=None, now=datetime.now(UTC)).code for _ in range(count)]
        db.session.remove()
    found = []
    for code in codes:
        tablet = Tablet(OverHttp(url))
        tablet.enrol(code, device_name="Tablet")
        tablet.read()
        found.append(tablet)
    return found, visit


def write_note(tablet: Tablet, visit: str) -> str:
    """A person writes a note; its id."""
    note = str(uuid.uuid4())
    tablet.change(visit, add={"notes": [{"id": note, "at": iso(datetime.now(UTC)), "text": "note"}]})
    return note


class Load(AbstractContextManager["Load"]):
    """Each tablet pushes what its person writes; no answer and 5xx are tried again, all else is a failure."""

    def __init__(self, tablets: Sequence[Tablet], visit: str, server: Server) -> None:
        self.tablets, self.visit, self.server = tablets, visit, server
        self.made: list[str] = []
        self.acknowledged: list[str] = []
        self.refused: list[Refused] = []
        """What was answered while something was broken."""
        self._pushed, self._turned_away = threading.Semaphore(0), threading.Semaphore(0)
        self._stop = threading.Event()
        self._failed: list[Exception] = []
        self._threads = [threading.Thread(target=self._work, args=(tablet,)) for tablet in tablets]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(LONGEST_S)

    def pushes(self, count: int) -> None:
        """Wait until so many more pushes were answered."""
        for _ in range(count):
            assert self._pushed.acquire(timeout=LONGEST_S), self._failed or "no push is answered"

    def refusals(self, count: int) -> None:
        """Wait until so many more pushes were refused."""
        for _ in range(count):
            assert self._turned_away.acquire(timeout=LONGEST_S), self._failed or "no push is refused"

    def forget_pushes(self) -> None:
        """What was answered up to now does not count for `pushes`."""
        while self._pushed.acquire(blocking=False):
            pass

    def _work(self, tablet: Tablet) -> None:
        try:
            while not self._stop.is_set():
                if len(tablet.unsent()) < 3:
                    self.made.append(write_note(tablet, self.visit))
                self._exchange(tablet)
        except Exception as error:  # noqa: BLE001 - whatever ends a tablet is told by the test's own thread
            self._failed.append(error)

    def _exchange(self, tablet: Tablet) -> None:
        sent = {mutation["id"]: mutation["add"]["notes"][0]["id"] for mutation in tablet.unsent()}
        try:
            for result in tablet.send():
                assert result["status"] in ("applied", "merged"), result
                self.acknowledged.append(sent[result["id"]])
            self._pushed.release()
        except Offline:
            self._stop.wait(AGAIN_S)
        except Refused as refused:
            if refused.status < 500:
                raise
            self.refused.append(refused)
            self._turned_away.release()
            self._stop.wait(AGAIN_S)

    def settle(self) -> None:
        """All is over: every tablet sends what it has. Raises AssertionError when anything is lost or doubled."""
        assert self._failed == []
        for tablet in self.tablets:
            tablet.sync()
        self.tablets[0].read()
        stored = [entry["id"] for entry in self.tablets[0].body(self.visit)["notes"]]
        assert set(self.acknowledged) <= set(stored), "what was acknowledged is lost"
        assert sorted(stored) == sorted(self.made), "what was written is lost or doubled"
        assert not any(tablet.unsent() for tablet in self.tablets)
