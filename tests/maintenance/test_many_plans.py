"""Many plans at once: decided without a lock, written in short transactions and few statements."""

from __future__ import annotations

from server.actions.generate_visits import Report, _decide, _write_all
from server.actions.make_visit import make_visit
from server.extensions import db
from server.store.models import Asset
from server.store.queries import maintenance
from server.store.transaction import transactional
from server.store.types import new_id
from tests.actions.test_query_counts import counted
from tests.builders import SmallCompany
from tests.maintenance.builders import NOON, a_plan, do, edit_plan, generate, ledger, visits_of
from tests.maintenance.test_retire_visits import a_finished_visit


@transactional
def machines(company: SmallCompany, count: int) -> list[str]:
    """So many more machines at the first site."""
    ids = [new_id() for _ in range(count)]
    for one in ids:
        db.session.add(
            Asset(
                company_id=company.id, id=one, site_id=company.sites[0], model_id=company.model, serial=one[-12:],
                in_service=True, recent_visits=[],
            )
        )  # fmt: skip
    return ids


def asked(company: SmallCompany, count: int) -> tuple[int, int]:
    """Statements of a run over `count` new plans, and of one that finds nothing to do."""
    for machine in machines(company, count):
        a_plan(company, asset_id=machine)
    with counted() as first:
        assert generate(company).made == count
    with counted() as again:
        assert generate(company).ledger == {}
    return len(first), len(again)


def test_the_database_is_asked_for_portions_not_for_plans(company: SmallCompany, context: None) -> None:
    few = asked(company, 3)
    many = asked(company, 15)
    assert many[0] - few[0] < 16, (few, many)
    assert many[1] == few[1]


def test_a_run_that_changes_nothing_takes_no_lock_that_others_wait_for(company: SmallCompany, context: None) -> None:
    a_plan(company)
    generate(company)
    generate(company)
    with counted() as statements:
        generate(company)
    assert not [one for one in statements if one.startswith(("INSERT", "UPDATE", "DELETE")) or "FOR UPDATE" in one]


def test_a_plan_that_was_changed_after_it_was_decided_is_decided_again(company: SmallCompany, context: None) -> None:
    plan, other = a_plan(company), a_plan(company, asset_id=company.assets[1])
    report = Report()
    waiting = _decide(company.id, [plan, other], NOON, report)
    edit_plan(company, plan, active=False)
    report.add(_write_all(company.id, waiting, NOON))
    assert visits_of(company, plan) == []
    assert len(visits_of(company, other)) == 1
    assert report.made == 1


def test_work_that_was_done_after_a_plan_was_decided_counts(company: SmallCompany, context: None) -> None:
    plan = a_plan(company)
    generate(company)
    edit_plan(company, plan, horizon_days=60)
    waiting = _decide(company.id, [plan], NOON, Report())
    [visit] = visits_of(company, plan)
    do(company, visit.id, NOON)
    _write_all(company.id, waiting, NOON)
    assert len(visits_of(company, plan)) == 2, "the next one does not wait any more"
    assert generate(company).ledger == {}


def test_a_plan_that_cannot_be_written_leaves_the_others_of_its_portion_whole(
    company: SmallCompany, context: None
) -> None:
    """The database refuses the visit of one plan; that one is named, with nothing of it half there."""
    plans = [a_plan(company, asset_id=each) for each in company.assets]
    [decided] = _decide(company.id, plans[1:2], NOON, Report())
    taken = next(one for one in decided.decisions if one.state == "generated")
    _take(company, taken.visit_id)
    report = generate(company)
    assert [one["plan_id"] for one in report.failed] == [plans[1]]
    assert (report.plans, report.made) == (3, 2)
    assert ledger(company, plans[1]) == []
    assert [len(visits_of(company, plan)) for plan in plans] == [1, 0, 1]


@transactional
def _take(company: SmallCompany, visit_id: str) -> None:
    make_visit(
        company.id, {"kind": "repair_minor", "site_id": company.sites[0]}, origin="request", now=NOON, visit_id=visit_id
    )


def test_the_last_visits_of_machines_are_asked_for_not_all_that_ever_were(company: SmallCompany, context: None) -> None:
    for days_ago in (3, 30, 60, 90, 120):
        a_finished_visit(company, days_ago)
    found = maintenance.last_finished(company.id, company.sites, 3)
    assert [each.finished_at for each in found[company.assets[0]]] == sorted(
        (each.finished_at for each in found[company.assets[0]]), reverse=True
    )
    assert {machine: len(each) for machine, each in found.items()} == {company.assets[0]: 3}
