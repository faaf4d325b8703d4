"""How several processes of pytest share the tests: what is dear to make is made once, and what is long begins first."""

from __future__ import annotations

from typing import Any

import pytest

TOGETHER = {
    "tests/browser/test_tablet": "tablet",
    "tests/browser/test_exchange": "tablet",
    "tests/browser/": "office",
    "tests/demo/": "demo",
    "tests/story/test_story.py": "demo",
}
"""Beginnings of paths whose tests run in one process, for they share a browser, a server or a loaded company.

Any other file is a group of its own: its tests share an application and a database, too.
"""

FIRST = ("office", "tablet", "demo", "tests/api/test_openapi_fuzz.py", "tests/simulator/test_real.py",
         "tests/store/test_feed_order.py", "tests/actions/test_planning.py", "tests/jobs/test_scheduler.py",
         "tests/stock/test_stock_clients.py", "tests/bench/test_sync.py", "tests/story/test_script_server.py",
         "tests/api/test_sync_processes.py", "tests/api/test_sync_tus.py", "tests/api/test_sync_push.py",
         "tests/simulator/", "tests/api/")  # fmt: skip
"""What takes longest, in the order in which it begins, so that all processes end together."""


def group_of(nodeid: str) -> str:
    """The group of a test: all of one group run in one process, one after another."""
    path = nodeid.partition("::")[0]
    return next((name for start, name in TOGETHER.items() if path.startswith(start)), path)


def rank_of(nodeid: str) -> int:
    group = group_of(nodeid)
    return next((n for n, start in enumerate(FIRST) if group.startswith(start)), len(FIRST))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: rank_of(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Groups by path: the marks of pytest-xdist do not reach the scheduler under pytest 9.2."""
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    return Groups(config, log)
