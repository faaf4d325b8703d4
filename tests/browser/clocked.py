"""Chromium whose pages have the server's clock, and in which time goes on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, BrowserType

ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-gpu"]


class Chromium:
    """The system's browser, headless; `now` says what its pages shall take for the time."""

    def __init__(self, kind: BrowserType, path: str, now: Callable[[], datetime]) -> None:
        self._kind = kind
        self._path = path
        self._now = now
        self._browser = kind.launch(executable_path=path, args=ARGUMENTS)

    def new_context(self, **options: Any) -> BrowserContext:
        """A profile that is forgotten when it is closed."""
        return self._clocked(self._browser.new_context(**options))

    def kept_context(self, profile: Path, *arguments: str, **options: Any) -> BrowserContext:
        """A browser process of its own, with a profile that stays on the disk and arguments besides the usual ones."""
        args = [*ARGUMENTS, *arguments]
        return self._clocked(
            self._kind.launch_persistent_context(profile, executable_path=self._path, args=args, **options)
        )

    def close(self) -> None:
        """End the browser."""
        self._browser.close()

    def _clocked(self, context: BrowserContext) -> BrowserContext:
        context.clock.install(time=self._now())
        return context
