"""Imports on both databases: whole or not at all, a second time without effect, equal to what was written."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from server.actions.import_assets import import_assets
from server.actions.import_plans import import_plans
from server.actions.import_report import ImportReport
from server.actions.import_sites import import_sites
from server.cli.imports import COMMANDS
from server.extensions import db
from server.store.models import Asset, Branch, Customer, Document, MaintenancePlan, Site
from server.store.transaction import transactional
from server.store.types import new_id

SITES = (
    "external_ref;name;customer_ref;customer_name;branch;lat;lon;access_note;tags\n"
    "N-1;Hotel Nou;K-1;Nou SL;;42,51;1,53;Ring twice;a|b\n"
    "N-2;Bar Nou;K-1;;;42.52;1.54;;\n"
)
ASSETS = (
    "external_ref,site_ref,model,serial,installed_on,commissioned_on,warranty_term\n"
    "NA-1,S-1,P-100,P100-9,2026-01-31,2026-02-03,W24\n"
    "NA-2,S-2,P-100,P100-10,,,\n"
)
PLANS = (
    "external_ref,asset_ref,kind,trigger,rule,every,phases,starts_on,early_days,late_days\n"
    "NP-1,A-1,preventive_maintenance,fixed,FREQ=MONTHLY;INTERVAL=3,,,2026-01-15,7,7\n"
    "NP-2,A-1,proactive_inspection,warranty,,,m1|end-30d,2026-01-15,7,14\n"
    "NP-3,A-2,preventive_maintenance,floating,,6 месяцев,,2026-01-15,,\n"
)


def one(model: Any, ref: str) -> Any:
    return db.session.scalar(select(model).where(model.external_ref == ref))


def named(report: ImportReport) -> list[tuple[int, str | None, str]]:
    return [(bad.line, bad.column, bad.code) for bad in report.problems]


def documents() -> int:
    return int(db.session.scalar(select(func.count()).select_from(Document)) or 0)


def versions() -> dict[str, int]:
    return {row.id: row.version for row in db.session.execute(select(Document.id, Document.version))}


def counted(report: ImportReport) -> dict[str, dict[str, int]]:
    return {name: dict(counts) for name, counts in report.counts.items()}


def test_sites_come_with_their_customers_and_reach_the_feed(company_id: str) -> None:
    before = documents()
    report = import_sites(company_id, SITES.encode())
    assert counted(report) == {"customer": {"created": 1}, "site": {"created": 2}}
    site = one(Site, "N-1")
    assert (site.name, site.lat, site.lon, site.tags) == ("Hotel Nou", 42.51, 1.53, ["a", "b"])
    assert site.tz == "Europe/Andorra"
    assert one(Site, "N-2").customer_id == site.customer_id == one(Customer, "K-1").id
    assert documents() == before + 3


@pytest.mark.parametrize("which", ["sites", "assets", "plans"])
def test_a_second_import_changes_nothing(company_id: str, which: str) -> None:
    run, text = {
        "sites": (import_sites, SITES), "assets": (import_assets, ASSETS), "plans": (import_plans, PLANS),
    }[which]  # fmt: skip
    run(company_id, text.encode())
    before = versions()
    report = run(company_id, text.encode())
    assert all(set(counts) == {"unchanged"} for counts in report.counts.values())
    assert versions() == before


@pytest.mark.parametrize("which", ["sites", "assets", "plans"])
def test_a_dry_run_says_the_same_and_writes_nothing(company_id: str, which: str) -> None:
    run, text = {
        "sites": (import_sites, SITES), "assets": (import_assets, ASSETS), "plans": (import_plans, PLANS),
    }[which]  # fmt: skip
    before = documents()
    foreseen = run(company_id, text.encode(), dry_run=True)
    assert documents() == before
    assert db.session.scalar(select(func.count()).select_from(MaintenancePlan)) == 0
    assert counted(run(company_id, text.encode())) == counted(foreseen)


def test_one_bad_row_keeps_the_whole_file_out(company_id: str) -> None:
    before = documents()
    report = import_sites(company_id, (SITES + "N-3;Far;K-2;Far SL;;95;1;;\n").encode())
    assert named(report) == [(4, "lat", "field.out-of-range")]
    assert documents() == before


def test_only_the_columns_of_the_file_are_changed(company_id: str) -> None:
    import_sites(company_id, SITES.encode())
    report = import_sites(company_id, b"external_ref,name,customer_ref,lat,lon\nN-1,Hotel Vell,K-1,42.51,1.53\n")
    assert counted(report) == {"customer": {"unchanged": 1}, "site": {"changed": 1}}
    site = one(Site, "N-1")
    assert (site.name, site.access_note, site.tags) == ("Hotel Vell", "Ring twice", ["a", "b"])


def test_problems_of_sites_are_named(company_id: str) -> None:
    head = "external_ref,name,customer_ref,customer_name,branch,lat,lon,tz\n"
    report = import_sites(
        company_id,
        (
            head
            + "X,a,K,Kappa,,1,2,\nX,b,K,,,1,2,\nY,c,K,Other,,1,2,\nZ,d,L,,,1,2,\nW,e,K,,Nowhere,1,2,\n"
            + "V,f,K,,,0,0,\nU,g,K,,,1,2,Mars/Base\n"
            + f"T,{'x' * 201},K,,,1,2,\n"
        ).encode(),
    )
    assert named(report) == [
        (3, "external_ref", "ref-twice"),
        (4, "customer_name", "customer-differs"),
        (5, "customer_name", "new-customer"),
        (6, "branch", "no-such-branch"),
        (7, "lat", "field.nowhere"),
        (8, "tz", "no-such-zone"),
        (9, "name", "field.too-long"),
    ]
    for bad in report.problems:
        assert "…" not in bad.text("en")
        assert bad.text("ru") != bad.text("en")


def test_a_warranty_follows_from_its_term(company_id: str) -> None:
    """24 months from the installation on 31 January 2026: the last day is 30 January 2028."""
    import_assets(company_id, ASSETS.encode())
    asset = one(Asset, "NA-1")
    assert (asset.warranty_starts_on, asset.warranty_ends_on) == (date(2026, 1, 31), date(2028, 1, 30))
    assert one(Asset, "NA-2").warranty_ends_on is None


def test_problems_of_assets_are_named(company_id: str) -> None:
    report = import_assets(
        company_id,
        b"external_ref,site_ref,model,serial,installed_on,commissioned_on,warranty_term\n"
        b"X,S-9,P-100,1,,,\nY,S-1,P-9,2,,,\nZ,S-1,P-100,3,2026-02-01,2026-01-01,\nW,S-1,P-100,4,,,W99\n",
    )
    assert named(report) == [
        (2, "site_ref", "no-such-site"),
        (3, "model", "no-such-model"),
        (4, "commissioned_on", "field.before-installation"),
        (5, "warranty_term", "no-such-term"),
    ]


def test_plans_are_written_as_the_core_reads_them(company_id: str) -> None:
    report = import_plans(company_id, PLANS.encode())
    assert counted(report) == {"maintenance_plan": {"created": 3}}
    assert one(MaintenancePlan, "NP-1").triggers == [
        {"kind": "calendar_fixed", "id": "main", "rule": "FREQ=MONTHLY;INTERVAL=3"}
    ]
    assert one(MaintenancePlan, "NP-2").triggers[0]["phases"] == ["m1", "end-30d"]
    plan = one(MaintenancePlan, "NP-3")
    assert plan.triggers[0]["every"] == {"count": 6, "unit": "months"}
    assert (plan.early_days, plan.horizon_days, plan.active, plan.version) == (0, 60, True, 1)


def test_a_changed_plan_gets_a_new_version(company_id: str) -> None:
    import_plans(company_id, PLANS.encode())
    report = import_plans(company_id, PLANS.replace("6 месяцев", "4 months").encode())
    assert counted(report) == {"maintenance_plan": {"changed": 1, "unchanged": 2}}
    assert one(MaintenancePlan, "NP-3").version == 2


def test_problems_of_plans_are_named_in_the_words_of_the_core(company_id: str) -> None:
    head = "external_ref,asset_ref,kind,trigger,rule,every,phases,starts_on,late_days\n"
    report = import_plans(
        company_id,
        (
            head
            + "A,A-9,preventive_maintenance,fixed,FREQ=DAILY,,,2026-01-01,\nB,A-1,tea,fixed,FREQ=DAILY,,,2026-01-01,\n"
            + "C,A-1,preventive_maintenance,hourly,,,,2026-01-01,\nD,A-1,preventive_maintenance,fixed,,,,2026-01-01,\n"
            + "E,A-1,preventive_maintenance,fixed,FREQ=HOURLY,,,2026-01-01,\n"
            + "F,A-1,preventive_maintenance,age,,soon,,2026-01-01,\n"
            + "G,A-1,preventive_maintenance,age,,0 months,,2026-01-01,\n"
            + "H,A-1,proactive_inspection,warranty,,,m1|later,2026-01-01,999\n"
        ).encode(),
    )
    assert named(report) == [
        (2, "asset_ref", "no-such-asset"),
        (3, "kind", "no-such-kind"),
        (4, "trigger", "no-such-trigger"),
        (5, "rule", "needed-for-trigger"),
        (6, "rule", "rule-within-a-day"),
        (7, "every", "not-an-interval"),
        (8, "every", "interval-out-of-range"),
        (9, "late_days", "window-out-of-range"),
        (9, "phases", "phase-unknown"),
    ]


def test_the_command_ends_with_one_when_the_file_is_refused(app: Flask, company_id: str, tmp_path: Any) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(SITES, "utf-8")
    bad.write_text(SITES.replace("42,51", "north"), "utf-8")
    runner = app.test_cli_runner()
    refused = runner.invoke(COMMANDS[0], ["sites", str(bad), "--locale", "ru"])
    assert refused.exit_code == 1
    assert "Строка 2, lat: «north» — не число." in refused.output
    assert "Ничего не записано" in refused.output
    done = runner.invoke(COMMANDS[0], ["sites", str(good)])
    assert done.exit_code == 0
    assert "Sites: 2 created, 0 changed, 0 unchanged" in done.output


def test_only_what_is_written_is_said_to_be_stored(app: Flask, company_id: str, tmp_path: Any) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(SITES, "utf-8")
    bad.write_text(SITES.replace("42,51", "north"), "utf-8")
    runner = app.test_cli_runner()
    for words in ([str(bad)], [str(good), "--dry-run"]):
        told = runner.invoke(COMMANDS[0], ["sites", *words]).output
        assert "Checking" in told
        assert "Storing" not in told
    assert "Storing" in runner.invoke(COMMANDS[0], ["sites", str(good)]).output


@transactional
def another_branch(company_id: str) -> None:
    db.session.add(
        Branch(
            company_id=company_id, id=new_id(), name="Segre", city=None, locale="en", tz="Europe/Andorra",
            currency="EUR", lat=42.4, lon=1.5,
        )
    )  # fmt: skip


def test_a_file_that_lacks_the_branch_is_told_so_once(app: Flask, company_id: str) -> None:
    another_branch(company_id)
    rows = "".join(f"X-{n},Site {n},K-1,Group,42.5,1.5\n" for n in range(40))
    report = import_sites(company_id, f"external_ref,name,customer_ref,customer_name,lat,lon\n{rows}".encode())
    assert named(report) == [(1, "branch", "branch-column")]
    assert "Segre, Valira" in report.problems[0].text("en")


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=30)
ROW = st.fixed_dictionaries(
    {
        "name": TEXT.filter(lambda text: not text.startswith("'")),
        "city": st.none() | TEXT.filter(lambda text: not text.startswith("'")),
        "lat": st.floats(-90, 90).filter(lambda value: value != 0),
        "lon": st.floats(-180, 180),
        "tags": st.lists(st.text("abcдёж-", min_size=1, max_size=6), max_size=3),
    }
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=st.lists(ROW, min_size=1, max_size=5))
def test_what_is_imported_equals_what_was_written(company_id: str, written: list[dict[str, Any]]) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow(["external_ref", "customer_ref", "name", "city", "lat", "lon", "tags"])
    for position, row in enumerate(written):
        tags = "|".join(row["tags"])
        writer.writerow([f"R-{position}", "C-1", row["name"], row["city"] or "", row["lat"], row["lon"], tags])
    report = import_sites(company_id, out.getvalue().encode())
    assert not report.problems
    for position, row in enumerate(written):
        site = one(Site, f"R-{position}")
        assert {name: getattr(site, name) for name in row} == row
