"""An import names everything that is wrong in one run: no error hides another, however many there are."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.actions.import_agreements import import_contracts, import_prices, import_terms
from server.actions.import_assets import import_assets
from server.actions.import_plans import import_plans
from server.actions.import_report import ImportReport
from server.actions.import_sites import import_sites
from server.store.queries import imports

Fault = tuple[int, str, str]
"""Row, column, and what is written there instead."""

SITES = [
    {"external_ref": "N-1", "name": "Nou", "customer_ref": "K-1", "customer_name": "Nou SL",
     "customer_email": "a@b.example", "branch": "", "lat": "42.5", "lon": "1.5", "tz": "",
     "opening_hours": "Mo-Fr 09:00-18:00", "contact_phone": "+376 812"},
    {"external_ref": "N-2", "name": "Vell", "customer_ref": "K-2", "customer_name": "Vell SL", "customer_email": "",
     "branch": "Valira", "lat": "42.6", "lon": "1.6", "tz": "", "opening_hours": "24/7", "contact_phone": ""},
]  # fmt: skip
ASSETS = [
    {"external_ref": "NA-0", "site_ref": "S-1", "model": "P-100", "serial": "X0", "installed_on": "",
     "commissioned_on": "", "in_service": "", "warranty_term": "", "warranty_starts_on": "", "warranty_ends_on": ""},
    {"external_ref": "NA-1", "site_ref": "S-1", "model": "P-100", "serial": "X1", "installed_on": "2026-01-31",
     "commissioned_on": "2026-02-03", "in_service": "yes", "warranty_term": "W24", "warranty_starts_on": "2026-02-01",
     "warranty_ends_on": "2027-02-01"},
    {"external_ref": "NA-2", "site_ref": "S-2", "model": "P-100", "serial": "X2", "installed_on": "",
     "commissioned_on": "", "in_service": "", "warranty_term": "", "warranty_starts_on": "2026-02-01",
     "warranty_ends_on": "2027-02-01"},
]  # fmt: skip
PLANS = [
    {"external_ref": "NP-1", "asset_ref": "A-1", "kind": "preventive_maintenance", "trigger": "fixed",
     "rule": "FREQ=MONTHLY;INTERVAL=3", "starts_on": "2026-01-15", "ends_on": "2027-01-01", "early_days": "7",
     "hard_due": "no"},
    {"external_ref": "NP-2", "asset_ref": "A-2", "kind": "preventive_maintenance", "trigger": "fixed",
     "rule": "FREQ=YEARLY", "starts_on": "2026-01-15", "ends_on": "", "early_days": "", "hard_due": ""},
]  # fmt: skip
TERMS = [
    {"code": "W12", "months": "12", "starts_at": "commissioning", "covers_travel": "no", "excluded_causes": "misuse"},
    {"code": "W36", "months": "36", "starts_at": "", "covers_travel": "", "excluded_causes": ""},
]
CONTRACTS = [
    {"number": "C-1", "customer_ref": "C-1", "starts_on": "2026-01-01", "ends_on": "2026-12-31", "currency": "EUR",
     "included_kinds": "repair_minor", "included_visits": "4", "prices": "labour/hour=70|repair_minor:travel/km=1,50"},
    {"number": "C-2", "customer_ref": "C-1", "starts_on": "2026-01-01", "ends_on": "2026-12-31", "currency": "EUR",
     "included_kinds": "", "included_visits": "", "prices": ""},
]  # fmt: skip
PRICES = [
    {"list_code": "", "branch": "Valira", "kind": "", "line": "labour", "unit": "hour", "amount": "1 080,50",
     "currency": "EUR", "valid_from": "2026-01-01", "valid_to": "2026-12-31"},
    {"list_code": "gold", "branch": "", "kind": "repair_minor", "line": "travel", "unit": "km", "amount": "0.90",
     "currency": "EUR", "valid_from": "01.01.2026", "valid_to": ""},
]  # fmt: skip
FILES: dict[str, tuple[Any, list[dict[str, str]], list[Fault]]] = {
    "sites": (import_sites, SITES, [
        (0, "name", " "), (0, "customer_email", "nope"), (0, "branch", "Nowhere"), (0, "lat", "north"),
        (0, "lon", "181"), (0, "opening_hours", "late"), (0, "contact_phone", "?"),
        (1, "tz", "Mars/Base"), (1, "customer_name", ""), (1, "external_ref", "N-1"), (1, "name", "x" * 201),
    ]),
    "assets": (import_assets, ASSETS, [
        (1, "site_ref", "S-9"), (1, "model", "P-9"), (1, "in_service", "perhaps"), (1, "warranty_term", "W99"),
        (1, "commissioned_on", "2026-01-30"), (2, "warranty_ends_on", "2026-01-31"), (2, "serial", "X0"),
        (2, "installed_on", "soon"), (2, "external_ref", "x" * 81),
    ]),
    "plans": (import_plans, PLANS, [
        (0, "asset_ref", "A-9"), (0, "kind", "tea"), (0, "rule", "FREQ=HOURLY"), (0, "ends_on", "2026-01-01"),
        (0, "early_days", "999"), (0, "hard_due", "perhaps"), (1, "trigger", "hourly"), (1, "early_days", "few"),
        (1, "starts_on", ""), (1, "external_ref", "NP-1"),
    ]),
    "terms": (import_terms, TERMS, [
        (0, "months", "0"), (0, "starts_at", "tomorrow"), (0, "covers_travel", "perhaps"),
        (0, "excluded_causes", "rain"), (1, "months", "many"), (1, "code", "W12"),
    ]),
    "contracts": (import_contracts, CONTRACTS, [
        (0, "customer_ref", "C-9"), (0, "ends_on", "2025-12-31"), (0, "currency", "ZZZ"), (0, "included_kinds", "tea"),
        (0, "included_visits", "-1"), (0, "prices", "seven an hour"), (1, "prices", "labour/hour=0"),
        (1, "starts_on", "never"), (1, "number", "C-1"),
    ]),
    "prices": (import_prices, PRICES, [
        (0, "branch", "Nowhere"), (0, "line", "tea"), (0, "unit", "cup"), (0, "amount", "-1"),
        (0, "valid_to", "2025-01-01"), (1, "kind", "tea"), (1, "currency", "€"),
        (1, "amount", "much"), (1, "valid_from", "2026-13-01"),
    ]),
}  # fmt: skip


def written(rows: list[dict[str, str]], faults: list[Fault]) -> bytes:
    """The rows as a file, with some cells written otherwise."""
    rows = [dict(row) for row in rows]
    for position, column, text in faults:
        rows[position][column] = text
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=";")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def named(report: ImportReport) -> set[tuple[int, str | None, str]]:
    return {(bad.line, bad.column, bad.code) for bad in report.problems}


@pytest.mark.parametrize("which", FILES)
def test_every_fault_is_named_by_its_line_and_column_in_both_languages(company_id: str, which: str) -> None:
    run, rows, faults = FILES[which]
    assert not run(company_id, written(rows, []), dry_run=True).problems
    for fault in faults:
        report = run(company_id, written(rows, [fault]), dry_run=True)
        assert {bad.line for bad in report.problems} == {fault[0] + 2}, fault
        assert not report.counts
        for bad in report.problems:
            assert bad.text("en") not in (bad.code, bad.text("ru"))


@pytest.mark.parametrize("which", FILES)
def test_faults_do_not_hide_each_other(company_id: str, which: str) -> None:
    """What is wrong with a file is all that is wrong with each of its cells, whatever else is wrong."""
    run, rows, faults = FILES[which]
    alone = {fault: named(run(company_id, written(rows, [fault]), dry_run=True)) for fault in faults}

    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(chosen=st.lists(st.sampled_from(faults), unique_by=lambda fault: fault[:2], min_size=2))
    def law(chosen: list[Fault]) -> None:
        # A value that cannot be read says nothing of how it stands to another one.
        together = named(run(company_id, written(rows, chosen), dry_run=True))
        cells = {(fault[0] + 2, fault[1]) for fault in chosen}
        for fault in chosen:
            assert {bad for bad in alone[fault] if (bad[0], bad[1]) in cells} <= together, fault
        assert together <= set().union(*(alone[fault] for fault in chosen))

    law()


@pytest.mark.parametrize("which", FILES)
def test_a_file_comes_in_whole_once_and_a_dry_run_foresees_it(company_id: str, which: str) -> None:
    run, rows, _ = FILES[which]
    content = written(rows, [])
    told: list[tuple[str, int, int]] = []
    foreseen = run(company_id, content, dry_run=True)
    report = run(company_id, content, progress=lambda *step: told.append(step))
    assert report.counts == foreseen.counts
    assert {what for counts in report.counts.values() for what in counts} == {"created"}
    assert ("checking", len(rows), len(rows)) in told
    again = run(company_id, content)
    assert {what for counts in again.counts.values() for what in counts} == {"unchanged"}


def test_agreements_are_stored_as_they_were_written(company_id: str) -> None:
    for run, rows in ((import_terms, TERMS), (import_contracts, CONTRACTS), (import_prices, PRICES)):
        assert not run(company_id, written(rows, [])).problems
    terms = imports.terms_by_code(company_id)
    assert (terms["W12"].starts_at, terms["W12"].covers_travel, terms["W12"].excluded_causes) == (
        "commissioning", False, ["misuse"],
    )  # fmt: skip
    assert (terms["W36"].months, terms["W36"].starts_at, terms["W36"].covers_travel) == (36, "installation", True)
    assert imports.contracts_by_number(company_id)["C-1"].items == [
        {"line": "labour", "unit": "hour", "amount": "70", "kind": None},
        {"line": "travel", "unit": "km", "amount": "1.50", "kind": "repair_minor"},
    ]
    prices = {(one.list_code, one.line): one for one in imports.price_items(company_id) if one.currency == "EUR"}
    assert prices["gold", "travel"].amount == Decimal("0.90")
    changed = import_prices(company_id, written(PRICES, [(0, "amount", "90")]))
    assert dict(changed.counts["price_item"]) == {"changed": 1, "unchanged": 1}


def test_problems_of_the_heading_hide_none_of_the_rows(company_id: str) -> None:
    text = "external_ref,nmae,lat,lon,lat\nN-1,Nou,95,x,1\n"
    assert named(import_sites(company_id, text.encode())) == {
        (1, "nmae", "unknown-column-near"), (1, "lat", "column-twice"), (1, "name", "missing-column"),
        (1, "customer_ref", "missing-column"), (2, "lat", "field.out-of-range"), (2, "lon", "not-a-number"),
    }  # fmt: skip


def test_a_serial_number_is_taken_by_equipment_of_the_same_model_that_is_not_in_the_file(company_id: str) -> None:
    """Two rows may exchange their serial numbers; one may not take that of equipment which keeps it."""
    head = "external_ref,site_ref,model,serial\n"
    taken = import_assets(company_id, f"{head}NEW,S-1,P-100,P100-2\n".encode())
    assert named(taken) == {(2, "serial", "serial-taken")}
    assert "A-2 at “Hotel 2”" in taken.problems[0].text("en")
    swapped = import_assets(company_id, f"{head}A-1,S-1,P-100,P100-2\nA-2,S-2,P-100,P100-1\n".encode())
    assert dict(swapped.counts["asset"]) == {"changed": 2}


def test_a_warranty_that_ends_before_it_starts_is_refused_also_against_what_is_stored(company_id: str) -> None:
    import_assets(
        company_id,
        b"external_ref,site_ref,model,serial,warranty_starts_on,warranty_ends_on\nN,S-1,P-100,9,2026-05-01,2027-05-01\n",
    )
    report = import_assets(company_id, b"external_ref,site_ref,model,serial,installed_on\nN,S-1,P-100,9,2026-06-01\n")
    assert not report.problems
    report = import_assets(
        company_id, b"external_ref,site_ref,model,serial,commissioned_on\nN,S-1,P-100,9,2026-05-31\n"
    )
    assert named(report) == {(2, "commissioned_on", "field.before-installation")}
