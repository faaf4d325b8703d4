"""Warranty terms, contracts and prices from files: known by their code, their number, or what they are the price of."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from marshmallow import Schema, ValidationError

from schemas.agreements import AGREEMENTS
from server.actions.import_report import BadCell, ImportReport, Progress
from server.actions.import_rows import EVERY, refs, refuse, told
from server.actions.import_table import Column, Row, read_table, shorten
from server.actions.write_agreement import ANY_KIND, MODELS
from server.extensions import db
from server.store.models import Customer
from server.store.queries import imports
from server.store.transaction import transactional
from server.store.types import new_id

TERMS = (
    Column(name="code", required=True),
    Column(name="months", kind="whole", required=True),
    Column(name="starts_at"),
    Column(name="covers_labour", kind="truth"),
    Column(name="covers_parts", kind="truth"),
    Column(name="covers_travel", kind="truth"),
    Column(name="excluded_causes", kind="list"),
    Column(name="meter"),
    Column(name="meter_limit", kind="whole"),
)
CONTRACTS = (
    Column(name="number", required=True),
    Column(name="customer_ref", required=True),
    Column(name="starts_on", kind="date", required=True),
    Column(name="ends_on", kind="date", required=True),
    Column(name="currency", required=True),
    Column(name="included_kinds", kind="list"),
    Column(name="included_visits", kind="whole"),
    Column(name="price_list"),
    Column(name="prices", kind="list"),
)
PRICES = (
    Column(name="list_code"),
    Column(name="branch"),
    Column(name="kind"),
    Column(name="line", required=True),
    Column(name="unit", required=True),
    Column(name="amount", kind="money", required=True),
    Column(name="currency", required=True),
    Column(name="valid_from", kind="date", required=True),
    Column(name="valid_to", kind="date"),
)
PRICE = re.compile(r"(?:([^:/=]+):)?([^:/=]+)/([^:/=]+)=([^:/=]+)")
EXAMPLE = "labour/hour=80.00"
OF_PRICE = ("list_code", "branch_id", "kind", "line", "valid_from")
"""What two prices may not have in common."""

Key = tuple[Any, ...]
Reader = Callable[[Row, ImportReport], dict[str, Any]]


@dataclass(kw_only=True)
class _Import:
    """One sort of agreement: what a row means, by what it is known, and what is there."""

    sort: str
    schema: Schema
    key: tuple[str, ...]
    stored: Mapping[Key, Any]
    values: Reader
    wanted: list[tuple[Any, dict[str, Any]]] = field(default_factory=list)


@transactional
def import_terms(
    company_id: str, content: bytes, *, dry_run: bool = False, progress: Progress | None = None
) -> ImportReport:
    """Create and change warranty terms; all of the file or, with any problem, nothing of it."""
    return _run(
        company_id,
        content,
        TERMS,
        lambda rows: _Import(
            sort="warranty_term",
            schema=AGREEMENTS["warranty_term"](),
            key=("code",),
            stored={(code,): one for code, one in imports.terms_by_code(company_id).items()},
            # Switches stay as they are where the cell is empty; a meter is taken away by an empty one.
            values=lambda row, report: {
                name: value
                for name, value in row.cells.items()
                if value is not None or not name.startswith(("covers_", "starts_"))
            },
        ),
        dry_run,
        progress,
    )


@transactional
def import_contracts(
    company_id: str, content: bytes, *, dry_run: bool = False, progress: Progress | None = None
) -> ImportReport:
    """Create and change contracts; all of the file or, with any problem, nothing of it."""

    def made(rows: list[Row]) -> _Import:
        customers = imports.by_ref(company_id, Customer, refs(rows, "customer_ref"))
        kinds = imports.kinds_by_code(company_id)

        def values(row: Row, report: ImportReport) -> dict[str, Any]:
            read = {name: value for name, value in row.cells.items() if name not in ("customer_ref", "prices")}
            customer = customers.get(row.get("customer_ref") or "")
            if customer is not None:
                read["customer_id"] = customer.id
            elif "customer_ref" not in row.bad:
                _bad(report, row, "customer_ref", "no-such-customer", value=shorten(row.cells["customer_ref"]))
            for code in read.get("included_kinds") or ():
                _check_kind(row, "included_kinds", code, kinds, report)
            if "prices" in row.cells:
                read["items"] = [_item(row, text, kinds, report) for text in row.cells["prices"]]
            return read

        return _Import(
            sort="contract",
            schema=AGREEMENTS["contract"](),
            key=("number",),
            stored={(number,): one for number, one in imports.contracts_by_number(company_id).items()},
            values=values,
        )

    return _run(company_id, content, CONTRACTS, made, dry_run, progress)


@transactional
def import_prices(
    company_id: str, content: bytes, *, dry_run: bool = False, progress: Progress | None = None
) -> ImportReport:
    """Create and change prices; all of the file or, with any problem, nothing of it."""

    def made(rows: list[Row]) -> _Import:
        branches = {branch.name.casefold(): branch for branch in imports.branches(company_id)}
        kinds = imports.kinds_by_code(company_id)

        def values(row: Row, report: ImportReport) -> dict[str, Any]:
            read = {name: value for name, value in row.cells.items() if name != "branch"}
            read["list_code"] = read.get("list_code") or "base"
            read["kind"] = read.get("kind") or ANY_KIND
            _check_kind(row, "kind", read["kind"], kinds, report)
            name = row.get("branch")
            branch = branches.get(name.casefold()) if name else None
            if name and branch is None:
                known = sorted(one.name for one in branches.values())
                _bad(report, row, "branch", "no-such-branch", value=shorten(name), known=known)
            read["branch_id"] = branch.id if branch else None
            return read

        stored: dict[Key, Any] = {}
        for one in imports.price_items(company_id):
            stored.setdefault(tuple(getattr(one, name) for name in OF_PRICE), one)
        return _Import(sort="price_item", schema=AGREEMENTS["price_item"](), key=OF_PRICE, stored=stored, values=values)

    return _run(company_id, content, PRICES, made, dry_run, progress)


def _run(
    company_id: str,
    content: bytes,
    columns: Sequence[Column],
    made: Callable[[list[Row]], _Import],
    dry_run: bool,
    progress: Progress | None,
) -> ImportReport:
    table = read_table(content, columns)
    report = ImportReport(rows=len(table.rows), problems=table.problems)
    this = made(table.rows)
    first: dict[Key, int] = {}
    for row in told(table.rows, "checking", progress):
        _check(row, this, first, report)
    report.sort()
    if report.refused:
        return report
    for position, (item, checked) in enumerate(this.wanted, start=1):
        _settle(report, company_id, this.sort, item, checked, dry_run=dry_run)
        if progress is not None and position % EVERY == 0:
            progress("storing", position, len(this.wanted))
    return report


def _check(row: Row, this: _Import, first: dict[Key, int], report: ImportReport) -> None:
    """Judge a row by the schema of its sort, together with what is stored under its key."""
    schema = this.schema
    said_before = len(report.problems)
    values = this.values(row, report)
    told_of = row.bad | {bad.column for bad in report.problems[said_before:]}
    try:
        named = schema.load({name: values[name] for name in this.key if values.get(name) is not None}, partial=True)
    except ValidationError as error:
        named = error.valid_data if isinstance(error.valid_data, dict) else {}
    key = tuple(named.get(name) for name in this.key)
    if not any(name in row.bad for name in this.key):
        line = first.setdefault(key, row.line)
        if line != row.line:
            _bad(report, row, this.key[-1] if len(this.key) == 1 else "line", "agreement-twice", line=line)
    item = this.stored.get(key)
    before = schema.dump(item) if item is not None else {}
    before.pop("id", None)
    try:
        checked = schema.load(before | values)
    except ValidationError as error:
        messages = {_column(name): said for name, said in error.normalized_messages().items()}
        refuse(report, row.line, {name: said for name, said in messages.items() if name not in told_of})
        return
    if "amount" in checked:
        checked["amount"] = Decimal(checked["amount"])
    this.wanted.append((item, checked))


def _settle(
    report: ImportReport, company_id: str, sort: str, item: Any, checked: Mapping[str, Any], *, dry_run: bool
) -> None:
    changed = {name: value for name, value in checked.items() if item is None or getattr(item, name) != value}
    report.count(sort, "created" if item is None else "changed" if changed else "unchanged")
    if dry_run:
        return
    if item is None:
        db.session.add(MODELS[sort](company_id=company_id, id=new_id(), **checked))
    for name, value in changed.items() if item is not None else ():
        setattr(item, name, value)


def _item(row: Row, text: str, kinds: Mapping[str, Any], report: ImportReport) -> dict[str, Any]:
    """One price of a contract: `line/unit=amount`, before it the kind and a colon where it is not for all."""
    match = PRICE.fullmatch(text)
    if match is None:
        _bad(report, row, "prices", "not-a-price", value=shorten(text), example=EXAMPLE)
        return {"line": "labour", "unit": "hour", "amount": "1.00"}
    kind, line, unit, amount = (part.strip() if part else None for part in match.groups())
    if kind:
        _check_kind(row, "prices", kind, kinds, report)
    return {"line": line, "unit": unit, "amount": (amount or "").replace(",", "."), "kind": kind}


def _check_kind(row: Row, column: str, code: str, kinds: Mapping[str, Any], report: ImportReport) -> None:
    if code != ANY_KIND and code not in kinds:
        _bad(report, row, column, "no-such-kind", value=shorten(code), known=sorted(kinds)[:12])


def _column(name: str) -> str:
    """The column that a field of the schema is read from."""
    return {"customer_id": "customer_ref", "branch_id": "branch", "items": "prices"}.get(name, name)


def _bad(report: ImportReport, row: Row, column: str, code: str, **params: Any) -> None:
    report.problems.append(BadCell(line=row.line, column=column, code=code, params=params))
