"""gunicorn: two processes of threads. `max_requests` stays unset, for it would cut connections off.

An open stream of news holds a thread that sleeps. All but 32 of a process's threads may do that; a stream that finds no
room is told to poll. So many requests are worked on at once however many threads there are.
"""

from __future__ import annotations

import os
from typing import Any

worker_class = "gthread"
workers = int(os.environ.get("WEB_PROCESSES", "2"))
threads = int(os.environ.get("WEB_THREADS", "128"))
os.environ.setdefault("WEB_STREAMS", str(max(0, threads - 32)))
os.environ.setdefault("WEB_REQUESTS", "32")
timeout = 90
graceful_timeout = 3
keepalive = 15
loglevel = os.environ.get("LOG_LEVEL", "warning")


def post_worker_init(worker: Any) -> None:
    """A worker that is asked to end sends the readers of its streams away at once."""
    from server.api.news_hub import hub

    hub(worker.wsgi).serving = lambda: bool(worker.alive)
