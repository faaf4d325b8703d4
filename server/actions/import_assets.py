"""Equipment from a file, keyed by its references; its warranty follows from the term unless the file says otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from server.actions.import_report import BadCell, ImportReport, Progress
from server.actions.import_rows import checked, foresee, name_repeats, refs, settle, told
from server.actions.import_table import Column, Row, read_table, shorten
from server.domain.maintenance import add_months
from server.store.models import Asset, ProductModel, Site, WarrantyTerm
from server.store.queries import imports
from server.store.transaction import transactional
from server.store.types import new_id

COLUMNS = (
    Column(name="external_ref", required=True),
    Column(name="site_ref", required=True),
    Column(name="model", required=True),
    Column(name="serial", required=True),
    Column(name="position"),
    Column(name="installed_on", kind="date"),
    Column(name="commissioned_on", kind="date"),
    Column(name="in_service", kind="truth"),
    Column(name="warranty_term"),
    Column(name="warranty_starts_on", kind="date"),
    Column(name="warranty_ends_on", kind="date"),
)
PLAIN = ("external_ref", "serial", "position", "installed_on", "commissioned_on")


@dataclass(kw_only=True)
class _Known:
    """What is there already, and what the file adds to it."""

    sites: Mapping[str, Site]
    models: Mapping[str, ProductModel]
    terms: Mapping[str, WarrantyTerm]
    assets: Mapping[str, Asset]
    serials: Mapping[tuple[str, str], tuple[str, str]]
    """Model and serial -> reference and site of equipment that is there and not in the file."""

    bodies: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


@transactional
def import_assets(
    company_id: str, content: bytes, *, dry_run: bool = False, progress: Progress | None = None
) -> ImportReport:
    """Create and change assets; all of the file or, with any problem, nothing of it."""
    table = read_table(content, COLUMNS)
    report = ImportReport(rows=len(table.rows), problems=table.problems)
    rows = table.rows
    name_repeats(rows, ("external_ref",), report, at="external_ref")
    name_repeats(rows, ("model", "serial"), report, at="serial", code="serial-twice")
    known = _Known(
        sites=imports.by_ref(company_id, Site, refs(rows, "site_ref")),
        models=imports.models_by_code(company_id),
        terms=imports.terms_by_code(company_id),
        assets=imports.by_ref(company_id, Asset, refs(rows, "external_ref")),
        serials=_others(company_id, rows),
    )
    for row in told(rows, "checking", progress):
        _check(row, known, report)
    report.sort()
    if report.refused:
        return report
    for position, (ref, body) in enumerate(known.bodies, start=1):
        if dry_run:
            foresee(report, "asset", known.assets.get(ref), body)
        else:
            settle(report, company_id, "asset", known.assets.get(ref), new_id(), body)
        if progress is not None and position % 250 == 0:
            progress("storing", position, len(known.bodies))
    return report


def _others(company_id: str, rows: Iterable[Row]) -> dict[tuple[str, str], tuple[str, str]]:
    """Equipment that is there and not in the file; of that in the file its row says which serial it will have."""
    rows = list(rows)
    mine = refs(rows, "external_ref")
    there = imports.assets_by_serial(company_id, refs(rows, "serial"))
    return {
        (one.model_id, one.serial): (one.external_ref or "-", site)
        for one, site in there
        if one.external_ref not in mine
    }


def _check(row: Row, known: _Known, report: ImportReport) -> None:
    cells = row.cells
    asset = known.assets.get(row.get("external_ref") or "")
    values = {name: cells[name] for name in PLAIN if name in cells}
    site, model = known.sites.get(row.get("site_ref") or ""), known.models.get(row.get("model") or "")
    if site is not None:
        values["site_id"] = site.id
    elif "site_ref" not in row.bad:
        _bad(report, row, "site_ref", "no-such-site", value=shorten(cells["site_ref"]))
    if model is not None:
        values["model_id"] = model.id
        there = known.serials.get((model.id, row.get("serial") or ""))
        if there:
            _bad(report, row, "serial", "serial-taken", ref=shorten(there[0]), site=shorten(there[1]))
    elif "model" not in row.bad:
        _bad(report, row, "model", "no-such-model", value=shorten(cells["model"]), known=sorted(known.models)[:12])
    if cells.get("in_service") is not None or asset is None:
        values["in_service"] = cells.get("in_service") is not False
    values |= _warranty(row, known, asset, report)
    body = checked("asset", values, row.line, report, stored=asset)
    known.bodies.append((row.get("external_ref") or "", body))


def _warranty(row: Row, known: _Known, asset: Asset | None, report: ImportReport) -> dict[str, Any]:
    """The warranty's fields: nothing when the file does not speak of it.

    The term starts on installation or on commissioning; until that day is known, so are none of its days.
    """
    if not any(name.startswith("warranty") for name in (*row.cells, *row.bad)):
        return {}
    code, starts_on, ends_on = (row.get(f"warranty_{name}") for name in ("term", "starts_on", "ends_on"))
    if code is None:
        return {"warranty_term": None, "warranty_starts_on": starts_on, "warranty_ends_on": ends_on}
    term = known.terms.get(code)
    if term is None:
        _bad(report, row, "warranty_term", "no-such-term", value=shorten(code), known=sorted(known.terms)[:12])
        return {"warranty_starts_on": starts_on, "warranty_ends_on": ends_on}
    if starts_on is None:
        name = "commissioned_on" if term.starts_at == "commissioning" else "installed_on"
        stored = getattr(asset, name) if asset is not None and name not in row.cells else None
        starts_on = row.get(name) or (stored.isoformat() if stored else None)
    if ends_on is None and starts_on is not None:
        ends_on = (add_months(date.fromisoformat(starts_on), term.months) - timedelta(days=1)).isoformat()
    return {"warranty_term": code, "warranty_starts_on": starts_on, "warranty_ends_on": ends_on}


def _bad(report: ImportReport, row: Row, column: str, code: str, **params: Any) -> None:
    report.problems.append(BadCell(line=row.line, column=column, code=code, params=params))
