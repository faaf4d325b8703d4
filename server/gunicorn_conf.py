"""gunicorn: two processes of threads. `max_requests` stays unset, for it would cut connections off.

An open stream of news holds a thread that sleeps. All but 32 of a process's threads may do that; a stream that finds no
room is told to poll. So many requests are worked on at once however many threads there are.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import sys
from typing import Any

from gunicorn import util  # type: ignore[import-untyped]

worker_class = "gthread"
workers = int(os.environ.get("WEB_PROCESSES", "2"))
threads = int(os.environ.get("WEB_THREADS", "128"))
os.environ.setdefault("WEB_STREAMS", str(max(0, threads - 32)))
os.environ.setdefault("WEB_REQUESTS", "32")
os.environ.setdefault("WEB_COMMANDS", "0")
timeout = 90
graceful_timeout = 3
keepalive = 75
# The C library keeps a heap for each thread and gives little of them back. One serves all threads, whom Python lets run
# one at a time, and what is as long as a page of the feed is asked of the system by itself. The names of malloc.h:
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
with contextlib.suppress(OSError, AttributeError):
    _libc = ctypes.CDLL(None)
    _libc.mallopt(M_ARENA_MAX, 1)
    _libc.mallopt(M_MMAP_THRESHOLD, 256 * 1024)
    _libc.mallopt(M_TRIM_THRESHOLD, 4 * 1024 * 1024)
loglevel = os.environ.get("LOG_LEVEL", "warning")


PROBLEMS = {
    400: ("bad-request", "The request cannot be read", "Check its address and headers, then send it again."),
    403: ("forbidden", "Not allowed", "Ask whoever looks after the server."),
    413: ("too-large", "The body is too large", "Send it in smaller parts."),
    414: ("address-too-long", "The address is too long", "Send what it carries in the body."),
    417: ("bad-request", "An expectation that is not known", "Send it without the header Expect."),
    431: ("headers-too-large", "The headers are too large", "Send fewer or shorter headers."),
    501: ("bad-request", "An encoding of the transfer that is not known", "Send it with a length, or in chunks."),
}
"""What gunicorn refuses before the application hears of it: code, title and what to do next."""


def write_error(sock: Any, status_int: int, reason: str, mesg: str) -> None:
    """Answer with a problem document instead of gunicorn's page; only the application knows languages."""
    code, title, detail = PROBLEMS.get(status_int, ("server-error", "Something broke on our side", "Try again."))
    body = json.dumps(
        {"type": f"urn:rounds:problem:{code}", "title": title, "status": status_int, "detail": detail, "code": code}
    ).encode()
    head = (
        f"HTTP/1.1 {status_int} {reason}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
        f"X-Content-Type-Options: nosniff\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    util.write_nonblock(sock, head.encode("latin1") + body)


util.write_error = write_error


FRESH_OBJECTS = 10_000
"""So many objects are made before the collector looks for rings among them: those of a push of 100 documents."""

SWITCH_S = 0.001
"""A thread that has the database's lock waits no longer for one that computes."""


def post_worker_init(worker: Any) -> None:
    """A worker that is asked to end sends the readers of its streams away at once.

    What the application is made of, half a million objects, is not looked through for garbage again and again.
    """
    from server.api.news_hub import hub

    hub(worker.wsgi).serving = lambda: bool(worker.alive)
    gc.collect()
    gc.freeze()
    gc.set_threshold(FRESH_OBJECTS, 10, 10)
    sys.setswitchinterval(SWITCH_S)
