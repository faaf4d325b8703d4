"""A CSV file as people send it, read into rows of named cells; everything that cannot be read is named.

UTF-8 with or without a byte order mark, UTF-16 is refused whole; comma, semicolon or tab; quoted cells may hold line
breaks. A spreadsheet's protection against formulas, a quote before `=`, `+`, `-` or `@`, is taken off again.
"""

from __future__ import annotations

import codecs
import csv
import difflib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from server.actions.import_report import BadCell

DELIMITERS = ",;\t"
LONGEST_CELL = 32_768
LONGEST_SHOWN = 40
MOST_ROWS = 200_000
ENCODING = "not-utf-8"
"""Said once for the whole file, with the line where it begins."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")
YES = {"yes", "true", "1", "y", "да", "д", "истина"}
NO = {"no", "false", "0", "n", "нет", "н", "ложь"}

# Of the whole process, so that it is set once and for all; a cell's length is judged here, with its line and column.
csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column that a file may have.

    `kind`: text, number, whole, money, date, truth, or list (parts separated by `|`).
    """

    name: str
    kind: str = "text"
    required: bool = False


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row: where it begins, and its cells as wire values. Empty cells are None; absent columns are not there.

    `bad` are the columns whose cell is named in the table's problems: they are not in `cells`, and nothing more is said
    of them. So the other cells are judged in the same run.
    """

    line: int
    cells: Mapping[str, Any]
    bad: frozenset[str] = frozenset()

    def get(self, name: str) -> Any:
        """A cell's value; None where it is empty, absent or bad."""
        return self.cells.get(name)


@dataclass(kw_only=True)
class Table:
    """The rows of a file and what in them cannot be read."""

    rows: list[Row] = field(default_factory=list)
    problems: list[BadCell] = field(default_factory=list)


def read_table(content: bytes, columns: Sequence[Column]) -> Table:
    """Read a file; every cell that cannot be read is named in `problems`. Ragged rows are left out of `rows`."""
    table = Table()
    text = _decode(content, table)
    known = {column.name: column for column in columns}
    records = _records(text, table)
    first = next(records, None)
    if first is None:
        if not table.problems:
            table.problems.append(BadCell(line=1, column=None, code="empty-file"))
        return table
    names = _header(first[0], first[1], known, table)
    if not any(names):
        return table
    missing = frozenset(column.name for column in columns if column.required and column.name not in names)
    for line, cells in records:
        if not any(cell.strip() for cell in cells):
            continue
        if len(table.rows) >= MOST_ROWS:
            table.problems.append(BadCell(line=line, column=None, code="too-many-rows", params={"most": MOST_ROWS}))
            return table
        if len(cells) != len(names):
            params = {"n": len(cells), "expected": len(names)}
            table.problems.append(BadCell(line=line, column=None, code="ragged", params=params))
            continue
        _row(line, {name: cell for name, cell in zip(names, cells, strict=True) if name}, missing, known, table)
    return table


def _decode(content: bytes, table: Table) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or content[:64].count(0) > len(content[:64]) // 4:
        # Every second byte is a NUL: read as UTF-8, each cell would be a problem of its own.
        table.problems.append(BadCell(line=1, column=None, code="utf-16"))
        return ""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        table.problems.append(BadCell(line=line, column=None, code="not-utf-8"))
        return content.decode("utf-8-sig", "surrogateescape")


def _records(text: str, table: Table) -> Iterator[tuple[int, list[str]]]:
    """Records with the line they begin on; stops at quotes that never close."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    begins = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            table.problems.append(BadCell(line=begins, column=None, code="broken-quotes"))
            return
        yield begins, cells
        begins = reader.line_num + 1


def _delimiter(text: str) -> str:
    """The separator that the heading has most of."""
    heading = text.lstrip("\r\n").split("\n", 1)[0]
    return max(DELIMITERS, key=heading.count)


def _header(line: int, cells: list[str], known: Mapping[str, Column], table: Table) -> list[str | None]:
    """The columns' names in the order of the file; None for a column that is not read."""
    names = [cell.strip().lower().replace(" ", "_") for cell in cells]
    bad: list[BadCell] = []
    read: list[str | None] = []
    for position, name in enumerate(names):
        read.append(name if name in known and name not in names[:position] else None)
        shown = shorten(name) or str(position + 1)
        if name not in known:
            near = difflib.get_close_matches(name[:60], known, n=1)
            code = "unknown-column-near" if near else "unknown-column"
            bad.append(BadCell(line=line, column=shown, code=code, params={"near": near[0]} if near else {}))
        elif name in names[:position]:
            bad.append(BadCell(line=line, column=shown, code="column-twice"))
    for column in known.values():
        if column.required and column.name not in names:
            bad.append(BadCell(line=line, column=column.name, code="missing-column"))
    table.problems += bad
    return read


def _row(
    line: int, cells: Mapping[str, str], missing: frozenset[str], known: Mapping[str, Column], table: Table
) -> None:
    values: dict[str, Any] = {}
    unread = set(missing)
    for name, cell in cells.items():
        bad = _refused(cell)
        if bad is None:
            try:
                values[name] = _value(_plain(cell), known[name].kind)
            except ValueError as error:
                bad = (str(error), {"value": shorten(cell)})
            else:
                if known[name].required and values[name] is None:
                    bad = ("needed", {})
        if bad is not None:
            unread.add(name)
            values.pop(name, None)
            if bad[0] != ENCODING:
                table.problems.append(BadCell(line=line, column=name, code=bad[0], params=bad[1]))
    table.rows.append(Row(line=line, cells=values, bad=frozenset(unread)))


def _refused(cell: str) -> tuple[str, dict[str, Any]] | None:
    if any("\ud800" <= char <= "\udfff" for char in cell):
        return ENCODING, {}
    if len(cell) > LONGEST_CELL:
        return "cell-too-long", {"n": len(cell), "most": LONGEST_CELL}
    if "\x00" in cell:
        return "nul", {}
    return None


def _plain(cell: str) -> str:
    cell = cell.strip()
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell


def _value(cell: str, kind: str) -> Any:
    """A cell as a wire value; raises ValueError with the code of what is wrong."""
    if kind == "list":
        return [part.strip() for part in cell.split("|") if part.strip()]
    if not cell:
        return None
    if kind == "number":
        return _number(cell)
    if kind == "whole":
        return _whole(cell)
    if kind == "date":
        return _day(cell)
    if kind == "truth":
        return _truth(cell)
    if kind == "money":
        return _plain_number(cell)
    return cell


def _number(cell: str) -> float:
    plain = _plain_number(cell)
    try:
        if len(plain) > LONGEST_SHOWN or "_" in plain:
            raise ValueError
        return float(plain)
    except ValueError:
        raise ValueError("not-a-number") from None


def _plain_number(cell: str) -> str:
    """A number without spaces between its digits, and with a decimal point."""
    plain = cell.replace("\u00a0", "").replace("\u202f", "").replace(" ", "")
    return plain.replace(",", ".") if plain.count(",") == 1 and "." not in plain else plain


def _whole(cell: str) -> int:
    digits = cell.removeprefix("+").removeprefix("-")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 9:
        raise ValueError("not-a-whole-number")
    return int(cell)


def _day(cell: str) -> str:
    for form in ("%Y-%m-%d", "%d.%m.%Y"):
        try:
            day = datetime.strptime(cell, form).date()
        except ValueError:
            continue
        if day >= date(1900, 1, 1):
            return day.isoformat()
    raise ValueError("not-a-day")


def _truth(cell: str) -> bool:
    word = cell.lower()
    if word not in YES | NO:
        raise ValueError("not-yes-or-no")
    return word in YES


def shorten(text: str) -> str:
    """A stranger's text, short enough to be shown in a sentence."""
    plain = "".join(char if char.isprintable() else "·" for char in text)
    return plain if len(plain) <= LONGEST_SHOWN else plain[:LONGEST_SHOWN] + "…"
