"""Old visits leave the tablets, and assets remember the last ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from server.actions.decide_coverage import decide_coverage
from server.actions.keep_house import keep_house
from server.actions.retire_visits import retire_visits
from server.extensions import db
from server.store import documents
from server.store.models import Asset, Coverage, Visit
from server.store.transaction import transactional
from tests.builders import SmallCompany, change, entry, publish
from tests.maintenance.builders import NOON, a_plan, do, edit_visit, generate, visits_of

pytestmark = pytest.mark.usefixtures("context")


def a_finished_visit(company: SmallCompany, days_ago: int, last: str = "done") -> str:
    visit = company.visit(asset_ids=[company.assets[0]])
    publish(company.id, visit, company.anna)
    do(company, visit, NOON - timedelta(days=days_ago), last)
    return visit


def archived(company: SmallCompany, visit_id: str) -> bool:
    db.session.rollback()
    visit = db.session.get(Visit, (company.id, visit_id), populate_existing=True)
    assert visit is not None
    return visit.archived


def test_a_visit_leaves_the_tablets_two_weeks_after_its_end(company: SmallCompany) -> None:
    old, young = a_finished_visit(company, 15), a_finished_visit(company, 13)
    assert retire_visits(company.id, NOON)["retired"] == 1
    assert (archived(company, old), archived(company, young)) == (True, False)
    kept = documents.stored(company.id, old)
    assert kept is not None
    assert kept[1].body["archived"] is True


def test_an_open_visit_stays_however_old(company: SmallCompany) -> None:
    plan = a_plan(company)
    generate(company)
    retire_visits(company.id, NOON + timedelta(days=400))
    assert not visits_of(company, plan)[0].archived


def test_a_cancelled_visit_leaves_two_weeks_after_it_was_cancelled(company: SmallCompany) -> None:
    plan = a_plan(company)
    generate(company)
    [visit] = visits_of(company, plan)
    edit_visit(company, visit.id, plan_state="cancelled")
    kept = documents.stored(company.id, visit.id)
    assert kept is not None
    cancelled_at = db.session.get(documents.Document, (company.id, visit.id)).changed_at
    retire_visits(company.id, cancelled_at + timedelta(days=13))
    assert not archived(company, visit.id)
    retire_visits(company.id, cancelled_at + timedelta(days=15))
    assert archived(company, visit.id)


def test_an_asset_shows_its_last_visits_newest_first(company: SmallCompany) -> None:
    for days_ago, last in ((20, "done"), (9, "no_access"), (6, "partly_done"), (3, "done")):
        a_finished_visit(company, days_ago, last)
    assert retire_visits(company.id, NOON)["assets_renewed"] == 1
    asset = db.session.get(Asset, (company.id, company.assets[0]), populate_existing=True)
    assert asset is not None
    assert asset.recent_visits == [
        {"date": "2026-05-01", "kind": "preventive_maintenance", "technician": "Anna", "outcome": "done"},
        {"date": "2026-04-28", "kind": "preventive_maintenance", "technician": "Anna", "outcome": "partly_done"},
        {"date": "2026-04-25", "kind": "preventive_maintenance", "technician": None, "outcome": "no_access"},
        {"date": "2026-04-14", "kind": "preventive_maintenance", "technician": "Anna", "outcome": "done"},
    ]


def test_an_asset_tells_what_was_read_and_found_at_it(company: SmallCompany) -> None:
    first, second = company.assets[0], company.assets[1]
    visit = a_finished_visit(company, 3)
    edit_visit(
        company, visit, work_summary="Seal changed " + "x" * 600, asset_ids=[first],
        readings=[entry(asset_id=first, meter="hours", value=1200.5, unit="h"),
                  entry(asset_id=second, meter="hours", value=7, unit="h")],
        findings=[entry(severity="minor", text="Rust on the base"),
                  entry(severity="major", cause="wear", asset_id=first, text="Bearing hums"),
                  entry(severity="minor", asset_id=second, text="Of the other one")],
    )  # fmt: skip
    retire_visits(company.id, NOON)
    [told] = db.session.get_one(Asset, (company.id, first), populate_existing=True).recent_visits
    assert told["summary"].startswith("Seal changed")
    assert len(told["summary"]) == 500
    assert told["readings"] == [{"meter": "hours", "value": 1200.5, "unit": "h"}]
    assert told["findings"] == [
        {"severity": "minor", "cause": None, "text": "Rust on the base"},
        {"severity": "major", "cause": "wear", "text": "Bearing hums"},
    ]


def test_retiring_again_changes_nothing(company: SmallCompany) -> None:
    a_finished_visit(company, 20)
    assert retire_visits(company.id, NOON) == {"retired": 1, "assets_renewed": 1, "decisions_removed": 0}
    assert retire_visits(company.id, NOON) == {"retired": 0, "assets_renewed": 0, "decisions_removed": 0}


def test_work_of_long_ago_is_looked_at_when_asked(company: SmallCompany) -> None:
    a_finished_visit(company, 300)
    assert retire_visits(company.id, NOON)["assets_renewed"] == 0
    assert retire_visits(company.id, NOON, history=True)["assets_renewed"] == 1


def test_a_retired_visit_still_counts_for_its_plan(company: SmallCompany) -> None:
    plan = a_plan(company)
    generate(company)
    [visit] = visits_of(company, plan)
    do(company, visit.id, NOON)
    retire_visits(company.id, NOON + timedelta(days=20))
    assert generate(company, NOON + timedelta(days=20)).failed == []
    assert [each.archived for each in visits_of(company, plan)] == [True, False]
    change(Visit, company.id, visit.id, exec_state="reviewed")
    assert generate(company, NOON + timedelta(days=20)).made == 0


@transactional
def decide_anew(company: SmallCompany, visit_id: str) -> None:
    decide_coverage(db.session.get_one(Visit, (company.id, visit_id)), now=datetime.now(UTC))


def decisions() -> set[str]:
    db.session.rollback()
    kept = set(db.session.scalars(select(Coverage.id)))
    own = select(documents.Document.id).where(documents.Document.collection == "coverage")
    assert kept == set(db.session.scalars(own))
    return kept


def test_a_decision_that_no_visit_refers_to_goes_when_the_feed_tells_of_it_no_more(company: SmallCompany) -> None:
    visit = company.visit(asset_ids=[company.assets[0]])
    publish(company.id, visit, company.anna)
    with_warranty = decisions()
    change(Asset, company.id, company.assets[0], warranty_term=None)
    decide_anew(company, visit)
    after = decisions()
    assert (len(with_warranty), len(after), with_warranty < after) == (1, 2, True)
    later = datetime.now(UTC) + timedelta(days=40)
    assert retire_visits(company.id, later)["decisions_removed"] == 0, "a tablet may still have to hear that it left"
    keep_house(company.id, datetime.now(UTC))
    assert keep_house(company.id, later, silent=timedelta(0), kept=timedelta(0))["removed"] > 0
    assert retire_visits(company.id, later)["decisions_removed"] == 1
    assert decisions() == after - with_warranty
    change(Asset, company.id, company.assets[0], warranty_term="W24")
    decide_anew(company, visit)
    assert decisions() == after, "what is decided once more is there once more"


def test_a_young_decision_stays(company: SmallCompany) -> None:
    visit = company.visit(asset_ids=[company.assets[0]])
    change(Visit, company.id, visit, coverage_id=None)
    assert retire_visits(company.id, datetime.now(UTC))["decisions_removed"] == 0
    assert len(decisions()) == 1
