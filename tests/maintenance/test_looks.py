"""Plans that cannot have changed are passed over; whatever a plan rests on makes it be looked at again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from server.actions import generate_visits as generator
from server.actions.generate_visits import Report
from server.actions.meter_readings import judge_reading, record_reading
from server.actions.site_calendar import write_calendar
from server.actions.write_plan import edit_plan
from server.extensions import db
from server.store.models import Contract, Site
from server.store.transaction import transactional
from server.store.types import new_id
from tests.builders import SmallCompany, change, publish
from tests.maintenance.builders import NOON, a_plan, day, do, edit_asset, generate, visits_of

pytestmark = pytest.mark.usefixtures("context")

METER = {"kind": "meter", "id": "m", "meter": "hours", "every": 500}


@pytest.fixture
def decided(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The plans that each portion of a run has decided."""
    found: list[list[str]] = []
    really = generator._decide

    def watched(company_id: str, ids: list[str], *rest: Any) -> Any:
        found.append(list(ids))
        return really(company_id, ids, *rest)

    monkeypatch.setattr(generator, "_decide", watched)
    return found


def looked_at(decided: list[list[str]], run: Callable[[], Report]) -> set[str]:
    """The plans that a run decides."""
    decided.clear()
    assert run().failed == []
    return {one for portion in decided for one in portion}


def settle(company: SmallCompany) -> None:
    """Until nothing is looked at any more: the first run makes visits, the second has seen them."""
    generate(company)
    generate(company)


@transactional
def a_contract(company: SmallCompany) -> None:
    db.session.add(
        Contract(
            company_id=company.id, id=new_id(), number="C-9", customer_id=company.customer,
            starts_on=date(2026, 1, 1), ends_on=date(2026, 12, 31), included_kinds=["preventive_maintenance"],
            included_visits=None, currency="EUR", price_list=None, items=[],
        )
    )  # fmt: skip


def test_what_cannot_have_changed_is_passed_over_and_still_counted(
    company: SmallCompany, decided: list[list[str]]
) -> None:
    plans = [a_plan(company, asset_id=each) for each in company.assets]
    assert looked_at(decided, lambda: generate(company)) == set(plans)
    generate(company)
    assert looked_at(decided, lambda: generate(company, NOON + timedelta(hours=1))) == set()
    assert generate(company).plans == 3


def test_whatever_a_plan_rests_on_makes_it_be_looked_at_again(company: SmallCompany, decided: list[list[str]]) -> None:
    """Each change reaches the plans of its machine, site or customer."""
    plan, metered = a_plan(company), a_plan(company, triggers=[METER])
    settle(company)
    reading = {"meter": "hours", "value": 100, "taken_at": "2026-05-01T10:00:00.000Z"}
    kept: list[str] = []

    def read() -> None:
        kept.append(record_reading(company.id, company.assets[0], reading).id)

    changes: dict[str, Callable[[], object]] = {
        "an edit of the plan": lambda: edit_plan(company.id, plan, {"late_days": 9}),
        "the machine": lambda: edit_asset(company, in_service=False),
        "the site": lambda: change(Site, company.id, company.sites[0], tz="Europe/Berlin"),
        "a contract": lambda: a_contract(company),
        "the calendar": lambda: write_calendar(company.id, company.sites[0], {"weekend": [6]}),
        "a reading": read,
        "a judgement": lambda: judge_reading(company.id, kept[0], {"judged": "rejected"}),
        "a visit nobody planned": lambda: company.visit(asset_ids=[company.assets[0]]),
    }
    for what, happens in changes.items():
        happens()
        assert {plan, metered} <= looked_at(decided, lambda: generate(company)), what
        settle(company)
        assert looked_at(decided, lambda: generate(company)) == set(), what


def test_work_on_a_visit_makes_its_plan_be_looked_at(company: SmallCompany, decided: list[list[str]]) -> None:
    plan, other = a_plan(company), a_plan(company, asset_id=company.assets[-1])
    settle(company)
    [visit] = visits_of(company, plan)
    publish(company.id, visit.id, company.anna, day("2026-05-04", 9))
    assert plan in looked_at(decided, lambda: generate(company))
    do(company, visit.id, day("2026-05-04"))
    assert plan in looked_at(decided, lambda: generate(company))
    settle(company)
    assert len(visits_of(company, other)) == 1


def test_time_alone_brings_a_plan_back(company: SmallCompany, decided: list[list[str]]) -> None:
    """Monthly from the 4th, with visits 30 days ahead: 4 June comes into sight on 5 May."""
    plan = a_plan(company, starts_on=date(2026, 6, 20), early_days=0, late_days=0)
    settle(company)
    assert visits_of(company, plan) == []
    looked = [on for on in range(5, 30) if looked_at(decided, lambda on=on: generate(company, day(f"2026-05-{on:02}")))]
    assert 21 in looked, "20 June is 30 days ahead"
    assert len(looked) < 8, "not each day"
    assert len(visits_of(company, plan)) == 1


def test_a_plan_that_failed_is_tried_again_each_time(company: SmallCompany, decided: list[list[str]]) -> None:
    broken = a_plan(company, triggers=[{"kind": "moon", "id": "t"}])
    for _ in range(2):
        assert [each["plan_id"] for each in generate(company).failed] == [broken]
