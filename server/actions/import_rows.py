"""What all imports do with a row: check it with the schema of its collection, then create, change or leave it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from marshmallow import ValidationError

from schemas.entities import COLLECTIONS
from server.actions.import_report import BadCell, ImportReport, Progress
from server.actions.import_table import Row
from server.extensions import db
from server.problems import field_errors
from server.store import documents
from server.store.models import SYNCED, Synced

EVERY = 250
"""Rows after which progress is told."""


def checked(
    collection: str,
    values: dict[str, Any],
    line: int,
    report: ImportReport,
    *,
    prefix: str = "",
    stored: Synced | None = None,
) -> dict[str, Any]:
    """Those of the wire values that the schema takes, in their one form, after naming all that it does not.

    Values that contradict each other, or what is `stored`, are named too. `prefix` leads from the name of a field to
    that of its column. That required columns are there and filled is the table's business.
    """
    schema = COLLECTIONS[collection]
    try:
        body = schema.validated(values)
    except ValidationError as error:
        messages = error.normalized_messages()
        refuse(report, line, messages, prefix)
        body = schema.validated({name: value for name, value in values.items() if name not in messages})
    whole = (documents.current_body(stored) if stored is not None else {}) | body
    for name, code in schema.contradictions(whole).items():
        report.problems.append(BadCell(line=line, column=prefix + name, code=f"field.{code}", area="problem"))
    return body


def refuse(report: ImportReport, line: int, messages: Mapping[str, Any], prefix: str = "") -> None:
    """Name what a schema says of a row's fields."""
    for bad in field_errors(messages):
        column = prefix + bad.field.split(".")[0]
        report.problems.append(
            BadCell(line=line, column=column, code=f"field.{bad.code}", area="problem", params=bad.params or {})
        )


def settle(
    report: ImportReport, company_id: str, collection: str, item: Synced | None, item_id: str, body: Mapping[str, Any]
) -> None:
    """Bring one object to its values and count what that took; does not commit."""
    values = COLLECTIONS[collection].python_values(dict(body), body)
    if item is None:
        model: Any = SYNCED[collection]
        db.session.add(model(company_id=company_id, id=item_id, **values))
        report.count(collection, "created")
        return
    changed = {name: value for name, value in values.items() if getattr(item, name) != value}
    for name, value in changed.items():
        setattr(item, name, value)
    report.count(collection, "changed" if changed else "unchanged")


def foresee(report: ImportReport, collection: str, item: Synced | None, body: Mapping[str, Any]) -> None:
    """Count what `settle` would do, without doing it."""
    values = COLLECTIONS[collection].python_values(dict(body), body)
    same = item is not None and all(getattr(item, name) == value for name, value in values.items())
    report.count(collection, "created" if item is None else "unchanged" if same else "changed")


def name_repeats(
    rows: Iterable[Row], columns: tuple[str, ...], report: ImportReport, *, at: str, code: str = "ref-twice"
) -> None:
    """Name each row that has the same in these columns as one before it; rows with none of them are passed over."""
    first: dict[tuple[Any, ...], int] = {}
    for row in rows:
        key = tuple(row.get(name) for name in columns)
        if any(name in row.bad for name in columns) or not any(key):
            continue
        line = first.setdefault(key, row.line)
        if line != row.line:
            report.problems.append(BadCell(line=row.line, column=at, code=code, params={"line": line}))


def refs(rows: Iterable[Row], column: str) -> set[str]:
    """What the rows have in a column that can be read."""
    return {row.cells[column] for row in rows if row.get(column)}


def told(rows: list[Row], phase: str, progress: Progress | None) -> Iterable[Row]:
    """The rows, telling of the progress through them."""
    for done, row in enumerate(rows, start=1):
        yield row
        if progress is not None and (done % EVERY == 0 or done == len(rows)):
            progress(phase, done, len(rows))
