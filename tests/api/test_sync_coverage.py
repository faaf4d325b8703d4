"""What a push costs the customer: decided as if each of its edits had come by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from server.extensions import db
from server.store.models import Contract
from server.store.transaction import transactional
from server.store.types import new_id
from tests.builders import SmallCompany, publish
from tests.tablets import enrol


@transactional
def agree(company: SmallCompany, included_visits: int) -> None:
    """A contract that includes some repairs of these days."""
    today = datetime.now(UTC).date()
    db.session.add(
        Contract(
            company_id=company.id,
            id=new_id(),
            number="K-1",
            customer_id=company.customer,
            starts_on=today - timedelta(days=30),
            ends_on=today + timedelta(days=30),
            included_kinds=["repair_minor"],
            included_visits=included_visits,
            currency="EUR",
            price_list=None,
            items=[],
        )
    )


@pytest.mark.parametrize("at_once", [True, False])
def test_the_last_included_visit_is_given_once(app: Flask, company: SmallCompany, at_once: bool) -> None:
    """Two visits are done, and one is left of the contract: whether they come in one push or in two."""
    with app.app_context():
        agree(company, 1)
        visits = [company.visit(site_id=site, kind="repair_minor") for site in company.sites[:2]]
        for visit in visits:
            publish(company.id, visit, company.anna, datetime.now(UTC))
    anna = enrol(app, company.id, company.anna)
    anna.read()
    for visit in visits:
        anna.work(visit, "started", "done")
        if not at_once:
            anna.sync()
    anna.sync()
    assert [anna.body(anna.body(visit)["coverage_id"])["outcome"] for visit in visits] == ["free", "paid"]
