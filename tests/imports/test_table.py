"""Reading the file itself: any spreadsheet's CSV is read, and what cannot be read is named, never a traceback."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.actions.import_table import LONGEST_CELL, Column, Table, read_table

COLUMNS = (
    Column(name="external_ref", required=True),
    Column(name="name"),
    Column(name="lat", kind="number"),
    Column(name="on", kind="date"),
    Column(name="yes", kind="truth"),
    Column(name="tags", kind="list"),
)


def codes(table: Table) -> list[tuple[int, str | None, str]]:
    return [(bad.line, bad.column, bad.code) for bad in table.problems]


def read(text: str) -> Table:
    return read_table(text.encode(), COLUMNS)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_byte_order_mark_a_separator_and_line_ends_do_not_matter(mark: bytes, separator: str, newline: str) -> None:
    text = newline.join(separator.join(cells) for cells in (["external_ref", "name"], ["A", "Кафе"]))
    table = read_table(mark + text.encode(), COLUMNS)
    assert [(row.line, dict(row.cells)) for row in table.rows] == [(2, {"external_ref": "A", "name": "Кафе"})]


def test_decimal_commas_local_dates_and_both_languages_of_yes_are_read() -> None:
    table = read("external_ref;lat;on;yes;tags\nA;42,5;24.11.2026;да;x|y \nB;1 042.5;2026-11-24;no;\n")
    assert dict(table.rows[0].cells) == {
        "external_ref": "A", "lat": 42.5, "on": "2026-11-24", "yes": True, "tags": ["x", "y"],
    }  # fmt: skip
    assert dict(table.rows[1].cells) == {
        "external_ref": "B", "lat": 1042.5, "on": "2026-11-24", "yes": False, "tags": [],
    }  # fmt: skip


def test_the_quote_that_guards_against_formulas_is_taken_off() -> None:
    table = read("external_ref,name\nA,'=1+1\nB,'t Hof\n")
    assert [row.cells["name"] for row in table.rows] == ["=1+1", "'t Hof"]


def test_every_bad_cell_is_named_with_line_column_and_reason() -> None:
    table = read('external_ref,lat,on,yes\nA,north,2026-02-30,perhaps\n,1,2026-01-01,yes\n"B\nb",x,,\n')
    assert codes(table) == [
        (2, "lat", "not-a-number"),
        (2, "on", "not-a-day"),
        (2, "yes", "not-yes-or-no"),
        (3, "external_ref", "needed"),
        (4, "lat", "not-a-number"),
    ]


def test_unknown_double_and_missing_columns_are_named() -> None:
    table = read("nmae,name,name\n")
    assert codes(table) == [
        (1, "nmae", "unknown-column-near"),
        (1, "name", "column-twice"),
        (1, "external_ref", "missing-column"),
    ]
    assert table.problems[0].text("en").endswith("Is it “name”?")


def test_ragged_rows_huge_cells_and_nul_are_named() -> None:
    table = read(f"external_ref,name\nA\nB,{'x' * (LONGEST_CELL + 1)}\nC,a\x00b\nD,d\n")
    assert codes(table) == [(2, None, "ragged"), (3, "name", "cell-too-long"), (4, "name", "nul")]
    assert [(row.get("external_ref"), row.bad) for row in table.rows] == [
        ("B", {"name"}),
        ("C", {"name"}),
        ("D", set()),
    ]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty-file"),
        (b"\xef\xbb\xbf", "empty-file"),
        ("external_ref,name\nA,Кафе".encode("cp1251"), "not-utf-8"),
        ("external_ref\n".encode("utf-16"), "utf-16"),
        (b'external_ref,name\nA,"never closed\nB,b\n', "broken-quotes"),
        (b'external_ref,name\nA,"half" closed\n', "broken-quotes"),
    ],
)
def test_a_file_that_is_no_csv_gets_a_sentence(content: bytes, code: str) -> None:
    table = read_table(content, COLUMNS)
    assert code in [bad.code for bad in table.problems]
    assert all(row.bad for row in table.rows)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_in_utf_16_is_one_problem_with_what_to_do(encoding: str) -> None:
    content = ("external_ref;name\n" + "A;Насос\n" * 50).encode(encoding)
    table = read_table(content, COLUMNS)
    assert [(bad.line, bad.column, bad.code) for bad in table.problems] == [(1, None, "utf-16")]
    assert "UTF-8" in table.problems[0].text("en")
    assert table.rows == []


@given(st.binary(max_size=400))
def test_no_bytes_make_a_traceback(content: bytes) -> None:
    table = read_table(content, COLUMNS)
    for bad in table.problems:
        assert bad.line >= 1
        assert bad.text("en")
        assert bad.text("ru")


CELL = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=40).map(str.strip)


@given(st.lists(st.tuples(CELL.filter(bool), CELL), max_size=8), st.sampled_from(",;\t"), st.booleans())
def test_what_a_spreadsheet_writes_is_what_is_read(
    written: list[tuple[str, str]], separator: str, guarded: bool
) -> None:
    """`guarded` is how careful programs write cells that a spreadsheet would take for a formula."""

    def guard(cell: str) -> str:
        return f"'{cell}" if cell.startswith(("=", "+", "-", "@")) else cell

    written = [pair for pair in written if not any(cell.startswith("'") for cell in pair)]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator)
    writer.writerow(["external_ref", "name"])
    writer.writerows([[guard(cell) for cell in pair] if guarded else pair for pair in written])
    table = read(out.getvalue())
    assert not table.problems
    assert [(row.cells["external_ref"], row.cells["name"] or "") for row in table.rows] == written
