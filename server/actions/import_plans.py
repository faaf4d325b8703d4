"""Maintenance plans from a file, keyed by their references; judged by the same rules as a plan that a person writes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from marshmallow import Schema, ValidationError

from schemas.entities.base import Day, Text
from server.actions.import_report import BadCell, ImportReport, Progress
from server.actions.import_rows import name_repeats, refs, refuse, told
from server.actions.import_table import Column, Row, read_table, shorten
from server.domain import maintenance
from server.extensions import db
from server.store.models import Asset, MaintenancePlan, ServiceKind, Site
from server.store.queries import imports
from server.store.transaction import transactional
from server.store.types import new_id

COLUMNS = (
    Column(name="external_ref", required=True),
    Column(name="asset_ref", required=True),
    Column(name="kind", required=True),
    Column(name="name"),
    Column(name="trigger", required=True),
    Column(name="rule"),
    Column(name="every"),
    Column(name="last_done_on", kind="date"),
    Column(name="phases", kind="list"),
    Column(name="starts_on", kind="date", required=True),
    Column(name="ends_on", kind="date"),
    Column(name="early_days", kind="whole"),
    Column(name="late_days", kind="whole"),
    Column(name="hard_due", kind="truth"),
    Column(name="horizon_days", kind="whole"),
    Column(name="service_minutes", kind="whole"),
    Column(name="active", kind="truth"),
)
DEFAULTS = {"early_days": 0, "late_days": 0, "hard_due": False, "horizon_days": 60, "active": True}
OPTIONAL = ("ends_on", "service_minutes")
DATES = ("starts_on", "ends_on")
TRIGGER = "main"
"""The trigger's id: the same after an edit, so that the occurrences keep their names."""

TRIGGERS = {"fixed": "calendar_fixed", "floating": "calendar_floating", "age": "age", "warranty": "warranty_phase"}
NEEDS = {"fixed": "rule", "floating": "every", "age": "every", "warranty": "phases"}
EVERY = re.compile(r"(\d{1,4})\s*([^\W\d_]+)\.?")
UNITS = {"d": "days", "w": "weeks", "m": "months", "y": "years", "д": "days", "н": "weeks", "м": "months",
         "г": "years", "л": "years"}  # fmt: skip
"""The first letter of a unit in either language: `6 months`, `6 мес.`, `2 года`."""


class _Texts(Schema):
    """The lengths of a plan's texts."""

    external_ref = Text(80, shortest=1, required=True)
    name = Text(200, shortest=1, required=True)


TEXTS = _Texts(partial=True)


@dataclass(kw_only=True)
class _Known:
    """What is there already, and what the file adds to it."""

    assets: Mapping[str, Asset]
    sites: Mapping[str, Site]
    kinds: Mapping[str, ServiceKind]
    plans: Mapping[str, MaintenancePlan]
    values: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


@transactional
def import_plans(
    company_id: str, content: bytes, *, dry_run: bool = False, progress: Progress | None = None
) -> ImportReport:
    """Create and change plans; all of the file or, with any problem, nothing of it. A change raises the version."""
    table = read_table(content, COLUMNS)
    report = ImportReport(rows=len(table.rows), problems=table.problems)
    rows = table.rows
    name_repeats(rows, ("external_ref",), report, at="external_ref")
    assets = imports.by_ref(company_id, Asset, refs(rows, "asset_ref"))
    known = _Known(
        assets=assets,
        sites=imports.by_id(company_id, Site, (asset.site_id for asset in assets.values())),
        kinds=imports.kinds_by_code(company_id),
        plans=imports.by_ref(company_id, MaintenancePlan, refs(rows, "external_ref")),
    )
    for row in told(rows, "checking", progress):
        _check(row, known, report)
    report.sort()
    if report.refused:
        return report
    for position, (ref, values) in enumerate(known.values, start=1):
        _settle(report, company_id, known.plans.get(ref), values, dry_run=dry_run)
        if progress is not None and position % 250 == 0:
            progress("storing", position, len(known.values))
    return report


def _settle(
    report: ImportReport, company_id: str, plan: MaintenancePlan | None, values: dict[str, Any], *, dry_run: bool
) -> None:
    changed = {name: value for name, value in values.items() if plan is None or getattr(plan, name) != value}
    report.count("maintenance_plan", "created" if plan is None else "changed" if changed else "unchanged")
    if dry_run:
        return
    if plan is None:
        db.session.add(MaintenancePlan(company_id=company_id, id=new_id(), version=1, **values))
    elif changed:
        for name, value in changed.items():
            setattr(plan, name, value)
        plan.version += 1


def _check(row: Row, known: _Known, report: ImportReport) -> None:
    cells = row.cells
    ref = row.get("external_ref") or ""
    asset, kind = known.assets.get(row.get("asset_ref") or ""), known.kinds.get(row.get("kind") or "")
    if asset is None and "asset_ref" not in row.bad:
        _bad(report, row, "asset_ref", "no-such-asset", value=shorten(cells["asset_ref"]))
    if (kind is None or not kind.active) and "kind" not in row.bad:
        codes = sorted(code for code, one in known.kinds.items() if one.preventive) or sorted(known.kinds)
        _bad(report, row, "kind", "no-such-kind", value=shorten(cells["kind"]), known=codes)
    trigger = _trigger(row, report)
    stored = known.plans.get(ref)
    values: dict[str, Any] = {"external_ref": ref, "triggers": [trigger] if trigger else []}
    values |= {"asset_id": asset.id} if asset else {}
    values |= {"kind": kind.code} if kind else {}
    if row.get("starts_on"):
        values["starts_on"] = date.fromisoformat(cells["starts_on"])
    if row.get("name") is not None:
        values["name"] = cells["name"]
    elif stored is None and kind is not None and asset is not None:
        values["name"] = f"{kind.name['en']} · {asset.serial}"[:200]
    for name, default in DEFAULTS.items():
        if row.get(name) is not None or stored is None:
            values[name] = default if row.get(name) is None else cells[name]
    for name in OPTIONAL:
        if name in cells or stored is None:
            given = row.get(name)
            values[name] = date.fromisoformat(given) if name in DATES and given else given
    _texts(row, values, report)
    _judge(row, values, stored, known.sites[asset.site_id].tz if asset else "UTC", kind, report)
    known.values.append((ref, values))


def _trigger(row: Row, report: ImportReport) -> dict[str, Any] | None:
    """The trigger as the maintenance core writes it; only the columns of its kind are read."""
    if "trigger" in row.bad:
        return None
    word = row.cells["trigger"].lower()
    if word not in TRIGGERS:
        _bad(report, row, "trigger", "no-such-trigger", value=shorten(word), known=list(TRIGGERS))
        return None
    need = NEEDS[word]
    given = row.get(need)
    if not given:
        if need not in row.bad:
            _bad(report, row, need, "needed-for-trigger", trigger=word)
        return None
    document: dict[str, Any] = {"kind": TRIGGERS[word], "id": TRIGGER}
    if need != "every":
        return document | {need: given}
    match = EVERY.fullmatch(given.lower())
    if match is None or match[2][0] not in UNITS:
        _bad(report, row, "every", "not-an-interval", value=shorten(given))
        return None
    document["every"] = {"count": int(match[1]), "unit": UNITS[match[2][0]]}
    if word == "floating" and row.get("last_done_on"):
        document["last_done_on"] = row.cells["last_done_on"]
    return document


def _texts(row: Row, values: dict[str, Any], report: ImportReport) -> None:
    try:
        TEXTS.load({name: values[name] for name in ("external_ref", "name") if values.get(name)})
    except ValidationError as error:
        refuse(report, row.line, error.normalized_messages())


def _judge(
    row: Row,
    values: dict[str, Any],
    stored: MaintenancePlan | None,
    tz: str,
    kind: ServiceKind | None,
    report: ImportReport,
) -> None:
    """Ask the maintenance core what is wrong with the plan as it will be.

    What is named already is stood in for, and not spoken of again.
    """

    def will_be(name: str, instead: Any = None) -> Any:
        return values[name] if name in values else getattr(stored, name, None) or instead

    known_start = "starts_on" in values
    minutes = will_be("service_minutes")
    try:
        triggers = tuple(maintenance.trigger_from_json(each) for each in values["triggers"])
        plan = maintenance.Plan(
            id=values["external_ref"],
            asset_id=will_be("asset_id", ""),
            kind=will_be("kind", "?"),
            triggers=triggers,
            starts_on=will_be("starts_on", Day.FIRST),
            ends_on=will_be("ends_on") if known_start else None,
            early_days=will_be("early_days", 0),
            late_days=will_be("late_days", 0),
            horizon_days=will_be("horizon_days", 1),
            service_minutes=(kind.minutes if kind else 60) if minutes is None else minutes,
            tz=tz,
        )
        found = maintenance.problems(plan)
    except ValueError:
        _bad(report, row, NEEDS[row.cells["trigger"].lower()], "unusable-trigger")
        return
    for problem in found:
        if problem.field == "triggers":
            continue
        column = problem.field.split(".")[2] if problem.field.startswith("triggers.") else problem.field
        why = problem.reason
        report.problems.append(
            BadCell(line=row.line, column=column, code=why.code, area="plan", params=dict(why.params))
        )


def _bad(report: ImportReport, row: Row, column: str, code: str, **params: Any) -> None:
    report.problems.append(BadCell(line=row.line, column=column, code=code, params=params))
