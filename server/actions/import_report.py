"""What an import says afterwards: how many rows did what, and what is wrong with which cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from server.text import say

Progress = Callable[[str, int, int], None]
"""Hears of the phase (`checking`, `storing`), how many rows of it are done, and how many there are."""


@dataclass(frozen=True, kw_only=True)
class BadCell:
    """Something wrong in a file: the line as an editor counts it, the column if there is one, and why.

    `area` is the catalogue that has the words: `import`, `problem` for what a schema refuses, `plan` for the rules of
    maintenance plans.
    """

    line: int
    column: str | None
    code: str
    area: str = "import"
    params: Mapping[str, Any] = field(default_factory=dict)

    def text(self, locale: str) -> str:
        """The reason in the reader's language."""
        return say(self.area, self.code, self.params, locale)


@dataclass(kw_only=True)
class ImportReport:
    """`counts` has for each collection how many were `created`, `changed` and `unchanged`.

    With any `problems` nothing was written; after a dry run the counts say what would have been.
    """

    rows: int = 0
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    problems: list[BadCell] = field(default_factory=list)

    @property
    def refused(self) -> bool:
        return bool(self.problems)

    def count(self, collection: str, what: str) -> None:
        self.counts.setdefault(collection, Counter())[what] += 1

    def sort(self) -> None:
        """Problems in the order of the file."""
        self.problems.sort(key=lambda bad: (bad.line, bad.column or "", bad.code))
