"""The table of faults names tests that are there, and each row has one that is named after it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
ROWS = (1, 2, 8, *range(10, 16), *range(17, 21), 24, 25, 27, 28, 29)
TEXT = (ROOT / "docs" / "faults.md").read_text("utf-8")
TESTS = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)


@pytest.mark.parametrize("row", ROWS)
def test_each_row_has_a_test_that_is_named_after_it(row: int) -> None:
    (line,) = re.findall(rf"^\| F{row} \|.*$", TEXT, re.M)
    assert f"::test_f{row}_" in line


@pytest.mark.parametrize(("file", "name"), TESTS)
def test_each_test_that_is_named_is_there(file: str, name: str) -> None:
    assert f"def {name}(" in (ROOT / file).read_text("utf-8")
