"""Words for codes: one catalogue for each area and language, `<area>.<locale>.json`."""

from __future__ import annotations

from server.text.catalogue import LOCALES, say, wall_time

__all__ = ["LOCALES", "say", "wall_time"]
