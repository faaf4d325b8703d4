"""gunicorn: two processes of threads. `max_requests` stays unset, for it would cut connections off."""

from __future__ import annotations

import os

worker_class = "gthread"
workers = int(os.environ.get("WEB_PROCESSES", "2"))
threads = int(os.environ.get("WEB_THREADS", "32"))
timeout = 90
graceful_timeout = 3
keepalive = 15
loglevel = os.environ.get("LOG_LEVEL", "warning")
