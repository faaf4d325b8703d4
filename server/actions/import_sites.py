"""Sites and their customers from a file, keyed by their references in the system that they come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from marshmallow import ValidationError

from schemas.entities import COLLECTIONS
from server.actions.import_report import BadCell, ImportReport, Progress
from server.actions.import_rows import checked, foresee, name_repeats, refs, settle, told
from server.actions.import_table import Column, Row, read_table, shorten
from server.store.models import Branch, Customer, Site
from server.store.queries import imports
from server.store.transaction import transactional
from server.store.types import new_id

COLUMNS = (
    Column(name="external_ref", required=True),
    Column(name="name", required=True),
    Column(name="customer_ref", required=True),
    Column(name="customer_name"),
    Column(name="customer_kind"),
    Column(name="customer_locale"),
    Column(name="customer_phone"),
    Column(name="customer_email"),
    Column(name="branch"),
    Column(name="address"),
    Column(name="city"),
    Column(name="lat", kind="number", required=True),
    Column(name="lon", kind="number", required=True),
    Column(name="tz"),
    Column(name="opening_hours"),
    Column(name="contact_name"),
    Column(name="contact_phone"),
    Column(name="access_note"),
    Column(name="danger_note"),
    Column(name="tags", kind="list"),
)
PREFIX = "customer_"
OF_CUSTOMER = ("name", "kind", "locale", "phone", "email")
OF_SITE = ("external_ref", "name", "address", "city", "lat", "lon", "opening_hours", "contact_name", "contact_phone",
           "access_note", "danger_note", "tags")  # fmt: skip


@dataclass(kw_only=True)
class _Known:
    """What is there already, and what the file adds to it."""

    branches: dict[str, Branch]
    customers: dict[str, Customer]
    sites: dict[str, Site]
    customer_ids: dict[str, str] = field(default_factory=dict)
    customer_rows: dict[str, tuple[int, dict[str, Any], dict[str, Any]]] = field(default_factory=dict)
    """Reference -> the line that speaks first of a customer, what it says, and that in wire form."""

    bodies: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    zones: dict[str, bool] = field(default_factory=dict)
    lacks_branch: bool = False
    """Whether it was said that the file does not tell the branches of its rows."""

    def has_zone(self, tz: str) -> bool:
        """Whether the schema takes a time zone; asked once for each, for it looks through the whole zone database."""
        if tz not in self.zones:
            try:
                COLLECTIONS["site"].validated({"tz": tz})
            except ValidationError:
                self.zones[tz] = False
            else:
                self.zones[tz] = True
        return self.zones[tz]


@transactional
def import_sites(
    company_id: str, content: bytes, *, dry_run: bool = False, progress: Progress | None = None
) -> ImportReport:
    """Create and change sites and customers; all of the file or, with any problem, nothing of it."""
    table = read_table(content, COLUMNS)
    report = ImportReport(rows=len(table.rows), problems=table.problems)
    rows = table.rows
    name_repeats(rows, ("external_ref",), report, at="external_ref")
    known = _Known(
        branches={branch.name.casefold(): branch for branch in imports.branches(company_id)},
        customers=imports.by_ref(company_id, Customer, refs(rows, "customer_ref")),
        sites=imports.by_ref(company_id, Site, refs(rows, "external_ref")),
    )
    for row in told(rows, "checking", progress):
        _check(row, known, report)
    report.sort()
    if report.refused:
        return report
    for ref, (_, _, body) in known.customer_rows.items():
        customer = known.customers.get(ref)
        if dry_run:
            foresee(report, "customer", customer, body)
        else:
            settle(report, company_id, "customer", customer, known.customer_ids[ref], body)
    for position, (ref, body) in enumerate(known.bodies, start=1):
        if dry_run:
            foresee(report, "site", known.sites.get(ref), body)
        else:
            settle(report, company_id, "site", known.sites.get(ref), new_id(), body)
        if progress is not None and position % 250 == 0:
            progress("storing", position, len(known.bodies))
    return report


def _check(row: Row, known: _Known, report: ImportReport) -> None:
    branch = _branch(row, known, report)
    site = known.sites.get(row.get("external_ref") or "")
    values = {name: row.cells[name] for name in OF_SITE if name in row.cells}
    if "customer_ref" not in row.bad:
        values["customer_id"] = _customer(row, branch, known, report)
    tz = row.get("tz") or (site.tz if site else branch.tz if branch else None)
    if tz is not None and not known.has_zone(tz):
        report.problems.append(BadCell(line=row.line, column="tz", code="no-such-zone", params={"value": shorten(tz)}))
    body = checked("site", values, row.line, report, stored=site)
    if branch is not None:
        body |= {"tz": tz, "branch_id": branch.id}
    known.bodies.append((row.get("external_ref") or "", body))


def _branch(row: Row, known: _Known, report: ImportReport) -> Branch | None:
    """The branch that the row names; without a name the site's own, or the only one."""
    name = row.get("branch")
    if "branch" in row.bad:
        return None
    if name is None:
        site = known.sites.get(row.get("external_ref") or "")
        mine = next((one for one in known.branches.values() if site and one.id == site.branch_id), None)
        if mine or len(known.branches) == 1:
            return mine or next(iter(known.branches.values()))
        if "branch" in row.cells:
            report.problems.append(BadCell(line=row.line, column="branch", code="needed"))
        elif not known.lacks_branch:
            # Said once, for the file: each of its rows would say the same.
            known.lacks_branch = True
            names = sorted(one.name for one in known.branches.values())
            report.problems.append(BadCell(line=1, column="branch", code="branch-column", params={"known": names}))
        return None
    branch = known.branches.get(name.casefold())
    if branch is None:
        names = sorted(one.name for one in known.branches.values())
        params = {"value": shorten(name), "known": names}
        report.problems.append(BadCell(line=row.line, column="branch", code="no-such-branch", params=params))
    return branch


def _customer(row: Row, branch: Branch | None, known: _Known, report: ImportReport) -> str:
    """The id of the row's customer; its first row in the file says what is new about it, the others must agree."""
    ref = row.cells["customer_ref"]
    stored = known.customers.get(ref)
    ident = known.customer_ids.setdefault(ref, stored.id if stored else new_id())
    given = {name: row.cells[PREFIX + name] for name in OF_CUSTOMER if PREFIX + name in row.cells}
    for name in ("name", "locale"):
        if given.get(name) is None:
            given.pop(name, None)
            if stored is not None:
                given[name] = getattr(stored, name)
    seen = known.customer_rows.get(ref)
    if seen is None:
        values = {"locale": branch.locale if branch else "en"} | given | {"external_ref": ref}
        if "name" not in values and PREFIX + "name" not in row.bad:
            who = {"customer": shorten(ref)}
            report.problems.append(BadCell(line=row.line, column="customer_name", code="new-customer", params=who))
        body = checked("customer", values, row.line, report, prefix=PREFIX, stored=stored)
        known.customer_rows[ref] = (row.line, values, body)
        return ident
    for name, value in given.items():
        if seen[1].get(name) != value and value is not None:
            params = {"customer": shorten(ref), "line": seen[0]}
            bad = BadCell(line=row.line, column=PREFIX + name, code="customer-differs", params=params)
            report.problems.append(bad)
    return ident
