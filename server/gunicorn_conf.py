"""gunicorn: two processes of threads. `max_requests` stays unset, for it would cut connections off.

An open stream of news holds a thread that sleeps. All but 32 of a process's threads may do that; a stream that finds no
room is told to poll. So many requests are worked on at once however many threads there are.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from typing import Any

worker_class = "gthread"
workers = int(os.environ.get("WEB_PROCESSES", "2"))
threads = int(os.environ.get("WEB_THREADS", "128"))
os.environ.setdefault("WEB_STREAMS", str(max(0, threads - 32)))
os.environ.setdefault("WEB_REQUESTS", "32")
os.environ.setdefault("WEB_COMMANDS", "0")
timeout = 90
graceful_timeout = 3
keepalive = 15
# The C library keeps a heap for each thread and gives little of them back. One serves all threads, whom Python lets run
# one at a time, and what is as long as a page of the feed is asked of the system by itself. The names of malloc.h:
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
with contextlib.suppress(OSError, AttributeError):
    _libc = ctypes.CDLL(None)
    _libc.mallopt(M_ARENA_MAX, 1)
    _libc.mallopt(M_MMAP_THRESHOLD, 256 * 1024)
    _libc.mallopt(M_TRIM_THRESHOLD, 4 * 1024 * 1024)
loglevel = os.environ.get("LOG_LEVEL", "warning")


def post_worker_init(worker: Any) -> None:
    """A worker that is asked to end sends the readers of its streams away at once."""
    from server.api.news_hub import hub

    hub(worker.wsgi).serving = lambda: bool(worker.alive)
