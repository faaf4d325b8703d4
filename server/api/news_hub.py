"""The open streams of one process: who is told of news, who must end, and how many there may be.

A stream is a sleeping thread of the web server. The hub has one thread more, which hears of commits, asks once for
all streams what they mean, and wakes those whom they concern. Of one tablet the newest stream counts: an older one is
a line that broke without anybody noticing, and is ended.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from flask import Flask

from server.problems import Problem
from server.store import news
from sync.feed import Cursor
from sync.stream import END, HEARTBEAT, NEWS, Event, encode, hello

Why = Literal["revoked", "replaced", "renew", "closing", "gone"]

LONGEST_S = 1800.0
"""A stream that is older is ended, so that its reader comes back and finds the least busy process."""
RETRY_MS = 5000
WAIT_S = 60
"""Who finds no room polls for so long before it asks for a stream again."""
CHECKED_EVERY_S = 2.0
OFFICE_EVERY_S = 2.0
"""The office's pages are told at most so often: any change is news to them."""
OF_ONE_PERSON = 4
UNANSWERED_MS = 20_000
"""A line on which nothing was acknowledged for so long is broken."""
BROKEN = getattr(select, "POLLRDHUP", 0) | getattr(select, "POLLHUP", 0) | getattr(select, "POLLERR", 0)


@dataclass(eq=False, kw_only=True)
class Stream:
    """One open stream. Of `device_id` and `session` one is set; `told` is the number up to which it knows of news.

    `about` tells several streams of one device apart; empty for the one that is about everything.
    """

    company_id: str
    device_id: str | None = None
    about: str = ""
    session: str | None = None
    person: str | None = None
    told: int
    epoch: str
    opened: float = field(default_factory=time.monotonic)
    line: socket.socket | None = None
    waiting: int | None = None
    ends: Why | None = None
    last_told_at: float = 0.0
    wake: threading.Condition = field(default_factory=threading.Condition)

    def tell(self, number: int) -> None:
        with self.wake:
            self.told = max(self.told, number)
            self.waiting = self.told
            self.last_told_at = time.monotonic()
            self.wake.notify()

    def end(self, why: Why) -> None:
        with self.wake:
            self.ends = self.ends or why
            self.wake.notify()

    def next(self, timeout_s: float) -> bytes | None:
        """The next bytes: an event, a heartbeat after `timeout_s`, None at the end, once what was told is said."""
        with self.wake:
            if self.waiting is None and self.ends is None:
                self.wake.wait(timeout_s)
            if self.ends is not None and (self.waiting is None or self.ends == "gone"):
                return None
            if self.waiting is None:
                return HEARTBEAT
            number, self.waiting = self.waiting, None
        return self.frame(number)

    def frame(self, number: int) -> bytes:
        """What is said of news up to a number."""
        return encode(Event(kind=NEWS, id=Cursor(seq=number, epoch=self.epoch).encode(), data="{}"))


class Hub:
    """All streams of this process. `open` and `close` are called by the web server's threads."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._most = int(app.config["STREAMS"])
        self._heartbeat_s = float(app.config["STREAM_HEARTBEAT_S"])
        self._streams: set[Stream] = set()
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[str, int]] = {}
        self._watch: news.Watch | None = None
        self._checked = 0.0
        self.serving: Callable[[], bool] = lambda: True
        """Whether the process goes on; when it does not, all streams are ended."""

    def open(self, stream: Stream) -> None:
        """Take a stream in; it hears at once of what there is since `told`. Raises Problem `no-stream`: no room."""
        with self._lock:
            for old in self._ousted_by(stream):
                self._streams.discard(old)
                old.end("replaced")
            if len(self._streams) >= self._most:
                self._clear_away(_broken(list(self._streams)))
            if len(self._streams) >= self._most:
                raise Problem(503, "no-stream", seconds=WAIT_S, headers={"Retry-After": str(WAIT_S)})
            self._streams.add(stream)
            if self._watch is None:
                self._watch = news.Watch(self._app, heard=self._heard, ticked=self._ticked)
                news.teller(self._app).watch = self._watch
                self._watch.start()
        _notice_silence(stream.line)
        self._watch.nudge()

    def close(self, stream: Stream) -> None:
        """Its room is free again."""
        with self._lock:
            self._streams.discard(stream)

    def count(self) -> int:
        with self._lock:
            return len(self._streams)

    def shut(self) -> None:
        """The process ends: all readers are sent away, so that nobody waits for them."""
        with self._lock:
            streams, watch = list(self._streams), self._watch
        for stream in streams:
            stream.end("closing")
        if watch is not None:
            watch.stop()

    def frames(self, stream: Stream) -> Iterator[bytes]:
        """What goes over the line until the stream ends."""
        yield hello(RETRY_MS)
        while (frame := stream.next(self._heartbeat_s)) is not None:
            yield frame
        if stream.ends == "gone":
            # Nobody reads: a farewell could wait for ever for room on the line.
            _shut_line(stream.line)
            return
        yield encode(Event(kind=END, data=f'{{"reason":"{stream.ends}"}}'))

    def _clear_away(self, broken: list[Stream]) -> None:
        """A line whose other end is gone holds nobody's room, however short a while ago that was."""
        for stream in broken:
            self._streams.discard(stream)
            stream.end("gone")

    def _ousted_by(self, stream: Stream) -> list[Stream]:
        if stream.device_id is not None:
            return [one for one in self._streams if (one.device_id, one.about) == (stream.device_id, stream.about)]
        own = sorted((one for one in self._streams if one.person == stream.person), key=lambda one: one.opened)
        return own[: max(0, len(own) + 1 - OF_ONE_PERSON)]

    def _heard(self, companies: frozenset[str] | None) -> None:
        """There was a commit, of these companies or of nobody knows whom."""
        with self._lock:
            streams = [one for one in self._streams if companies is None or one.company_id in companies]
        if not streams:
            return
        with self._app.app_context():
            self._tell_all(streams)
            if companies is None and time.monotonic() - self._checked > CHECKED_EVERY_S:
                self._checked = time.monotonic()
                self._end_revoked(streams)

    def _tell_all(self, streams: list[Stream]) -> None:
        by_company: dict[str, list[Stream]] = {}
        for stream in streams:
            by_company.setdefault(stream.company_id, []).append(stream)
        clocks = news.clocks(by_company)
        for company_id, those in by_company.items():
            if company_id not in clocks:
                continue
            epoch, newest = clocks[company_id]
            if self._seen.get(company_id) != (epoch, newest):
                self._seen[company_id] = (epoch, newest)
                self._end_revoked(those)
            self._tell_company(company_id, those, epoch, newest)

    def _tell_company(self, company_id: str, streams: list[Stream], epoch: str, newest: int) -> None:
        now = time.monotonic()
        behind = [one for one in streams if one.told < newest or one.epoch != epoch]
        for one in behind:
            if one.epoch != epoch:
                # Another history: whatever the reader has is to be looked at anew.
                one.epoch, one.told = epoch, newest
                one.tell(newest)
            elif one.device_id is None and now - one.last_told_at >= OFFICE_EVERY_S:
                one.tell(newest)
        tablets = [one for one in behind if one.device_id is not None and one.told < newest]
        if tablets:
            found = news.newest_for(company_id, {one.device_id for one in tablets if one.device_id is not None})
            for one in tablets:
                if found.get(one.device_id or "", 0) > one.told:
                    one.tell(newest)
                else:
                    one.told = newest

    def _ticked(self) -> None:
        """Whose line is broken, who has been here long enough, is the process at its end? Asks no database."""
        if not self.serving():
            self.shut()
            return
        now = time.monotonic()
        with self._lock:
            streams = list(self._streams)
        for stream in _broken(streams):
            stream.end("gone")
        for stream in streams:
            if now - stream.opened > LONGEST_S:
                stream.end("renew")

    def _end_revoked(self, streams: list[Stream]) -> None:
        tablets = {one.device_id: one.company_id for one in streams if one.device_id is not None}
        sessions = {one.session for one in streams if one.session is not None}
        in_force: set[str] = news.devices_in_force(tablets) if tablets else set()
        in_force |= news.sessions_in_force(sessions, datetime.now(UTC)) if sessions else set()
        for one in streams:
            if (one.device_id or one.session) not in in_force:
                one.end("revoked")


def hub(app: Flask) -> Hub:
    """The application's one hub in this process."""
    found: Hub = app.extensions.setdefault("rounds_hub", Hub(app))
    return found


def line_of(environ: dict[str, Any]) -> socket.socket | None:
    """The socket of a request, where the web server shows it."""
    found = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    return found if isinstance(found, socket.socket) else None


def _notice_silence(line: socket.socket | None) -> None:
    """Have the system give up a line whose other end vanished, instead of after a quarter of an hour."""
    if line is not None and hasattr(socket, "TCP_USER_TIMEOUT") and line.family in (socket.AF_INET, socket.AF_INET6):
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNANSWERED_MS)


def _broken(streams: list[Stream]) -> list[Stream]:
    """Streams whose other end is gone."""
    if not hasattr(select, "poll"):
        return []
    poll = select.poll()
    by_line: dict[int, Stream] = {}
    for stream in streams:
        number = stream.line.fileno() if stream.line is not None else -1
        if number >= 0:
            by_line[number] = stream
            poll.register(number, BROKEN)
    return [by_line[number] for number, _ in poll.poll(0)] if by_line else []


def _shut_line(line: socket.socket | None) -> None:
    try:
        if line is not None:
            line.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
