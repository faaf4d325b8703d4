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
    whole: bool = True,
) -> dict[str, Any] | None:
    """Wire values in their one form, or None after naming what the schema refuses.

    `prefix` leads from the name of a field to that of its column; without `whole` required fields may be missing.
    """
    try:
        return COLLECTIONS[collection].validated(values, required=whole)
    except ValidationError as error:
        for bad in field_errors(error.normalized_messages()):
            column = prefix + bad.field.split(".")[0]
            report.problems.append(
                BadCell(line=line, column=column, code=f"field.{bad.code}", area="problem", params=bad.params or {})
            )
        return None


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


def without_repeats(rows: Iterable[Row], report: ImportReport) -> list[Row]:
    """Rows whose reference is new in the file; each repeat is named with the line of the first."""
    first: dict[str, int] = {}
    single: list[Row] = []
    for row in rows:
        ref = row.cells["external_ref"]
        if ref in first:
            bad = BadCell(line=row.line, column="external_ref", code="ref-twice", params={"line": first[ref]})
            report.problems.append(bad)
        else:
            first[ref] = row.line
            single.append(row)
    return single


def told(rows: list[Row], phase: str, progress: Progress | None) -> Iterable[Row]:
    """The rows, telling of the progress through them."""
    for done, row in enumerate(rows, start=1):
        yield row
        if progress is not None and (done % EVERY == 0 or done == len(rows)):
            progress(phase, done, len(rows))
