"""What a process that starts warm has in memory already."""

import gunicorn.app.wsgiapp  # type: ignore[import-untyped]
import gunicorn.workers.gthread  # type: ignore[import-untyped]

import routing.solve
import server.app
import server.cli
import tests.simulator.real.device

__all__ = ["gunicorn", "routing", "server", "tests"]
