"""Plans become visits: in the database, through the one write path, on both databases."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from server.domain.maintenance import Decision, State
from server.domain.reason import Reason
from server.extensions import db
from server.store import documents
from server.store.models import Branch, Contract, Document, Site, Visit
from server.store.transaction import transactional
from server.store.types import new_id
from tests.builders import SmallCompany, change, publish
from tests.maintenance.builders import (
    NOON,
    WEEKLY,
    a_plan,
    day,
    do,
    edit_asset,
    edit_plan,
    edit_visit,
    generate,
    ledger,
    rows,
    visits_of,
)

pytestmark = pytest.mark.usefixtures("context")


def test_a_due_date_becomes_one_visit_with_its_window_and_reason(company: SmallCompany) -> None:
    plan = a_plan(company, hard_due=True)
    report = generate(company)
    assert (report.plans, report.made, report.failed) == (1, 1, [])
    [visit] = visits_of(company, plan)
    assert (visit.due_from, visit.due_to, visit.hard_due) == (date(2026, 5, 1), date(2026, 5, 7), True)
    assert (visit.origin, visit.plan_state, visit.plan_id, visit.number) == ("plan", "due", plan, "V-20001")
    assert visit.asset_ids == [company.assets[0]]
    [row] = rows(company, plan)
    assert (row.id, row.visit_id) == (visit.occurrence_id, visit.id)
    expected = Decision(
        plan_id=plan, trigger_id="t1", cycle_key="2026-05-04", state=State.GENERATED, reason=Reason("due"),
        due_on=None, window_from=None, window_to=None,
    )  # fmt: skip
    assert (row.id, row.visit_id) == (expected.occurrence_id, expected.visit_id)


def test_a_visit_reaches_the_feed_as_any_other_document(company: SmallCompany) -> None:
    plan = a_plan(company)
    generate(company)
    [visit] = visits_of(company, plan)
    kept = documents.stored(company.id, visit.id)
    assert kept is not None
    assert kept[1].body["due_to"] == "2026-05-07"


def test_generating_again_changes_nothing(company: SmallCompany) -> None:
    plan = a_plan(company, triggers=[WEEKLY])
    generate(company)
    before = [(row.id, row.decided_at, row.reason, row.state) for row in rows(company, plan)]
    versions = [documents.stored(company.id, visit.id)[1].version for visit in visits_of(company, plan)]
    report = generate(company, NOON + timedelta(hours=3))
    assert (report.made, report.moved, report.withdrawn, dict(report.ledger)) == (0, 0, 0, {})
    assert [(row.id, row.decided_at, row.reason, row.state) for row in rows(company, plan)] == before
    assert [documents.stored(company.id, visit.id)[1].version for visit in visits_of(company, plan)] == versions


def test_the_next_visit_waits_for_the_open_one_and_the_ledger_says_so(company: SmallCompany) -> None:
    plan = a_plan(company, triggers=[WEEKLY], horizon_days=14)
    generate(company)
    assert ledger(company, plan) == [
        ("2026-05-04", "generated", "due"),
        ("2026-05-11", "held", "previous-open"),
        ("2026-05-18", "held", "previous-open"),
    ]
    do(company, visits_of(company, plan)[0].id, day("2026-05-05"))
    generate(company, day("2026-05-06"))
    assert [row[1:] for row in ledger(company, plan)] == [
        ("generated", "visit-done"),
        ("generated", "due"),
        ("held", "previous-open"),
    ]


def test_a_visit_moved_to_another_day_is_not_made_twice(company: SmallCompany) -> None:
    """A visit pulled forward from Monday to Friday must not leave a second one on Monday."""
    plan = a_plan(company, triggers=[WEEKLY], starts_on=date(2026, 5, 11), horizon_days=9)
    generate(company)
    [visit] = visits_of(company, plan)
    edit_visit(company, visit.id, planned_start=day("2026-05-08"), due_from=date(2026, 5, 8), due_to=date(2026, 5, 8))
    publish(company.id, visit.id, company.anna, day("2026-05-08", 9))
    do(company, visit.id, day("2026-05-08", 10))
    generate(company, day("2026-05-09"))
    # Looked at on the 9th with nine days of horizon: the next Monday alone is new.
    assert ledger(company, plan) == [
        ("2026-05-11", "generated", "visit-done"),
        ("2026-05-18", "generated", "due"),
    ]


def test_dates_that_the_dispatcher_set_on_an_untouched_visit_stay(company: SmallCompany) -> None:
    plan = a_plan(company)
    generate(company)
    [visit] = visits_of(company, plan)
    edit_visit(company, visit.id, due_from=date(2026, 5, 6), due_to=date(2026, 5, 20))
    generate(company)
    [visit] = visits_of(company, plan)
    assert (visit.due_from, visit.due_to) == (date(2026, 5, 6), date(2026, 5, 20))


def test_floating_counts_from_the_day_the_work_was_done(company: SmallCompany) -> None:
    floating = {"kind": "calendar_floating", "id": "t1", "every": {"count": 1, "unit": "months"}}
    plan = a_plan(company, triggers=[floating], starts_on=date(2026, 4, 10), horizon_days=60)
    generate(company)
    assert ledger(company, plan) == [("2026-05-10", "generated", "due")]
    do(company, visits_of(company, plan)[0].id, day("2026-05-18"))
    generate(company, day("2026-05-19"))
    assert ledger(company, plan) == [("2026-05-10", "generated", "visit-done"), ("2026-06-18", "generated", "due")]


def test_work_done_late_in_the_evening_counts_for_the_day_at_the_site(company: SmallCompany) -> None:
    """23:30 UTC on the 18th is already the 19th in Andorra (UTC+2)."""
    floating = {"kind": "calendar_floating", "id": "t1", "every": {"count": 1, "unit": "months"}}
    plan = a_plan(company, triggers=[floating], starts_on=date(2026, 4, 10), horizon_days=60)
    generate(company)
    do(company, visits_of(company, plan)[0].id, day("2026-05-18", 23))
    generate(company, day("2026-05-20"))
    assert ledger(company, plan)[1][0] == "2026-06-19"


def test_a_proactive_inspection_appears_without_a_request(company: SmallCompany) -> None:
    edit_asset(company, warranty_starts_on=date(2026, 4, 10), warranty_ends_on=date(2028, 4, 9))
    phases = {"kind": "warranty_phase", "id": "w", "phases": ["m1", "m6", "end-30d"]}
    plan = a_plan(company, kind="proactive_inspection", triggers=[phases], starts_on=date(2026, 4, 10))
    generate(company)
    [visit] = visits_of(company, plan)
    assert (visit.origin, visit.kind, visit.due_from, visit.due_to) == (
        "proactive",
        "proactive_inspection",
        date(2026, 5, 7),
        date(2026, 5, 13),
    )
    assert visit.coverage is not None
    assert visit.coverage.outcome == "free"
    assert visit.coverage.reason["code"] == "warranty"


def test_an_asset_without_commissioning_gets_a_row_that_says_so(company: SmallCompany) -> None:
    edit_asset(company, commissioned_on=None)
    age = {"kind": "age", "id": "a", "every": {"count": 6, "unit": "months"}}
    plan = a_plan(company, triggers=[age])
    generate(company)
    assert ledger(company, plan) == [("2026-05-04", "suppressed", "not-commissioned")]
    edit_asset(company, commissioned_on=date(2025, 11, 20))
    generate(company)
    assert ledger(company, plan) == [("2026-05-20", "generated", "due")]


def test_a_plan_that_fails_does_not_stop_the_others(company: SmallCompany) -> None:
    broken = [
        a_plan(company, name="No such rule", triggers=[{"kind": "calendar_fixed", "id": "t", "rule": "FREQ=NEVER"}]),
        a_plan(company, name="No such kind of trigger", triggers=[{"kind": "moon", "id": "t"}]),
        a_plan(company, name="Never moves on", triggers=[
            {"kind": "age", "id": "t", "every": {"count": 0, "unit": "days"}},
        ]),
        a_plan(company, name="Unknown kind of work", kind="dancing"),
    ]  # fmt: skip
    sound = [a_plan(company, asset_id=asset) for asset in company.assets]
    report = generate(company)
    assert {each["plan_id"] for each in report.failed} == set(broken)
    assert (report.plans, report.made) == (7, 3)
    assert all(ledger(company, plan) == [("2026-05-04", "generated", "due")] for plan in sound)
    assert all(ledger(company, plan) == [] for plan in broken)


def test_a_site_with_an_unknown_time_zone_fails_alone(company: SmallCompany) -> None:
    change(Site, company.id, company.sites[0], tz="Europe/Atlantis")
    lost = a_plan(company)
    sound = a_plan(company, asset_id=company.assets[1])
    report = generate(company)
    assert [each["plan_id"] for each in report.failed] == [lost]
    assert ledger(company, sound) == [("2026-05-04", "generated", "due")]


def test_out_of_service_withdraws_what_nobody_has_touched_and_brings_it_back(company: SmallCompany) -> None:
    plan = a_plan(company)
    generate(company)
    edit_asset(company, in_service=False)
    assert generate(company).withdrawn == 1
    [visit] = visits_of(company, plan)
    assert (visit.plan_state, visit.cancel_reason) == ("cancelled", "The asset is out of service.")
    assert ledger(company, plan) == [("2026-05-04", "suppressed", "asset-out-of-service")]
    assert generate(company).ledger == {}
    edit_asset(company, in_service=True)
    assert generate(company).made == 1
    [again] = visits_of(company, plan)
    assert (again.id, again.number, again.plan_state, again.cancel_reason) == (visit.id, visit.number, "due", None)


def test_what_a_technician_has_been_given_stays(company: SmallCompany) -> None:
    plan = a_plan(company)
    generate(company)
    [visit] = visits_of(company, plan)
    publish(company.id, visit.id, company.anna, day("2026-05-05", 9))
    edit_asset(company, in_service=False)
    assert generate(company).withdrawn == 0
    assert visits_of(company, plan)[0].plan_state == "published"
    assert ledger(company, plan) == [("2026-05-04", "generated", "due")]


def test_a_visit_that_the_office_cancelled_is_not_made_again(company: SmallCompany) -> None:
    plan = a_plan(company)
    generate(company)
    [visit] = visits_of(company, plan)
    edit_visit(company, visit.id, plan_state="cancelled", cancel_reason="The customer is on holiday")
    for later in range(3):
        generate(company, NOON + timedelta(days=later))
    assert ledger(company, plan)[0] == ("2026-05-04", "skipped", "visit-cancelled")
    assert visits_of(company, plan)[0].cancel_reason == "The customer is on holiday"


def test_a_changed_rule_moves_untouched_visits_and_keeps_published_ones(company: SmallCompany) -> None:
    plan = a_plan(company, triggers=[WEEKLY], horizon_days=10)
    generate(company)
    [monday] = visits_of(company, plan)
    tuesdays = {"kind": "calendar_fixed", "id": "t1", "rule": "FREQ=WEEKLY;BYDAY=TU"}
    edit_plan(company, plan, triggers=[tuesdays], version=2)
    generate(company)
    # Moments before the horizon of ten days ends, on the 14th: Tuesdays 5 and 12.
    assert ledger(company, plan) == [
        ("2026-05-04", "suppressed", "no-longer-expected"),
        ("2026-05-05", "generated", "due"),
        ("2026-05-12", "held", "previous-open"),
    ]
    tuesday = visits_of(company, plan)[1]
    publish(company.id, tuesday.id, company.anna)
    edit_plan(company, plan, triggers=[WEEKLY], version=3)
    generate(company)
    assert ledger(company, plan) == [
        ("2026-05-04", "generated", "due"),
        ("2026-05-05", "generated", "kept-from-earlier-rule"),
        ("2026-05-11", "held", "previous-open"),
    ]
    assert visits_of(company, plan)[0].id == monday.id


def test_a_wider_window_moves_the_untouched_visit(company: SmallCompany) -> None:
    plan = a_plan(company)
    generate(company)
    edit_plan(company, plan, early_days=10, late_days=10)
    assert generate(company).moved == 1
    [visit] = visits_of(company, plan)
    assert (visit.due_from, visit.due_to) == (date(2026, 4, 24), date(2026, 5, 14))


def test_a_shorter_horizon_takes_back_only_what_nobody_touched(company: SmallCompany) -> None:
    plan = a_plan(company, starts_on=date(2026, 5, 24), horizon_days=30)
    generate(company)
    edit_plan(company, plan, horizon_days=10)
    assert generate(company).withdrawn == 1
    assert ledger(company, plan) == [("2026-05-24", "forecast", "beyond-horizon")]
    edit_plan(company, plan, horizon_days=30)
    assert generate(company).made == 1
    assert ledger(company, plan) == [("2026-05-24", "generated", "due")]


def test_unplanned_work_of_the_same_kind_counts(company: SmallCompany) -> None:
    plan = a_plan(company)
    unplanned = company.visit(asset_ids=[company.assets[0]])
    do(company, unplanned, day("2026-05-02"))
    generate(company)
    assert ledger(company, plan) == [("2026-05-04", "credited", "credited")]
    assert visits_of(company, plan) == []


def test_nobody_at_home_is_told_and_the_next_date_goes_on(company: SmallCompany) -> None:
    plan = a_plan(company)
    generate(company)
    do(company, visits_of(company, plan)[0].id, day("2026-05-05"), "no_access")
    generate(company, day("2026-05-06"))
    assert ledger(company, plan) == [("2026-05-04", "generated", "visit-no-access"), ("2026-06-04", "generated", "due")]


def test_three_weeks_without_a_scheduler_end_in_one_visit(company: SmallCompany) -> None:
    plan = a_plan(company, triggers=[WEEKLY], horizon_days=3)
    generate(company, day("2026-05-20"))
    assert ledger(company, plan) == [
        ("2026-05-04", "skipped", "coalesced"),
        ("2026-05-11", "skipped", "coalesced"),
        ("2026-05-18", "generated", "due"),
    ]


def test_a_clock_that_jumps_back_takes_nothing_away_from_people(company: SmallCompany) -> None:
    plan = a_plan(company, horizon_days=40)
    generate(company)
    do(company, visits_of(company, plan)[0].id, day("2026-05-05"))
    generate(company, day("2026-05-06"))
    numbers = [visit.number for visit in visits_of(company, plan)]
    generate(company, NOON - timedelta(days=300))
    generate(company, day("2026-05-06"))
    assert [visit.number for visit in visits_of(company, plan)] == numbers
    assert [row[1] for row in ledger(company, plan)] == ["generated", "generated"]


def test_one_plan_can_be_brought_up_to_date_alone(company: SmallCompany) -> None:
    first, second = a_plan(company), a_plan(company, asset_id=company.assets[1])
    assert generate(company, plan_id=first).plans == 1
    assert (len(ledger(company, first)), len(ledger(company, second))) == (1, 0)


def test_the_contract_of_the_customer_ends_the_plan(company: SmallCompany) -> None:
    edit_asset(company, warranty_starts_on=date(2024, 1, 1), warranty_ends_on=date(2025, 12, 31))
    _contract(company, date(2026, 4, 30))
    plan = a_plan(company)
    generate(company)
    assert ledger(company, plan) == [("2026-05-04", "suppressed", "contract-ended")]


@transactional
def _contract(company: SmallCompany, ends_on: date) -> None:
    db.session.add(
        Contract(
            company_id=company.id, id=new_id(), number="C-1", customer_id=company.customer,
            starts_on=date(2025, 5, 1), ends_on=ends_on, included_kinds=["preventive_maintenance"],
            included_visits=None, currency="EUR", price_list=None, items=[],
        )
    )  # fmt: skip


def test_the_cause_of_a_withdrawal_is_told_in_the_language_of_the_branch(company: SmallCompany) -> None:
    change(Branch, company.id, company.branch, locale="ru")
    plan = a_plan(company)
    generate(company)
    assert visits_of(company, plan)[0].title == "preventive_maintenance"
    edit_asset(company, in_service=False)
    generate(company)
    assert visits_of(company, plan)[0].cancel_reason == "Изделие выведено из эксплуатации."


def test_many_plans_are_taken_in_several_transactions(company: SmallCompany) -> None:
    plans = [a_plan(company, asset_id=company.assets[n % 3], name=f"Plan {n}") for n in range(60)]
    report = generate(company)
    assert (report.plans, report.made, report.failed) == (60, 60, [])
    numbers = {visits_of(company, plan)[0].number for plan in plans}
    assert len(numbers) == 60
    assert db.session.query(Document).filter_by(collection="visit").count() == 60
    assert db.session.query(Visit).count() == 60
