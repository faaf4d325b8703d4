"""What a push costs the customer: decided as if each of its edits had come by itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from schemas.entities import COLLECTIONS
from server.actions.refresh_documents import refresh_documents
from server.extensions import db
from server.store.models import Contract, Customer, Document, Site, Visit
from server.store.transaction import transactional
from server.store.types import new_id
from tests.builders import SmallCompany, entry, publish
from tests.serving import Server
from tests.tablets import OverHttp, Tablet, enrol


@transactional
def agree(company: SmallCompany, included_visits: int, number: str = "K-1", customer: str | None = None) -> str:
    """A contract that includes some repairs of these days; its id."""
    today = datetime.now(UTC).date()
    contract_id = new_id()
    db.session.add(
        Contract(
            company_id=company.id,
            id=contract_id,
            number=number,
            customer_id=customer or company.customer,
            starts_on=today - timedelta(days=30),
            ends_on=today + timedelta(days=30),
            included_kinds=["repair_minor"],
            included_visits=included_visits,
            currency="EUR",
            price_list=None,
            items=[],
        )
    )
    return contract_id


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


def test_the_id_of_a_decision_is_nobody_elses_to_give(app: Flask, company: SmallCompany) -> None:
    """A decision has an id of what it says, which a tablet can work out before the office decides."""
    with app.app_context():
        visit = company.visit(kind="repair_minor", site_id=company.sites[1])
        publish(company.id, visit, company.anna, datetime.now(UTC))
        decided = db.session.get_one(Visit, (company.id, visit)).coverage_id
    assert decided is not None
    anna = enrol(app, company.id, company.anna)
    anna.read()
    wanted = decided[:-1] + ("0" if decided[-1] != "0" else "1")
    made = {"kind": "repair_minor", "site_id": company.sites[1]}
    anna.change(wanted, op="create", set=made)
    anna.change(new_id(), op="create", set=made)
    taken, free = anna.sync()
    assert (taken["status"], taken["problem"]["code"]) == ("rejected", "id-taken")
    assert free["status"] == "applied"


def test_a_document_from_before_decisions_were_shared_is_decided_again(app: Flask, company: SmallCompany) -> None:
    """The tables are of the new form, the stored documents not yet: what was found on site is paid for all the same."""

    @transactional
    def of_old(visit: str) -> None:
        document = db.session.get_one(Document, (company.id, visit))
        body = COLLECTIONS["visit"].whole(orjson.loads(document.body)) | {"coverage": {"outcome": "free"}}
        del body["coverage_id"]
        document.body = orjson.dumps(body).decode()

    def outcome(visit: str) -> str:
        with app.app_context():
            found = db.session.get_one(Visit, (company.id, visit)).coverage
            db.session.remove()
            assert found is not None
            return str(found.outcome)

    with app.app_context():
        visit = company.visit(asset_ids=[company.assets[0]])
        publish(company.id, visit, company.anna, datetime.now(UTC))
        of_old(visit)
    assert outcome(visit) == "free"
    anna = enrol(app, company.id, company.anna)
    anna.read()
    anna.work(visit, "started", "done")
    misused = entry(asset_id=company.assets[0], severity="minor", text="Bent", cause="misuse")
    anna.change(visit, add={"findings": [misused]})
    anna.sync()
    assert anna.body(anna.body(visit)["coverage_id"])["outcome"] == "paid"
    assert outcome(visit) == "paid"
    with app.app_context():
        list(refresh_documents())
    anna.read()
    assert anna.body(anna.body(visit)["coverage_id"])["outcome"] == "paid"


@contextmanager
def nobody_commits_before(waiting: int, database_url: str, company: SmallCompany) -> Iterator[None]:
    """On PostgreSQL: writers get as far as the company's next feed number until so many of them wait; then they go on.

    What they wait for may also be one another. On SQLite there is one writer.
    """
    if not database_url.startswith("postgresql"):
        yield
        return
    with psycopg.connect(database_url) as held, psycopg.connect(database_url, autocommit=True) as look:
        held.execute("SELECT n FROM sync_clock WHERE company_id = %s FOR UPDATE", (company.id,))
        yield
        asked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        deadline = time.monotonic() + 30
        while look.execute(asked).fetchone() != (waiting,) and time.monotonic() < deadline:
            time.sleep(0.01)
        held.rollback()


def test_two_tablets_that_push_at_once_do_not_both_take_the_last_included_visit(
    app: Flask, company: SmallCompany, database_url: str, tmp_path: Path
) -> None:
    """Two processes judge at the same time; who comes second counts what the first one took."""
    with app.app_context():
        agree(company, 1)
        visits = [company.visit(site_id=site, kind="repair_minor") for site in company.sites[:2]]
        for visit, technician in zip(visits, (company.anna, company.boris), strict=True):
            publish(company.id, visit, technician, datetime.now(UTC))
    people = [enrol(app, company.id, technician) for technician in (company.anna, company.boris)]
    servers = [Server(database_url, tmp_path) for _ in people]
    try:
        for server in servers:
            server.start()
        tablets = [Tablet(OverHttp(server.url), person.state) for server, person in zip(servers, people, strict=True)]
        for tablet, visit in zip(tablets, visits, strict=True):
            tablet.read()
            tablet.work(visit, "started", "done")
        with ThreadPoolExecutor(2) as pool:
            with nobody_commits_before(2, database_url, company):
                sent = [pool.submit(tablet.send) for tablet in tablets]
            for each in sent:
                assert {result["status"] for result in each.result(60)} == {"applied"}
        for tablet in tablets:
            tablet.read()
    finally:
        for server in servers:
            server.kill()
    found = [
        tablet.body(tablet.body(visit)["coverage_id"])["outcome"] for tablet, visit in zip(tablets, visits, strict=True)
    ]
    assert sorted(found) == ["free", "paid"]


def test_contracts_are_held_in_one_order_whatever_the_order_of_the_edits(app: Flask, company: SmallCompany) -> None:
    """Who waits for the first of them holds none of the others: two pushes never wait for each other."""
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            pytest.skip("one writer at a time")
        lone = another_customer(company)
        contracts = {agree(company, 5): company.sites[0], agree(company, 5, "K-2", lone): company.sites[1]}
        first, second = sorted(contracts)
        visits = [company.visit(site_id=contracts[one], kind="repair_minor") for one in (second, first)]
        for visit in visits:
            publish(company.id, visit, company.anna, datetime.now(UTC))
    anna = enrol(app, company.id, company.anna)
    anna.read()
    for visit in visits:
        anna.work(visit, "started", "done")
    lock = text("SELECT id FROM contract WHERE id = :id FOR NO KEY UPDATE NOWAIT")
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with app.app_context(), db.engine.connect() as other, ThreadPoolExecutor(1) as pool:
        other.execute(lock, {"id": first})
        pushed = pool.submit(anna.send)
        while not other.execute(waiting).scalar():
            assert not pushed.done()
        other.execute(lock, {"id": second})
        other.rollback()
        assert {result["status"] for result in pushed.result()} == {"applied"}


@transactional
def another_customer(company: SmallCompany) -> str:
    """The second site is another customer's."""
    customer = db.session.get_one(Customer, (company.id, company.customer))
    values = {column.name: getattr(customer, column.name) for column in Customer.__table__.columns}
    made = Customer(**(values | {"id": new_id(), "name": "Another", "external_ref": None}))
    db.session.add(made)
    db.session.flush()
    db.session.get_one(Site, (company.id, company.sites[1])).customer_id = made.id
    return str(made.id)
